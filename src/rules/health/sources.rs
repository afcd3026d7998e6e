//! The warnings about one source.

use std::time::Duration;

use super::{age, span};
use crate::domain::escape::escape_and_truncate;
use crate::domain::health::{Failing, LAST_SETTLED, Recent, Refused, SourceHealth, Warning, WarningKind};
use crate::domain::{Cause, Reason, State, Timestamp};

/// Pending longer than this gets a warning; reports use the same limit.
const LONG_PENDING: Duration = Duration::from_secs(3600);

/// An API that fails for longer than this gets a warning. Short failures are normal.
const LONG_FAILING: Duration = Duration::from_secs(15 * 60);

/// Minimum number of malformed notifications in two days for a warning. They must also exceed [`TIMES_THE_USUAL`].
const MANY_MALFORMED: u64 = 20;

/// Maximum length of an example, in characters.
const LONGEST_DETAIL: usize = 160;

/// Minimum number of requests with a wrong secret in two days for a warning.
const MANY_REFUSED: u64 = 10;

/// The same minimum if nothing was accepted since.
const SOME_REFUSED: u64 = 3;

/// Refusals older than this are ignored.
const REFUSED_LATELY: Duration = Duration::from_secs(24 * 3600);

/// Minimum number of fakes in two days for a warning. They must also exceed the usual number, because a few fakes are
/// normal.
const MANY_FAKES: u64 = 100;
const TIMES_THE_USUAL: u64 = 10;

/// The length of the period of [`SourceHealth::fakes_before`], in pairs of days.
const USUAL_PAIRS: u64 = 7;

/// A daily reconcile that last completed longer ago than this gets a warning.
const LATE_RECONCILE: Duration = Duration::from_secs(2 * 24 * 3600);

pub(super) fn add_warnings(source: &SourceHealth, now: Timestamp, found: &mut Vec<Warning>) {
    if !source.is_configured {
        found.extend(unconfigured(source));
        return;
    }
    let failing: Vec<Warning> =
        source.failing.iter().filter_map(|failing| fails(source, failing, now)).collect();
    // While the API fails, a long wait is no news.
    let explained = !failing.is_empty();
    found.extend(failing);
    found.extend(pending(source, now).filter(|_| !explained));
    found.extend(undecided(source));
    found.extend(none_confirmed(source).or_else(|| many_malformed(source)));
    found.extend(wrong_secret(source, now));
    found.extend(wrong_path(source, now));
    found.extend(unproven_full(source, now));
    found.extend(silent(source, now));
    found.extend(fakes(source));
    found.extend(reconcile(source, now));
}

fn warning(source: &SourceHealth, kind: WarningKind, what: String, remedy: String) -> Warning {
    Warning { kind, source: Some(source.source.clone()), action: None, what, detail: None, remedy }
}

/// An example, escaped and cut to fit one line.
fn example(detail: &str) -> String {
    escape_and_truncate(detail, LONGEST_DETAIL)
}

fn is_confirmed(recent: &Recent) -> bool {
    // A duplicate repeats a confirmed notification.
    recent.state == State::Confirmed || recent.reason == Reason::Duplicate
}

fn none_confirmed(source: &SourceHealth) -> Option<Warning> {
    let recent = &source.recent;
    if recent.len() < LAST_SETTLED || recent.iter().any(is_confirmed) {
        return None;
    }
    let count =
        |of: &Recent| recent.iter().filter(|one| (one.state, one.reason) == (of.state, of.reason)).count();
    // Among equally common ones the newest wins: it is first.
    let common = recent.iter().rev().max_by_key(|one| count(one))?;
    let (state, reason) = (common.state, common.reason);
    let what = format!(
        "none of its last {LAST_SETTLED} settled notifications was confirmed; {} of them: {state}, {reason}",
        count(common)
    );
    let newest = recent.iter().find(|one| (one.state, one.reason) == (state, reason))?;
    let detail = newest.detail.as_deref().map(example);
    Some(Warning { detail, ..warning(source, WarningKind::NoneConfirmed, what, remedy(source, newest)) })
}

