//! Formats sizes and durations for people.

use std::time::Duration;

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
