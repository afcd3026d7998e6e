//! What only a real connection shows: bodies that never end or never come, and who closes when.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use actix_web::HttpServer;

use super::*;

/// Serves `env` on a free port for as long as the test's runtime lives.
fn serve(env: &TestIntake) -> SocketAddr {
    let intake = Data::clone(&env.intake);
    let server = HttpServer::new(move || App::new().configure(routes(in_force(&intake))))
        .workers(1)
        .disable_signals()
        .client_disconnect_timeout(Duration::from_millis(200))
        .bind("127.0.0.1:0")
        .unwrap();
    let address = server.addrs()[0];
    actix_web::rt::spawn(server.run());
    address
}

/// Sends the parts one after the other and reads until the server closes.
async fn talk(address: SocketAddr, parts: &'static [&'static [u8]]) -> String {
    let talk = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        for part in parts {
            stream.write_all(part).unwrap();
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    actix_web::web::block(talk).await.unwrap()
}

#[actix_web::test]
async fn a_chunked_body_over_max_body_is_refused_early_and_its_connection_closed() {
    let env = TestIntake::new();
    let answer = talk(
        serve(&env),
        &[
            b"POST /hooks/keys HTTP/1.1\r\nHost: x\r\nX-Event-Secret: right\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"20\r\n01234567890123456789012345678901\r\n",
            b"30\r\n012345678901234567890123456789010123456789012345\r\n",
        ],
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(answer.ends_with(r#"{"processed":false,"message":"the body is too large"}"#), "{answer}");
    assert!(env.rows().await.is_empty());
}

#[actix_web::test]
async fn a_claimed_length_over_max_body_is_refused_without_waiting_for_the_body() {
    let env = TestIntake::new();
    let answer = talk(
        serve(&env),
        &[b"POST /hooks/keys HTTP/1.1\r\nHost: x\r\nX-Event-Secret: right\r\nContent-Length: 65\r\n\r\n"],
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[actix_web::test]
async fn a_refusal_does_not_wait_for_an_endless_body() {
    let env = TestIntake::new();
    let answer = talk(
        serve(&env),
        &[b"POST /hooks/unknown HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[actix_web::test]
async fn a_body_that_does_not_come_in_time_is_refused_and_the_connection_is_closed() {
    let env = TestIntake::with(|parts| parts.body_time = Duration::from_millis(1));
    let answer = talk(
        serve(&env),
        &[b"POST /hooks/keys HTTP/1.1\r\nHost: x\r\nX-Event-Secret: right\r\nContent-Length: 9\r\n\r\nabc"],
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(env.rows().await.is_empty());
    assert!(env.refusals_counted("keys", "too_slow", 1));
}

#[actix_web::test]
async fn two_notifications_on_one_connection_are_both_stored() {
    let env = TestIntake::new();
    let answer = talk(
        serve(&env),
        &[
            b"POST /hooks/keys HTTP/1.1\r\nHost: x\r\nX-Event-Secret: right\r\nContent-Length: 1\r\n\r\na",
            b"POST /hooks/game HTTP/1.1\r\nHost: x\r\nX-Event-Secret: right\r\nConnection: close\r\n\
              Transfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n\r\n",
        ],
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    assert!(answer.contains("HTTP/1.1 200 "), "{answer}");
    let bodies: Vec<_> = env.rows().await.into_iter().map(|row| row.body.unwrap()).collect();
    assert_eq!(bodies, ["b", "a"]);
}

#[actix_web::test]
async fn a_body_that_breaks_off_leaves_no_row() {
    let env = TestIntake::new();
    let answer = talk(
        serve(&env),
        &[
            b"POST /hooks/keys HTTP/1.1\r\nHost: x\r\nX-Event-Secret: right\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"zz\r\nabc\r\n",
        ],
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(env.rows().await.is_empty());
}

#[actix_web::test]
async fn a_head_request_is_answered_without_a_body() {
    let env = TestIntake::new();
    let answer =
        talk(serve(&env), &[b"HEAD /hooks/keys HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"]).await;
    assert!(answer.starts_with("HTTP/1.1 405 ") && answer.ends_with("\r\n\r\n"), "{answer}");
}
