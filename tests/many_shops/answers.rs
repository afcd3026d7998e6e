//! The answers, each with its name.

use std::io::Write as _;
use std::net::TcpStream;

use super::BOMB;
use crate::support::raw_shop::{Script, drip, wait, without_end};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

fn say(stream: &mut TcpStream, text: &str) -> std::io::Result<()> {
    stream.write_all(text.as_bytes())
}

fn said(stream: &mut TcpStream, head: &str, body: &[u8]) -> std::io::Result<()> {
    write!(stream, "{OK}{head}Content-Length: {}\r\n\r\n", body.len())?;
    stream.write_all(body)
}

pub(super) const ANSWERS: &[(&str, Script)] = &[
    ("a chunked body without end", |stream| {
        say(stream, &format!("{OK}Transfer-Encoding: chunked\r\n\r\n"))?;
        without_end(stream, format!("10000\r\n{}\r\n", "x".repeat(0x10000)).as_bytes())
    }),
    ("a body of a petabyte", |stream| {
        say(stream, &format!("{OK}Content-Length: 1000000000000000\r\n\r\n"))?;
        without_end(stream, &[b' '; 65536])
    }),
    ("a body until the connection closes, which it does not", |stream| {
        say(stream, &format!("{OK}Connection: close\r\n\r\n"))?;
        without_end(stream, &[b'['; 65536])
    }),
    ("headers without end", |stream| {
        say(stream, OK)?;
        without_end(stream, b"X-Header: abcdefghijklmnopqrstuvwxyz\r\n")
    }),
    ("one header without end", |stream| {
        say(stream, OK)?;
        say(stream, "X-Header: ")?;
        without_end(stream, &[b'a'; 65536])
    }),
    ("a status line without end", |stream| {
        say(stream, "HTTP/1.1 200 ")?;
        without_end(stream, &[b'O'; 65536])
    }),
    ("ten thousand interim answers", |stream| {
        stream.write_all(&b"HTTP/1.1 100 Continue\r\n\r\n".repeat(10_000))?;
        wait(stream)
    }),
    ("a head that drips", |stream| {
        say(stream, OK)?;
        say(stream, "X-Header: ")?;
        drip(stream, b'a')
    }),
    ("a body that drips", |stream| {
        say(stream, &format!("{OK}Content-Length: 1000000\r\n\r\n["))?;
        drip(stream, b' ')
    }),
    ("chunks that drip", |stream| {
        say(stream, &format!("{OK}Transfer-Encoding: chunked\r\n\r\n1;"))?;
        drip(stream, b'x')
    }),
    ("silence", wait),
    ("silence after the head", |stream| {
        say(stream, &format!("{OK}Content-Length: 100\r\n\r\n"))?;
        wait(stream)
    }),
    ("nothing", |_| Ok(())),
    ("a body shorter than announced", |stream| say(stream, &format!("{OK}Content-Length: 100\r\n\r\n{{}}"))),
    ("a body longer than announced", |stream| {
        say(stream, &format!("{OK}Content-Length: 2\r\n\r\n{{}}{{}}{{}}"))
    }),
    ("a negative length", |stream| say(stream, &format!("{OK}Content-Length: -5\r\n\r\n{{}}"))),
    ("two lengths", |stream| {
        say(stream, &format!("{OK}Content-Length: 2\r\nContent-Length: 30\r\n\r\n{{}}"))
    }),
    ("a length beyond all numbers", |stream| {
        say(stream, &format!("{OK}Content-Length: 99999999999999999999999999\r\n\r\n{{}}"))
    }),
    ("chunks that are none", |stream| {
        say(stream, &format!("{OK}Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n"))
    }),
    ("a chunk of all memory", |stream| {
        say(stream, &format!("{OK}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"))?;
        without_end(stream, &[b' '; 65536])
    }),
    ("a small packet that unpacks to 256 MiB", |stream| said(stream, "Content-Encoding: gzip\r\n", &BOMB)),
    ("gzip that is none", |stream| said(stream, "Content-Encoding: gzip\r\n", b"not packed at all")),
    ("gzip that breaks off", |stream| said(stream, "Content-Encoding: gzip\r\n", &BOMB[..BOMB.len() / 100])),
    ("eight MiB and a byte", |stream| said(stream, "", &vec![b' '; 8 * 1024 * 1024 + 1])),
    ("eight MiB of open brackets", |stream| said(stream, "", &vec![b'['; 8 * 1024 * 1024])),
    ("objects in objects", |stream| said(stream, "", "{\"items\":".repeat(100_000).as_bytes())),
    ("a number of a million digits", |stream| {
        said(stream, "", format!("{{\"total\":{}}}", "9".repeat(1_000_000)).as_bytes())
    }),
    ("text that is no UTF-8", |stream| said(stream, "", b"{\"id\":\"\xff\xfe\"}")),
    ("null", |stream| said(stream, "", b"null")),
    ("an empty list", |stream| said(stream, "", b"[]")),
    ("an empty body", |stream| said(stream, "", b"")),
    ("a redirect to itself", |stream| {
        say(stream, "HTTP/1.1 302 Found\r\nLocation: /3/orders\r\nContent-Length: 0\r\n\r\n")
    }),
    ("a redirect elsewhere", |stream| {
        say(stream, "HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
    }),
    ("another protocol", |stream| {
        say(stream, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")?;
        without_end(stream, &[0; 65536])
    }),
    ("a status that is none", |stream| say(stream, "HTTP/1.1 99999 OK\r\n\r\n")),
    ("no HTTP", |stream| say(stream, "SSH-2.0-OpenSSH_9.2\r\n\r\n")),
    ("ten thousand headers", |stream| {
        say(stream, OK)?;
        say(stream, &"X-Header: a\r\n".repeat(10_000))?;
        say(stream, "Content-Length: 2\r\n\r\n{}")
    }),
];
