//! The warnings about sources.

use std::time::Duration;

use super::{DAY, HOUR, ago, kinds, warnings, well};
use crate::domain::health::{Failing, Recent, Refused, SourceHealth};
use crate::domain::{Cause, Reason, State};

fn of_source(change: impl FnOnce(&mut SourceHealth)) -> String {
    kinds(|health| change(&mut health.sources[0]))
}

fn failing(cause: Cause, since: u64) -> Failing {
    let detail = "HTTP 403".to_owned();
    Failing { call_kind: String::new(), cause, detail, since: ago(since), resume_at: ago(0) }
}

#[test]
fn a_rejected_credential_is_said_at_once_and_a_failing_api_after_a_while() {
    assert_eq!(of_source(|s| s.failing = vec![failing(Cause::ApiDenied, 0)]), "api_denied");
    for cause in [Cause::ApiUnreachable, Cause::ApiError, Cause::ApiRateLimited] {
        assert_eq!(of_source(|s| s.failing = vec![failing(cause, 900)]), "");
        assert_eq!(of_source(|s| s.failing = vec![failing(cause, 901)]), "api_failing");
    }
    let call_kind = Failing { call_kind: "products".to_owned(), ..failing(Cause::ApiDenied, 0) };
    let mut health = well();
    health.sources[0].failing = vec![call_kind];
    assert!(warnings(&health)[0].what.contains("products"));
}

#[test]
fn long_waiting_is_said_unless_the_api_explains_it() {
    let waiting = |seconds: u64, failures: Vec<Failing>| {
        of_source(|source| {
            (source.pending, source.oldest_pending) = (3, Some(ago(seconds)));
            source.failing = failures;
        })
    };
    assert_eq!(waiting(HOUR, vec![]), "");
    assert_eq!(waiting(HOUR + 1, vec![]), "pending_long");
    assert_eq!(waiting(HOUR + 1, vec![failing(Cause::ApiError, 10)]), "pending_long");
    assert_eq!(waiting(DAY, vec![failing(Cause::ApiError, DAY)]), "api_failing");
    assert_eq!(of_source(|source| source.undecided = 1), "undecided");
}

#[test]
fn silence_counts_from_the_last_notification_or_the_first_serve() {
    let silent = |received: Option<u64>, served: u64| {
        of_source(|source| {
            source.expect_every = Some(Duration::from_secs(HOUR));
            source.last_received = received.map(ago);
            source.first_served_at = Some(ago(served));
        })
    };
    assert_eq!(silent(Some(HOUR), DAY), "");
    assert_eq!(silent(Some(HOUR + 1), DAY), "silent");
    assert_eq!(silent(None, HOUR), "", "just begun");
    assert_eq!(silent(None, HOUR + 1), "silent");
    assert_eq!(of_source(|source| source.last_received = Some(ago(90 * DAY))), "", "nothing is expected");
}

#[test]
fn wrong_secrets_are_said_when_many_or_when_nothing_else_comes() {
    let refused = |n: u64, last: u64, received: u64| {
        of_source(|source| {
            source.refused = Refused { count: n, last_at: Some(ago(last)) };
            source.last_received = Some(ago(received));
        })
    };
    assert_eq!(refused(9, 100, 50), "", "some strangers");
    assert_eq!(refused(10, 100, 50), "wrong_secret");
    assert_eq!(refused(2, 100, 200), "");
    assert_eq!(refused(3, 100, 200), "wrong_secret", "the secret was changed at the shop");
    assert_eq!(refused(500, DAY + 1, 2 * DAY), "", "long over");
}

#[test]
fn other_refusals_are_said_as_wrong_secrets_are() {
    for kind in ["wrong_path", "unproven_full"] {
        let refused = |count: u64, received: u64| {
            of_source(|source| {
                let refused = Refused { count, last_at: Some(ago(100)) };
                match kind {
                    "wrong_path" => source.wrong_paths = refused,
                    _ => source.unproven_full = refused,
                }
                source.last_received = Some(ago(received));
            })
        };
        assert_eq!((refused(9, 50), refused(10, 50)), (String::new(), kind.to_owned()));
        assert_eq!((refused(2, 200), refused(3, 200)), (String::new(), kind.to_owned()));
    }
}

