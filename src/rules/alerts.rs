//! When problems are reported to the owner: pure functions of the reports so far, the current warnings and
//! the time.

use std::time::Duration;

use crate::domain::Timestamp;
use crate::domain::alerts::{
    AlertEntry, AlertMemory, AlertMessage, AlertRules, AlertText, FailingChannel, OverEntry, Problem,
};
use crate::domain::format::span;
use crate::domain::health::Warning;

/// The time from the first due problem to the message, to bundle others with it.
const BUNDLE: Duration = Duration::from_secs(30);

/// A problem that returns within this time is the same problem.
const QUIET: Duration = Duration::from_secs(10 * 60);

/// Maximum number of messages within [`WINDOW`], over all channels.
const MOST: usize = 6;
const WINDOW: Duration = Duration::from_secs(3600);

/// The pauses after the first and second failed try; after the third, a message is given up.
const PAUSES: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(60)];

/// While nothing gets through, the minimum time between two messages.
const FAILING_PAUSE: Duration = Duration::from_secs(10 * 60);

/// Updates the alert state after a look at the warnings: problems begin, return and end, and messages are
/// written. `watched` is when this process began to look; nothing was observed before. Returns whether
/// anything changed.
pub fn observe(
    memory: &mut AlertMemory,
    found: &[Warning],
    rules: &AlertRules,
    watched: Timestamp,
    now: Timestamp,
) -> bool {
    let before = memory.clone();
    forget_the_future(memory, now);
    for warning in found {
        list(memory, warning, now);
    }
    for problem in &mut memory.problems {
        let is_listed = found.iter().any(|warning| is_about(problem, warning));
        if !is_listed && problem.gone_at.is_none() {
            problem.gone_at = Some(now);
        }
    }
    // Without a channel nothing is reported, now or later.
    let was_reported =
        |problem: &Problem| problem.told_at.is_some() && rules.recovery && !rules.channels.is_empty();
    memory
        .problems
        .retain(|problem| was_reported(problem) || over_at(problem, watched).is_none_or(|at| at > now));
    memory.messages.retain(|message| message.next_attempt_at.is_some() || now.since(message.at) < WINDOW);
    memory.messages.iter_mut().filter(|message| !rules.channels.contains(&message.channel)).for_each(
        |message| {
            message.next_attempt_at = None;
        },
    );
    memory.failing.retain(|failing| rules.channels.contains(&failing.channel));
    if is_time(memory, rules, watched, now) {
        write(memory, found, rules, watched, now);
    }
    *memory != before
}

/// Updates the alert state after a try to send a message; `Err` says why it failed.
pub fn tried(memory: &mut AlertMemory, id: i64, outcome: Result<(), String>, now: Timestamp) {
    let Some(message) = memory.messages.iter_mut().find(|message| message.id == id) else { return };
    message.attempts = message.attempts.saturating_add(1);
    let (channel, at) = (message.channel, message.at);
    let cause = match outcome {
        Ok(()) => {
            message.next_attempt_at = None;
            memory.failing.retain(|failing| failing.channel != channel);
            return;
        }
        Err(cause) => cause,
    };
    let pause = usize::try_from(message.attempts).ok().and_then(|tries| PAUSES.get(tries.checked_sub(1)?));
    message.next_attempt_at = pause.map(|pause| now.plus(*pause));
    if message.next_attempt_at.is_some() {
        return;
    }
    match memory.failing.iter_mut().find(|failing| failing.channel == channel) {
        Some(failing) => failing.cause = cause,
        None => memory.failing.push(FailingChannel { channel, since: now, cause }),
    }
    let is_lost = |message: &AlertMessage| {
        message.next_attempt_at.is_none()
            && memory.failing.iter().any(|failing| failing.channel == message.channel)
    };
    let is_unsent = memory.messages.iter().filter(|message| message.at == at).all(is_lost);
    if is_unsent {
        for problem in memory.problems.iter_mut().filter(|problem| problem.told_at == Some(at)) {
            problem.told_at = None;
        }
    }
}

/// A clock that was set back must not silence anything.
fn forget_the_future(memory: &mut AlertMemory, now: Timestamp) {
    for problem in &mut memory.problems {
        problem.since = problem.since.min(now);
        problem.gone_at = problem.gone_at.map(|at| at.min(now));
        problem.told_at = problem.told_at.map(|at| at.min(now));
    }
    for message in &mut memory.messages {
        message.at = message.at.min(now);
        let longest = now.plus(PAUSES[1]);
        message.next_attempt_at = message.next_attempt_at.map(|at| at.min(longest));
    }
}

