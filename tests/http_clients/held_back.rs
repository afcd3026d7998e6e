//! Clients that hold back the end of large bodies.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{HEAD, connect};
use crate::support::{Serve, TestEnv, assert_verdict, paid};

/// The longest body that is taken by default.
const LONGEST: usize = 256 * 1024;

/// So many bodies of that length fit into the memory for bodies.
const FIT: usize = 64 * 1024 * 1024 / LONGEST;

/// Sends a whole body but for its last byte; gives back the connection, or the status where it was answered before.
fn all_but_one_byte(serve: &Serve) -> Result<TcpStream, String> {
    let mut stream = connect(serve.intake);
    let head = format!("{HEAD}Content-Length: {LONGEST}\r\n\r\n");
    let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&vec![b'x'; LONGEST - 1]));
    stream.set_read_timeout(Some(Duration::from_millis(1))).expect("a limit");
    let mut start = [0; 12];
    match stream.read(&mut start) {
        Ok(read) if read > 0 => Err(String::from_utf8_lossy(&start[..read]).into_owned()),
        _ if sent.is_ok() => Ok(stream),
        _ => Err("closed".to_owned()),
    }
}

#[test]
fn a_thousand_bodies_without_their_ends_take_bounded_memory_and_keep_nobody_out() {
    const CLIENTS: usize = 1000;
    const THREADS: usize = 8;
    let env = TestEnv::new().ion_shop("shop", 1003, 1);
    let serve = env.serve();
    let (answered, mut waiting): (Duration, Vec<TcpStream>) = std::thread::scope(|scope| {
        let send = || (0..CLIENTS / THREADS).map(|_| all_but_one_byte(&serve)).collect::<Vec<_>>();
        let crowd: Vec<_> = (0..THREADS).map(|_| scope.spawn(send)).collect();
        let streams: Vec<_> = crowd.into_iter().flat_map(|one| one.join().expect("a client")).collect();
        let begun = Instant::now();
        assert_eq!(serve.post("shop", paid(1003, "o.1")).status, 200);
        (begun.elapsed(), streams.into_iter().flatten().collect())
    });
    // All have sent what they send; those without room are answered in their own time, and the others not at all.
    let (held, mut refused) = (waiting.len(), 0);
    let deadline = Instant::now() + Duration::from_secs(60);
    while CLIENTS - held + refused < CLIENTS - FIT {
        assert!(Instant::now() < deadline, "{held} have sent it all, {refused} were refused");
        waiting.retain_mut(|stream| {
            let mut answer = [0; 1024];
            let Ok(read) = stream.read(&mut answer) else { return true };
            let answer = String::from_utf8_lossy(&answer[..read]).to_lowercase();
            if answer.starts_with("http/1.1 503") {
                assert!(
                    answer.contains("retry-after: ") && answer.contains(r#""processed":false"#),
                    "{answer}"
                );
                refused += 1;
            }
            false
        });
    }
    let memory = serve.most_memory();
    println!(
        "{held} of {CLIENTS} had sent all but a byte, {refused} of them were answered 503; a true delivery took {answered:?}, at most {memory} MiB"
    );
    assert!(memory < 200, "{memory} MiB");
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
    assert_eq!(env.bodies().len(), 1);
}

#[test]
fn bodies_that_fit_are_all_stored_and_give_their_room_back() {
    let env = TestEnv::new().ion_shop("shop", 1003, 1);
    let serve = env.serve_with(&["--no-worker"]);
    const ROUNDS: usize = 2;
    for _ in 0..ROUNDS {
        let waiting: Vec<_> = (0..FIT - FIT / 8).map(|_| all_but_one_byte(&serve).expect("room")).collect();
        for mut stream in waiting {
            stream.write_all(b"x").expect("the last byte");
            stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
            let mut start = [0; 12];
            stream.read_exact(&mut start).expect("an answer");
            assert_eq!(&start, b"HTTP/1.1 200");
        }
    }
    let stored = env.value("SELECT count(*) FROM notifications");
    assert_eq!(stored, Some((ROUNDS * (FIT - FIT / 8)).to_string()));
}
