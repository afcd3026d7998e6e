//! Reconciles one source: its shop's list, the suspect orders, and a call for each of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::calls::Calls;
use super::findings::OrderFindings;
use super::{Progress, ReconcileParts};
use crate::config::Source;
use crate::domain::report::MOST_FINDINGS;
use crate::domain::{
    Answer, CallResult, Cause, Failure, FailureScope, ListRequest, Listing, SourceReport, SourceStatistics,
    Truth, Window,
};
use crate::providers::Provider;
use crate::rules::reconcile::{self as rules, Scope};
use crate::store::{ComparedOrder, Detail, OrderComparison, ROWS_AT_ONCE, StoreError};
use crate::worker::read_notifications;

/// Orders looked up in the store at once.
const CHUNK: usize = 500;

/// How often one order is asked about when the store learns newer things meanwhile.
const ASKS: usize = 10;

/// How often new notifications are parsed before an order is compared. Beside a busy intake something new may have come
/// whenever the writer's turn comes.
const PARSINGS: usize = 200;

/// This many failed calls in a row mean that the shop fails, not the orders.
const FAILURES_IN_A_ROW: usize = 3;

/// The result of one source.
pub(super) struct SourceResult {
    pub(super) report: SourceReport,
    pub(super) statistics: SourceStatistics,
    /// Why the report is incomplete, if it is.
    pub(super) failures: Vec<String>,
}

/// Asks one source's shop, and then reads the store's own findings.
pub(super) async fn run(
    parts: &ReconcileParts<'_>,
    source: &Source,
    window: Window,
) -> Result<SourceResult, StoreError> {
    let calls = Calls::new(parts, source);
    let mut run =
        SourceRun { parts, source, window, calls, findings: OrderFindings::default(), failures: Vec::new() };
    let listed = run.compare().await?;
    let SourceRun { findings, failures, .. } = run;
    let (reader, now) = (parts.store.reader(), parts.clock.now());
    let accounts = reader.account(vec![source.reported()], window, Detail::Report, now).await?;
    let (mut report, statistics) = accounts.into_iter().next().ok_or(StoreError::Closed)?;
    findings.put_into(&mut report);
    report.listed = listed;
    report.complete = failures.is_empty();
    Ok(SourceResult { report, statistics, failures })
}

/// One source under inspection.
struct SourceRun<'a> {
    parts: &'a ReconcileParts<'a>,
    source: &'a Source,
    window: Window,
    calls: Calls,
    findings: OrderFindings,
    failures: Vec<String>,
}

