//! Formats numbers, sizes, durations and times for people.

use std::time::Duration;

use super::time::Timestamp;

/// Formats bytes in a fitting unit: `812 KiB`, `1.4 GiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    match bytes.div_ceil(1 << 10) {
        kibibytes @ 0..10_240 => format!("{kibibytes} KiB"),
        10_240..1_048_576 => format!("{} MiB", bytes >> 20),
        _ => {
            let tenths = bytes / ((1 << 30) / 10);
            format!("{}.{} GiB", tenths / 10, tenths % 10)
        }
    }
}

/// Formats a duration in a fitting unit: `90 s`, `45 min`, `30 h`, `12 days`.
#[must_use]
pub fn span(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Formats a number with separators: `12,345`.
#[must_use]
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 order`, `2 orders`: the plural adds an s.
#[must_use]
pub fn pluralize(n: impl TryInto<u64>, word: &str) -> String {
    let n = n.try_into().unwrap_or(u64::MAX);
    format!("{} {word}{}", number(n), if n == 1 { "" } else { "s" })
}

/// A duration in at most two units: `850 ms`, `1.2 s`, `3 min 5 s`, `2 h 5 min`, `3 d 4 h`.
#[must_use]
pub fn length(ms: u64) -> String {
    let two = |large: u64, unit: &str, small: u64, smaller: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {smaller}"),
    };
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms} ms"),
        1..10 if !ms.is_multiple_of(1000) => format!("{seconds}.{} s", ms % 1000 / 100),
        1..60 => format!("{seconds} s"),
        60..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// A time to the minute: `2026-01-02 03:04`; with seconds unless they are zero.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    let text = at.to_string().replace('T', " ");
    let end = if text.get(16..23) == Some(":00.000") { 16 } else { 19 };
    text.get(..end).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lengths_read_well() {
        for (n, shown) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(n), shown);
        }
        for (ms, shown) in [
            (0, "0 ms"),
            (850, "850 ms"),
            (1_250, "1.2 s"),
            (12_900, "12 s"),
            (185_000, "3 min 5 s"),
            (7_500_000, "2 h 5 min"),
            (86_400_000 * 3, "3 d"),
        ] {
            assert_eq!(length(ms), shown);
        }
        let at = |text| instant(Timestamp::parse_rfc3339(text).unwrap());
        assert_eq!(at("2026-01-02T03:04:00Z"), "2026-01-02 03:04");
        assert_eq!(at("2026-01-02T03:04:05.678Z"), "2026-01-02 03:04:05");
    }

    #[test]
    fn sizes_and_spans_have_the_unit_that_fits() {
        const MIB: u64 = 1 << 20;
        for (bytes, shown) in [
            (0, "0 KiB"),
            (1, "1 KiB"),
            (9 * MIB, "9216 KiB"),
            (10 * MIB, "10 MiB"),
            (1023 * MIB, "1023 MiB"),
            (1536 * MIB, "1.5 GiB"),
        ] {
            assert_eq!(size(bytes), shown, "{bytes}");
        }
        for (seconds, shown) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_200, "2 h"),
            (172_799, "47 h"),
            (172_800, "2 days"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), shown);
        }
    }
}
