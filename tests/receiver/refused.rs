//! Requests that are refused from any sender, and refusals that tell a stranger nothing.

use crate::support::formats::{self, FORMATS, OLD, SHOP};
use crate::support::{Request, Response};

/// What can be seen of an answer, but for its time.
fn seen(answer: &Response) -> (u16, Option<String>, Option<String>, String) {
    let header = |name| answer.header(name).map(str::to_owned);
    (answer.status, header("content-type"), header("connection"), answer.text())
}

#[test]
fn an_unknown_source_and_a_wrong_missing_or_unasked_for_path_token_get_one_answer() {
    let env = formats::env();
    let lines = formats::lines(&env, OLD);
    let env = env.source("hidden", &format!("{lines}path_token = \"let-me-in\"\n"));
    let serve = env.serve_with(&["--no-worker"]);
    let mut answers = Vec::new();
    let targets = [
        "/hooks/nobody",
        "/hooks/nobody/let-me-in",
        "/hooks/hidden",
        "/hooks/hidden/let-me-inn",
        "/hooks/hidden/",
    ];
    let more = [
        "/hooks/hidden/let-me-in//",
        "/hooks/hidden//let-me-in",
        "/hooks/",
        "/hooks/%00",
        "/hooks/HIDDEN/let-me-in",
        "/hooks/hidden/LET-ME-IN",
    ];
    let unasked = FORMATS.map(|format| format!("/hooks/{}/let-me-in", format.source));
    for target in targets.into_iter().chain(more).chain(unasked.iter().map(String::as_str)) {
        answers.push((target, seen(&serve.send(&OLD.request_to(target, OLD.truth(1207))))));
    }
    for (target, answer) in &answers {
        assert_eq!(*answer, answers[0].1, "{target}");
    }
    assert_eq!(answers[0].1.0, 404);
    assert_eq!(answers[0].1.3, r#"{"processed":false,"message":"not found"}"#);
    assert_eq!(env.rows().len(), 0);
    assert_eq!(serve.send(&OLD.request_to("/hooks/hidden/let-me-in", OLD.truth(1207))).status, 200);
    assert_eq!(env.row(1).source, "hidden");
    assert!(serve.stop().success());
    let counted = "SELECT sum(count) FROM refusals WHERE source = 'hidden' AND cause = 'wrong_path_token'";
    assert_eq!(env.value(counted).as_deref(), Some("4"));
    let unknown =
        "SELECT count(*) FROM refusals WHERE source NOT IN ('old', 'shop', 'pop', 'keys', 'game', 'hidden')";
    assert_eq!(env.value(unknown).as_deref(), Some("0"));
}

#[test]
fn one_slash_at_the_end_and_a_query_string_are_ignored() {
    let env = formats::env();
    let lines = formats::lines(&env, OLD);
    let env = env.source("hidden", &format!("{lines}path_token = \"let-me-in\"\n"));
    let serve = env.serve_with(&["--no-worker"]);
    for tail in ["/", "?a=b", "/?a=b&c=/hooks/nobody", "?"] {
        for format in FORMATS {
            let target = format!("/hooks/{}{tail}", format.source);
            let answer = serve.send(&format.request_to(&target, format.truth(1207)));
            assert_eq!(answer.status, format.acknowledgement.0, "{target}");
        }
        let target = format!("/hooks/hidden/let-me-in{tail}");
        assert_eq!(serve.send(&OLD.request_to(&target, OLD.truth(1207))).status, 200, "{target}");
        let wrong = format!("/hooks/hidden/let-me-inn{tail}");
        assert_eq!(serve.send(&OLD.request_to(&wrong, OLD.truth(1207))).status, 404, "{wrong}");
    }
    assert_eq!(env.rows().len(), 4 * 6);
}

#[test]
fn a_body_in_another_encoding_than_identity_is_415_without_a_row_and_counted() {
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    for format in FORMATS {
        for encoding in ["gzip", "GZIP", "br", "identity, gzip", "x"] {
            let request = format.request(format.truth(1207)).header("Content-Encoding", encoding);
            let answer = serve.send(&request);
            let refused = r#"{"processed":false,"message":"send the body without Content-Encoding"}"#;
            assert_eq!((answer.status, answer.text().as_str()), (415, refused), "{encoding}");
        }
        let twice = format.request("x").header("Content-Encoding", "identity");
        assert_eq!(serve.send(&twice.header("Content-Encoding", "deflate")).status, 415);
    }
    assert_eq!(env.rows().len(), 0);
    for encoding in ["identity", "Identity", "", "identity, identity"] {
        let request = SHOP.request(SHOP.truth(1207)).header("Content-Encoding", encoding);
        assert_eq!(serve.send(&request).status, 200, "{encoding:?}");
    }
    assert!(serve.stop().success());
    assert_eq!(env.rows().len(), 4);
    let counted = "SELECT group_concat(source || ' ' || cause || ' ' || count, ',') FROM
                   (SELECT * FROM refusals ORDER BY source)";
    let expected = "game encoding 6,keys encoding 6,old encoding 6,pop encoding 6,shop encoding 6";
    assert_eq!(env.value(counted).as_deref(), Some(expected));
}

#[test]
fn of_several_refusals_the_first_in_the_documented_order_is_the_answer() {
    let env = formats::env()
        .server_keys("max_body = \"1KiB\"\nper_address_limit = \"1/h\"")
        .store_keys("min_free = \"1000000GiB\"");
    let lines = formats::lines(&env, SHOP);
    let guard = "path_token = \"let-me-in\"\nclient_secret = \"client-secret-of-five\"";
    let env = env.source("hidden", &format!("{lines}{guard}\n"));
    let serve = env.serve_with(&["--no-worker"]);
    let right = "/hooks/hidden/let-me-in";
    let from = |address: &str, request: Request| request.header("X-Forwarded-For", address);
    let large = "x".repeat(1025);
    let chunked = format!("401\r\n{large}\r\n0\r\n\r\n");
    let endless = |request: Request| request.header("Transfer-Encoding", "chunked");
    let first = from("198.51.100.7", Request::post(right).body("x"));
    assert_eq!(serve.send(&first).status, 401, "the address has had its one request");
    for (status, method, target, encoding, body) in [
        (405, "PUT", "/hooks/nobody", "gzip", large.as_str()),
        (404, "POST", "/hooks/hidden/wrong", "gzip", &large),
        (415, "POST", right, "gzip", &large),
        (413, "POST", right, "identity", &large),
        (429, "POST", right, "identity", "x"),
    ] {
        let request = Request::new(method, target).header("Content-Encoding", encoding).body(body);
        assert_eq!(serve.send(&from("198.51.100.7", request)).status, status, "{method} {target} {encoding}");
    }
    let unclaimed = endless(Request::post(right).body(chunked));
    assert_eq!(serve.send(&from("198.51.100.7", unclaimed)).status, 413, "found out by reading");
    let short = endless(Request::post(right).body("1\r\nx\r\n0\r\n\r\n"));
    assert_eq!(serve.send(&from("198.51.100.7", short)).status, 429);
    assert_eq!(serve.send(&from("198.51.100.8", Request::post(right).body("x"))).status, 401);
    assert_eq!(serve.send(&from("198.51.100.9", Request::post(right).body("{}"))).status, 200, "a test call");
    let unguarded = SHOP.request(SHOP.truth(1207));
    assert_eq!(serve.send(&from("198.51.100.10", unguarded)).status, 503);
    assert_eq!(env.rows().len(), 0);
}

#[test]
fn any_method_but_post_gets_405_with_allow_and_one_line_for_any_source() {
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    let paths = ["/hooks/old", "/hooks/shop", "/hooks/pop", "/hooks/keys", "/hooks/game", "/hooks/nobody"];
    let more =
        ["/hooks/nobody/token", "/hooks/old/token?x=1", "/hooks/a/b/c", "/hooks/old/", "/hooks/", "/hooks//"];
    let mut texts = Vec::new();
    for path in paths.into_iter().chain(more) {
        for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
            let answer = serve.send(&Request::new(method, path));
            assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method} {path}");
            texts.push(answer.text());
        }
        let head = serve.send(&Request::new("HEAD", path));
        assert_eq!((head.status, head.header("allow"), head.text().as_str()), (405, Some("POST"), ""));
    }
    assert!(texts.iter().all(|text| *text == texts[0] && text.trim_end().lines().count() == 1), "{texts:?}");
    assert_eq!(env.rows().len(), 0);
}

