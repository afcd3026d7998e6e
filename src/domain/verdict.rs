//! The contract's states, reasons, outcomes and causes, as types and as text.

/// Declares an enum whose variants are the contract's words, with the text of each in one place.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// All variants, in the contract's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in columns, logs and on the command line.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(super) use words;

words! {
    /// The state of a notification.
    State {
        Pending = "pending",
        /// The shop's API says the same.
        Confirmed = "confirmed",
        /// The API was asked and does not say the same, or the notification cannot count.
        Ignored = "ignored",
        /// The API could not be asked until countersign stopped trying; a person decides.
        Undecided = "undecided",
    }
}

words! {
    /// Why a notification is in its state.
    Reason {
        /// Ids and asserted values agree with the API's answer.
        Match = "match",
        /// The API does not show the product, or no longer.
        Unavailable = "unavailable",
        /// A delete event, and the API lists the deletion.
        Deleted = "deleted",
        /// The API says that no such order or product exists.
        NotFound = "not_found",
        /// The object exists, but with other ids or other current values.
        Mismatch = "mismatch",
        /// A mismatch or not-found that a confirmed notification explains.
        Superseded = "superseded",
        /// The notification names another store, project or merchant.
        WrongStore = "wrong_store",
        /// The same claim as a confirmed notification of this source.
        Duplicate = "duplicate",
        Malformed = "malformed",
        /// Understood, but an event that this version does not verify.
        Unsupported = "unsupported",
        Dismissed = "dismissed",
        /// The API could not be reached.
        ApiUnreachable = "api_unreachable",
        /// The API rejects the credentials.
        ApiDenied = "api_denied",
        /// The API asked for a pause.
        ApiRateLimited = "api_rate_limited",
        /// The API's answer was unusable.
        ApiError = "api_error",
        /// The API has not caught up with the claim yet, or may not have.
        NotYet = "not_yet",
    }
}

impl Reason {
    /// Whether an ignored notification with this reason counts as a fake: made up, or indistinguishable from that.
    #[must_use]
    pub fn is_fake(self) -> bool {
        matches!(self, Self::NotFound | Self::Mismatch | Self::WrongStore)
    }
}

words! {
    /// Why a call brought no answer.
    Cause {
        /// Connect failure, timeout, 408.
        ApiUnreachable = "api_unreachable",
        /// 401, 402, 403 and the like, for the source as a whole.
        ApiDenied = "api_denied",
        /// 429, and 503 with Retry-After.
        ApiRateLimited = "api_rate_limited",
        /// Other 5xx, 4xx, 3xx, and answers that are not as documented.
        ApiError = "api_error",
    }
}

words! {
    /// The outcome of one verification.
    Outcome {
        /// Ids and asserted values agree.
        Match = "match",
        /// The product is not shown.
        Unavailable = "unavailable",
        /// The deletion is listed.
        Deleted = "deleted",
        /// No such order or product.
        NotFound = "not_found",
        /// Other ids or other values.
        Mismatch = "mismatch",
        /// The answer belongs to another store, project or merchant.
        WrongStore = "wrong_store",
        /// Behind the claim, or asked too early to be final.
        NotYet = "not_yet",
        /// Connect failure, timeout, 408.
        ApiUnreachable = "api_unreachable",
        ApiDenied = "api_denied",
        ApiRateLimited = "api_rate_limited",
        /// No answer as documented.
        ApiError = "api_error",
    }
}

impl From<Cause> for Outcome {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::ApiUnreachable => Self::ApiUnreachable,
            Cause::ApiDenied => Self::ApiDenied,
            Cause::ApiRateLimited => Self::ApiRateLimited,
            Cause::ApiError => Self::ApiError,
        }
    }
}

impl From<Cause> for Reason {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::ApiUnreachable => Self::ApiUnreachable,
            Cause::ApiDenied => Self::ApiDenied,
            Cause::ApiRateLimited => Self::ApiRateLimited,
            Cause::ApiError => Self::ApiError,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for word in Reason::ALL {
            assert_eq!(Reason::parse(word.as_str()), Some(*word));
        }
        for word in Outcome::ALL {
            assert!(Reason::parse(word.as_str()).is_some(), "{word} is a reason too");
        }
        assert_eq!(State::parse("Confirmed"), None);
    }
}
