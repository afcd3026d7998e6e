//! Many notifications at once: keep-alive connections that each send some requests before they read the answers.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Requests on their way over one connection at once.
const PIPELINED: usize = 20;

/// A notification, and the address that the trusted proxy says it came from.
pub(super) struct Forwarded {
    pub(super) sender: String,
    pub(super) body: String,
}

/// Sends all of them over one connection, in their order; each is acknowledged with 200.
pub(super) fn send(to: SocketAddr, path: &str, notifications: impl Iterator<Item = Forwarded>) {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut notifications = notifications.peekable();
    while notifications.peek().is_some() {
        let (mut requests, mut count) = (String::new(), 0);
        for Forwarded { sender, body } in notifications.by_ref().take(PIPELINED) {
            let length = body.len();
            write!(
                requests,
                "POST {path} HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: {sender}\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .unwrap();
            count += 1;
        }
        stream.write_all(requests.as_bytes()).unwrap();
        read_acknowledgements(&mut stream, count);
    }
}

/// Reads so many answers without a body.
fn read_acknowledgements(stream: &mut TcpStream, count: usize) {
    let mut text = String::new();
    let mut buffer = [0; 16_384];
    while text.matches("\r\n\r\n").count() < count {
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "the connection broke: {text}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    assert_eq!(text.matches("HTTP/1.1 200").count(), count, "{text}");
}
