//! Strangers' bytes, and the headers that contain them.

use super::{page, told_of};
use crate::support::formats::SHOP;
use crate::support::{Request, Serve};

/// What a browser must not obey, and a character that turns text around.
const HOSTILE: &str = "<script>alert(1)</script>\\\"'><img src=x onerror=alert(1)>\u{202e}evil";

fn hostile(serve: &Serve) {
    let body = SHOP.truth(1207).replace("\"1207\"", &format!("\"{HOSTILE}\"")).replace("PAID", HOSTILE);
    let request =
        SHOP.request(body).header("X-Hostile", "<script>alert(2)</script>").header("User-Agent", "<b>");
    serve.send(&request);
    serve.settled(1);
}

#[test]
fn bytes_of_strangers_are_text_on_every_page() {
    let (_env, serve) = told_of(&[]);
    hostile(&serve);
    for path in
        ["/", "/notifications", "/notifications/1", "/fakes", "/report", "/order?source=shop&id=%3Cscript%3E"]
    {
        let html = page(&serve, path);
        assert!(
            !html.contains("<script>") && !html.contains("<img") && !html.contains("<b>P"),
            "{path}: {html}"
        );
        assert!(!html.contains('\u{202e}'), "{path}");
    }
    let html = page(&serve, "/notifications/1");
    assert!(html.contains(r"\u{202e}evil") && html.contains("alert(2)"), "{html}");
    let answer = serve.admin_page("/notifications?state=%3Cscript%3E");
    assert_eq!(answer.status, 400);
    assert!(!answer.text().contains("<script>"), "{}", answer.text());
}

#[test]
fn a_body_is_shown_up_to_64_kib_and_served_whole_as_an_attachment_only() {
    let (_env, serve) = told_of(&[]);
    let body = format!("{{\"x\":\"{}\"}}", "é".repeat(50_000));
    serve.post("shop", body.clone());
    serve.settled(1);
    let html = page(&serve, "/notifications/1");
    assert!(html.contains("the first 65536 of 100008 bytes"), "{}", &html[..2000]);
    let raw = serve.admin_page("/notifications/1/body");
    assert_eq!(raw.header("content-type"), Some("application/octet-stream"));
    assert_eq!(raw.header("content-disposition"), Some("attachment; filename=\"notification-1.body\""));
    assert_eq!(raw.body, body.into_bytes());
    serve.post("shop", b"\xff\0<b>".to_vec());
    serve.settled(2);
    assert!(page(&serve, "/notifications/2").contains("not text; download it"));
    assert_eq!(serve.admin_page("/notifications/2/body").body, b"\xff\0<b>");
}

#[test]
fn emptied_content_is_marked_as_emptied() {
    let (env, serve) = told_of(&[2000]);
    assert!(serve.stop().success());
    let conn = rusqlite::Connection::open(env.store_path()).unwrap();
    conn.execute_batch("UPDATE intake SET body = NULL, headers = NULL, remote_addr = NULL").unwrap();
    let serve = env.serve();
    let html = page(&serve, "/notifications/1");
    assert!(
        html.contains("The request was emptied by store.keep_personal") && !html.contains("method=\"post\""),
        "{html}"
    );
    assert_eq!(serve.admin_page("/notifications/1/body").status, 404);
    assert!(page(&serve, "/fakes").contains("emptied"));
}

#[test]
fn every_answer_carries_the_headers_that_contain_it() {
    let (_env, serve) = told_of(&[2000]);
    let policy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; style-src 'self'; \
                  script-src 'self'; img-src 'self'; connect-src 'self'";
    for (request, status, cached) in [
        (Request::new("GET", "/"), 200, "no-store"),
        (Request::new("HEAD", "/"), 200, "no-store"),
        (Request::new("GET", "/nothing"), 404, "no-store"),
        (Request::new("GET", "/notifications?state=x"), 400, "no-store"),
        (Request::new("GET", "/notifications/1/body"), 200, "no-store"),
        (Request::new("GET", "/notifications.csv"), 200, "no-store"),
        (Request::new("POST", "/notifications/1/retry"), 403, "no-store"),
        (Request::new("PUT", "/"), 405, "no-store"),
        (Request::new("GET", "/page.css"), 200, "no-cache"),
        (Request::new("GET", "/page.js"), 200, "no-cache"),
        (Request::new("GET", "/page.svg"), 200, "no-cache"),
    ] {
        let answer = request.send(serve.admin);
        assert_eq!(answer.status, status, "{request:?}");
        assert_eq!(answer.header("content-security-policy"), Some(policy), "{request:?}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{request:?}");
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{request:?}");
        assert_eq!(answer.header("cache-control"), Some(cached), "{request:?}");
    }
    let tag = serve.admin_page("/page.css").header("etag").unwrap().to_owned();
    let again = Request::new("GET", "/page.css").header("If-None-Match", &tag).send(serve.admin);
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[test]
fn no_page_names_anything_inline_or_from_elsewhere() {
    let (_env, serve) = told_of(&[1207, 2000]);
    for path in [
        "/",
        "/notifications",
        "/notifications/2",
        "/order?source=old&id=1207",
        "/fakes",
        "/deliveries",
        "/report",
        "/settings",
    ] {
        let html = page(&serve, path);
        for inline in
            [" style=", "<style", "javascript:", " onclick=", "src=\"http", "href=\"http", "@import"]
        {
            assert!(!html.contains(inline), "{path} has {inline}");
        }
    }
}

#[test]
fn the_intake_listener_serves_nothing_of_it() {
    let (_env, serve) = told_of(&[]);
    for path in ["/", "/notifications", "/page.css", "/tail", "/settings"] {
        assert_eq!(Request::new("GET", path).send(serve.intake).status, 404, "{path}");
    }
}
