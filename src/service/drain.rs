//! Tracks connections, so that a stop cuts no request off. Once it has begun, every answer says `Connection: close`,
//! and idle connections get a moment to send a request that is in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_web::Error;
use actix_web::dev::ServiceResponse;
use actix_web::http::ConnectionType;

/// How long no connection must show activity before a stop: far longer than a packet travels.
const QUIET: Duration = Duration::from_millis(500);

/// The minimum wait of a stop, because a thread may just have accepted a connection that is not counted yet.
pub(super) const SETTLE: Duration = Duration::from_millis(50);

/// The interval at which a stop checks for activity.
const STEP: Duration = Duration::from_millis(10);

/// The connections and requests of all listeners; clones share it.
#[derive(Clone, Debug)]
pub(super) struct Traffic(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    began: Instant,
    open: AtomicUsize,
    in_flight: AtomicUsize,
    /// [`QUIET`] after a connection or a request last began or ended, in milliseconds since `began`; 0 before the first.
    quiet_at: AtomicU64,
    is_stopping: AtomicBool,
}

impl Traffic {
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner {
            began: Instant::now(),
            open: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            quiet_at: AtomicU64::new(0),
            is_stopping: AtomicBool::new(false),
        }))
    }

    /// Counts a connection until the result is dropped.
    pub(super) fn connected(&self) -> impl Sized + use<> {
        Counted::new(self, |inner| &inner.open)
    }

    /// Counts a request until its answer.
    pub(super) fn follow<B, A>(
        &self,
        answer: A,
    ) -> impl Future<Output = Result<ServiceResponse<B>, Error>> + use<A, B>
    where
        A: Future<Output = Result<ServiceResponse<B>, Error>>,
    {
        let request = Counted::new(self, |inner| &inner.in_flight);
        async move {
            let mut answer = answer.await?;
            if request.traffic.0.is_stopping.load(Ordering::Acquire) {
                answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
            }
            Ok(answer)
        }
    }

    /// From now on every answer says `Connection: close`.
    pub(super) fn tell_to_close(&self) {
        self.0.is_stopping.store(true, Ordering::Release);
    }

    /// Waits until no request is in flight and there was no activity for [`QUIET`]; shorter if there are no
    /// connections.
    pub(super) async fn quieten(&self) {
        let stop_began = self.0.now();
        loop {
            let least = if self.0.open.load(Ordering::Acquire) > 0 { QUIET } else { SETTLE };
            let quiet_at = (stop_began + millis(least)).max(self.0.quiet_at.load(Ordering::Acquire));
            if self.0.now() >= quiet_at && self.0.in_flight.load(Ordering::Acquire) == 0 {
                return;
            }
            tokio::time::sleep(STEP).await;
        }
    }
}

impl Inner {
    fn now(&self) -> u64 {
        millis(self.began.elapsed())
    }

    fn note_event(&self) {
        self.quiet_at.store(self.now() + millis(QUIET), Ordering::Release);
    }
}

/// A counter's unit, held for as long as it lives.
struct Counted {
    traffic: Traffic,
    counter: fn(&Inner) -> &AtomicUsize,
}

impl Counted {
    fn new(traffic: &Traffic, counter: fn(&Inner) -> &AtomicUsize) -> Self {
        counter(&traffic.0).fetch_add(1, Ordering::AcqRel);
        traffic.0.note_event();
        Self { traffic: traffic.clone(), counter }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.traffic.0.note_event();
        (self.counter)(&self.traffic.0).fetch_sub(1, Ordering::AcqRel);
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}
