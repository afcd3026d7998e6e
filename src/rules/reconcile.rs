//! Compares a shop's orders with the stored ones, and produces findings.

use crate::domain::{
    Answer, Finding, FindingKind, Judge, Known, Listed, OurOrder, Outcome, Said, Sighting, Timestamp, Told,
    Truth,
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
        let said = Said::There(Box::new(listed.sighting.clone()));
        let answer = Answer { asked_at: now, date: None, http_status: None, latency_ms: 0, said };
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
    match &answer.said {
        Said::There(sighting) => shown(judge, order_id, answer, sighting, ours, scope),
        Said::NotThere(absence) => {
            let told = ours.told.as_ref().filter(|_| scope.was_confirmed)?;
            let told_statuses = judge.statuses(&told.compared);
            if told_statuses.is_empty() || ours.waiting.iter().any(|claim| judge.tells_deletion(claim)) {
                return None;
            }
            Some(Finding {
                kind: FindingKind::Vanished,
                subject_id: Some(order_id.to_owned()),
                ours: Some(in_words(&told_statuses)),
                shop: None,
                notification_id: Some(told.notification_id),
                detail: Some(format!("confirmed, and now {}", absence.detail)),
            })
        }
        Said::Failed(_) => None,
    }
}

fn shown(
    judge: &dyn Judge,
    order_id: &str,
    answer: &Answer,
    sighting: &Sighting,
    ours: &OurOrder,
    scope: Scope,
) -> Option<Finding> {
    let truth = sighting.truth.as_ref()?;
    if Truth::updated_at(truth).is_some_and(|at| at.seconds() > scope.until.seconds()) {
        return None;
    }
    let shop = judge.statuses(&sighting.compared);
    let tellable: Vec<_> = shop.iter().filter(|(field, word)| judge.can_tell(field, word)).collect();
    let known = Known { held: ours.held.clone(), source_found_any: true };
    let says_so = |claim| judge.compare(claim, answer, &known).outcome == Outcome::Match;
    if tellable.is_empty() || ours.waiting.iter().any(says_so) {
        return None;
    }
    let (kind, detail) = match &ours.told {
        None if scope.is_expected => {
            (FindingKind::Missed, "the shop has this order, but no notification was received".to_owned())
        }
        None => return None,
        Some(Told { compared, .. }) => {
            let told = judge.statuses(compared);
            let differing = tellable.into_iter().filter(|status| !told.contains(status));
            let differing: Vec<String> = differing
                .map(|(field, word)| {
                    let before = told.iter().find(|(known, _)| known == field);
                    let before = before.map_or("nothing of it", |(_, word)| word);
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
        ours: ours.told.as_ref().map(|told| in_words(&judge.statuses(&told.compared))),
        shop: Some(in_words(&shop)),
        notification_id: ours.told.as_ref().map(|told| told.notification_id),
        detail: Some(detail),
    })
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
    use crate::domain::{Absence, Claim, Comparison, Deletion, EventTime, OrderTruth, Subject, SubjectKind};

    /// A shop with one status; its notifications have no word for `odd`.
    struct Shop;

    impl Judge for Shop {
        fn compare(&self, claim: &Claim, answer: &Answer, _: &Known) -> Comparison {
            let shown = match &answer.said {
                Said::There(sighting) => sighting.compared.get("status").cloned(),
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

        fn can_tell(&self, _: &str, status: &str) -> bool {
            status != "odd"
        }

        fn tells_deletion(&self, claim: &Claim) -> bool {
            claim.event == "deleted"
        }
    }

    const UNTIL: i64 = 1000;

    fn values(status: &str) -> Map<String, Value> {
        Map::from_iter([("status".to_owned(), json!(status))])
    }

    fn sighting(status: &str, updated_at: Option<i64>) -> Sighting {
        let truth = OrderTruth {
            order_id: "A".to_owned(),
            status: Some(status.to_owned()),
            updated_at: updated_at.map(Timestamp::from_seconds),
            ..OrderTruth::default()
        };
        Sighting { body: Value::Null, truth: Some(Truth::Order(truth)), compared: values(status) }
    }

    fn answer(said: Said) -> Answer {
        Answer {
            asked_at: Timestamp::from_seconds(UNTIL),
            date: None,
            http_status: None,
            latency_ms: 0,
            said,
        }
    }

    fn shows(status: &str) -> Answer {
        answer(Said::There(Box::new(sighting(status, None))))
    }

    fn is_gone() -> Answer {
        let detail = "the shop has no order A".to_owned();
        let (evidence, deletion) = (Value::Null, Deletion::NotAsked);
        answer(Said::NotThere(Absence { evidence, detail, deletion }))
    }

    fn claim(event: &str, status: &str) -> Claim {
        Claim {
            event: event.to_owned(),
            subject: Subject { kind: SubjectKind::Order, id: "A".to_owned() },
            question: String::new(),
            lane: String::new(),
            asserted: values(status),
            before: Map::new(),
            event_time: EventTime::default(),
            event_id: None,
        }
    }

    fn ours(told: Option<&str>, waiting: &[Claim]) -> OurOrder {
        let told = told.map(|status| Told { compared: values(status), notification_id: 7 });
        OurOrder { told, waiting: waiting.to_vec(), held: None }
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
            told: Some(Told {
                compared: Map::from_iter([("deleted".to_owned(), json!(true))]),
                notification_id: 7,
            }),
            ..OurOrder::default()
        };
        let (expected, confirmed) = (scope(true, false), scope(false, true));
        let (paid, refunded) = ("paid", "refunded");
        let cases = [
            ("told as it is", shows(paid), ours(Some(paid), &[]), expected, None),
            ("never told", shows(paid), ours(None, &[]), expected, Some(Missed)),
            ("told otherwise", shows(refunded), ours(Some(paid), &[]), expected, Some(Drift)),
            ("told as deleted", shows(paid), deleted.clone(), expected, Some(Drift)),
            ("no word for it", shows("odd"), ours(Some(paid), &[]), expected, None),
            ("no word for it, never told", shows("odd"), ours(None, &[]), expected, None),
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
            ("gone, never told", is_gone(), ours(None, &[]), confirmed, None),
            ("gone, told as deleted", is_gone(), deleted, confirmed, None),
            ("gone, deletion waits", is_gone(), ours(Some(paid), &[claim("deleted", "")]), confirmed, None),
        ];
        for (name, answer, ours, scope, expected) in cases {
            assert_eq!(kind(&answer, &ours, scope), expected, "{name}");
        }
    }

    #[test]
    fn what_changed_after_the_window_is_left_to_the_next_one() {
        for (updated_at, found) in [(UNTIL, true), (UNTIL + 1, false)] {
            let answer = answer(Said::There(Box::new(sighting("paid", Some(updated_at)))));
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
                .map(|(shown, _, is_expected)| Listed { sighting: sighting(shown, None), is_expected: *is_expected })
                .collect();
            let ours: Vec<OurOrder> = orders.iter().map(|(_, told, _)| ours(*told, &[])).collect();
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