/// The remedy for a source whose notifications end with this verdict.
fn remedy(source: &SourceHealth, newest: &Recent) -> String {
    let (name, id) = (&source.source, newest.id);
    match newest.reason {
        Reason::Malformed | Reason::Unsupported => format!(
            "look at one (countersign show {id}): is {} the shop's format, does the shop's panel have this source's URL, \
             and does the proxy pass all headers on? Then countersign retry --state ignored --source {name}",
            source.provider
        ),
        Reason::WrongStore => format!(
            "look at one (countersign show {id}): if the shop has another id now, correct it in [sources.{name}]; then \
             countersign retry --state ignored --reason wrong_store --source {name}"
        ),
        Reason::NotFound | Reason::Mismatch => format!(
            "look at one (countersign show {id}): if it is true, the shop's API is slower than \
                verify.grace: raise that, then countersign retry --state ignored --source {name}; otherwise \
                strangers sent it, and a path_token keeps them out"
        ),
        _ => format!("see why: countersign show {id}, and countersign list --source {name} --since 24h"),
    }
}

fn many_malformed(source: &SourceHealth) -> Option<Warning> {
    let lately = source.malformed_lately;
    let usual = source.malformed_before.div_ceil(USUAL_PAIRS);
    (lately >= MANY_MALFORMED && lately >= usual.saturating_mul(TIMES_THE_USUAL)).then(|| {
        let what = format!(
            "{lately} malformed notifications today and yesterday; usual: {usual} in two \
            days"
        );
        let remedy = format!(
            "check what they have in common: countersign list --state ignored --reason malformed --source \
                {}; a proxy may drop a header, the shop's panel may send another format, or strangers try",
            source.source
        );
        let detail = source.malformed_detail.as_deref().map(example);
        Warning { detail, ..warning(source, WarningKind::ManyMalformed, what, remedy) }
    })
}

fn unconfigured(source: &SourceHealth) -> Option<Warning> {
    let (pending, provider) = (source.pending, &source.provider);
    (pending > 0).then(|| {
        let what = format!("{} for a source that is no longer configured", waits(pending));
        let remedy = format!("configure it again (provider {provider}) to verify them");
        warning(source, WarningKind::Unconfigured, what, remedy)
    })
}

fn fails(source: &SourceHealth, failing: &Failing, now: Timestamp) -> Option<Warning> {
    let calls = if failing.call_kind.is_empty() {
        String::new()
    } else {
        format!(" (calls of {})", failing.call_kind)
    };
    let since = span(now.since(failing.since));
    let Failing { cause, detail, resume_at, .. } = failing;
    let pending = match source.pending {
        0 => String::new(),
        n => format!("; {}", waits(n)),
    };
    if *cause == Cause::ApiDenied {
        let what = format!("its API{calls} has rejected the credentials for {since}{pending}");
        let remedy = "correct the credentials or their scopes in the shop's panel and here, then run countersign \
                      doctor, which ends the pause";
        let detail = Some(example(detail));
        return Some(Warning { detail, ..warning(source, WarningKind::ApiDenied, what, remedy.to_owned()) });
    }
    (now.since(failing.since) > LONG_FAILING).then(|| {
        let what = format!("its API{calls} has failed for {since}: {cause}{pending}");
        let remedy =
            format!("nothing is lost, the next call is at {resume_at}; for details run countersign doctor");
        Warning { detail: Some(example(detail)), ..warning(source, WarningKind::ApiFailing, what, remedy) }
    })
}

fn pending(source: &SourceHealth, now: Timestamp) -> Option<Warning> {
    let oldest = age(now, source.oldest_pending).filter(|age| *age > LONG_PENDING)?;
    let what = format!("{}, the oldest for {}", waits(source.pending), span(oldest));
    let remedy =
        format!("see the column reason of: countersign list --state pending --source {}", source.source);
    Some(warning(source, WarningKind::PendingLong, what, remedy))
}

fn undecided(source: &SourceHealth) -> Option<Warning> {
    let n = source.undecided;
    (n > 0).then(|| {
        let name = &source.source;
        let them = if n == 1 { "notification is" } else { "notifications are" };
        let what = format!("{n} {them} undecided: the shop could not be asked before retries ended");
        let remedy = format!(
            "see them: countersign list --state undecided --source {name}; then countersign retry --state \
                undecided --source {name}, or dismiss"
        );
        warning(source, WarningKind::Undecided, what, remedy)
    })
}

