//! Decides which ids of strangers may be asked about, and how.

/// Why an id of a notification must not be asked about; `None` if it may. Such an id could reach another path
/// of the API than the object's, or is not a valid id.
#[must_use]
pub(super) fn unaskable_id(id: &str) -> Option<&'static str> {
    match id {
        "" => Some("is empty"),
        "." | ".." => Some("is a relative path"),
        "last" | "deleted" => Some("is a word of the API's own paths"),
        _ if id.len() > 255 => Some("is longer than 255 bytes"),
        _ if id.chars().any(char::is_control) => Some("holds a control character"),
        _ => None,
    }
}

/// The same for APIs whose ids consist of letters, digits, `.`, `_` and `-`, at most 64 of them.
#[must_use]
pub(super) fn unaskable_word(id: &str) -> Option<&'static str> {
    let is_word = id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    unaskable_id(id)
        .or((!is_word).then_some("is not of letters, digits, '.', '_' and '-', at most 64 of them"))
}

/// Whether an id may be part of a list of ids: it has no comma that could widen the list, and needs no
/// encoding.
#[must_use]
pub(super) fn is_plain(id: &str) -> bool {
    (1..=40).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Whether an id may be asked about only by query parameter: some servers decode these characters before
/// routing, so `x%2F..%2F` could reach another path.
#[must_use]
pub(super) fn is_asked_by_query(id: &str) -> bool {
    id.contains(['/', '\\', '%']) && !id.contains(',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_no_single_path_segment_is_never_asked_about() {
        for id in ["", ".", "..", "last", "deleted", "a\nb", "a\u{0}", "\u{85}", &"x".repeat(256)] {
            assert!(unaskable_id(id).is_some() && unaskable_word(id).is_some(), "{id:?}");
        }
        for id in ["...", "Last", "a/b", "a%2Fb", "é", "a b", &"x".repeat(255)] {
            assert_eq!(unaskable_id(id), None, "{id:?}");
        }
        for id in ["a/b", "a%2Fb", "a b", "é", "a,b", "a+b", &"x".repeat(65)] {
            assert!(unaskable_word(id).is_some(), "{id:?}");
        }
        for id in ["...", "A-b_c.1", &"x".repeat(64)] {
            assert_eq!(unaskable_word(id), None, "{id:?}");
        }
    }
}