/// Settled ones, the newest first.
fn settled(verdicts: &[(State, Reason)]) -> Vec<Recent> {
    let of = |(id, (state, reason)): (i64, &(State, Reason))| {
        let detail = Some(format!("{reason} of {id}\n"));
        Recent { id, state: *state, reason: *reason, detail }
    };
    (1..=100).rev().zip(verdicts).map(of).collect()
}

#[test]
fn a_source_of_whose_last_ten_none_was_confirmed_is_said() {
    use Reason::{ApiError, Duplicate, Malformed, Match, Mismatch};
    use State::{Confirmed, Ignored, Undecided};
    let (odd, fake) = ((Ignored, Malformed), (Ignored, Mismatch));
    let of_ten = |tenth: (State, Reason)| [vec![odd; 9], vec![tenth]].concat();
    for (verdicts, said) in [
        (vec![odd; 9], ""),
        (vec![odd; 10], "none_confirmed"),
        (of_ten((Undecided, ApiError)), "none_confirmed"),
        (of_ten((Confirmed, Match)), ""),
        (of_ten((Ignored, Duplicate)), ""),
        (of_ten(fake), "none_confirmed"),
    ] {
        assert_eq!(of_source(|source| source.recent = settled(&verdicts)), said, "{verdicts:?}");
    }
    let mut health = well();
    health.sources[0].recent = settled(&[vec![fake; 5], vec![odd; 5]].concat());
    let warning = warnings(&health).remove(0);
    assert!(
        warning.what.ends_with("5 of them: ignored, mismatch"),
        "the newest of equally common ones: {warning:?}"
    );
    assert_eq!(warning.detail.as_deref(), Some("mismatch of 100\\n"));
    assert!(warning.remedy.contains("countersign show 100"), "{warning:?}");
    health.sources[0].recent = settled(&[vec![fake; 4], vec![odd; 6]].concat());
    let warning = warnings(&health).remove(0);
    assert!(
        warning.in_words().ends_with("6 of them: ignored, malformed (malformed of 96\\n)"),
        "{warning:?}"
    );
}

#[test]
fn malformed_ones_that_begin_in_number_are_said_unless_they_are_all_there_is() {
    let malformed = |lately: u64, before: u64, recent: &[(State, Reason)]| {
        of_source(|source| {
            (source.malformed_lately, source.malformed_before) = (lately, before);
            source.malformed_detail = Some("x".repeat(1000));
            source.recent = settled(recent);
        })
    };
    assert_eq!(malformed(19, 0, &[]), "");
    assert_eq!(malformed(20, 0, &[(State::Confirmed, Reason::Match); 10]), "many_malformed");
    assert_eq!(malformed(20, 15, &[]), "", "three in two days are usual");
    assert_eq!(malformed(30, 15, &[]), "many_malformed");
    assert_eq!(malformed(20, 0, &[(State::Ignored, Reason::Malformed); 10]), "none_confirmed");
    let mut health = well();
    health.sources[0].malformed_lately = 20;
    health.sources[0].malformed_detail = Some("x".repeat(1000));
    assert_eq!(warnings(&health)[0].detail.as_ref().map(|detail| detail.chars().count()), Some(161));
}

#[test]
fn fakes_are_said_when_many_more_than_usual() {
    let fakes = |lately: u64, before: u64| {
        of_source(|source| (source.fakes_lately, source.fakes_before) = (lately, before))
    };
    assert_eq!(fakes(99, 0), "");
    assert_eq!(fakes(100, 0), "many_fakes");
    assert_eq!(fakes(100, 77), "", "11 in two days are usual");
    assert_eq!(fakes(110, 77), "many_fakes");
}

#[test]
fn a_reconcile_that_ran_once_is_expected_to_run_on() {
    assert_eq!(of_source(|source| source.reconciled_at = None), "");
    assert_eq!(of_source(|source| source.reconciled_at = Some(ago(2 * DAY))), "");
    assert_eq!(of_source(|source| source.reconciled_at = Some(ago(2 * DAY + 1))), "reconcile_late");
}

#[test]
fn of_a_source_that_is_not_configured_only_its_waiting_ones_are_said() {
    let gone = |pending: u64| {
        of_source(|source| {
            source.is_configured = false;
            source.pending = pending;
            source.undecided = 5;
            source.refused = Refused { count: 50, last_at: Some(ago(1)) };
        })
    };
    assert_eq!((gone(0), gone(1)), (String::new(), "unconfigured".to_owned()));
}
