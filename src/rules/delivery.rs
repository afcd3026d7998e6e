//! Decides what a try means for its delivery and its action, and when an action may be sent a delivery.
//!
//! ```text
//!              ┌── failed, held: after a pause ──┐
//!              ▼                                 │
//!  news ──► waiting ── tried ────────────────────┤
//!              ▲         │ success ──► delivered │
//!              │         │ failed after give_up_after, exit 65, HTTP 410 ──► dead
//!              │         └ a person ──► skipped
//!              └── redeliver (a person) ── delivered, dead, skipped
//!
//!  an action:  well ── 5 failures in a row ──► one delivery probes ── success ──► well
//!              well ── HTTP 410 ──► rests until a reload, a restart or a successful test
//! ```

use std::time::Duration;

use crate::domain::{ActionState, Attempt, Effect, News, NewsFilter, RetryPolicy, Timestamp};

/// After this many failures in a row, one delivery probes and the others wait.
const BREAKER: u32 = 5;

/// How long one delivery is the probe before another may replace it: the action may refuse only this one.
const PROBE_TURN: Duration = Duration::from_secs(15 * 60);

/// Maximum pause that an action may ask for.
const LONGEST_HOLD: Duration = Duration::from_secs(3600);

/// Whether an action receives this news. News without a status passes no `status` filter.
#[must_use]
pub fn passes(filter: &NewsFilter, news: &News) -> bool {
    let is_source = filter.sources.is_empty() || filter.sources.contains(&news.source);
    let is_kind = filter.kinds.is_empty() || filter.kinds.contains(&news.subject_kind);
    let has_status = || news.statuses().any(|status| filter.status.iter().any(|word| word == status));
    is_source && is_kind && (filter.status.is_empty() || has_status())
}

/// A delivery at the time of its try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    pub id: i64,
    /// The number of tries before this one.
    pub attempts: u32,
    /// When it was created, or last made due by a person.
    pub since: Timestamp,
}

/// The next state of a delivery after a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// The action accepted it.
    Delivered,
    /// It is retried at this time.
    Wait(Timestamp),
    /// It is not retried; the text says why.
    Dead(String),
}

/// Decides after a try; `jitter` is from 0 to 1.
#[must_use]
pub fn after(
    attempt: &Attempt,
    tried: Tried,
    action: &ActionState,
    policy: &RetryPolicy,
    jitter: f64,
    now: Timestamp,
) -> (After, ActionState) {
    let delivery = match attempt.effect {
        Effect::Delivered => After::Delivered,
        Effect::Rejected | Effect::Gone => After::Dead(attempt.detail.clone()),
        Effect::Failed | Effect::Hold(_) => {
            let gives_up_at = tried.since.plus(policy.give_up_after);
            if now >= gives_up_at {
                After::Dead(format!("gave up after {} tries: {}", tried.attempts + 1, attempt.detail))
            } else {
                let pause = match attempt.effect {
                    Effect::Hold(Some(asked)) => asked.min(LONGEST_HOLD),
                    _ => pause(policy, tried.attempts, jitter),
                };
                After::Wait(now.plus(pause).min(gives_up_at))
            }
        }
    };
    let mut action = action.clone();
    match attempt.effect {
        Effect::Delivered => {
            action = ActionState {
                held_until: action.held_until,
                gone_at: action.gone_at,
                ..ActionState::default()
            };
        }
        Effect::Rejected => {}
        Effect::Gone => action.gone_at = Some(now),
        Effect::Hold(asked) => {
            let pause = asked.unwrap_or_else(|| pause(policy, tried.attempts, jitter)).min(LONGEST_HOLD);
            action.held_until = action.held_until.max(Some(now.plus(pause)));
            action.last_error = Some(attempt.detail.clone());
        }
        Effect::Failed => {
            action.failures = action.failures.saturating_add(1);
            action.failing_since.get_or_insert(attempt.at);
            action.last_error = Some(attempt.detail.clone());
            if action.failures >= BREAKER && action.probe.is_none() {
                action.probe = Some((tried.id, now));
            }
        }
    }
    if !matches!(delivery, After::Wait(_)) && action.probe.is_some_and(|(id, _)| id == tried.id) {
        action.probe = None;
    }
    (delivery, action)
}

