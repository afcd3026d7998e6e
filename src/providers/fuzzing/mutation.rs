//! One input out of another: bytes, or values of the JSON that it is.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// What has broken readers before.
const TOKENS: [&str; 34] = [
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
    "99999999999999999999999999999999",
    "2025-13-40T25:61:61Z",
    "\u{202e}",
];

/// A mutation of a random input of the corpus, itself mutated up to three times.
pub(super) fn mutate(corpus: &[Vec<u8>], random: &mut Rng) -> Vec<u8> {
    let mut input = corpus[random.usize(..corpus.len())].clone();
    for _ in 0..random.usize(1..=3) {
        let at = input.windows(2).position(|pair| pair == b"\n\n").map_or(0, |at| at + 2);
        let body = serde_json::from_slice::<Value>(&input[at..]);
        match body {
            Ok(mut body) if random.u8(..) < 170 => {
                mutate_value(&mut body, random);
                input.truncate(at);
                input.extend_from_slice(body.to_string().as_bytes());
            }
            _ => mutate_bytes(&mut input, corpus, random),
        }
    }
    input
}

fn mutate_bytes(input: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut Rng) {
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
            let other = &corpus[random.usize(..corpus.len())];
            let from = random.usize(..=other.len());
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        4 => input.insert(at, random.u8(..)),
        _ => drop(input.splice(at..until, TOKENS[random.usize(..TOKENS.len())].bytes())),
    }
}

/// Changes one value somewhere inside.
fn mutate_value(value: &mut Value, random: &mut Rng) {
    match value {
        Value::Object(object) if !object.is_empty() && random.u8(..) < 230 => {
            let name = object.keys().nth(random.usize(..object.len())).cloned().unwrap_or_default();
            match random.u8(..8) {
                0 => drop(object.remove(&name)),
                1 => {
                    let moved = object.remove(&name).unwrap_or_default();
                    object.insert(text(random), moved);
                }
                2 => drop(object.insert(name, leaf(random))),
                _ => mutate_value(&mut object[&name], random),
            }
        }
        Value::Array(list) if !list.is_empty() && random.u8(..) < 230 => {
            let at = random.usize(..list.len());
            match random.u8(..5) {
                0 => drop(list.remove(at)),
                1 => list.push(list[at].clone()),
                _ => mutate_value(&mut list[at], random),
            }
        }
        Value::Number(number) if random.bool() => *value = Value::String(number.to_string()),
        Value::String(word) if random.bool() => {
            let mut bytes = word.clone().into_bytes();
            mutate_bytes(&mut bytes, &[TOKENS[random.usize(..TOKENS.len())].into()], random);
            *value = Value::String(String::from_utf8_lossy(&bytes).into_owned());
        }
        _ => *value = leaf(random),
    }
}

fn leaf(random: &mut Rng) -> Value {
    match random.u8(..12) {
        0 => Value::Null,
        1 => json!(random.bool()),
        2 => json!(random.i64(-2..3)),
        3 => json!(random.i64(..)),
        4 => json!(random.f64() * 1e9),
        // Numbers are kept as they are written, however large.
        5 => serde_json::from_str("1e400").unwrap_or_default(),
        6 => json!([]),
        7 => Value::Object(Map::new()),
        8 => (0..random.u8(..60)).fold(Value::Null, |inner, _| json!([inner])),
        9 => json!("x".repeat(random.usize(..600))),
        10 => json!({ "id": text(random) }),
        _ => Value::String(text(random)),
    }
}

fn text(random: &mut Rng) -> String {
    TOKENS[random.usize(..TOKENS.len())].repeat(random.usize(1..3))
}
