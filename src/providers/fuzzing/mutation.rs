//! Mutates an input: its parts, a part's header lines, its bytes, or values of its JSON.

use fastrand::Rng;

use super::bytes::mutate_bytes;
use super::conversation::SEPARATOR;
use super::json;

/// More replies than that only make the run slower.
const MOST_PARTS: usize = 6;

/// Header lines that decide something, right and wrong ones.
const LINES: [&str; 31] = [
    "Status: 0",
    "Status: 204",
    "Status: 302",
    "Status: 400",
    "Status: 401",
    "Status: 402",
    "Status: 403",
    "Status: 404",
    "Status: 408",
    "Status: 409",
    "Status: 429",
    "Status: 500",
    "Status: 501",
    "Status: 503",
    "Retry-After: 7",
    "Retry-After: -1",
    "Retry-After: 99999999999999999999999",
    "Retry-After: Fri, 02 Jan 2026 03:00:30 GMT",
    "Date: Fri, 02 Jan 2026 04:00:00 GMT",
    "Date: Fri, 31 Feb 9999 25:00:00 GMT",
    "X-Event-Name: order.status",
    "X-Event-Name: order.complete",
    "X-Event-Name: product.update",
    "X-Event-Secret: new-secret",
    "X-Event-Secret: ",
    "X-Ecwid-Webhook-Signature: =",
    "Txgw-Signature: SIGNED",
    "Txgw-Signature: ",
    "Txgw-Serial: 0c2d",
    "Txgw-Timestamp: 0",
    "Txgw-Nonce: ",
];

/// A mutation of a random input of the pool, itself mutated up to three times. The first of the pool, `true_ones`, get a
/// third of it, because most inputs found later are far from anything that could be confirmed.
pub(super) fn mutate(pool: &[Vec<u8>], true_ones: usize, random: &mut Rng) -> Vec<u8> {
    let range = if random.u8(..3) == 0 { true_ones } else { pool.len() };
    let mut parts = parts(&pool[random.usize(..range)]);
    for _ in 0..random.usize(1..=3) {
        let at = random.usize(..parts.len());
        let mut others = self::parts(&pool[random.usize(..pool.len())]);
        let other = others.swap_remove(random.usize(..others.len()));
        let are_many = parts.len() > 1 || !others.is_empty();
        match random.u8(..20) {
            0 if parts.len() > 1 => drop(parts.remove(at)),
            1 if are_many && parts.len() < MOST_PARTS => parts.insert(at, other),
            2 if are_many => parts[at] = other,
            3 => parts.swap(at, 0),
            _ => mutate_part(&mut parts[at], &other, random),
        }
    }
    parts.join(SEPARATOR)
}

fn parts(input: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    let mut rest = input;
    while let Some(at) = rest.windows(SEPARATOR.len()).position(|window| window == SEPARATOR) {
        parts.push(rest[..at].to_vec());
        rest = &rest[at + SEPARATOR.len()..];
    }
    parts.push(rest.to_vec());
    parts
}

fn mutate_part(part: &mut Vec<u8>, other: &[u8], random: &mut Rng) {
    let Some(at) = part.windows(2).position(|pair| pair == b"\n\n") else {
        return mutate_body(part, other, random);
    };
    let mut body = part.split_off(at + 2);
    match random.u8(..4) {
        0 => {
            part.truncate(at);
            mutate_head(part, other, random);
            part.extend_from_slice(b"\n\n");
        }
        _ => mutate_body(&mut body, other, random),
    }
    part.append(&mut body);
}

fn mutate_head(head: &mut Vec<u8>, other: &[u8], random: &mut Rng) {
    let mut lines: Vec<Vec<u8>> = head.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let at = random.usize(..lines.len());
    match random.u8(..8) {
        0 => drop(lines.remove(at)),
        1 => lines.push(lines[at].clone()),
        2 => lines.swap(at, 0),
        3 => mutate_bytes(&mut lines[at], other, random),
        // The first of two statuses counts.
        4 | 5 => lines.insert(0, LINES[random.usize(..LINES.len())].into()),
        _ => lines[at] = LINES[random.usize(..LINES.len())].into(),
    }
    *head = lines.join(&b'\n');
}

fn mutate_body(body: &mut Vec<u8>, other: &[u8], random: &mut Rng) {
    let mutated = if random.u8(..) < 180 { json::mutated(body, other, random) } else { None };
    match mutated {
        Some(mutated) => *body = mutated,
        None => mutate_bytes(body, other, random),
    }
}
