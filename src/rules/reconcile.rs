//! What a shop says held against what it told us: findings out of two lists.

use crate::domain::{
    Answer, Finding, FindingKind, Judge, Known, Listed, OurOrder, Outcome, Said, Sighting, Timestamp, Told,
    Truth,
};

/// What may be found about one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Whether it should have been told: then it can be missed.
    pub is_expected: bool,
    /// Whether a notification about it was confirmed in the window: then it can have vanished.
    pub was_confirmed: bool,
    /// The end of the window; what the shop changed later is found by the next run, when its notification is due.
    pub until: Timestamp,
}

/// The listed orders about which the list and the store disagree, by their places: each must be asked about by a call of
/// its own, for a list may lag behind. `ours` stands in the order of `listed`.
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

/// What the shop's answer about one order and the store disagree about; `None` where they agree, where nobody could have
/// told it, or where a waiting notification tells it.
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
            (FindingKind::Missed, "the shop has this order, and nothing ever told it".to_owned())
        }
        None => return None,
        Some(Told { compared, .. }) => {
            let told = judge.statuses(compared);
            let differing = tellable.into_iter().filter(|status| !told.contains(status));
            let differing: Vec<String> = differing
                .map(|(field, word)| {
                    let before = told.iter().find(|(known, _)| known == field);
                    let before = before.map_or("nothing of it", |(_, word)| word);
                    format!("{field} is {word}, and what was told last is {before}")
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

/// The statuses of an order in one word; of what was told to be deleted, that.
fn in_words(statuses: &[(&'static str, String)]) -> String {
    let words: Vec<&str> = statuses.iter().map(|(_, word)| word.as_str()).collect();
    if words.is_empty() { "deleted".to_owned() } else { words.join("/") }
}
