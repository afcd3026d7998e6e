//! Memory for nested bodies: together, about one order, about different ones.

use crate::served::{OPEN, ORDER, Place, hook, status};

const BODIES: usize = 60;

/// The longest body that is taken.
const LENGTH: usize = 256 * 1024;

/// How the bodies come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// All but a byte of each first, then those bytes at once.
    Together,
    /// One after the other, about one order.
    OneOrder,
    /// One after the other, each about another order.
    OtherOrders,
}

pub(crate) fn print() {
    println!("| {BODIES} nested bodies of 256 KiB | `serve`, MiB | `verify`, MiB |\n|---|--:|--:|");
    for (shape, name) in [
        (Shape::Together, "all at once"),
        (Shape::OneOrder, "about one order"),
        (Shape::OtherOrders, "about different orders"),
    ] {
        println!("| {name} | {} | {} |", served(shape), verified(shape));
    }
}

/// The most memory of a `serve` until all of it is judged.
fn served(shape: Shape) -> u64 {
    let place = Place::new();
    let served = place.serve(&[]);
    if shape == Shape::Together {
        let bodies: Vec<String> = (0..BODIES).map(|n| nested(n, ORDER)).collect();
        let mut streams: Vec<_> = bodies.iter().map(|body| served.begin(body, 1)).collect();
        for stream in &mut streams {
            std::io::Write::write_all(stream, b"}").unwrap();
        }
        assert!(streams.iter_mut().all(|stream| status(stream) == 200));
    } else {
        send(shape, &served);
    }
    place.wait_until("SELECT count(*) FROM notifications", i64::try_from(BODIES).unwrap());
    place.wait_until(OPEN, 0);
    let most = served.most_memory();
    served.stop();
    most
}

/// The most memory of a `verify` that judges what an idle `serve` stored.
fn verified(shape: Shape) -> u64 {
    let place = Place::new();
    let served = place.serve(&["--no-worker"]);
    send(shape, &served);
    served.stop();
    let most = place.verify();
    assert_eq!(place.value(OPEN), 0);
    most
}

fn send(shape: Shape, served: &crate::served::Served) {
    for n in 0..BODIES {
        let order = if shape == Shape::OtherOrders { format!("SALE-X{n}") } else { ORDER.to_owned() };
        assert_eq!(served.post(&nested(n, &order)), 200);
    }
}

/// A well-formed notification with lists in lists for the rest of its length.
fn nested(n: usize, order: &str) -> String {
    const PART: &str = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]],";
    let bare = hook(n, order, None, "CANCELLED", r#","x":[0]"#).len();
    let more = format!(r#","x":[{}0]"#, PART.repeat((LENGTH - bare) / PART.len()));
    hook(n, order, None, "CANCELLED", &more)
}
