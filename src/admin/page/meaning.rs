//! The meaning of each verdict and what to do about it, for an owner who has read no documentation.

/// A sentence or two about a state and its reason; buttons are mentioned only if `can_change`.
pub(super) fn meaning(state: &str, reason: Option<&str>, can_change: bool) -> String {
    let (what, to_do) = match (state, reason) {
        ("pending", Some("not_yet")) => ("The shop does not say this yet; countersign asks again.", ""),
        ("pending", Some(_)) => ("The shop's API could not be asked; countersign asks again.", ""),
        ("pending", None) => ("The shop has not been asked yet.", ""),
        ("confirmed", Some("unavailable")) => {
            ("The shop no longer shows this product, but it was confirmed before.", "")
        }
        ("confirmed", Some("deleted")) => ("The shop says that this was deleted.", ""),
        ("confirmed", _) => ("The shop's API says the same.", ""),
        ("undecided", Some("not_yet")) => (
            "The shop kept answering something older until countersign stopped asking. Nothing was guessed.",
            "Retry asks the shop again. If the shop's own panel shows that it is not true, Dismiss settles it as ignored.",
        ),
        ("undecided", _) => (
            "The shop's API could not be asked until countersign stopped trying. Nothing was guessed.",
            "Retry asks the shop again, once its API answers; Dismiss settles it as ignored.",
        ),
        ("ignored", Some("not_found")) => {
            ("The shop's API says that there is no such order or product: made up, or removed since.", RETRY)
        }
        ("ignored", Some("mismatch")) => (
            "The shop has it, but with other values than the notification claims. They are marked below.",
            RETRY,
        ),
        ("ignored", Some("superseded")) => (
            "The shop said something else when it was asked, and a confirmed notification that is not earlier explains \
             why. It is not a fake.",
            "",
        ),
        ("ignored", Some("wrong_store")) => {
            ("It names another store or project than this source is configured for.", "")
        }
        ("ignored", Some("unavailable")) => (
            "The shop does not show this product, and never did: out of stock, or invented. It does not count as a fake.",
            RETRY,
        ),
        ("ignored", Some("duplicate")) => ("The same claim was confirmed before.", ""),
        ("ignored", Some("malformed")) => (
            "It could not be understood.",
            "If your shop sent it, the source may have the wrong provider; correct it, and Retry reads the notification again.",
        ),
        ("ignored", Some("unsupported")) => ("This version does not verify events of this kind.", ""),
        ("ignored", Some("dismissed")) => ("A person settled it.", RETRY),
        _ => ("", ""),
    };
    if can_change && !to_do.is_empty() { format!("{what} {to_do}") } else { what.to_owned() }
}

const RETRY: &str = "Retry asks the shop again.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_of_the_contract_has_a_meaning() {
        let causes = ["api_unreachable", "api_denied", "api_rate_limited", "api_error", "not_yet"];
        let ignored = [
            "not_found",
            "mismatch",
            "superseded",
            "wrong_store",
            "unavailable",
            "duplicate",
            "malformed",
            "unsupported",
            "dismissed",
        ];
        let confirmed = ["match", "unavailable", "deleted"];
        let all: [(&str, &[&str]); 4] =
            [("pending", &causes), ("confirmed", &confirmed), ("ignored", &ignored), ("undecided", &causes)];
        for (state, reasons) in all {
            for reason in reasons {
                assert!(meaning(state, Some(reason), true).ends_with('.'), "{state} {reason}");
            }
        }
        assert!(meaning("pending", None, true).ends_with('.'));
        assert!(!meaning("undecided", Some("api_error"), false).contains("Retry"), "nothing to press");
    }
}
