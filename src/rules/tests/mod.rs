//! The state machine, row by row.

mod failures;

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::settle;
use crate::domain::replaced::replaced;
use crate::domain::settlement::{Case, Equal, Move, Policy, Settlement, SourceStatus, TruthChange, Waiting};
use crate::domain::{
    Answer, CallResult, Cause, Claim, Comparison, Deletion, EventTime, Failure, FailureScope, FoundObject,
    Judge, Known, NotFoundEvidence, OrderTruth, Outcome, State, StoredObject, Subject, SubjectKind,
    Timestamp, Truth,
};

/// Compares as it is told.
struct FixedJudge {
    outcome: Outcome,
    stored_before: bool,
}

impl Judge for FixedJudge {
    fn compare(&self, _claim: &Claim, _answer: &Answer, _known: &Known) -> Comparison {
        Comparison {
            stored_before: self.stored_before,
            ..Comparison::differs(self.outcome, "fixed", Value::Null)
        }
    }
}

fn judging(outcome: Outcome) -> FixedJudge {
    FixedJudge { outcome, stored_before: false }
}

const RECEIVED: i64 = 1_764_000_000;
const GRACE: i64 = 60;
const GIVE_UP: i64 = 7 * 86_400;

fn policy() -> Policy {
    Policy {
        grace: Duration::from_secs(60),
        retry_base: Duration::from_secs(2),
        retry_cap: Duration::from_secs(900),
        give_up_after: Duration::from_secs(7 * 86_400),
        denied_pause: Duration::from_secs(300),
    }
}

fn at(seconds_after_receipt: i64) -> Timestamp {
    Timestamp::from_seconds(RECEIVED + seconds_after_receipt)
}

fn claim(id: &str, status: &str) -> Claim {
    Claim {
        event: "order.status".to_owned(),
        subject: Subject { kind: SubjectKind::Order, id: id.to_owned() },
        question: format!("order {id}"),
        call_kind: "orders".to_owned(),
        asserted: Map::from_iter([("status".to_owned(), json!(status))]),
        before: Map::new(),
        event_time: EventTime::default(),
        event_id: None,
    }
}

fn waiting(id: i64, status: &str) -> Waiting {
    let claim = claim("A", status);
    let key = claim.key();
    Waiting { id, received_at: at(0), retried_at: None, attempts: 0, own_refusals: 0, claim, key }
}

fn case(waiting: Vec<Waiting>) -> Case {
    Case { waiting, ..Case::default() }
}

fn shown(asked_at: Timestamp, updated_at: Option<Timestamp>) -> Answer {
    let truth = OrderTruth { order_id: "A".to_owned(), updated_at, ..OrderTruth::default() };
    let compared = Map::from_iter([("status".to_owned(), json!("paid"))]);
    let object = FoundObject { body: json!({}), truth: Some(Truth::Order(truth)), compared };
    answer(asked_at, CallResult::Found(Box::new(object)))
}

fn absent(asked_at: Timestamp) -> Answer {
    let absence =
        NotFoundEvidence { evidence: Value::Null, detail: "gone".to_owned(), deletion: Deletion::NotAsked };
    answer(asked_at, CallResult::NotFound(absence))
}

fn answer(asked_at: Timestamp, result: CallResult) -> Answer {
    Answer { asked_at, date: Some(asked_at), http_status: Some(200), latency_ms: 1, result }
}

/// A move in the contract's words.
fn words(to: &Move) -> String {
    match to {
        Move::Settle { state, reason, duplicate_of: Some(first), .. } => {
            format!("{state} {reason} of {first}")
        }
        Move::Settle { state, reason, news, .. } => {
            format!("{state} {reason}{}", if *news { " news" } else { "" })
        }
        Move::Wait { reason, .. } => format!("pending {reason}"),
        Move::GiveUp { reason } => format!("undecided {reason}"),
        Move::AskAlone => "asked alone".to_owned(),
    }
}

fn moves(settlement: &Settlement) -> Vec<String> {
    settlement.rulings.iter().map(|ruling| format!("{} {}", ruling.id, words(&ruling.to))).collect()
}

fn settled(judge: &FixedJudge, answer: &Answer, case: &Case) -> Settlement {
    settle(judge, answer, case, &policy(), 0.0, answer.asked_at)
}

