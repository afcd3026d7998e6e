//! Decimal text, compared by value and never as a float.

/// Whether `text` is a plain decimal: an optional minus, digits with at most one point, digits after a point
/// (`12`, `.5`, `-3.10`; not `1.`, not `1e3`).
#[must_use]
pub fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    match fraction {
        Some(fraction) => !fraction.is_empty() && all_digits(whole) && all_digits(fraction),
        None => !whole.is_empty() && all_digits(whole),
    }
}

/// The canonical text of a decimal: no leading or trailing zeros, no `-0` (`10.00` and `10` are `10`, `.5` is `0.5`);
/// `None` unless [`is_decimal`].
#[must_use]
pub fn canonical(text: &str) -> Option<String> {
    if !is_decimal(text) {
        return None;
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let mut value = if whole.is_empty() { "0".to_owned() } else { whole.to_owned() };
    if !fraction.is_empty() {
        value.push('.');
        value.push_str(fraction);
    }
    Some(if negative && value != "0" { format!("-{value}") } else { value })
}

/// Whether two texts are the same amount. Texts that are not decimals are compared as text.
#[must_use]
pub fn same_amount(a: &str, b: &str) -> bool {
    match (canonical(a), canonical(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_amounts_have_one_spelling() {
        for (text, value) in
            [("10", "10"), ("10.00", "10"), (".5", "0.5"), ("-3.10", "-3.1"), ("-0.0", "0"), ("007", "7")]
        {
            assert_eq!(canonical(text).as_deref(), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_plain_decimal_is_refused() {
        for text in ["", "-", ".", "1.", "1e3", "+1", "1.2.3", " 1", "١"] {
            assert_eq!(canonical(text), None, "{text}");
        }
        assert!(!same_amount("1e3", "1000"));
    }
}