#[test]
fn a_body_over_max_body_is_413_by_its_claimed_length_and_by_its_chunks() {
    let env = formats::env().server_keys("max_body = \"2KiB\"");
    let serve = env.serve_with(&["--no-worker"]);
    for format in FORMATS {
        let chunked = |size: usize| {
            let body = format!("{size:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(size));
            format.request(body).header("Transfer-Encoding", "chunked")
        };
        let requests = [
            format.request("x".repeat(2049)),
            format.request("").header("Content-Length", "2049"),
            format.request("").header("Content-Length", "18446744073709551615"),
            chunked(2049),
        ];
        for request in requests {
            let answer = serve.send(&request);
            let refused = r#"{"processed":false,"message":"the body is too large"}"#;
            assert_eq!((answer.status, answer.text().as_str()), (413, refused), "{request:?}");
        }
        assert_eq!(env.value("SELECT count(*) FROM notifications").as_deref(), Some("0"));
    }
    for format in FORMATS {
        let answer = serve.send(&format.request("x".repeat(2048)));
        assert_eq!(answer.status, format.acknowledgement.0, "exactly max_body is taken");
    }
    assert_eq!(env.rows().len(), FORMATS.len());
}

#[test]
fn healthz_is_served_on_the_intake_and_nothing_else() {
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    let health = serve.send(&Request::new("GET", "/healthz"));
    assert_eq!((health.status, health.text().as_str()), (200, "ok"));
    assert_eq!(serve.send(&Request::new("HEAD", "/healthz")).status, 200);
    for path in [
        "/",
        "/metrics",
        "/readyz",
        "/hooks",
        "/healthz/",
        "/favicon.ico",
        "/../etc/passwd",
        "/hooks/../readyz",
    ] {
        let get = serve.send(&Request::new("GET", path));
        assert!(matches!(get.status, 404 | 405), "{path}: {}", get.status);
        assert_eq!(serve.send(&Request::new("POST", path)).status, 404, "{path}");
    }
}

#[test]
fn a_request_that_is_not_http_gets_400_or_a_closed_connection_and_no_row() {
    use std::io::{Read as _, Write as _};
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"POST /hooks/shop HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /hooks/shop HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /hooks/shop HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n",
        b"POST /hooks/shop HTTP/1.1\r\nbad header line\r\n\r\n",
        b"POST /hooks/sh op HTTP/1.1\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ] {
        let mut stream = std::net::TcpStream::connect(serve.intake).unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        let text = String::from_utf8_lossy(&answer);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 400"), "{bytes:?}: {text}");
    }
    assert_eq!(env.rows().len(), 0);
    assert_eq!(serve.send(&SHOP.request(SHOP.truth(1207))).status, 200);
    assert!(!serve.log().contains("panicked"), "{}", serve.log());
}