fn pause(policy: &RetryPolicy, attempts: u32, jitter: f64) -> Duration {
    let at = usize::try_from(attempts).unwrap_or(usize::MAX);
    let pause = policy.pauses.get(at).or(policy.pauses.last()).copied().unwrap_or(LONGEST_HOLD);
    pause.mul_f64(0.9 + 0.2 * jitter.clamp(0.0, 1.0))
}

/// No try is planned further ahead than this; one that is was planned before the clock was set back, or under a
/// longer `retry`.
#[must_use]
pub fn longest_pause(policy: &RetryPolicy) -> Duration {
    let longest = policy.pauses.iter().max().map_or(LONGEST_HOLD, |pause| pause.mul_f64(1.1));
    longest.max(LONGEST_HOLD)
}

/// The deliveries that an action may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    Any,
    /// Only the probe, if there is one; another due delivery may replace it once its turn is over.
    Probe {
        /// The delivery that probes.
        id: Option<i64>,
        /// Whether another may replace it.
        is_over: bool,
    },
    /// Nothing before this time; `None`: nothing at all.
    Nothing(Option<Timestamp>),
}

/// The deliveries that an action in this state may be sent.
#[must_use]
pub fn allowance(action: &ActionState, now: Timestamp) -> Allowance {
    if action.gone_at.is_some() {
        return Allowance::Nothing(None);
    }
    // A hold further ahead than the maximum was set before the clock was set back.
    let held = action.held_until.filter(|until| *until > now && *until <= now.plus(LONGEST_HOLD));
    if held.is_some() {
        return Allowance::Nothing(held);
    }
    if action.failures < BREAKER {
        return Allowance::Any;
    }
    let is_over = action.probe.is_none_or(|(_, since)| now.since(since) >= PROBE_TURN);
    Allowance::Probe { id: action.probe.map(|(id, _)| id), is_over }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{AttemptOutcome, NewsType, SubjectKind};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn attempt(effect: Effect) -> Attempt {
        Attempt {
            at: at(0),
            latency_ms: 1,
            outcome: AttemptOutcome::Refused,
            http_status: None,
            exit_code: None,
            answer: None,
            detail: "HTTP 500".to_owned(),
            effect,
        }
    }

    fn policy() -> RetryPolicy {
        RetryPolicy {
            pauses: [5, 300].map(Duration::from_secs).to_vec(),
            give_up_after: Duration::from_secs(1000),
        }
    }

    fn tried(attempts: u32) -> Tried {
        Tried { id: 7, attempts, since: at(0) }
    }

    #[test]
    fn each_effect_leads_where_the_drawing_says() {
        let well = ActionState::default();
        let hold = |s| Effect::Hold(Some(Duration::from_secs(s)));
        for (effect, tries, now, to) in [
            (Effect::Delivered, 0, 1, After::Delivered),
            (Effect::Failed, 0, 0, After::Wait(at(5))),
            (Effect::Failed, 1, 10, After::Wait(at(310))),
            (Effect::Failed, 99, 10, After::Wait(at(310))),
            (Effect::Failed, 3, 900, After::Wait(at(1000))),
            (Effect::Failed, 3, 1000, After::Dead("gave up after 4 tries: HTTP 500".to_owned())),
            (Effect::Rejected, 0, 0, After::Dead("HTTP 500".to_owned())),
            (Effect::Gone, 0, 0, After::Dead("HTTP 500".to_owned())),
            (hold(60), 0, 0, After::Wait(at(60))),
            (Effect::Hold(None), 0, 0, After::Wait(at(5))),
        ] {
            let (delivery, _) = after(&attempt(effect), tried(tries), &well, &policy(), 0.5, at(now));
            assert_eq!(delivery, to, "{effect:?} {tries} {now}");
        }
    }

    #[test]
    fn five_failures_in_a_row_leave_one_delivery_to_probe_and_a_success_ends_that() {
        let mut action = ActionState::default();
        for n in 1..=5 {
            assert_eq!(allowance(&action, at(n)), Allowance::Any);
            let tried = Tried { id: n, ..tried(0) };
            (_, action) = after(&attempt(Effect::Failed), tried, &action, &policy(), 0.5, at(n));
        }
        assert_eq!(allowance(&action, at(6)), Allowance::Probe { id: Some(5), is_over: false });
        assert_eq!(allowance(&action, at(5 + 900)), Allowance::Probe { id: Some(5), is_over: true });
        let hold = attempt(Effect::Hold(Some(Duration::from_secs(9))));
        let (_, held) = after(&hold, tried(0), &action, &policy(), 0.5, at(6));
        assert_eq!(allowance(&held, at(6)), Allowance::Nothing(Some(at(15))));
        assert_eq!(allowance(&held, at(15)), Allowance::Probe { id: Some(5), is_over: false });
        let (_, well) = after(&attempt(Effect::Delivered), tried(0), &action, &policy(), 0.5, at(7));
        assert_eq!(well, ActionState::default());
    }

    #[test]
    fn an_action_that_is_gone_is_sent_nothing() {
        let (_, gone) =
            after(&attempt(Effect::Gone), tried(0), &ActionState::default(), &policy(), 0.5, at(3));
        assert_eq!((gone.gone_at, gone.failures), (Some(at(3)), 0));
        assert_eq!(allowance(&gone, at(9_999_999)), Allowance::Nothing(None));
    }

    #[test]
    fn news_passes_the_filters_of_an_action_as_documented() {
        let current = serde_json::json!({"status": "PAID", "fulfillment_status": null});
        let news = News {
            seq: 1,
            kind: NewsType::OrderChanged,
            at: at(0),
            notification_id: 1,
            source: "shop".to_owned(),
            provider: "ecwid".to_owned(),
            event: None,
            origin: "intake".to_owned(),
            subject_kind: SubjectKind::Order,
            subject_id: "1".to_owned(),
            current: current.as_object().unwrap().clone(),
            previous: None,
        };
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let filter = |sources: &[&str], kinds: &[SubjectKind], status: &[&str]| NewsFilter {
            sources: words(sources),
            kinds: kinds.to_vec(),
            status: words(status),
        };
        for (filter, is_passed) in [
            (NewsFilter::default(), true),
            (filter(&["shop"], &[SubjectKind::Order], &["completed", "PAID"]), true),
            (filter(&["keys"], &[], &[]), false),
            (filter(&[], &[SubjectKind::Product], &[]), false),
            (filter(&[], &[], &["paid"]), false),
        ] {
            assert_eq!(passes(&filter, &news), is_passed, "{filter:?}");
        }
        let without = News { current: serde_json::Map::new(), ..news };
        assert!(!passes(&filter(&[], &[], &["PAID"]), &without));
    }

    proptest! {
        /// Whatever happens: a delivery ends at its deadline at the latest, a pause is within a tenth of the list's, and
        /// nothing but a success ends a row of failures.
        #[test]
        fn no_history_makes_a_delivery_immortal(
            effects in prop::collection::vec((0..3_u8, 0.0..1.0_f64), 1..200)
        ) {
            let (mut now, mut action, policy) = (at(0), ActionState::default(), policy());
            let mut failures = 0;
            for (n, (effect, jitter)) in (0_u32..).zip(effects) {
                let effect = match effect {
                    0 => Effect::Failed,
                    1 => Effect::Hold(None),
                    _ => Effect::Hold(Some(Duration::from_secs(1_000_000))),
                };
                let (delivery, next) = after(&attempt(effect), tried(n), &action, &policy, jitter, now);
                failures += u32::from(effect == Effect::Failed);
                prop_assert_eq!(next.failures, failures);
                action = next;
                match delivery {
                    After::Wait(then) => {
                        prop_assert!(then > now && then <= at(1000));
                        if effect == Effect::Failed && then < at(1000) {
                            let pause = policy.pauses[usize::from(n > 0)];
                            let off = then.since(now).as_secs_f64() / pause.as_secs_f64();
                            prop_assert!((0.89..=1.11).contains(&off), "{}", off);
                        }
                        now = then;
                    }
                    After::Dead(_) => {
                        prop_assert_eq!(now, at(1000));
                        return Ok(());
                    }
                    After::Delivered => prop_assert!(false),
                }
            }
        }
    }
}