#[test]
fn each_outcome_within_grace_after_it_and_after_all_patience() {
    const LATE: i64 = GIVE_UP + 1;
    let cases = [
        // Outcome, asked at, questions before, move.
        (Outcome::Match, 0, 0, "confirmed match news"),
        (Outcome::Match, LATE, 99, "confirmed match news"),
        (Outcome::Deleted, 0, 0, "confirmed deleted news"),
        (Outcome::WrongStore, 0, 0, "ignored wrong_store"),
        (Outcome::NotFound, 0, 0, "pending not_yet"),
        (Outcome::NotFound, GRACE - 1, 99, "pending not_yet"),
        (Outcome::NotFound, GRACE, 0, "ignored not_found"),
        (Outcome::NotFound, LATE, 99, "ignored not_found"),
        (Outcome::Mismatch, GRACE - 1, 0, "pending not_yet"),
        (Outcome::Mismatch, GRACE, 0, "ignored mismatch"),
        (Outcome::Unavailable, GRACE - 1, 0, "pending not_yet"),
        (Outcome::Unavailable, GRACE, 0, "ignored unavailable"),
        (Outcome::NotYet, 0, 99, "pending not_yet"),
        (Outcome::NotYet, GIVE_UP, 99, "pending not_yet"),
        (Outcome::NotYet, LATE, 6, "pending not_yet"),
        (Outcome::NotYet, LATE, 7, "undecided not_yet"),
        (Outcome::ApiError, GRACE, 0, "pending not_yet"),
        (Outcome::ApiDenied, LATE, 99, "pending not_yet"),
        (Outcome::ApiRateLimited, LATE, 99, "pending not_yet"),
        (Outcome::ApiUnreachable, LATE, 99, "pending not_yet"),
    ];
    for (outcome, asked, attempts, expected) in cases {
        let case = case(vec![Waiting { attempts, ..waiting(1, "paid") }]);
        let settlement = settled(&judging(outcome), &shown(at(asked), None), &case);
        assert_eq!(moves(&settlement), [format!("1 {expected}")], "{outcome} {asked} s after receipt");
        assert_eq!(settlement.source_status, SourceStatus::Well);
    }
}

#[test]
fn a_product_confirmed_before_with_these_ids_is_unavailable_even_within_grace() {
    let judge = FixedJudge { stored_before: true, ..judging(Outcome::Unavailable) };
    let settlement = settled(&judge, &absent(at(0)), &case(vec![waiting(1, "paid")]));
    assert_eq!(moves(&settlement), ["1 confirmed unavailable news"]);
}

#[test]
fn retries_come_no_later_than_the_end_of_grace_and_then_grow_to_six_hours() {
    let next = |outcome, asked, attempts| {
        let case = case(vec![Waiting { attempts, ..waiting(1, "paid") }]);
        let settlement = settled(&judging(outcome), &shown(at(asked), None), &case);
        match settlement.rulings[0].to {
            Move::Wait { next_attempt_at, .. } => next_attempt_at.seconds() - RECEIVED,
            ref other => panic!("{other:?}"),
        }
    };
    assert_eq!(next(Outcome::Mismatch, 0, 0), 2);
    assert_eq!(next(Outcome::Mismatch, 10, 6), GRACE);
    assert_eq!(next(Outcome::NotYet, 0, 13), 16_384);
    assert_eq!(next(Outcome::NotYet, 0, 14), 6 * 3600);
    assert_eq!(next(Outcome::NotYet, 0, u32::MAX - 1), 6 * 3600);
}

#[test]
fn of_equal_pending_claims_the_lowest_is_confirmed_and_the_others_repeat_it() {
    let repeat = waiting(1, "paid");
    let equal = |id, state| Equal { id, key: repeat.key.clone(), received_at: at(0), state };
    let case = Case {
        waiting: vec![waiting(3, "paid"), waiting(4, "paid"), waiting(5, "new")],
        equals: vec![equal(7, State::Pending), equal(2, State::Undecided)],
        ..Case::default()
    };
    let settlement = settled(&judging(Outcome::Match), &shown(at(0), None), &case);
    let expected = [
        "3 confirmed match news",
        "4 ignored duplicate of 3",
        "5 confirmed match",
        "7 ignored duplicate of 3",
        "2 ignored duplicate of 3",
    ];
    assert_eq!(moves(&settlement), expected);
    assert!(settlement.rulings[3].verification.is_none(), "no call for it");
}

#[test]
fn an_earlier_equal_one_under_another_question_is_confirmed_instead() {
    let row = waiting(9, "paid");
    let equal = Equal { id: 4, key: row.key.clone(), received_at: at(-5), state: State::Pending };
    let equals = vec![Equal { id: 11, ..equal.clone() }, equal];
    let case = Case { waiting: vec![row], equals, ..Case::default() };
    let settlement = settled(&judging(Outcome::Match), &shown(at(0), None), &case);
    let expected = ["9 ignored duplicate of 4", "11 ignored duplicate of 4", "4 confirmed match news"];
    assert_eq!(moves(&settlement), expected);
    assert!(settlement.rulings[2].verification.is_some());
}

