//! What is stored, and how it is acknowledged.

use futures_util::FutureExt as _;

use super::*;

#[actix_web::test]
async fn a_stored_notification_gets_the_providers_acknowledgement_and_its_row_is_there() {
    let env = TestIntake::new();
    let seen = env.send(good("/hooks/game", r#"{"a":1}"#)).await;
    assert_eq!((seen.status, seen.body.as_str()), (200, r#"{"processed":true,"message":"stored"}"#));
    assert_eq!(seen.header("content-type"), Some("application/json"));

    let rows = env.rows().await;
    let [row] = rows.as_slice() else { panic!("one row, not {rows:?}") };
    assert_eq!((row.line.source.as_str(), row.line.provider.as_str()), ("game", "kinguin"));
    assert_eq!(row.line.received_at, "2025-06-15T15:06:40.123Z");
    assert_eq!(row.body.as_deref(), Some(r#"{"a":1}"#));
    assert_eq!((row.line.state.as_str(), row.line.origin.as_str()), ("pending", "intake"));
    assert!(env.counted("countersign_notifications_total{source=\"game\"} 1"));
}

#[actix_web::test]
async fn an_acknowledgement_without_a_body_has_no_content_type() {
    let seen = TestIntake::new().send(good("/hooks/keys", "{}")).await;
    assert_eq!((seen.status, seen.body.as_str(), seen.header("content-type")), (204, "", None));
}

#[actix_web::test]
async fn repeated_and_unreadable_notifications_are_stored_alike() {
    let env = TestIntake::new();
    for body in ["{\"a\":1}", "{\"a\":1}", "not json", ""] {
        assert_eq!(env.send(good("/hooks/keys", body)).await.status, 204);
    }
    assert_eq!(env.rows().await.len(), 4);
}

#[actix_web::test]
async fn the_worker_is_woken_by_each_stored_notification() {
    let env = TestIntake::new();
    env.send(good("/hooks/keys", "x")).await;
    assert!(env.intake.parts.store.stored().notified().now_or_never().is_some());
    env.send(TestRequest::post().uri("/hooks/keys").set_payload("refused")).await;
    assert!(env.intake.parts.store.stored().notified().now_or_never().is_none());
}

#[actix_web::test]
async fn headers_are_stored_in_lower_case_with_repeats_as_lists_and_without_secrets() {
    let env = TestIntake::new();
    let request = good("/hooks/keys", "x")
        .insert_header(("Authorization", "Bearer hush"))
        .insert_header(("Cookie", "hush"))
        .append_header(("Via", "b"))
        .append_header(("Via", "a"))
        .insert_header(("X-Odd", &b"caf\xe9"[..]));
    env.send(request).await;
    let row = env.rows().await.remove(0);
    let headers = row.headers.unwrap();
    assert_eq!(headers["x-event-secret"], "[redacted]");
    assert_eq!(headers["authorization"], "[redacted]");
    assert_eq!(headers["cookie"], "[redacted]");
    assert_eq!(headers["via"], json!(["b", "a"]));
    assert_eq!(headers["x-odd"], "caf\u{fffd}");
}

#[actix_web::test]
async fn a_path_token_that_a_proxy_passes_on_in_a_header_is_not_stored() {
    let env = TestIntake::new();
    let request = good("/hooks/shop/t%2Fk?x=1", "x")
        .insert_header(("X-Original-URI", "/pre/hooks/shop/t%2Fk?x=1"))
        .insert_header(("X-Forwarded-Path", "/hooks/shop/t/k"));
    assert_eq!(env.send(request).await.status, 204);
    let headers = env.rows().await.remove(0).headers.unwrap();
    assert_eq!(headers["x-original-uri"], "/pre/hooks/shop/[redacted]?x=1");
    assert_eq!(headers["x-forwarded-path"], "/hooks/shop/[redacted]");
}

#[actix_web::test]
async fn a_body_with_a_nul_or_without_utf8_is_kept_byte_for_byte() {
    use base64::Engine as _;
    let env = TestIntake::new();
    for bytes in [&b"a\0b"[..], &b"\xff\xfe"[..]] {
        let request = good("/hooks/keys", "").set_payload(bytes);
        assert_eq!(env.send(request).await.status, 204);
        let row = env.rows().await.remove(0);
        assert_eq!(row.body, None);
        let kept = base64::engine::general_purpose::STANDARD.decode(row.body_base64.unwrap()).unwrap();
        assert_eq!(kept, bytes);
    }
}

#[actix_web::test]
async fn the_content_type_is_kept_and_refuses_nobody() {
    let env = TestIntake::new();
    for content_type in ["application/jsson", "application/x-www-form-urlencoded", "nonsense"] {
        let request = good("/hooks/keys", "{}").insert_header(("Content-Type", content_type));
        assert_eq!(env.send(request).await.status, 204);
        assert_eq!(env.rows().await[0].line.content_type.as_deref(), Some(content_type));
    }
    env.send(good("/hooks/keys", "{}")).await;
    assert_eq!(env.rows().await[0].line.content_type, None);
}

#[actix_web::test]
async fn the_sender_is_who_the_trusted_proxy_says() {
    let env = TestIntake::new();
    let request = good("/hooks/keys", "x")
        .append_header(("X-Forwarded-For", "8.8.8.8"))
        .append_header(("X-Forwarded-For", "198.51.100.7:55"));
    env.send(request).await;
    assert_eq!(env.rows().await[0].line.remote_addr.as_deref(), Some("198.51.100.7"));
}

#[actix_web::test]
async fn the_right_path_token_and_any_query_string_are_let_in() {
    let env = TestIntake::new();
    assert_eq!(env.send(good("/hooks/shop/t%2Fk", "x")).await.status, 204);
    assert_eq!(env.send(good("/hooks/k%65ys?token=1&x", "x")).await.status, 204);
    assert_eq!(env.rows().await.len(), 2);
}

#[actix_web::test]
async fn a_body_of_exactly_max_body_is_stored() {
    let env = TestIntake::new();
    let request = good("/hooks/keys", "").set_payload(vec![b'x'; 64]);
    assert_eq!(env.send(request).await.status, 204);
}

#[actix_web::test]
async fn a_test_call_is_acknowledged_and_counted_and_leaves_no_row() {
    let env = TestIntake::new();
    for body in ["", "{}", " { } "] {
        let seen = env.send(TestRequest::post().uri("/hooks/game").set_payload(body)).await;
        assert_eq!((seen.status, seen.body.as_str()), (200, r#"{"processed":true,"message":"stored"}"#));
    }
    assert!(env.rows().await.is_empty());
    assert!(env.refusals_counted("game", "test_call", 3));
}
