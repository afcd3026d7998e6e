//! What a failed call does to a notification.

use super::super::on_failure;
use super::*;

#[test]
fn a_failure_means_nothing_but_when_to_ask_again_or_to_give_up() {
    const LATE: i64 = GIVE_UP + 1;
    use Cause::{ApiDenied, ApiError, ApiRateLimited, ApiUnreachable};
    let cases = [
        // Cause, HTTP status, scope, asked at, questions and own refusals before, move.
        (ApiUnreachable, None, FailureScope::Source, 0, 0, 0, "pending api_unreachable"),
        (ApiUnreachable, None, FailureScope::Source, LATE, 6, 0, "pending api_unreachable"),
        (ApiUnreachable, None, FailureScope::Source, LATE, 7, 0, "undecided api_unreachable"),
        (ApiUnreachable, None, FailureScope::Source, GIVE_UP, 99, 0, "pending api_unreachable"),
        (ApiRateLimited, Some(429), FailureScope::Source, LATE, 7, 0, "undecided api_rate_limited"),
        (ApiDenied, Some(403), FailureScope::Source, 0, 99, 99, "pending api_denied"),
        (ApiDenied, Some(403), FailureScope::CallKind, 0, 99, 99, "pending api_denied"),
        (ApiDenied, Some(403), FailureScope::Source, LATE, 7, 0, "undecided api_denied"),
        (ApiDenied, Some(403), FailureScope::Subject, GRACE, 3, 3, "pending api_error"),
        (ApiDenied, Some(403), FailureScope::Subject, GRACE - 1, 99, 99, "pending api_error"),
        (ApiDenied, Some(403), FailureScope::Subject, GRACE, 4, 4, "undecided api_error"),
        (ApiError, Some(422), FailureScope::Subject, GRACE, 4, 4, "undecided api_error"),
        (ApiError, Some(200), FailureScope::Subject, GRACE, 99, 99, "pending api_error"),
        (ApiError, Some(500), FailureScope::Subject, 0, 99, 99, "pending api_error"),
        (ApiError, Some(500), FailureScope::Subject, LATE, 7, 0, "undecided api_error"),
        (ApiUnreachable, Some(408), FailureScope::Subject, 0, 99, 99, "pending api_unreachable"),
        (ApiError, Some(200), FailureScope::Source, 0, 0, 0, "pending api_error"),
    ];
    for (cause, http_status, scope, asked, attempts, own_refusals, expected) in cases {
        let failure = Failure { http_status, ..Failure::new(cause, "fixed") }.with_scope(scope);
        let case = case(vec![Waiting { attempts, own_refusals, ..waiting(1, "paid") }]);
        let settlement = on_failure(&failure, "orders", at(asked), &case, &policy(), 0.0);
        assert_eq!(moves(&settlement), [format!("1 {expected}")], "{cause} {http_status:?} {scope:?}");
        assert_eq!(
            (settlement.truth, settlement.confirmed_values, settlement.found),
            (TruthChange::Keep, None, false)
        );
        let stops = match settlement.source_status {
            SourceStatus::Failing { call_kind, .. } => Some(call_kind),
            SourceStatus::Well | SourceStatus::Unchanged => None,
        };
        let expected = match scope {
            FailureScope::Source => Some(None),
            FailureScope::CallKind => Some(Some("orders".to_owned())),
            FailureScope::Subject | FailureScope::Unclear => None,
        };
        assert_eq!(stops, expected, "{scope:?}");
    }
}

#[test]
fn a_hopeless_answer_counts_as_a_refusal_and_one_of_a_failing_backend_does_not() {
    let row = Waiting { attempts: 4, own_refusals: 4, ..waiting(1, "paid") };
    let case = case(vec![row]);
    let refused = |status| Failure::new(Cause::ApiError, "fixed").with_status(status);
    for (failure, expected) in [
        (refused(200).hopeless(), "1 undecided api_error"),
        (refused(404).with_scope(FailureScope::Subject), "1 undecided api_error"),
        (refused(404).passing().with_scope(FailureScope::Subject), "1 pending api_error"),
    ] {
        let settlement = on_failure(&failure, "orders", at(GRACE), &case, &policy(), 0.0);
        assert_eq!(moves(&settlement), [expected], "{failure:?}");
        assert_eq!(settlement.rulings[0].own_refusal, expected.contains("undecided"));
    }
}

#[test]
fn a_subject_that_is_refused_for_good_is_asked_once_more_when_its_grace_is_over() {
    let case = case(vec![Waiting { attempts: 9, own_refusals: 9, ..waiting(1, "paid") }]);
    let failure = Failure::new(Cause::ApiError, "not listed").with_status(200).hopeless();
    let settlement = on_failure(&failure, "orders", at(GRACE - 1), &case, &policy(), 0.0);
    let Move::Wait { next_attempt_at, .. } = settlement.rulings[0].to else { panic!("{settlement:?}") };
    assert_eq!(next_attempt_at, at(GRACE));
}

#[test]
fn a_retry_starts_patience_afresh() {
    let row = Waiting { attempts: 99, retried_at: Some(at(GIVE_UP)), ..waiting(1, "paid") };
    let failure = Failure::new(Cause::ApiError, "fixed").with_scope(FailureScope::Source);
    for (asked, expected) in
        [(2 * GIVE_UP, "1 pending api_error"), (2 * GIVE_UP + 1, "1 undecided api_error")]
    {
        let settlement = on_failure(&failure, "orders", at(asked), &case(vec![row.clone()]), &policy(), 0.0);
        assert_eq!(moves(&settlement), [expected]);
    }
}
