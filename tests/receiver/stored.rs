//! What is stored is acknowledged as its provider wants it, whatever it says.

use crate::support::formats::{self, FORMATS, Format, GAME, KEYS, OLD, POP, SHOP};
use crate::support::{Response, assert_verdict};

#[track_caller]
fn assert_acknowledged(format: Format, answer: &Response) {
    assert_eq!((answer.status, answer.text().as_str()), format.acknowledgement, "{}", format.provider);
}

#[test]
fn each_format_gets_its_own_acknowledgement_once_the_row_is_on_disk() {
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    for (id, format) in (1..).zip(FORMATS) {
        let answer = serve.send(&format.request(format.truth(1207)));
        assert_acknowledged(format, &answer);
        let has_body = !format.acknowledgement.1.is_empty();
        assert_eq!(answer.header("content-type"), has_body.then_some("application/json"));
        let row = env.row(id);
        assert_eq!((row.source.as_str(), row.provider.as_str()), (format.source, format.provider));
        assert_eq!((row.state.as_str(), row.reason, row.attempts), ("pending", None, 0));
    }
}

#[test]
fn an_acknowledged_row_survives_a_crash_right_after_the_acknowledgement() {
    let env = formats::env();
    let serve = env.serve();
    for format in FORMATS {
        assert_acknowledged(format, &serve.send(&format.request(format.truth(1207))));
    }
    serve.kill();
    assert_eq!(env.rows().len(), FORMATS.len());
    let serve = env.serve();
    for id in 1..=5 {
        if env.row(id).state == "pending" {
            serve.settled(id);
        }
        assert_verdict(&env.row(id), "confirmed", "match");
    }
}

#[test]
fn repeated_malformed_unsupported_and_foreign_ones_are_acknowledged_alike() {
    let env = formats::env();
    let serve = env.serve();
    let other_store = OLD.truth(1208).replace("1003", "1004");
    let other_ecwid = SHOP.truth(1208).replace("1003", "1004");
    let other_game = GAME.truth(1208).replace("m-1001", "m-9999");
    let unknown_ion = OLD.truth(1208).replace("new_order", "new_moon");
    let unknown_ecwid = SHOP.truth(1208).replace("order.updated", "category.created");
    let envelope = r#"{"id":"ev-1","event_type":"PAYMENT.COMPLETED","resource":{}}"#;
    let unknown_game = GAME.truth(1208).replace("OrderPaid", "OrderDreamt");
    let mut id = 0;
    for (format, body, reason) in [
        (OLD, OLD.truth(1207), "match"),
        (OLD, OLD.truth(1207), "duplicate"),
        (OLD, "nonsense".to_owned(), "malformed"),
        (OLD, unknown_ion, "unsupported"),
        (OLD, other_store, "wrong_store"),
        (SHOP, SHOP.truth(1207), "match"),
        (SHOP, SHOP.truth(1207), "duplicate"),
        (SHOP, "nonsense".to_owned(), "malformed"),
        (SHOP, unknown_ecwid, "unsupported"),
        (SHOP, other_ecwid, "wrong_store"),
        (POP, POP.truth(1207), "match"),
        (POP, POP.truth(1207), "duplicate"),
        (POP, "nonsense".to_owned(), "malformed"),
        (KEYS, KEYS.truth(1207), "match"),
        (KEYS, KEYS.truth(1207), "duplicate"),
        (KEYS, "nonsense".to_owned(), "malformed"),
        (GAME, GAME.truth(1207), "match"),
        (GAME, GAME.truth(1207), "duplicate"),
        (GAME, "nonsense".to_owned(), "malformed"),
        (GAME, unknown_game, "unsupported"),
        (GAME, envelope.to_owned(), "unsupported"),
        (GAME, other_game, "wrong_store"),
    ] {
        id += 1;
        assert_acknowledged(format, &serve.send(&format.request(body)));
        serve.settled(id);
        let state = if reason == "match" { "confirmed" } else { "ignored" };
        assert_verdict(&env.row(id), state, reason);
    }
}

#[test]
fn an_unknown_kinguin_event_is_unsupported_and_a_missing_event_malformed() {
    let env = formats::env();
    let serve = env.serve();
    let (post, body) = (crate::support::Request::post("/hooks/keys"), KEYS.truth(1207));
    assert_acknowledged(
        KEYS,
        &serve.send(&post.clone().header("X-Event-Name", "user.login").body(body.clone())),
    );
    assert_acknowledged(KEYS, &serve.send(&post.body(body)));
    for (id, reason) in [(1, "unsupported"), (2, "malformed")] {
        serve.settled(id);
        assert_verdict(&env.row(id), "ignored", reason);
    }
    assert_eq!(env.simulator.shops().calls().len(), 0);
}

#[test]
fn the_content_type_refuses_nobody_and_does_not_decide_how_a_body_is_read() {
    let env = formats::env();
    let serve = env.serve();
    let mut id = 0;
    for format in FORMATS {
        for content_type in [
            None,
            Some("aplication/json"),
            Some("application/json"),
            Some("application/x-www-form-urlencoded; charset=koi8-r"),
            Some("multipart/form-data; boundary=x"),
            Some("text/html"),
            Some(";;;"),
            Some(""),
        ] {
            id += 1;
            let request = format.request(format.truth(1207));
            let request = content_type.into_iter().fold(request, |r, value| r.header("Content-Type", value));
            assert_acknowledged(format, &serve.send(&request));
            serve.settled(id);
            let row = env.row(id);
            let reason = if content_type.is_none() { "match" } else { "duplicate" };
            assert_eq!(row.reason.as_deref(), Some(reason), "{content_type:?} {row:#?}");
            let stored = env.value(&format!("SELECT content_type FROM notifications WHERE id = {id}"));
            assert_eq!(stored.as_deref(), content_type);
        }
    }
}

#[test]
fn a_query_string_on_the_intake_url_is_ignored() {
    let env = formats::env();
    let serve = env.serve();
    for (id, format) in (1..).zip(FORMATS) {
        let target = format!("/hooks/{}?store=9&owner_id=9&x[]=%00&order_id=9999", format.source);
        assert_acknowledged(format, &serve.send(&format.request_to(&target, format.truth(1207))));
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
}
