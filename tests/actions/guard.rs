//! Who may read the feed, and under which name: as the page does, even without the page.

use base64::Engine as _;

use crate::news::env;
use crate::support::{Request, Serve};

fn ask(serve: &Serve, headers: &[(&str, &str)]) -> u16 {
    let request = headers
        .iter()
        .fold(Request::new("GET", "/news"), |request, (name, value)| request.header(name, value));
    request.send(serve.admin).status
}

#[test]
fn who_loopback_without_a_password_may_and_what_came_through_a_proxy_may_not() {
    let (env, _store) = env();
    let env = env.admin("page = false\n");
    let serve = env.serve();
    assert_eq!(ask(&serve, &[]), 200);
    for name in ["X-Forwarded-For", "Forwarded", "Via"] {
        assert_eq!(ask(&serve, &[(name, "192.0.2.1")]), 403, "{name}");
    }
    let health = Request::new("GET", "/healthz").header("Via", "1.1 proxy").send(serve.admin);
    assert_eq!(health.status, 200);
}

#[test]
fn who_with_a_password_basic_is_needed_and_guessing_is_slowed() {
    let (env, _store) = env();
    let env = env.admin("password = \"correct horse\"\n");
    let serve = env.serve();
    let basic = |password: &str| {
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("owner:{password}")))
    };
    let page = Request::new("GET", "/news").send(serve.admin);
    assert_eq!(page.status, 401);
    assert!(page.header("www-authenticate").unwrap().starts_with("Basic realm="));
    assert_eq!(ask(&serve, &[("Authorization", &basic("correct horse")), ("Via", "1.1 proxy")]), 200);
    for _ in 0..5 {
        assert_eq!(ask(&serve, &[("Authorization", &basic("wrong"))]), 401);
    }
    let waits = Request::new("GET", "/news").header("Authorization", &basic("wrong")).send(serve.admin);
    assert!(matches!(waits.status, 429 | 401), "a busy machine may have taken a second: {waits:?}");
    if waits.status == 429 {
        assert_eq!(waits.header("retry-after"), Some("1"));
    }
    assert_eq!(serve.admin_page("/metrics").status, 200);
    let shown = env.run(&["config", "show"]);
    let said = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(said.contains("admin.password") && !said.contains("horse"), "{said}");
}

#[test]
fn host_must_name_this_machine() {
    let (env, _store) = env();
    let env = env.admin("hosts = [\"VPS.example.com\"]\n");
    let serve = env.serve();
    for (host, status) in [
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("127.0.0.1", 200),
        ("[::1]:9", 200),
        ("vps.EXAMPLE.com:443", 200),
        ("evil.example.com", 421),
        ("vps.example.com.evil.example", 421),
    ] {
        assert_eq!(named(&serve, "/news", host), status, "{host}");
    }
    assert_eq!(named(&serve, "/healthz", "evil.example.com"), 200);
}

/// The status of a page that is asked for under this name.
fn named(serve: &Serve, path: &str, host: &str) -> u16 {
    use std::io::Write as _;
    let mut stream = std::net::TcpStream::connect(serve.admin).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    crate::support::Response::read(&mut stream).unwrap().status
}
