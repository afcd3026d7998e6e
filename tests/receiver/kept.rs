//! What of a request is kept, and what of it never is.

use crate::support::formats::{self, FORMATS, KEYS, SHOP};
use crate::support::{Request, TestEnv};

fn column(env: &TestEnv, id: i64, name: &str) -> Option<String> {
    env.value(&format!("SELECT {name} FROM notifications WHERE id = {id}"))
}

#[test]
fn headers_are_a_json_object_with_lower_case_names_and_lists_where_a_name_repeats() {
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    let request = Request::post("/hooks/shop").header("X-Once", "Aé\"b\\").header("VIA", "one");
    serve.send(&request.header("Via", "two").header("via", "").body("{}"));
    for (path, expected) in [
        ("$.\"x-once\"", Some("Aé\"b\\")),
        ("$.via[0]", Some("one")),
        ("$.via[1]", Some("two")),
        ("$.via[2]", Some("")),
        ("$.via[3]", None),
        ("$.connection", Some("close")),
        ("$.VIA", None),
    ] {
        assert_eq!(column(&env, 1, &format!("headers ->> '{path}'")).as_deref(), expected, "{path}");
    }
}

#[test]
fn the_values_of_secret_headers_are_redacted_also_where_they_repeat() {
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    let request =
        KEYS.request("{}").header("X-Event-Secret", "hush-one").header("Authorization", "Bearer hush-two");
    serve.send(&request.header("COOKIE", "a=hush-three").header("cookie", "b=hush-four"));
    for path in ["$.\"x-event-secret\"", "$.authorization", "$.cookie[0]", "$.cookie[1]"] {
        let shown = column(&env, 1, &format!("headers ->> '{path}'"));
        assert_eq!(shown.as_deref(), Some("[redacted]"), "{path}");
    }
    assert!(!serve.log().contains("hush"), "{}", serve.log());
    assert!(serve.stop().success());
    assert_not_in_files(&env, "hush");
}

#[test]
fn a_path_token_is_never_stored() {
    let env = formats::env();
    let lines = formats::lines(&env, SHOP);
    let env = env.source("hidden", &format!("{lines}path_token = \"let.me-in\"\n"));
    let serve = env.serve();
    let target = "/hooks/hidden/let%2Eme-in";
    let request = SHOP.request_to(target, SHOP.truth(1207)).header("X-Original-URI", target);
    let request = request.header("Referer", "https://shop.example/hooks/hidden/let.me-in?x=1");
    // A proxy that maps an outer path of its own to the intake URL, and passes that on.
    let request =
        request.header("X-Rewritten", "/w/let.me-in").header("X-Path", "/hooks/h%69dden/%6C%65t.me-in");
    let request = request.header("Content-Type", "text/plain; was=/let.me%2Din");
    assert_eq!(serve.send(&request).status, 200);
    assert_eq!(serve.send(&SHOP.request_to("/hooks/hidden/let%2Eme-out", "{}")).status, 404);
    serve.settled(1);
    assert!(!serve.log().contains("me-in"), "{}", serve.log());
    assert!(serve.stop().success());
    assert_not_in_files(&env, "me-in");
    assert_not_in_files(&env, "me%2Din");
    assert_not_in_files(&env, "%65t.me");
}

/// Looks for `word` in every file of the store.
#[track_caller]
fn assert_not_in_files(env: &TestEnv, word: &str) {
    for entry in std::fs::read_dir(env.folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains("countersign.db") {
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                !bytes.windows(word.len()).any(|w| w == word.as_bytes()),
                "{} holds {word}",
                path.display()
            );
        }
    }
}

#[test]
fn a_body_is_kept_byte_for_byte_as_text_or_as_a_blob() {
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    let mut id = 0;
    for format in FORMATS {
        for (body, kind) in [
            (&b"{\"a\":\"\xc3\xa9 \xf0\x9f\x94\x91\"}\r\n "[..], "text"),
            (b"", "text"),
            (b" \t\n", "text"),
            (b"'; DROP TABLE intake; --", "text"),
            (b"\xef\xbb\xbf{}", "text"),
            (b"a\0b", "blob"),
            (b"\0", "blob"),
            (b"\xff\xfe{}", "blob"),
            (b"{\"a\":\"\xed\xa0\x80\"}", "blob"),
            (b"order_id=12\xc3", "blob"),
        ] {
            id += 1;
            assert_eq!(serve.send(&format.request(body)).status, format.acknowledgement.0);
            let hex: String = body.iter().map(|byte| format!("{byte:02X}")).collect();
            assert_eq!(column(&env, id, "typeof(body)").as_deref(), Some(kind), "{body:?}");
            assert_eq!(column(&env, id, "hex(body)"), Some(hex), "{body:?}");
        }
    }
}

#[test]
fn the_sender_is_the_rightmost_address_that_is_no_trusted_proxy() {
    let forwarded = [
        (&[][..], "127.0.0.1"),
        (&["198.51.100.7"], "198.51.100.7"),
        (&["203.0.113.1, 198.51.100.7"], "198.51.100.7"),
        (&["203.0.113.1", "198.51.100.7,10.0.0.3"], "198.51.100.7"),
        (&["198.51.100.7, 10.0.0.3, 127.0.0.1"], "198.51.100.7"),
        (&["[2001:db8::7]:443"], "2001:db8::7"),
        (&["nonsense"], "127.0.0.1"),
        (&["198.51.100.7, <script>, 10.0.0.3"], "10.0.0.3"),
    ];
    let env = formats::env().server_keys("trusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\"]");
    let serve = env.serve_with(&["--no-worker"]);
    for (id, (values, sender)) in (1..).zip(forwarded) {
        let request = SHOP.request("{}");
        serve.send(&values.iter().fold(request, |r, value| r.header("X-Forwarded-For", value)));
        assert_eq!(column(&env, id, "remote_addr").as_deref(), Some(sender), "{values:?}");
    }
}

#[test]
fn nobody_is_believed_about_the_sender_where_no_proxy_is_trusted() {
    let env = formats::env().server_keys("trusted_proxies = []");
    let serve = env.serve_with(&["--no-worker"]);
    serve.send(&SHOP.request("{}").header("X-Forwarded-For", "198.51.100.7"));
    assert_eq!(column(&env, 1, "remote_addr").as_deref(), Some("127.0.0.1"));
}
