//! Bodies as large as they may be, in every shape that a reader could blow up: each costs memory by its bytes.

use super::document;
use crate::support::formats::{self, FORMATS, Format, OLD};

/// The largest body that is taken.
const LARGEST: usize = 256 * 1024;

/// What reading may take more than it took for plain bodies of that size, in MiB; all shapes are read one by one.
const SPARE: u64 = 8;

/// `piece` with the numbers from 0 on in the place of `#`, until `room` is filled.
fn filled(piece: &str, room: usize) -> String {
    let mut all = String::with_capacity(room);
    for n in 0.. {
        let next = piece.replace('#', &n.to_string());
        if all.len() + next.len() >= room {
            break;
        }
        all += &next;
    }
    all
}

/// A true notification with as much of `piece` beside it as a body may hold.
fn beside(format: Format, begin: &str, piece: &str, end: &str) -> Vec<u8> {
    let truth = document(format).to_string();
    let (all_but_end, _) = truth.rsplit_once('}').unwrap();
    let room = LARGEST - all_but_end.len() - begin.len() - end.len() - 8;
    format!("{all_but_end},{begin}{}0{end}}}", filled(piece, room)).into_bytes()
}

fn json_shapes(format: Format) -> Vec<Vec<u8>> {
    let nested = format!("{}0{},", "[".repeat(30), "]".repeat(30));
    let objects = format!("{}0{},", "{\"a\":".repeat(30), "}".repeat(30));
    let sparse = format!("\"{}\",[[[[#]]]],", "x".repeat(100));
    vec![
        beside(format, "\"x\":[", &nested, "]"),
        beside(format, "\"x\":[", &objects, "]"),
        beside(format, "\"x\":[", "0,", "]"),
        beside(format, "\"x\":[", &sparse, "]"),
        beside(format, "\"x\":{", "\"k#\":0,\"", "\":0}"),
        beside(format, "", "\"a name of a field #\":0,", "").into_iter().collect(),
        beside(format, "", "\"dat\\u0061\":{\"orderI\\u0064\":[]},", ""),
        beside(format, "\"x\":\"", "\\ud83d", "\""),
    ]
}

fn form_shapes() -> Vec<Vec<u8>> {
    let truth = OLD.truth(1207);
    let with = |piece: &str| format!("{truth}&{}", filled(piece, LARGEST - truth.len() - 1)).into_bytes();
    ["a=&", "&", "a#=b&", "old_payment_status=QUEUED&", "%61%FF=%FF&", "=%00&"].map(with).to_vec()
}

#[test]
fn a_body_of_any_shape_costs_memory_by_its_bytes() {
    let env = formats::env();
    let serve = env.serve();
    let mut sent = 0;
    let mut read = |format: Format, body: Vec<u8>| {
        assert!((LARGEST - 300..=LARGEST).contains(&body.len()), "{}", body.len());
        sent += 1;
        serve.send(&format.request(body));
        serve.settled(sent);
    };
    for format in FORMATS {
        for filler in ["x", "y"] {
            let mut body = format.truth(1207).into_bytes();
            let extra = if format.provider == "ecwid-ion" { "&x=" } else { ",\"x\":\"" };
            let end = if format.provider == "ecwid-ion" {
                ""
            } else {
                body.pop();
                "\"}"
            };
            let room = LARGEST - body.len() - extra.len() - end.len();
            body.extend_from_slice(format!("{extra}{}{end}", filler.repeat(room)).as_bytes());
            read(format, body);
        }
    }
    let plain = serve.most_memory();
    for format in FORMATS {
        let shapes = if format.provider == "ecwid-ion" { form_shapes() } else { json_shapes(format) };
        for body in shapes {
            read(format, body);
        }
    }
    let most = serve.most_memory();
    assert!(most <= plain + SPARE, "{most} MiB after {plain} MiB");
}
