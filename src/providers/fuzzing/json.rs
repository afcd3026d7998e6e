//! Mutates JSON: removes, renames or replaces a value, or takes one from another input.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::bytes::{TOKENS, mutate_bytes};

/// Words that mean something to a format or an API, as a name or as a value.
const WORDS: [&str; 34] = [
    "AWAITING_PROCESSING",
    "CANCELLED",
    "Cancelled",
    "Completed",
    "Http",
    "INCOMPLETE",
    "INSUFFICIENT_APP_SCOPE",
    "ORDER_NOT_FOUND",
    "OrderCancelled",
    "OrderNotFound",
    "OrderNotSupported",
    "PAID",
    "PRODUCT_NOT_FOUND",
    "Pending",
    "QUEUED",
    "REFUNDED",
    "STORE_NOT_FOUND",
    "Unknown",
    "before",
    "completed",
    "errorCode",
    "errorMessage",
    "item_count",
    "items",
    "kind",
    "name",
    "order.created",
    "order_status_change",
    "processing",
    "product.deleted",
    "refunded",
    "results",
    "total",
    "updatedAt",
];

/// Levels of a value: around the deepest that a claim may have, and that the JSON reader takes.
const DEPTHS: [usize; 12] = [1, 2, 29, 30, 31, 32, 33, 34, 123, 124, 125, 126];

/// The JSON `body` with a change in it; `None` if it is no JSON.
pub(super) fn mutated(body: &[u8], other: &[u8], random: &mut Rng) -> Option<Vec<u8>> {
    let mut value = serde_json::from_slice(body).ok()?;
    let start = other.windows(2).position(|pair| pair == b"\n\n").map_or(0, |at| at + 2);
    let other = serde_json::from_slice(&other[start..]).unwrap_or_default();
    mutate(&mut value, &other, random);
    Some(value.to_string().into_bytes())
}

fn mutate(value: &mut Value, other: &Value, random: &mut Rng) {
    match value {
        Value::Object(object) if !object.is_empty() && random.u8(..) < 230 => {
            let name = object.keys().nth(random.usize(..object.len())).cloned().unwrap_or_default();
            match random.u8(..10) {
                0 => drop(object.remove(&name)),
                1 => {
                    let moved = object.remove(&name).unwrap_or_default();
                    object.insert(text(random), moved);
                }
                2 => drop(object.insert(name, leaf(random))),
                3 => drop(object.insert(text(random), part_of(other, random))),
                _ => mutate(&mut object[&name], other, random),
            }
        }
        Value::Array(list) if !list.is_empty() && random.u8(..) < 230 => {
            let at = random.usize(..list.len());
            match random.u8(..6) {
                0 => drop(list.remove(at)),
                1 => list.push(list[at].clone()),
                2 => list.push(part_of(other, random)),
                _ => mutate(&mut list[at], other, random),
            }
        }
        Value::Number(number) if random.bool() => *value = Value::String(number.to_string()),
        Value::String(word) if random.bool() => *word = another(word, random),
        _ if random.bool() => *value = part_of(other, random),
        _ => *value = leaf(random),
    }
}

/// A text that is nearly the same.
fn another(word: &str, random: &mut Rng) -> String {
    match random.u8(..6) {
        0 => word.to_lowercase(),
        1 => word.to_uppercase(),
        2 => format!("{word} "),
        _ => {
            let mut bytes = word.as_bytes().to_vec();
            mutate_bytes(&mut bytes, TOKENS[random.usize(..TOKENS.len())].as_bytes(), random);
            String::from_utf8_lossy(&bytes).into_owned()
        }
    }
}

/// Some value inside of a value.
fn part_of(value: &Value, random: &mut Rng) -> Value {
    let inside = match value {
        Value::Object(object) if !object.is_empty() => object.values().nth(random.usize(..object.len())),
        Value::Array(list) if !list.is_empty() => list.get(random.usize(..list.len())),
        _ => None,
    };
    match inside {
        Some(inside) if random.u8(..4) > 0 => part_of(inside, random),
        _ => value.clone(),
    }
}

fn leaf(random: &mut Rng) -> Value {
    match random.u8(..13) {
        0 => Value::Null,
        1 => json!(random.bool()),
        2 => json!(random.i64(-2..3)),
        3 => json!(random.i64(..)),
        4 => json!(random.f64() * 1e9),
        // Numbers are kept as they are written, however large.
        5 => serde_json::from_str("1e400").unwrap_or_default(),
        6 => json!([]),
        7 => Value::Object(Map::new()),
        8 => (0..DEPTHS[random.usize(..DEPTHS.len())]).fold(Value::Null, |inner, _| json!([inner])),
        9 => json!("x".repeat(random.usize(..600))),
        10 => json!({ "id": text(random) }),
        11 => json!(random.u8(..)),
        _ => Value::String(text(random)),
    }
}

fn text(random: &mut Rng) -> String {
    if random.bool() {
        return WORDS[random.usize(..WORDS.len())].to_owned();
    }
    TOKENS[random.usize(..TOKENS.len())].repeat(random.usize(1..3))
}
