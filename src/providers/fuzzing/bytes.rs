//! Mutates bytes: removes, repeats, replaces some, or takes them from another input.

use fastrand::Rng;

/// Bytes that have broken parsers before.
pub(super) const TOKENS: [&str; 37] = [
    " ",
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "1e999",
    "-0",
    "0.1",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "%00",
    "%",
    "%2F",
    "%FF",
    "&",
    "=",
    "+",
    ";",
    "..",
    "last",
    "deleted",
    "/",
    "\\",
    "\n",
    "\r\n",
    "\n\n",
    ": ",
    "18446744073709551615",
    "99999999999999999999999999999999",
    "2025-13-40T25:61:61Z",
    "\u{202e}",
];

/// Changes a few bytes, or takes the end of `other`.
pub(super) fn mutate_bytes(input: &mut Vec<u8>, other: &[u8], random: &mut Rng) {
    let at = random.usize(..=input.len());
    let until = (at + random.usize(..=8)).min(input.len());
    match random.u8(..6) {
        0 if at < input.len() => input[at] ^= 1 << random.u8(..8),
        1 => drop(input.drain(at..until)),
        2 => {
            let part = input[at..until].to_vec();
            drop(input.splice(at..at, part));
        }
        3 => {
            input.truncate(at);
            input.extend_from_slice(&other[random.usize(..=other.len())..]);
        }
        4 => input.insert(at, random.u8(..)),
        _ => drop(input.splice(at..until, TOKENS[random.usize(..TOKENS.len())].bytes())),
    }
}
