//! The checks of a source: its API with its real credentials, both clocks, its pauses, its intake URL.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::{CommandError, Findings};
use crate::config::Source;
use crate::domain::Clock;
use crate::providers::http::{Client, Gate, OpenGate};
use crate::providers::{Api, Examination};
use crate::store::Store;
use crate::worker::RateLimitGate;

/// The tolerated difference between clocks. Beyond it signatures are refused, and times cannot be compared.
const MOST_APART: Duration = Duration::from_secs(60);

/// Asks every source's API concurrently, so that one dead host does not delay the others. With a store, the calls
/// count against the rate limits in it.
pub(super) async fn examine_all(
    sources: &[Source],
    client: &Client,
    store: Option<&Store>,
    clock: &Clock,
) -> Vec<Examination> {
    let examine = async |source: &Source| {
        let gate: Arc<dyn Gate> = match store {
            None => Arc::new(OpenGate),
            Some(store) => {
                let (store, clock, name) = (store.clone(), clock.clone(), source.name.clone());
                let owner = format!("doctor-{}", std::process::id());
                Arc::new(RateLimitGate { store, clock, source: name, owner, rate: source.rate_limit })
            }
        };
        let api = Api::new(client.clone(), &source.name, &source.api_base, gate);
        source.provider.examine(&api).await
    };
    join_all(sources.iter().map(examine)).await
}

/// Reports the checks of the API, the difference of the clocks, and the intake URL.
pub(super) fn check(
    findings: &mut Findings,
    source: &Source,
    examination: &Examination,
) -> Result<(), CommandError> {
    let name = &source.name;
    for check in &examination.checks {
        let words = format!("source {name}: {}", check.words);
        if check.good { findings.good(words)? } else { findings.bad(words)? }
    }
    if let Some((theirs, ours)) = examination.clock {
        let apart = theirs.since(ours).max(ours.since(theirs));
        let seconds = apart.as_secs();
        if apart > MOST_APART {
            findings.bad(format!(
                "source {name}: this machine's clock is {seconds} s {} the API's; set it, for example by NTP",
                if ours > theirs { "ahead of" } else { "behind" }
            ))?;
        } else {
            findings
                .good(format!("source {name}: this machine's clock is within {seconds} s of the API's"))?;
        }
    }
    let token = if source.path_token.is_some() { "/…" } else { "" };
    let ending = if source.path_token.is_some() { " (… is the path_token)" } else { "" };
    findings.good(format!(
        "source {name}: its intake URL is https://YOUR-DOMAIN/hooks/{name}{token}{ending}; {}",
        source.kind.setup
    ))
}

/// Ends the pauses of a source whose API works again, and reports those that remain.
pub(super) async fn check_standing(
    findings: &mut Findings,
    source: &Source,
    examination: &Examination,
    store: &Store,
    clock: &Clock,
) -> Result<(), CommandError> {
    let name = &source.name;
    let is_well = examination.checks.iter().all(|check| check.good);
    let failing = store.reader().failing().await?;
    for outage in failing.iter().filter(|outage| outage.source == *name) {
        let call_kind =
            if outage.call_kind.is_empty() { String::new() } else { format!(" ({})", outage.call_kind) };
        let what = format!("{}, {}", outage.cause, outage.detail);
        let since = outage.since;
        if is_well {
            findings.good(format!(
                "source {name}{call_kind} was failing since {since} ({what}); its pause is over"
            ))?;
        } else {
            let next = outage.resume_at;
            findings.bad(format!(
                "source {name}{call_kind} has been failing since {since} ({what}); the next call is at {next}"
            ))?;
        }
    }
    if is_well {
        store.resume(name.clone(), clock.now()).await?;
    }
    Ok(())
}
