//! Who may see the page, under which name, and what is there for those who may not.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine as _;

use super::{page, press, told_of};
use crate::support::formats::{self, OLD};
use crate::support::{Request, Response, Serve, assert_verdict, countersign};

const VIEWS: [&str; 9] = [
    "/",
    "/notifications",
    "/notifications/1",
    "/notifications/1/body",
    "/notifications.csv",
    "/order?source=old&id=1",
    "/settings",
    "/tail",
    "/page.css",
];

fn ask(serve: &Serve, path: &str, headers: &[(&str, &str)]) -> Response {
    let request =
        headers.iter().fold(Request::new("GET", path), |request, (name, value)| request.header(name, value));
    request.send(serve.admin)
}

fn named(serve: &Serve, path: &str, host: &str) -> u16 {
    let mut stream = TcpStream::connect(serve.admin).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    Response::read(&mut stream).unwrap().status
}

#[test]
fn who_without_a_password_everyone_on_loopback_and_nothing_through_a_proxy() {
    let (env, serve) = told_of(&[2000]);
    page(&serve, "/");
    for path in VIEWS {
        for name in ["X-Forwarded-For", "Forwarded", "Via"] {
            let answer = ask(&serve, path, &[(name, "192.0.2.1")]);
            assert_eq!(answer.status, 403, "{path} {name}");
            assert!(answer.header("content-security-policy").is_some(), "{path}");
        }
    }
    let proxied = Request::post("/notifications/1/retry").header("Via", "1.1 proxy");
    assert_eq!(proxied.header("Sec-Fetch-Site", "same-origin").send(serve.admin).status, 403);
    assert_verdict(&env.row(1), "ignored", "not_found");
}

#[test]
fn who_with_a_password_only_those_who_know_it() {
    let env = formats::env().admin("password = \"correct horse\"");
    let serve = env.serve();
    serve.send(&OLD.request(OLD.truth(2000)));
    serve.settled(1);
    let basic = |password: &str| {
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("owner:{password}")))
    };
    for path in VIEWS {
        let answer = serve.admin_page(path);
        assert_eq!(answer.status, 401, "{path}");
        assert!(answer.header("www-authenticate").is_some_and(|value| value.starts_with("Basic ")), "{path}");
    }
    let known = basic("correct horse");
    assert_eq!(ask(&serve, "/", &[("Authorization", &known), ("Via", "1.1 proxy")]).status, 200);
    assert_eq!(press(&serve, "/notifications/1/retry", "").status, 401);
    for _ in 0..5 {
        assert_eq!(ask(&serve, "/", &[("Authorization", &basic("wrong"))]).status, 401);
    }
    let waits = ask(&serve, "/", &[("Authorization", &basic("wrong"))]);
    // On a busy machine the second may be over.
    assert!(
        waits.status == 429 && waits.header("retry-after") == Some("1") || waits.status == 401,
        "{waits:?}"
    );
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(serve.admin_page(path).status, 200, "{path}");
    }
}

#[test]
fn who_beyond_loopback_without_a_password_sees_health_alone_and_the_log_says_so() {
    let env = formats::env();
    let config = env.write_config();
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("admin_listen = \"127.0.0.1:0\"", "admin_listen = \"0.0.0.0:0\""))
        .unwrap();
    let serve = Serve::start(&config, &[]);
    let here = std::net::SocketAddr::from(([127, 0, 0, 1], serve.admin.port()));
    for path in VIEWS {
        assert_eq!(Request::new("GET", path).send(here).status, 404, "{path}");
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(Request::new("GET", path).send(here).status, 200, "{path}");
    }
    let said = serve.log();
    assert!(
        said.contains("only health, readiness and metrics are served") && said.contains("[admin] password"),
        "{said}"
    );
}

#[test]
fn doctor_warns_of_a_password_over_plain_http_beyond_loopback() {
    let env = formats::env().admin("password = \"correct horse\"");
    for (address, is_told) in
        [("127.0.0.1:0", false), ("[::1]:0", false), ("0.0.0.0:0", true), ("10.1.2.3:8081", true)]
    {
        let config = env.write_config();
        let text = std::fs::read_to_string(&config).unwrap();
        let listen = format!("admin_listen = \"{address}\"");
        std::fs::write(&config, text.replace("admin_listen = \"127.0.0.1:0\"", &listen)).unwrap();
        let said = countersign().arg("--config").arg(&config).arg("doctor").output().unwrap();
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let warned = said.lines().any(|line| line.starts_with("WARN") && line.contains("plain HTTP"));
        assert_eq!(warned, is_told, "{address}: {said}");
        assert!(!said.contains("correct horse"), "{said}");
    }
}

#[test]
fn host_must_name_this_machine() {
    let env = formats::env().admin("hosts = [\"VPS.example.com\"]");
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
        assert_eq!(named(&serve, "/", host), status, "{host}");
    }
    for path in VIEWS {
        assert_eq!(named(&serve, path, "evil.example.com"), 421, "{path}");
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(named(&serve, path, "evil.example.com"), 200, "{path}");
    }
}

#[test]
fn a_connection_that_a_browser_opened_ahead_is_not_answered_before_it_asks() {
    let (_env, serve) = told_of(&[]);
    let mut stream = TcpStream::connect(serve.admin).unwrap();
    // Longer than the server's library waits for a head by default.
    stream.set_read_timeout(Some(Duration::from_secs(7))).unwrap();
    let early = stream.read(&mut [0; 1]).map_err(|error| error.kind());
    assert_eq!(early, Err(std::io::ErrorKind::WouldBlock));
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "GET /page.css HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", serve.admin).unwrap();
    assert_eq!(Response::read(&mut stream).unwrap().status, 200);
}

#[test]
fn read_only_has_no_buttons_and_refuses_every_change() {
    let env = formats::env().admin("read_only = true");
    let serve = env.serve();
    serve.send(&OLD.request(OLD.truth(2000)));
    serve.settled(1);
    for path in ["/notifications/1", "/notifications?state=ignored", "/notifications/retry?state=ignored"] {
        let html = page(&serve, path);
        assert!(!html.contains("method=\"post\""), "{path}: {html}");
    }
    assert_eq!(press(&serve, "/notifications/1/retry", "").status, 403);
    assert_verdict(&env.row(1), "ignored", "not_found");
}

#[test]
fn without_the_page_only_health_and_news_are_there() {
    let env = formats::env().admin("page = false");
    let serve = env.serve();
    for path in VIEWS {
        assert_eq!(serve.admin_page(path).status, 404, "{path}");
    }
    assert_eq!(press(&serve, "/notifications/1/retry", "").status, 404);
}
