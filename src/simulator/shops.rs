//! The state of all simulated shops, and the handle by which tests, the demo and the control pages edit it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::calls::{Call, CallLog, ProviderApi};
use super::ecwid::EcwidStores;
use super::faults::{Fault, FaultId, Faults, Trouble};
use super::kinguin::KinguinAccounts;
use super::midas::MidasPlatform;
use super::time::TimeSource;

/// A handle on the state of all simulated shops; clones share it.
///
/// Shops are opened and edited with [`Shops::open_ecwid`], [`Shops::open_kinguin`] and [`Shops::open_midas`].
#[derive(Clone)]
pub struct Shops(Arc<Inner>);

struct Inner {
    state: Mutex<ShopsState>,
    changed: Condvar,
    fault_changes: watch::Sender<()>,
    clock: TimeSource,
}

#[derive(Default)]
pub(super) struct ShopsState {
    pub(super) ecwid: EcwidStores,
    pub(super) kinguin: KinguinAccounts,
    pub(super) midas: MidasPlatform,
    faults: Faults,
    log: CallLog,
}

impl Shops {
    pub(super) fn new(clock: TimeSource) -> Self {
        Self(Arc::new(Inner {
            state: Mutex::default(),
            changed: Condvar::new(),
            fault_changes: watch::channel(()).0,
            clock,
        }))
    }

    pub fn now(&self) -> DateTime<Utc> {
        (self.0.clock)()
    }

    /// Sets a fault; it holds for its number of calls or until it is cleared.
    pub fn add_fault(&self, fault: Fault) -> FaultId {
        self.lock().faults.add(fault)
    }

    /// Clears a fault and releases the answers that it held.
    pub fn clear_fault(&self, id: FaultId) {
        self.lock().faults.clear(id);
        self.0.fault_changes.send_replace(());
    }

    /// Clears all faults and releases the answers that they held.
    pub fn clear_faults(&self) {
        self.lock().faults.clear_all();
        self.0.fault_changes.send_replace(());
    }

    /// The faults that are set, including those that have run out.
    pub fn faults(&self) -> Vec<(FaultId, Fault)> {
        self.lock().faults.list().to_vec()
    }

    /// Every call so far, in order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().log.calls.clone()
    }

    /// The calls so far that `wanted` picks, in order of arrival.
    pub fn calls_matching(&self, wanted: impl Fn(&Call) -> bool) -> Vec<Call> {
        self.lock().log.calls.iter().filter(|call| wanted(call)).cloned().collect()
    }

    /// Empties the call log.
    pub fn clear_calls(&self) {
        self.lock().log.clear();
    }

    /// The maximum number of concurrent calls so far, including held and delayed answers.
    pub fn max_in_flight(&self) -> usize {
        self.lock().log.max_in_flight
    }

    /// Blocks until `count` calls have arrived, answered or not; false when `timeout` passes first.
    pub fn wait_for_calls(&self, count: usize, timeout: Duration) -> bool {
        self.wait(timeout, |log| log.calls.len() >= count)
    }

    /// Blocks until `count` calls were answered or cut; false when `timeout` passes first.
    pub fn wait_for_answers(&self, count: usize, timeout: Duration) -> bool {
        self.wait(timeout, |log| log.answered >= count)
    }

    /// Blocks until a call that `wanted` picks has arrived; false when `timeout` passes first.
    pub fn wait_for_call(&self, wanted: impl Fn(&Call) -> bool, timeout: Duration) -> bool {
        self.wait(timeout, |log| log.calls.iter().any(&wanted))
    }

    fn wait(&self, timeout: Duration, reached: impl Fn(&CallLog) -> bool) -> bool {
        let (state, _) = self
            .0
            .changed
            .wait_timeout_while(self.lock(), timeout, |state| !reached(&state.log))
            .unwrap_or_else(PoisonError::into_inner);
        reached(&state.log)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ShopsState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs a call. Returns its troubles, and a ticket that logs its end.
    ///
    /// The caller holds the lock until the answer is computed, so the answer to a logged call is fixed.
    pub(super) fn arrive(&self, state: &mut ShopsState, call: Call) -> (OpenCall, Vec<(FaultId, Trouble)>) {
        let met = state.faults.meet(call.provider, &call.store, &call.target);
        let generation = state.log.generation;
        let index = state.log.arrive(call);
        self.0.changed.notify_all();
        (OpenCall { shops: self.clone(), generation, index, status: None, arrived: Instant::now() }, met)
    }

    /// Waits until this fault is cleared.
    pub(super) async fn released(&self, id: FaultId) {
        let mut changes = self.0.fault_changes.subscribe();
        while self.lock().faults.is_set(id) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}

/// A call in flight. Dropped without a status (a cut connection, a caller that left), it ends without one.
pub(super) struct OpenCall {
    shops: Shops,
    generation: u64,
    index: usize,
    status: Option<u16>,
    arrived: Instant,
}

impl OpenCall {
    pub(super) fn answered(mut self, status: u16) {
        self.status = Some(status);
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        let mut state = self.shops.lock();
        state.log.in_flight -= 1;
        state.log.answer(self.generation, self.index, self.status, self.arrived.elapsed());
        drop(state);
        self.shops.0.changed.notify_all();
    }
}

/// Names the store that a request is about, from its path or credentials, for the log and the faults.
pub(super) fn store_of(
    state: &ShopsState,
    provider: ProviderApi,
    request: &super::exchange::Request<'_>,
) -> String {
    match provider {
        ProviderApi::Ecwid => request.segments().into_iter().next().unwrap_or_default(),
        ProviderApi::Kinguin => super::kinguin::account_of(&state.kinguin, request),
        ProviderApi::Midas => super::midas::merchant_of(request),
    }
}
