//! What is refused, and how.

use std::sync::atomic::Ordering;

use actix_web::http::Method;

use super::*;
use crate::domain::Rate;

#[actix_web::test]
async fn an_unknown_source_and_a_wrong_missing_or_unasked_for_path_token_get_one_answer() {
    let env = TestIntake::new();
    let mut answers = Vec::new();
    for path in [
        "/hooks/unknown",
        "/hooks/unknown/t%2Fk",
        "/hooks/shop",
        "/hooks/shop/",
        "/hooks/shop/wrong",
        "/hooks/shop/t%2Fk//",
        "/hooks/shop/%FF",
        "/hooks/keys/t%2Fk",
        "/hooks/keys//",
        "/hooks//keys",
        "/hooks/",
        "/hooks/KEYS",
    ] {
        let seen = env.send(good(path, "x")).await;
        assert!(seen.is_refusal(404), "{path}: {}", seen.body);
        answers.push((seen.body, seen.headers.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(env.rows().await.is_empty());
    assert!(env.refusals_counted("shop", "wrong_path_token", 3));
}

#[actix_web::test]
async fn a_wrong_or_missing_secret_is_refused_and_counted() {
    let env = TestIntake::new();
    let post = || TestRequest::post().uri("/hooks/keys").set_payload("{\"a\":1}");
    assert!(env.send(post().insert_header(("X-Event-Secret", "wrong"))).await.is_refusal(401));
    assert!(env.send(post()).await.is_refusal(401));
    assert!(env.send(post()).await.is_refusal(401));
    assert!(env.rows().await.is_empty());
    assert!(env.refusals_counted("keys", "wrong_secret", 1));
    assert!(env.refusals_counted("keys", "missing_secret", 2));
}

#[actix_web::test]
async fn any_method_but_post_gets_405_and_a_line_for_people_for_any_source() {
    let env = TestIntake::new();
    for path in ["/hooks/keys", "/hooks/unknown", "/hooks/shop/wrong", "/hooks/a/b/c", "/hooks/"] {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
            let seen = env.send(TestRequest::with_uri(path).method(method)).await;
            assert_eq!((seen.status, seen.header("allow")), (405, Some("POST")), "{path}");
            assert_eq!(seen.header("content-type"), Some("text/plain; charset=utf-8"));
            assert_eq!(seen.body.lines().count(), 1);
        }
    }
}

#[actix_web::test]
async fn a_body_over_max_body_is_refused_by_its_claimed_length() {
    let env = TestIntake::new();
    let request = good("/hooks/keys", "").insert_header(("Content-Length", "65"));
    assert!(env.send(request).await.is_refusal(413));
    assert!(env.rows().await.is_empty());
    assert!(env.refusals_counted("keys", "too_large", 1));
}

#[actix_web::test]
async fn an_encoded_body_is_refused_before_its_secret_is_looked_at() {
    let env = TestIntake::new();
    let request = TestRequest::post().uri("/hooks/keys").insert_header(("Content-Encoding", "gzip"));
    assert!(env.send(request.set_payload("{\"a\":1}")).await.is_refusal(415));
    assert!(env.rows().await.is_empty());
    assert!(env.refusals_counted("keys", "encoding", 1));
}

#[actix_web::test]
async fn low_disk_is_503_with_retry_after() {
    let env = TestIntake::new();
    env.intake.parts.has_room.store(false, Ordering::Relaxed);
    let seen = env.send(good("/hooks/keys", "x")).await;
    assert!(seen.is_refusal(503), "{}", seen.body);
    assert_eq!(seen.header("retry-after"), Some("10"));
    assert!(env.rows().await.is_empty());
    assert!(env.refusals_counted("keys", "low_disk", 1));
}

#[actix_web::test]
async fn an_address_over_its_limit_gets_429_with_retry_after() {
    let limit = Rate { limit: 1, window: Duration::from_secs(3600) };
    let env = TestIntake::with(|parts| parts.per_address_limit = Some(limit));
    let from = |address: &str| good("/hooks/keys", "x").insert_header(("X-Forwarded-For", address));
    assert_eq!(env.send(from("198.51.100.1")).await.status, 204);
    let seen = env.send(from("198.51.100.1")).await;
    assert!(seen.is_refusal(429), "{}", seen.body);
    assert_eq!(seen.header("retry-after"), Some("3600"));
    assert_eq!(env.send(from("198.51.100.2")).await.status, 204);
    assert!(env.refusals_counted("keys", "rate_limited", 1));
}

#[actix_web::test]
async fn healthz_says_ok_and_nothing_else_is_served() {
    let env = TestIntake::new();
    for method in [Method::GET, Method::HEAD] {
        let seen = env.send(TestRequest::with_uri("/healthz").method(method)).await;
        assert_eq!((seen.status, seen.body.as_str()), (200, "ok"));
    }
    for path in ["/", "/healthz/", "/metrics", "/readyz", "/hooks", "//hooks/keys", "/favicon.ico"] {
        assert!(env.send(TestRequest::get().uri(path)).await.is_refusal(404), "{path}");
        assert!(env.send(good(path, "x")).await.is_refusal(404), "{path}");
    }
    assert!(env.send(TestRequest::post().uri("/healthz")).await.is_refusal(404));
}
