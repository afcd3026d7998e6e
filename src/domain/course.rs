//! The course of a subject's statuses, as far as claims tell it: which earlier claims a confirmed claim
//! explains.

use ring::digest;
use serde_json::json;

/// Some statuses with the names of their fields, as one short key; equal statuses have equal keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatusKey(String);

impl StatusKey {
    /// The key of these statuses, in this order; `None` if there are none.
    #[must_use]
    pub fn of(statuses: &[(&str, &str)]) -> Option<Self> {
        if statuses.is_empty() {
            return None;
        }
        let digest = digest::digest(&digest::SHA256, json!(statuses).to_string().as_bytes());
        // A collision of half a digest would only turn one fake into an explained one.
        Some(Self(digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()))
    }

    /// The keys of all non-empty subsets of these statuses, the full set first. There are few.
    #[must_use]
    pub fn choices(statuses: &[(&str, &str)]) -> Vec<Self> {
        let all = (1_usize << statuses.len().min(4)) - 1;
        let chosen = |choice: usize| -> Vec<(&str, &str)> {
            let places = statuses.iter().enumerate().filter(|(place, _)| choice & (1 << place) != 0);
            places.map(|(_, status)| *status).collect()
        };
        (1..=all).rev().filter_map(|choice| Self::of(&chosen(choice))).collect()
    }

    /// The key as stored: 32 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses a stored key.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// The position of a claim in the course of its subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// The asserted statuses; `None`: it asserts none, and only a deletion explains it.
    pub asserted: Option<StatusKey>,
    /// The previous statuses, as the sender states them; `None`: it states none.
    pub before: Option<StatusKey>,
    /// The statuses that it explains once confirmed: by its own statement, or by the provider's progression.
    pub explains: Vec<StatusKey>,
}

impl Course {
    /// The course of a claim with these statuses and these previous ones. It explains claims of all the
    /// previous statuses, or of some of them.
    #[must_use]
    pub fn of(asserted: &[(&str, &str)], before: &[(&str, &str)]) -> Self {
        Self {
            asserted: StatusKey::of(asserted),
            before: StatusKey::of(before),
            explains: StatusKey::choices(before),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_explains_those_of_all_statuses_before_it_and_of_some_of_them() {
        let (paid, shipped) = (("payment", "PAID"), ("fulfillment", "SHIPPED"));
        let Course { asserted, before, explains } = Course::of(&[paid], &[paid, shipped]);
        assert_eq!(asserted, StatusKey::of(&[paid]));
        assert_eq!(before, explains.first().cloned());
        let all = [StatusKey::of(&[paid, shipped]), StatusKey::of(&[shipped]), StatusKey::of(&[paid])];
        assert_eq!(explains.into_iter().map(Some).collect::<Vec<_>>(), all);
        assert_eq!(Course::of(&[], &[]), Course::default());
        assert_eq!(StatusKey::choices(&[("a", "1"); 4]).len(), 15);
    }

    #[test]
    fn other_words_and_other_fields_have_other_keys() {
        let keys = [
            StatusKey::of(&[("payment", "PAID")]),
            StatusKey::of(&[("fulfillment", "PAID")]),
            StatusKey::of(&[("payment", "PAI"), ("D", "")]),
            StatusKey::of(&[("payment", "")]),
        ];
        for (place, key) in keys.iter().enumerate() {
            assert!(!keys[..place].contains(key), "{key:?}");
        }
    }
}
