//! What only a connection shows.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::support::formats::{self, FORMATS, SHOP};
use crate::support::{Response, assert_verdict};

fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

#[test]
fn pipelined_notifications_are_all_stored_and_answered_in_their_order() {
    let env = formats::env();
    let serve = env.serve();
    let mut stream = connect(serve.intake);
    let mut bytes = Vec::new();
    for (at, format) in (1..).zip(FORMATS) {
        let request = String::from_utf8(format.request(format.truth(1207)).bytes(serve.intake)).unwrap();
        let is_last = at == FORMATS.len();
        bytes.extend(
            if is_last { request } else { request.replace("Connection: close\r\n", "") }.into_bytes(),
        );
    }
    stream.write_all(&bytes).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let statuses: Vec<u16> =
        text.split("HTTP/1.1 ").skip(1).map(|answer| answer[..3].parse().unwrap()).collect();
    assert_eq!(statuses, FORMATS.map(|format| format.acknowledgement.0), "{text}");
    for (id, format) in (1..).zip(FORMATS) {
        serve.settled(id);
        assert_eq!(env.row(id).source, format.source);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
}

#[test]
fn a_sender_that_expects_100_continue_is_told_to_go_on() {
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    let body = SHOP.truth(1207);
    let mut stream = connect(serve.intake);
    let length = body.len();
    write!(
        stream,
        "POST /hooks/shop HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
    )
    .unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(String::from_utf8_lossy(&interim), "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).unwrap();
    assert_eq!(Response::read(&mut stream).unwrap().status, 200);
    assert_eq!(env.value("SELECT body FROM notifications"), Some(body));
}

#[test]
fn a_chunked_body_in_many_small_pieces_is_stored_whole() {
    let env = formats::env();
    let serve = env.serve();
    for (id, format) in (1..).zip(FORMATS) {
        let mut body = Vec::new();
        for byte in format.truth(1207).bytes() {
            body.extend([b"1;x=y\r\n".as_slice(), &[byte], b"\r\n"].concat());
        }
        body.extend(b"0\r\nX-Trailer: t\r\n\r\n");
        let answer = serve.send(&format.request(body).header("Transfer-Encoding", "chunked"));
        assert_eq!(answer.status, format.acknowledgement.0);
        let stored = env.value(&format!("SELECT body FROM notifications WHERE id = {id}"));
        assert_eq!(stored, Some(format.truth(1207)));
    }
}

#[test]
fn slow_senders_do_not_delay_others_and_are_stored_once_they_are_done() {
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    let request = SHOP.request(SHOP.truth(1207)).bytes(serve.intake);
    let (first, rest) = request.split_at(request.len() - 5);
    let mut slow: Vec<TcpStream> = (0..64).map(|_| connect(serve.intake)).collect();
    for stream in &mut slow {
        stream.write_all(first).unwrap();
    }
    let began = Instant::now();
    for format in FORMATS {
        assert_eq!(serve.send(&format.request(format.truth(1208))).status, format.acknowledgement.0);
    }
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    assert_eq!(env.rows().len(), FORMATS.len());
    for stream in &mut slow {
        stream.write_all(rest).unwrap();
    }
    for stream in &mut slow {
        assert_eq!(Response::read(stream).unwrap().status, 200);
    }
    assert_eq!(env.rows().len(), FORMATS.len() + slow.len());
}

#[test]
fn a_sender_that_breaks_off_leaves_no_row() {
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    let request = SHOP.request(SHOP.truth(1207)).bytes(serve.intake);
    for end in [1, 20, request.len() / 2, request.len() - 1] {
        let mut stream = connect(serve.intake);
        stream.write_all(&request[..end]).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(env.rows().len(), 0);
}

#[test]
fn a_notification_under_way_when_serve_is_told_to_stop_is_stored_and_acknowledged() {
    let env = formats::env();
    let serve = env.serve();
    let request = SHOP.request(SHOP.truth(1207)).bytes(serve.intake);
    let (first, rest) = request.split_at(request.len() - 5);
    let mut stream = connect(serve.intake);
    stream.write_all(first).unwrap();
    // Answered on another connection: by then the first half has arrived.
    assert_eq!(serve.post("old", "").status, 200);
    serve.signal("TERM");
    serve.wait_for_line("it stops", |line| line.contains("stopping"));
    stream.write_all(rest).unwrap();
    let answer = Response::read(&mut stream).unwrap();
    assert_eq!(answer.status, 200);
    assert!(serve.stop().success());
    assert_eq!(env.rows().len(), 2);
}