impl SourceRun<'_> {
    /// Compares the shop's orders with the store; returns how many the shop listed or showed.
    async fn compare(&mut self) -> Result<u64, StoreError> {
        let request = ListRequest { window: self.window, recheck: self.parts.plan.recheck };
        let listing = match self.source.provider.list_orders(&self.calls.api, request).await {
            Ok(listing) => listing,
            Err(failure) => {
                self.fail(&format!("the list of its orders is incomplete: {}", failure.detail));
                return Ok(0);
            }
        };
        let has_list = listing.is_some();
        let nothing = || Listing { orders: Vec::new(), odd: Vec::new(), is_by_creation: false };
        let listing = listing.unwrap_or_else(nothing);
        self.report_odd(&listing.odd);
        let suspects = self.suspects(&listing).await?;
        let shown = self.ask_all(suspects).await?;
        let listed = listing.orders.len() + listing.odd.len();
        Ok(if has_list { u64::try_from(listed).unwrap_or(u64::MAX) } else { shown })
    }

    /// Reports each odd order as a failure of its own.
    fn report_odd(&mut self, odd: &[String]) {
        odd.iter().take(MOST_FINDINGS).for_each(|wrong| self.fail(wrong));
        let more = odd.len().saturating_sub(MOST_FINDINGS);
        if more > 0 {
            self.fail(&format!("{more} more orders of the list are not as documented"));
        }
    }

    /// The orders that need a call of their own.
    async fn suspects(&self, listing: &Listing) -> Result<BTreeMap<String, Scope>, StoreError> {
        let (reader, name) = (self.parts.store.reader(), &self.source.name);
        let until = self.window.to;
        let confirmed = reader.confirmed_orders(name.clone(), self.window).await?;
        let unlisted = Scope { is_expected: false, was_confirmed: true, until };
        let mut suspects: BTreeMap<String, Scope> =
            confirmed.into_iter().map(|order_id| (order_id, unlisted)).collect();
        if listing.is_by_creation {
            self.add_older(&mut suspects).await?;
        }
        for orders in listing.orders.chunks(CHUNK) {
            let provider = &self.source.provider;
            let names: Vec<_> = orders.iter().map(|listed| provider.names_of(&listed.object)).collect();
            let ours = reader.our_orders(name.clone(), names).await?;
            let now = self.parts.clock.now();
            let mut places =
                rules::suspects(provider.as_ref(), orders, &ours, until, now).into_iter().peekable();
            for (place, listed) in orders.iter().enumerate() {
                let Some(order_id) = listed.object.truth.as_ref().map(Truth::id) else { continue };
                let was_confirmed = suspects.remove(order_id).is_some_and(|scope| scope.was_confirmed);
                if places.next_if_eq(&place).is_some() {
                    let scope = Scope { is_expected: listed.is_expected, was_confirmed, until };
                    suspects.insert(order_id.to_owned(), scope);
                }
            }
        }
        Ok(suspects)
    }

    /// Adds stored orders whose later changes no list shows.
    async fn add_older(&self, suspects: &mut BTreeMap<String, Scope>) -> Result<(), StoreError> {
        let scope = Scope { is_expected: false, was_confirmed: false, until: self.window.to };
        let mut after = String::new();
        loop {
            let orders =
                self.parts.store.reader().orders_not_gone(self.source.name.clone(), after, CHUNK).await?;
            let Some((last, _)) = orders.last() else { return Ok(()) };
            after = last.clone();
            for (order_id, compared) in orders {
                if !self.source.provider.is_final(&compared) {
                    suspects.entry(order_id).or_insert(scope);
                }
            }
        }
    }

    /// Asks about each order; returns how many the shop showed.
    async fn ask_all(&mut self, suspects: BTreeMap<String, Scope>) -> Result<u64, StoreError> {
        let (mut shown, mut failed_in_a_row) = (0, 0);
        let mut left = suspects.len();
        (self.parts.watch)(Progress::ToAsk(u64::try_from(left).unwrap_or(u64::MAX)));
        for (order_id, scope) in suspects {
            match self.ask(&order_id, scope).await? {
                Ok(is_shown) => {
                    shown += u64::from(is_shown);
                    failed_in_a_row = 0;
                }
                Err(failure) => {
                    self.fail(&format!("order {order_id} could not be asked about: {}", failure.detail));
                    // An undocumented answer concerns this order only.
                    failed_in_a_row += usize::from(!matches!(failure.http_status, Some(200..=299)));
                    let is_over =
                        failure.scope == FailureScope::Source || failed_in_a_row == FAILURES_IN_A_ROW;
                    if is_over && left > 1 {
                        self.fail(&format!("{} more orders were not asked about", left - 1));
                        return Ok(shown);
                    }
                }
            }
            left -= 1;
            (self.parts.watch)(Progress::Asked);
        }
        Ok(shown)
    }

    /// Asks about one order and compares. Returns whether the shop shows it.
    async fn ask(&mut self, order_id: &str, scope: Scope) -> Result<Result<bool, Failure>, StoreError> {
        let mut answer = self.source.provider.ask_order(&self.calls.api, order_id).await;
        let (mut asks, mut parsings) = (0, 0);
        while asks < ASKS && parsings < PARSINGS {
            if let CallResult::Failed(failure) = answer.result {
                return Ok(Err(failure));
            }
            let is_shown = matches!(answer.result, CallResult::Found(_));
            match self.compare_with_store(order_id, scope, answer.clone()).await? {
                ComparedOrder::Compared(finding) => {
                    finding.into_iter().for_each(|finding| self.findings.add(finding));
                    return Ok(Ok(is_shown));
                }
                ComparedOrder::Outdated => {
                    asks += 1;
                    answer = self.source.provider.ask_order(&self.calls.api, order_id).await;
                }
                ComparedOrder::Unparsed => {
                    parsings += 1;
                    self.parse_new().await?;
                }
            }
        }
        let detail = "the store kept learning newer things than the answers";
        Ok(Err(Failure::new(Cause::ApiError, detail).with_scope(FailureScope::Subject)))
    }

    async fn compare_with_store(
        &self,
        order_id: &str,
        scope: Scope,
        answer: Answer,
    ) -> Result<ComparedOrder, StoreError> {
        let mut names = vec![order_id.to_owned()];
        if let CallResult::Found(object) = &answer.result {
            names.extend(self.source.provider.names_of(object).into_iter().filter(|name| name != order_id));
        }
        let comparison = OrderComparison {
            source: self.source.name.clone(),
            provider: self.source.kind.name,
            judge: Arc::<dyn Provider>::clone(&self.source.provider),
            names,
            answer,
            call_id: self.calls.last_id(),
            scope,
            recovers: self.parts.plan.recovers,
        };
        self.parts.store.compare_order(comparison, self.parts.clock.now()).await
    }

    async fn parse_new(&self) -> Result<(), StoreError> {
        let mut is_more_left = true;
        while is_more_left {
            let unparsed = self.parts.store.reader().unparsed(0, ROWS_AT_ONCE).await?;
            is_more_left = unparsed.is_full;
            let parsed =
                read_notifications(unparsed.notifications, |name| provider_of(&self.parts.sources, name));
            self.parts.store.record(parsed, self.parts.clock.now()).await?;
        }
        Ok(())
    }

    fn fail(&mut self, what: &str) {
        self.failures.push(format!("source {}: {what}", self.source.name));
    }
}

fn provider_of<'a>(sources: &'a [Source], name: &str) -> Option<&'a dyn Provider> {
    sources.iter().find(|source| source.name == name).map(|source| source.provider.as_ref())
}
