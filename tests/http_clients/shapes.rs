//! Shapes of requests about which two servers might disagree: what is ambiguous is refused as a whole, and nothing after it
//! on the connection is read as a request.

use std::io::{Read as _, Write as _};

use super::{HEAD, connect};
use crate::support::{Serve, TestEnv, paid};

/// Sends bytes and returns the statuses of all answers until the server closes.
fn statuses(serve: &Serve, bytes: &[u8]) -> Vec<u16> {
    let mut stream = connect(serve.intake);
    // The server may close before it has read everything.
    let _ = stream.write_all(bytes);
    let mut answers = Vec::new();
    drop(stream.read_to_end(&mut answers));
    let text = String::from_utf8_lossy(&answers).into_owned();
    text.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)?.parse().ok()).collect()
}

/// A whole notification, the last on its connection, such as a smuggler would hide behind another request.
fn hidden() -> String {
    let body = paid(1003, "hidden");
    format!("{HEAD}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn ambiguous() -> Vec<(&'static str, String)> {
    let (body, hidden) = (paid(1003, "shown"), hidden());
    let (length, behind) = (body.len(), hidden.len());
    let chunked = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
    let framed = chunked.len();
    let te = "Transfer-Encoding: chunked\r\n";
    let chunks = |chunks: &str| format!("{HEAD}{te}\r\n{chunks}{hidden}");
    vec![
        ("length, then chunked", format!("{HEAD}Content-Length: {length}\r\n{te}\r\n0\r\n\r\n{hidden}")),
        ("chunked, then length", format!("{HEAD}{te}Content-Length: 4\r\n\r\n{chunked}{hidden}")),
        ("two lengths", format!("{HEAD}Content-Length: 0\r\nContent-Length: {behind}\r\n\r\n{hidden}")),
        (
            "twice the same length",
            format!("{HEAD}Content-Length: {length}\r\nContent-Length: {length}\r\n\r\n{body}"),
        ),
        ("a list of lengths", format!("{HEAD}Content-Length: {length}, {length}\r\n\r\n{body}")),
        ("a length with a sign", format!("{HEAD}Content-Length: +{length}\r\n\r\n{body}{hidden}")),
        ("a negative length", format!("{HEAD}Content-Length: -1\r\n\r\n{hidden}")),
        ("a hexadecimal length", format!("{HEAD}Content-Length: 0x10\r\n\r\n{hidden}")),
        (
            "a length beyond all numbers",
            format!("{HEAD}Content-Length: 99999999999999999999\r\n\r\n{hidden}"),
        ),
        ("an empty length", format!("{HEAD}Content-Length: \r\n\r\n{hidden}")),
        ("chunked, identity", format!("{HEAD}Transfer-Encoding: chunked, identity\r\n\r\n{chunked}{hidden}")),
        ("identity, chunked", format!("{HEAD}Transfer-Encoding: identity, chunked\r\n\r\n{chunked}{hidden}")),
        (
            "identity",
            format!("{HEAD}Transfer-Encoding: identity\r\nContent-Length: {length}\r\n\r\n{body}{hidden}"),
        ),
        (
            "an unknown encoding",
            format!("{HEAD}Transfer-Encoding: xchunked\r\nContent-Length: 4\r\n\r\n{chunked}{hidden}"),
        ),
        ("two encodings", format!("{HEAD}{te}Transfer-Encoding: identity\r\n\r\n{chunked}{hidden}")),
        ("twice chunked", format!("{HEAD}{te}{te}\r\n{chunked}{hidden}")),
        (
            "a blank before the colon",
            format!("{HEAD}Transfer-Encoding : chunked\r\nContent-Length: {framed}\r\n\r\n{chunked}{hidden}"),
        ),
        (
            "a vertical tab",
            format!(
                "{HEAD}Transfer-Encoding: \x0bchunked\r\nContent-Length: {framed}\r\n\r\n{chunked}{hidden}"
            ),
        ),
        (
            "a folded encoding",
            format!(
                "{HEAD}Transfer-Encoding:\r\n chunked\r\nContent-Length: {framed}\r\n\r\n{chunked}{hidden}"
            ),
        ),
        ("a folded header", format!("{HEAD}X-A: b\r\n c\r\nContent-Length: {length}\r\n\r\n{body}")),
        (
            "a bare CR",
            format!("{HEAD}X-A: b\rTransfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n{body}"),
        ),
        ("a NUL", format!("{HEAD}X-A: b\0c\r\nContent-Length: {length}\r\n\r\n{body}")),
        ("a negative chunk", chunks("-1\r\n")),
        ("a chunk with 0x", chunks("0x5\r\nhello\r\n0\r\n\r\n")),
        ("a chunk beyond all numbers", chunks("10000000000000005\r\nhello\r\n0\r\n\r\n")),
        ("a chunk without its end", chunks("5\r\nhelloXX0\r\n\r\n")),
        ("chunks between bare LF", chunks("5\nhello\n0\n\n")),
        ("a bare LF in a chunk's extension", chunks("5;a\nb\r\nhello\r\n0\r\n\r\n")),
        ("chunks in HTTP/1.0", format!("POST /hooks/shop HTTP/1.0\r\nHost: a\r\n{te}\r\n{chunked}{hidden}")),
        ("HTTP/0.9", format!("POST /hooks/shop\r\n\r\n{hidden}")),
        ("HTTP/2", format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{hidden}")),
        ("no host", format!("POST /hooks/shop HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}")),
        ("two hosts", format!("{HEAD}Host: b\r\nContent-Length: {length}\r\n\r\n{body}")),
        (
            "a long header",
            format!("{HEAD}X-A: {}\r\nContent-Length: {length}\r\n\r\n{body}", "a".repeat(200_000)),
        ),
        ("many headers", format!("{HEAD}{}Content-Length: {length}\r\n\r\n{body}", "X-A: a\r\n".repeat(500))),
        (
            "a long address",
            format!(
                "POST /hooks/shop?{} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}",
                "a".repeat(200_000)
            ),
        ),
        ("a greeting of TLS", format!("\x16\x03\x01\x02\x00\x01{}{hidden}", "\0".repeat(50))),
    ]
}

#[test]
fn what_is_ambiguous_is_refused_and_hides_nothing() {
    let env = TestEnv::new().ion_shop("shop", 1003, 0);
    let serve = env.serve_with(&["--no-worker"]);
    for (name, bytes) in ambiguous() {
        let statuses = statuses(&serve, bytes.as_bytes());
        assert!(matches!(statuses.as_slice(), [] | [400 | 408 | 413 | 431]), "{name}: {statuses:?}");
        assert_eq!(env.bodies().len(), 0, "{name}");
    }
    assert_eq!(serve.post("shop", paid(1003, "true")).status, 200);
    assert_eq!(env.bodies(), [paid(1003, "true")]);
}

/// Unusual, but everybody reads them alike: so many notifications are in it, so many rows and acknowledgements come of it.
fn plain() -> Vec<(&'static str, String, &'static [u16], usize)> {
    let (body, hidden) = (paid(1003, "shown"), hidden());
    let length = body.len();
    let chunked = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
    let whole = format!("{HEAD}Content-Length: {length}\r\n\r\n{body}");
    let one = format!("Connection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    let inside = hidden.len();
    vec![
        ("two in one go", format!("{whole}{hidden}"), &[200, 200], 2),
        (
            "a tab before the value",
            format!("{HEAD}Transfer-Encoding:\tchunked\r\n\r\n{chunked}{hidden}"),
            &[200, 200],
            2,
        ),
        (
            "a length among the trailers",
            format!(
                "{HEAD}Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\nContent-Length: 5\r\n\r\n{hidden}"
            ),
            &[200, 200],
            2,
        ),
        ("empty lines before it", format!("\r\n\r\n{HEAD}{one}"), &[200], 1),
        ("lines that end in bare LF", format!("{HEAD}{one}").replace("\r\n", "\n"), &[200], 1),
        (
            "an absolute address",
            format!("POST http://elsewhere/hooks/shop HTTP/1.1\r\nHost: a\r\n{one}"),
            &[200],
            1,
        ),
        ("an unknown expectation", format!("{HEAD}Expect: 200-ok\r\n{one}"), &[200], 1),
        ("an offer of HTTP/2", format!("{HEAD}Upgrade: h2c\r\n{one}"), &[200], 1),
        (
            "a notification as the body of a question",
            format!("GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: {inside}\r\n\r\n{hidden}"),
            &[200],
            0,
        ),
        (
            "a notification as the body of one to nowhere",
            format!("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: {inside}\r\n\r\n{hidden}"),
            &[404],
            0,
        ),
        (
            "a notification in a notification",
            format!("{HEAD}Connection: close\r\nContent-Length: {inside}\r\n\r\n{hidden}"),
            &[200],
            1,
        ),
    ]
}

#[test]
fn what_is_only_unusual_gives_one_row_for_each_notification() {
    let env = TestEnv::new().ion_shop("shop", 1003, 0);
    let serve = env.serve_with(&["--no-worker"]);
    let mut before = 0;
    for (name, bytes, expected, rows) in plain() {
        assert_eq!(statuses(&serve, bytes.as_bytes()), expected, "{name}");
        let after = env.bodies().len();
        assert_eq!(after - before, rows, "{name}");
        before = after;
    }
}
