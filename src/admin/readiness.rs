//! Readiness: one check for each thing that would stop the service, and the warnings, which do not affect readiness.

use actix_web::HttpResponse;
use serde::Serialize;

use super::{Admin, snapshot};
use crate::domain::health::{Check, SourceHealth, Warning};
use crate::rules::health;

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    /// The names of the checks that are not ok.
    failing: Vec<&'static str>,
    checks: Vec<Check>,
    /// The warnings; they do not affect readiness.
    warnings: Vec<Warning>,
    /// Sources with pending notifications that are no longer configured; they do not affect readiness.
    unconfigured: Vec<Unconfigured>,
}

#[derive(Serialize)]
struct Unconfigured {
    name: String,
    pending: u64,
}

/// Answers 200 if every check is ok, otherwise 503, with the same JSON.
pub(super) async fn answer(admin: &Admin) -> HttpResponse {
    let found = snapshot::take(admin, snapshot::WriteCheck::Write).await;
    let checks = health::checks(&found);
    let failing: Vec<&'static str> =
        checks.iter().filter(|check| !check.ok).map(|check| check.name).collect();
    let mut warnings = health::warnings(&found);
    warnings.retain(|warning| !failing.contains(&warning.kind.as_str()));
    let readiness = Readiness {
        ready: failing.is_empty(),
        failing,
        checks,
        warnings,
        unconfigured: unconfigured(found.sources),
    };
    let mut answer = if readiness.ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    answer.json(readiness)
}

fn unconfigured(sources: Vec<SourceHealth>) -> Vec<Unconfigured> {
    sources
        .into_iter()
        .filter(|source| !source.is_configured && source.pending > 0)
        .map(|source| Unconfigured { name: source.source, pending: source.pending })
        .collect()
}