fn is_about(problem: &Problem, warning: &Warning) -> bool {
    (problem.kind, &problem.source, &problem.action) == (warning.kind, &warning.source, &warning.action)
}

fn list(memory: &mut AlertMemory, warning: &Warning, now: Timestamp) {
    match memory.problems.iter_mut().find(|problem| is_about(problem, warning)) {
        Some(problem) => problem.gone_at = None,
        None => memory.problems.push(Problem {
            kind: warning.kind,
            source: warning.source.clone(),
            action: warning.action.clone(),
            since: now,
            gone_at: None,
            told_at: None,
        }),
    }
}

/// When a problem has been over for long enough.
fn over_at(problem: &Problem, watched: Timestamp) -> Option<Timestamp> {
    problem.gone_at.map(|gone| gone.max(watched).plus(QUIET))
}

/// When a problem is due to be reported: for the first time, again, or as over.
fn due_at(problem: &Problem, rules: &AlertRules, watched: Timestamp) -> Option<Timestamp> {
    match (problem.gone_at, problem.told_at) {
        (Some(_), None) => None,
        (Some(_), Some(_)) => over_at(problem, watched).filter(|_| rules.recovery),
        (None, None) => Some(problem.since.plus(rules.after)),
        (None, Some(told)) => rules.remind.map(|remind| told.plus(remind)),
    }
}

fn is_time(memory: &AlertMemory, rules: &AlertRules, watched: Timestamp, now: Timestamp) -> bool {
    let channels = rules.channels.len();
    let first = memory.problems.iter().filter_map(|problem| due_at(problem, rules, watched)).min();
    let is_bundled = first.is_some_and(|first| first.plus(BUNDLE) <= now);
    let last_hour = memory.messages.iter().filter(|message| now.since(message.at) < WINDOW);
    let last = memory.messages.iter().map(|message| message.at).max();
    let all_fail = memory.failing.len() >= channels;
    let is_pause = all_fail && last.is_some_and(|last| now.since(last) < FAILING_PAUSE);
    channels > 0 && is_bundled && !is_pause && last_hour.count() + channels <= MOST
}

/// Writes a message about everything that is due, to each channel; open problems are in `found`.
fn write(
    memory: &mut AlertMemory,
    found: &[Warning],
    rules: &AlertRules,
    watched: Timestamp,
    now: Timestamp,
) {
    let is_due = |problem: &Problem| due_at(problem, rules, watched).is_some_and(|at| at <= now);
    let reminds = |problem: &Problem| problem.gone_at.is_none() && problem.told_at.is_some();
    // A reminder lists everything that is open.
    let is_reminder = memory.problems.iter().any(|problem| is_due(problem) && reminds(problem));
    memory.problems.sort_by(|a, b| (a.kind, &a.source, &a.action).cmp(&(b.kind, &b.source, &b.action)));
    let mut text = AlertText::default();
    for problem in &mut memory.problems {
        if is_due(problem) && problem.gone_at.is_some() {
            text.over.push(over(problem));
        } else if is_due(problem) || (is_reminder && reminds(problem)) {
            problem.told_at = Some(now);
            let listed = found.iter().find(|warning| is_about(problem, warning));
            text.warnings.extend(listed.map(|warning| entry(problem, warning)));
        } else if reminds(problem) {
            text.others += 1;
        }
    }
    memory.problems.retain(|problem| !(problem.gone_at.is_some() && is_due(problem)));
    let last_id = memory.messages.iter().map(|message| message.id).max().unwrap_or(0);
    for (channel, id) in rules.channels.iter().zip(last_id + 1..) {
        memory.messages.push(AlertMessage {
            id,
            channel: *channel,
            at: now,
            text: text.clone(),
            attempts: 0,
            next_attempt_at: Some(now),
        });
    }
}

/// Without the warning's detail, which may be a stranger's choice.
fn entry(problem: &Problem, warning: &Warning) -> AlertEntry {
    AlertEntry {
        kind: problem.kind.to_string(),
        source: problem.source.clone(),
        action: problem.action.clone(),
        what: warning.what.clone(),
        remedy: warning.remedy.clone(),
        since: problem.since.to_string(),
    }
}

fn over(problem: &Problem) -> OverEntry {
    OverEntry {
        kind: problem.kind.to_string(),
        source: problem.source.clone(),
        action: problem.action.clone(),
        since: problem.since.to_string(),
        lasted: span(problem.gone_at.unwrap_or(problem.since).since(problem.since)),
    }
}

#[cfg(test)]
mod tests;
