//! What somebody should look at in one source.

use std::time::Duration;

use super::{age, span};
use crate::domain::health::{Failing, SourceHealth, Warning, WarningKind};
use crate::domain::{Cause, Timestamp};

/// Pending for so long is worth a word; as in reports.
const LONG_PENDING: Duration = Duration::from_secs(3600);

/// Shops' APIs fail now and then; for so long is worth a word.
const LONG_FAILING: Duration = Duration::from_secs(15 * 60);

/// So many requests with a wrong secret within two days are no stray one.
const MANY_REFUSED: u64 = 10;

/// So few are worth a word where they are the latest that was heard of the source.
const SOME_REFUSED: u64 = 3;

/// Refusals longer ago than this are over.
const REFUSED_LATELY: Duration = Duration::from_secs(24 * 3600);

/// Fakes of two days: this many, and this many times the usual. Some strangers always try.
const MANY_FAKES: u64 = 100;
const TIMES_THE_USUAL: u64 = 10;

/// The days that [`SourceHealth::fakes_before`] counts, as pairs of days.
const USUAL_PAIRS: u64 = 7;

/// A reconcile that ran daily and did not for so long was forgotten or fails.
const LATE_RECONCILE: Duration = Duration::from_secs(2 * 24 * 3600);

/// Adds what is worth a word.
pub(super) fn look(source: &SourceHealth, now: Timestamp, found: &mut Vec<Warning>) {
    if !source.is_configured {
        found.extend(unconfigured(source));
        return;
    }
    let failing: Vec<Warning> =
        source.failing.iter().filter_map(|failing| fails(source, failing, now)).collect();
    // Whoever waits for a failing API waits long.
    let explained = !failing.is_empty();
    found.extend(failing);
    found.extend(pending(source, now).filter(|_| !explained));
    found.extend(undecided(source));
    found.extend(refused(source, now));
    found.extend(silent(source, now));
    found.extend(fakes(source));
    found.extend(reconcile(source, now));
}

fn warning(source: &SourceHealth, kind: WarningKind, what: String, remedy: String) -> Warning {
    Warning { kind, source: Some(source.source.clone()), what, remedy }
}

fn unconfigured(source: &SourceHealth) -> Option<Warning> {
    let (pending, provider) = (source.pending, &source.provider);
    (pending > 0).then(|| {
        let what = format!("{} for a source that is not configured any more", waits(pending));
        let remedy = format!("configure it again (provider {provider}): then they are asked about");
        warning(source, WarningKind::Unconfigured, what, remedy)
    })
}

fn fails(source: &SourceHealth, failing: &Failing, now: Timestamp) -> Option<Warning> {
    let calls = if failing.lane.is_empty() { String::new() } else { format!(" calls of {}", failing.lane) };
    let since = span(now.since(failing.since));
    let Failing { cause, detail, resume_at, .. } = failing;
    let pending = match source.pending {
        0 => String::new(),
        n => format!("; {}", waits(n)),
    };
    if *cause == Cause::ApiDenied {
        let what = format!("its API rejects{calls} our credentials for {since} ({detail}){pending}");
        let remedy = "correct the credentials or their scopes in the shop's panel and here, then run countersign \
                      doctor, which ends the pause";
        return Some(warning(source, WarningKind::ApiDenied, what, remedy.to_owned()));
    }
    (now.since(failing.since) > LONG_FAILING).then(|| {
        let what = format!("its API fails{calls} for {since}: {cause}, {detail}{pending}");
        let remedy =
            format!("nothing is lost, it is asked again at {resume_at}; countersign doctor tells more");
        warning(source, WarningKind::ApiFailing, what, remedy)
    })
}

fn pending(source: &SourceHealth, now: Timestamp) -> Option<Warning> {
    let oldest = age(now, source.oldest_pending).filter(|age| *age > LONG_PENDING)?;
    let what = format!("{}, the oldest for {}", waits(source.pending), span(oldest));
    let remedy =
        format!("see why: countersign list --state pending --source {} (the column reason)", source.source);
    Some(warning(source, WarningKind::PendingLong, what, remedy))
}

fn undecided(source: &SourceHealth) -> Option<Warning> {
    let n = source.undecided;
    (n > 0).then(|| {
        let name = &source.source;
        let them = if n == 1 { "notification is" } else { "notifications are" };
        let what = format!("{n} {them} undecided: the shop could not be asked until we stopped");
        let remedy = format!(
            "look at them: countersign list --state undecided --source {name}; then countersign retry --state undecided \
             --source {name}, or dismiss"
        );
        warning(source, WarningKind::Undecided, what, remedy)
    })
}

fn refused(source: &SourceHealth, now: Timestamp) -> Option<Warning> {
    let last = source.last_refused.filter(|last| now.since(*last) <= REFUSED_LATELY)?;
    let nothing_since = source.last_received.is_none_or(|received| received < last);
    let is_worth_it = source.refused >= MANY_REFUSED || (nothing_since && source.refused >= SOME_REFUSED);
    is_worth_it.then(|| {
        let n = source.refused;
        let mut what = format!(
            "{n} requests of today and yesterday were refused for a wrong or missing secret or signature, the last {} \
             ago",
            span(now.since(last))
        );
        if nothing_since {
            what += ", and nothing was accepted since";
        }
        let remedy = "if the secret was changed in the shop's panel, change it here too; else strangers guess, and \
                      nothing is to do";
        warning(source, WarningKind::WrongSecret, what, remedy.to_owned())
    })
}

fn silent(source: &SourceHealth, now: Timestamp) -> Option<Warning> {
    let expected = source.expect_every?;
    // Before its first serve, silence means nothing.
    let since = source.last_received.max(source.first_served_at)?;
    let silence = now.since(since);
    (silence > expected).then(|| {
        let what =
            format!("nothing came in for {}, though something is expected every {}", span(silence), span(expected));
        let remedy = "see whether the shop's panel still has the intake URL, and whether the TLS proxy passes it on; \
                      countersign reconcile finds what was missed";
        warning(source, WarningKind::Silent, what, remedy.to_owned())
    })
}

fn fakes(source: &SourceHealth) -> Option<Warning> {
    let lately = source.fakes_lately;
    let usual = source.fakes_before.div_ceil(USUAL_PAIRS);
    (lately >= MANY_FAKES && lately >= usual.saturating_mul(TIMES_THE_USUAL)).then(|| {
        let what = format!("{lately} fakes today and yesterday; usual are {usual} in two days");
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
    let remedy = "run countersign reconcile and see what it says; does its timer or cron job still run?";
    Some(warning(source, WarningKind::ReconcileLate, what, remedy.to_owned()))
}

fn waits(pending: u64) -> String {
    if pending == 1 { "1 notification waits".to_owned() } else { format!("{pending} notifications wait") }
}
