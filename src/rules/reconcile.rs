//! Compares a shop's orders with the stored ones, and produces findings.

use crate::domain::{
    Answer, CallResult, Finding, FindingKind, FoundObject, Judge, Known, LastConfirmed, Listed, OurOrder,
    Outcome, Timestamp, Truth, Unconfirmed,
};

/// Which findings are possible for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Whether it should have had a notification, so that it can be missed.
    pub is_expected: bool,
    /// Whether a notification about it was confirmed in the window, so that it can have vanished.
    pub was_confirmed: bool,
    /// The end of the window. Later changes are for the next run, when their notifications are due.
    pub until: Timestamp,
}

/// The indexes of the listed orders on which the list and the store disagree. Each needs a call of its own, because a
/// list may lag behind. `ours` has the order of `listed`.
#[must_use]
pub fn suspects(
    judge: &dyn Judge,
    listed: &[Listed],
    ours: &[OurOrder],
    until: Timestamp,
    now: Timestamp,
) -> Vec<usize> {
    let is_suspect = |(place, (listed, ours)): (usize, (&Listed, &OurOrder))| {
        let scope = Scope { is_expected: listed.is_expected, was_confirmed: false, until };
        let result = CallResult::Found(Box::new(listed.object.clone()));
        let answer = Answer { asked_at: now, date: None, http_status: None, latency_ms: 0, result };
        difference(judge, "", &answer, ours, scope).map(|_| place)
    };
    listed.iter().zip(ours).enumerate().filter_map(is_suspect).collect()
}

/// The disagreement between the shop's answer about one order and the store. `None` if they agree, if no notification
/// could report it, or if a pending notification reports it.
#[must_use]
pub fn difference(
    judge: &dyn Judge,
    order_id: &str,
    answer: &Answer,
    ours: &OurOrder,
    scope: Scope,
) -> Option<Finding> {
    match &answer.result {
        CallResult::Found(object) => shown(judge, order_id, answer, object, ours, scope),
        CallResult::NotFound(absence) => {
            let last = ours.last_confirmed.as_ref().filter(|_| scope.was_confirmed)?;
            let last_statuses = judge.statuses(&last.compared);
            if last_statuses.is_empty() || ours.waiting.iter().any(|claim| judge.is_deletion(claim)) {
                return None;
            }
            Some(Finding {
                kind: FindingKind::Vanished,
                subject_id: Some(order_id.to_owned()),
                ours: Some(in_words(&last_statuses)),
                shop: None,
                notification_id: Some(last.notification_id),
                detail: Some(format!("confirmed, and now {}", absence.detail)),
            })
        }
        CallResult::Failed(_) => None,
    }
}

fn shown(
    judge: &dyn Judge,
    order_id: &str,
    answer: &Answer,
    object: &FoundObject,
    ours: &OurOrder,
    scope: Scope,
) -> Option<Finding> {
    let truth = object.truth.as_ref()?;
    if Truth::updated_at(truth).is_some_and(|at| at.seconds() > scope.until.seconds()) {
        return None;
    }
    let shop = judge.statuses(&object.compared);
    let tellable: Vec<_> = shop.iter().filter(|(field, word)| judge.can_announce(field, word)).collect();
    let known = Known { stored: ours.stored.clone(), source_found_any: true };
    let says_so = |claim| judge.compare(claim, answer, &known).outcome == Outcome::Match;
    if tellable.is_empty() || ours.waiting.iter().any(says_so) {
        return None;
    }
    let (kind, detail) = match &ours.last_confirmed {
        None if scope.is_expected => (FindingKind::Missed, missed(ours.unconfirmed.as_ref())),
        None => return None,
        Some(LastConfirmed { compared, .. }) => {
            let before = judge.statuses(compared);
            let differing = tellable.into_iter().filter(|status| !before.contains(status));
            let differing: Vec<String> = differing
                .map(|(field, word)| {
                    let word_before = before.iter().find(|(known, _)| known == field);
                    let before = word_before.map_or("nothing of it", |(_, word)| word);
                    format!("{field} is {word}, but the last notification said {before}")
                })
                .collect();
            if differing.is_empty() {
                return None;
            }
            (FindingKind::Drift, differing.join("; "))
        }
    };
    Some(Finding {
        kind,
        subject_id: Some(order_id.to_owned()),
        ours: ours.last_confirmed.as_ref().map(|last| in_words(&judge.statuses(&last.compared))),
        shop: Some(in_words(&shop)),
        notification_id: match &ours.last_confirmed {
            Some(last) => Some(last.notification_id),
            None => ours.unconfirmed.map(|newest| newest.notification_id),
        },
        detail: Some(detail),
    })
}