fn wrong_secret(source: &SourceHealth, now: Timestamp) -> Option<Warning> {
    let what = refused(source, source.refused, now, "a wrong or missing secret or signature")?;
    let remedy = "if the secret was changed in the shop's panel, change it here too; otherwise someone is \
        guessing, and there is nothing to do";
    Some(warning(source, WarningKind::WrongSecret, what, remedy.to_owned()))
}

fn wrong_path(source: &SourceHealth, now: Timestamp) -> Option<Warning> {
    let what = refused(source, source.wrong_paths, now, "a wrong, missing or unexpected path token (404)")?;
    let remedy = "compare the URL in the shop's panel, and how the proxy rewrites it, with the intake URL \
        that countersign doctor prints; otherwise someone is guessing, and there is nothing to do";
    Some(warning(source, WarningKind::WrongPath, what, remedy.to_owned()))
}

fn unproven_full(source: &SourceHealth, now: Timestamp) -> Option<Warning> {
    let why = "lack of room: pending notifications of senders that are not proven fill store.max_unproven";
    let what = refused(source, source.unproven_full, now, why)?;
    // Those of all sources fill it.
    let remedy = "see why they stay pending: countersign list --state pending; raise store.max_unproven if true \
        notifications are among the refused";
    Some(warning(source, WarningKind::UnprovenFull, what, remedy.to_owned()))
}

/// A text about refused requests, if there are enough for a warning.
fn refused(source: &SourceHealth, refused: Refused, now: Timestamp, why: &str) -> Option<String> {
    let last = refused.last_at.filter(|last| now.since(*last) <= REFUSED_LATELY)?;
    let nothing_since = source.last_received.is_none_or(|received| received < last);
    let n = refused.count;
    (n >= MANY_REFUSED || (nothing_since && n >= SOME_REFUSED)).then(|| {
        let since = if nothing_since { ", and nothing was accepted since" } else { "" };
        let ago = span(now.since(last));
        format!("{n} requests today and yesterday were refused for {why}, the last {ago} ago{since}")
    })
}

fn silent(source: &SourceHealth, now: Timestamp) -> Option<Warning> {
    let expected = source.expect_every?;
    // Before its first serve, silence means nothing.
    let since = source.last_received.max(source.first_served_at)?;
    let silence = now.since(since);
    (silence > expected).then(|| {
        let what = format!("nothing received for {}, but expected every {}", span(silence), span(expected));
        let remedy = "check that the shop's panel still has the intake URL and that the TLS proxy forwards \
            it; countersign reconcile finds missed orders";
        warning(source, WarningKind::Silent, what, remedy.to_owned())
    })
}

fn fakes(source: &SourceHealth) -> Option<Warning> {
    let lately = source.fakes_lately;
    let usual = source.fakes_before.div_ceil(USUAL_PAIRS);
    (lately >= MANY_FAKES && lately >= usual.saturating_mul(TIMES_THE_USUAL)).then(|| {
        let what = format!("{lately} fakes today and yesterday; usual: {usual} in two days");
        let remedy = format!(
            "they are ignored, as they should be; see who sends them: countersign report --since 48h --source {}. A \
             path_token, or a secret where the shop has one, keeps strangers out",
            source.source
        );
        warning(source, WarningKind::ManyFakes, what, remedy)
    })
}

fn reconcile(source: &SourceHealth, now: Timestamp) -> Option<Warning> {
    let ago = age(now, source.reconciled_at).filter(|ago| *ago > LATE_RECONCILE)?;
    let what = format!("the last complete reconcile was {} ago", span(ago));
    let remedy = "run countersign reconcile; check whether its timer or cron job still runs";
    Some(warning(source, WarningKind::ReconcileLate, what, remedy.to_owned()))
}

fn waits(pending: u64) -> String {
    if pending == 1 { "1 notification waits".to_owned() } else { format!("{pending} notifications wait") }
}