#[test]
fn what_equals_a_confirmed_one_is_its_duplicate_whatever_the_answer_says() {
    let row = waiting(9, "paid");
    let equals = vec![Equal { id: 2, key: row.key.clone(), received_at: at(0), state: State::Confirmed }];
    let case = Case { waiting: vec![row], equals, ..Case::default() };
    for outcome in Outcome::ALL {
        let settlement = settled(&judging(*outcome), &shown(at(0), None), &case);
        assert_eq!(moves(&settlement), ["9 ignored duplicate of 2"], "{outcome}");
    }
}

#[test]
fn an_answer_older_than_the_truth_held_settles_nothing_and_overwrites_nothing() {
    let stored = |updated_at, fetched_at| StoredObject {
        resolved_id: "A".to_owned(),
        internal_id: None,
        by_internal_id: false,
        updated_at,
        fetched_at: at(fetched_at),
    };
    let cases = [
        // Updated at as held and as shown; fetched at and asked at; whether it is stale.
        (Some(50), Some(40), 100, 200, true),
        (Some(50), Some(60), 300, 200, false),
        (Some(50), Some(50), 300, 200, true),
        (Some(50), Some(50), 100, 200, false),
        (None, Some(50), 300, 200, true),
        (None, None, 300, 200, true),
        (None, None, 200, 200, false),
        // The clock was set back since: then only the shop's own time counts.
        (None, None, 9_000, 200, false),
    ];
    for (old, new, fetched, asked, stale) in cases {
        let case = Case { stored: Some(stored(old.map(at), fetched)), ..case(vec![waiting(1, "paid")]) };
        for outcome in [Outcome::Match, Outcome::Mismatch, Outcome::NotFound, Outcome::WrongStore] {
            let answer = shown(at(asked), new.map(at));
            let settlement = settle(&judging(outcome), &answer, &case, &policy(), 0.0, at(1000));
            let is_kept = settlement.truth == TruthChange::Keep;
            assert_eq!((moves(&settlement) == ["1 pending not_yet"], is_kept), (stale, stale), "{outcome}");
        }
    }
}

/// Shows an object that carries `latest`.
struct Dated {
    outcome: Outcome,
    latest: Option<Timestamp>,
}

impl Judge for Dated {
    fn compare(&self, _claim: &Claim, _answer: &Answer, _known: &Known) -> Comparison {
        Comparison::differs(self.outcome, "fixed", Value::Null)
    }

    fn latest_time(&self, _answer: &Answer) -> Option<Timestamp> {
        self.latest
    }
}

#[test]
fn a_claimed_time_is_waited_for_until_a_clock_or_the_object_has_come_to_it() {
    use Outcome::{Deleted, Match, Mismatch, NotFound};
    let cases = [
        // Claimed, the shop's date, our clock and the object's time, in seconds after receipt.
        (600, 0, 0, None, Match, "confirmed match news"),
        (601, 0, 0, None, Match, "pending not_yet"),
        (601, 0, 0, None, Deleted, "pending not_yet"),
        (601, 0, 600, None, Match, "pending not_yet"),
        (601, 0, 601, None, Match, "confirmed match news"),
        (601, 601, 0, None, Match, "confirmed match news"),
        (601, -1200, 0, None, Match, "pending not_yet"),
        (0, -1200, 0, None, Match, "confirmed match news"),
        (601, 0, 0, Some(600), Match, "pending not_yet"),
        (601, 0, 0, Some(601), Match, "confirmed match news"),
        (601, 0, 0, Some(9999), Match, "confirmed match news"),
        (99_999, 0, 0, None, Mismatch, "ignored mismatch"),
        (99_999, 0, 0, None, NotFound, "ignored not_found"),
    ];
    for (claimed, date, now, latest, outcome, expected) in cases {
        let mut row = Waiting { received_at: at(0), ..waiting(1, "paid") };
        row.claim.event_time.instant = Some(at(claimed));
        let answer = Answer { date: Some(at(date)), ..shown(at(GRACE), None) };
        let judge = Dated { outcome, latest: latest.map(at) };
        let settlement = settle(&judge, &answer, &case(vec![row]), &policy(), 0.0, at(now));
        assert_eq!(
            moves(&settlement),
            [format!("1 {expected}")],
            "{claimed} {date} {now} {latest:?} {outcome}"
        );
    }
}

#[test]
fn a_value_that_could_not_be_read_whole_is_never_confirmed() {
    let mut row = waiting(1, "paid");
    row.claim.asserted.insert("status".to_owned(), replaced("paid\u{fffd}".to_owned()));
    let case = case(vec![row]);
    for (outcome, expected) in [
        (Outcome::Match, "1 ignored mismatch"),
        (Outcome::Deleted, "1 ignored mismatch"),
        (Outcome::NotYet, "1 pending not_yet"),
        (Outcome::NotFound, "1 ignored not_found"),
    ] {
        let settlement = settled(&judging(outcome), &shown(at(GRACE), None), &case);
        assert_eq!(moves(&settlement), [expected]);
    }
}