/// The notifications received about an order that was never confirmed, in words.
fn missed(newest: Option<&Unconfirmed>) -> String {
    let Some(Unconfirmed { notification_id, state, reason }) = newest else {
        return "the shop has this order, but no notification was received".to_owned();
    };
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!(
        "the shop has this order, but no notification of it was confirmed: the newest, {notification_id}, is {state}{reason}"
    )
}

/// The statuses of an order as one text; `deleted` for a deleted order.
fn in_words(statuses: &[(&'static str, String)]) -> String {
    let words: Vec<&str> = statuses.iter().map(|(_, word)| word.as_str()).collect();
    if words.is_empty() { "deleted".to_owned() } else { words.join("/") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::domain::{
        Claim, Comparison, Deletion, EventTime, NotFoundEvidence, OrderTruth, Subject, SubjectKind,
    };

    /// A shop with one status; its notifications have no word for `odd`.
    struct Shop;

    impl Judge for Shop {
        fn compare(&self, claim: &Claim, answer: &Answer, _: &Known) -> Comparison {
            let shown = match &answer.result {
                CallResult::Found(object) => object.compared.get("status").cloned(),
                _ => None,
            };
            if claim.asserted.get("status") == shown.as_ref() {
                Comparison::agrees(Value::Null)
            } else {
                Comparison::differs(Outcome::Mismatch, "", Value::Null)
            }
        }

        fn statuses(&self, compared: &Map<String, Value>) -> Vec<(&'static str, String)> {
            let status = compared.get("status").and_then(Value::as_str);
            status.map(|status| ("status", status.to_owned())).into_iter().collect()
        }

        fn can_announce(&self, _: &str, status: &str) -> bool {
            status != "odd"
        }

        fn is_deletion(&self, claim: &Claim) -> bool {
            claim.event == "deleted"
        }
    }

    const UNTIL: i64 = 1000;

    fn values(status: &str) -> Map<String, Value> {
        Map::from_iter([("status".to_owned(), json!(status))])
    }

    fn object(status: &str, updated_at: Option<i64>) -> FoundObject {
        let truth = OrderTruth {
            order_id: "A".to_owned(),
            status: Some(status.to_owned()),
            updated_at: updated_at.map(Timestamp::from_seconds),
            ..OrderTruth::default()
        };
        FoundObject { body: Value::Null, truth: Some(Truth::Order(truth)), compared: values(status) }
    }

    fn answer(result: CallResult) -> Answer {
        Answer {
            asked_at: Timestamp::from_seconds(UNTIL),
            date: None,
            http_status: None,
            latency_ms: 0,
            result,
        }
    }

    fn shows(status: &str) -> Answer {
        answer(CallResult::Found(Box::new(object(status, None))))
    }

    fn is_gone() -> Answer {
        let detail = "the shop has no order A".to_owned();
        let (evidence, deletion) = (Value::Null, Deletion::NotAsked);
        answer(CallResult::NotFound(NotFoundEvidence { evidence, detail, deletion }))
    }

    fn claim(event: &str, status: &str) -> Claim {
        Claim {
            event: event.to_owned(),
            subject: Subject { kind: SubjectKind::Order, id: "A".to_owned() },
            question: String::new(),
            call_kind: String::new(),
            asserted: values(status),
            before: Map::new(),
            event_time: EventTime::default(),
            event_id: None,
        }
    }

    fn ours(confirmed: Option<&str>, waiting: &[Claim]) -> OurOrder {
        let last_confirmed =
            confirmed.map(|status| LastConfirmed { compared: values(status), notification_id: 7 });
        OurOrder { last_confirmed, waiting: waiting.to_vec(), ..OurOrder::default() }
    }

    fn scope(is_expected: bool, was_confirmed: bool) -> Scope {
        Scope { is_expected, was_confirmed, until: Timestamp::from_seconds(UNTIL) }
    }

    fn kind(answer: &Answer, ours: &OurOrder, scope: Scope) -> Option<FindingKind> {
        difference(&Shop, "A", answer, ours, scope).map(|finding| finding.kind)
    }

    #[test]
    fn each_row_of_the_contracts_table() {
        use FindingKind::{Drift, Missed, Vanished};
        let deleted = OurOrder {
            last_confirmed: Some(LastConfirmed {
                compared: Map::from_iter([("deleted".to_owned(), json!(true))]),
                notification_id: 7,
            }),
            ..OurOrder::default()
        };
        let (expected, confirmed) = (scope(true, false), scope(false, true));
        let (paid, refunded) = ("paid", "refunded");
        let cases = [
            ("confirmed as it is", shows(paid), ours(Some(paid), &[]), expected, None),
            ("never confirmed", shows(paid), ours(None, &[]), expected, Some(Missed)),
            ("confirmed otherwise", shows(refunded), ours(Some(paid), &[]), expected, Some(Drift)),
            ("confirmed as deleted", shows(paid), deleted.clone(), expected, Some(Drift)),
            ("no word for it", shows("odd"), ours(Some(paid), &[]), expected, None),
            ("no word for it, never confirmed", shows("odd"), ours(None, &[]), expected, None),
            ("seen again, not ours", shows(paid), ours(None, &[]), scope(false, false), None),
            ("waiting says so", shows(paid), ours(None, &[claim("new", paid)]), expected, None),
            (
                "waiting says otherwise",
                shows(paid),
                ours(None, &[claim("new", refunded)]),
                expected,
                Some(Missed),
            ),
            (
                "waiting tells the change",
                shows(refunded),
                ours(Some(paid), &[claim("new", refunded)]),
                expected,
                None,
            ),
            ("gone", is_gone(), ours(Some(paid), &[]), confirmed, Some(Vanished)),
            ("gone, confirmed elsewhen", is_gone(), ours(Some(paid), &[]), expected, None),
            ("gone, never confirmed", is_gone(), ours(None, &[]), confirmed, None),
            ("gone, confirmed as deleted", is_gone(), deleted, confirmed, None),
            ("gone, deletion waits", is_gone(), ours(Some(paid), &[claim("deleted", "")]), confirmed, None),
        ];
        for (name, answer, ours, scope, expected) in cases {
            assert_eq!(kind(&answer, &ours, scope), expected, "{name}");
        }
    }

    #[test]
    fn a_missed_order_names_the_newest_notification_that_was_not_confirmed() {
        use crate::domain::{Reason, State};
        let found = |unconfirmed| {
            let ours = OurOrder { unconfirmed, ..ours(None, &[]) };
            let finding = difference(&Shop, "A", &shows("paid"), &ours, scope(true, false)).unwrap();
            (finding.notification_id, finding.detail.unwrap())
        };
        let none = (None, "the shop has this order, but no notification was received".to_owned());
        assert_eq!(found(None), none);
        for (state, reason, words) in [
            (State::Ignored, Some(Reason::Mismatch), "ignored (mismatch)"),
            (State::Undecided, Some(Reason::ApiError), "undecided (api_error)"),
            (State::Pending, None, "pending"),
        ] {
            let (id, detail) = found(Some(Unconfirmed { notification_id: 17, state, reason }));
            assert_eq!(id, Some(17));
            assert!(detail.ends_with(&format!("confirmed: the newest, 17, is {words}")), "{detail}");
        }
    }

    #[test]
    fn what_changed_after_the_window_is_left_to_the_next_one() {
        for (updated_at, found) in [(UNTIL, true), (UNTIL + 1, false)] {
            let answer = answer(CallResult::Found(Box::new(object("paid", Some(updated_at)))));
            assert_eq!(kind(&answer, &ours(None, &[]), scope(true, true)).is_some(), found);
        }
    }

    fn status() -> impl Strategy<Value = &'static str> {
        prop_oneof![Just("paid"), Just("refunded"), Just("odd")]
    }

    proptest! {
        #[test]
        fn once_it_is_told_nothing_is_found(shown in status(), expected: bool, confirmed: bool) {
            prop_assert_eq!(kind(&shows(shown), &ours(Some(shown), &[]), scope(expected, confirmed)), None);
        }

        #[test]
        fn a_list_makes_suspect_what_the_own_calls_would_find(
            orders in proptest::collection::vec((status(), proptest::option::of(status()), any::<bool>()), 0..20),
        ) {
            let until = Timestamp::from_seconds(UNTIL);
            let listed: Vec<Listed> = orders
                .iter()
                .map(|(shown, _, is_expected)| Listed { object: object(shown, None), is_expected: *is_expected })
                .collect();
            let ours: Vec<OurOrder> = orders.iter().map(|(_, confirmed, _)| ours(*confirmed, &[])).collect();
            let found: Vec<usize> = (0..orders.len())
                .filter(|place| {
                    let scope = scope(listed[*place].is_expected, true);
                    kind(&shows(orders[*place].0), &ours[*place], scope).is_some()
                })
                .collect();
            prop_assert_eq!(suspects(&Shop, &listed, &ours, until, until), found);
        }
    }
}
