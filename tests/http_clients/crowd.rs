//! A crowd of slow and greedy clients.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{HEAD, connect, wait_until_files_are_freed};
use crate::support::{Request, TestEnv, assert_verdict, paid};

/// Connections of each kind.
const EACH: usize = 100;

/// True deliveries beside them.
const TRUE: i64 = 40;

#[test]
fn true_deliveries_are_answered_beside_400_idle_and_dripping_connections() {
    let env = TestEnv::new().ion_shop("shop", 1003, TRUE.unsigned_abs());
    let serve = env.serve();
    assert_eq!(serve.send(&Request::new("GET", "/healthz")).status, 200);
    let files = serve.open_files();
    let begin = |start: &str| -> Vec<TcpStream> {
        (0..EACH)
            .map(|_| {
                let mut stream = connect(serve.intake);
                stream.write_all(start.as_bytes()).unwrap();
                stream
            })
            .collect()
    };
    let idle = begin("");
    let mut heads = begin("POST /hooks/shop HTTP/1.1\r\nHost: a\r\nX-Slow: ");
    let mut bodies = begin(&format!("{HEAD}Content-Length: 100000\r\n\r\n"));
    let mut chunks = begin(&format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n"));
    let mut slowest = Duration::ZERO;
    for n in 1..=TRUE {
        for (streams, drop) in [(&mut heads, "a"), (&mut bodies, "b"), (&mut chunks, "1\r\nc\r\n")] {
            for stream in streams.iter_mut() {
                // Whoever is cut off for being slow, is.
                let _ = stream.write_all(drop.as_bytes());
            }
        }
        let begun = Instant::now();
        assert_eq!(serve.post("shop", paid(1003, &format!("o.{n}"))).status, 200);
        slowest = slowest.max(begun.elapsed());
    }
    for id in 1..=TRUE {
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
    let memory = serve.most_memory();
    println!("crowd: {} slow connections, slowest true delivery {slowest:?}, at most {memory} MiB", 4 * EACH);
    assert!(slowest < Duration::from_secs(10), "{slowest:?}");
    assert!(memory < 150, "{memory} MiB");
    drop((idle, heads, bodies, chunks));
    wait_until_files_are_freed(&serve, files + 4);
    assert_eq!(env.bodies().len(), usize::try_from(TRUE).unwrap());
}

#[test]
fn bodies_and_headers_without_end_are_cut_off_within_bounds() {
    let env = TestEnv::new().ion_shop("shop", 1003, 1);
    let serve = env.serve();
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
    let endless = [
        (format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n"), chunk),
        (format!("{HEAD}X-Long: "), "x".repeat(4096)),
        (HEAD.to_owned(), "X-Many: a\r\n".repeat(300)),
    ];
    let serve = &serve;
    std::thread::scope(|scope| {
        for (start, more) in &endless {
            for _ in 0..4 {
                scope.spawn(move || {
                    let mut stream = connect(serve.intake);
                    stream.write_all(start.as_bytes()).unwrap();
                    let begun = Instant::now();
                    while stream.write_all(more.as_bytes()).is_ok() {
                        // A refused body is read on for a while, so that its sender sees the answer.
                        assert!(begun.elapsed() < Duration::from_secs(15), "nobody stops {start:?}");
                    }
                    let mut answer = Vec::new();
                    drop(stream.read_to_end(&mut answer));
                    let status = String::from_utf8_lossy(&answer[..answer.len().min(12)]).into_owned();
                    let refusals = ["", "HTTP/1.1 400", "HTTP/1.1 413", "HTTP/1.1 431"];
                    assert!(refusals.contains(&status.as_str()), "{start:?}: {status}");
                });
            }
        }
        assert_eq!(serve.post("shop", paid(1003, "o.1")).status, 200);
    });
    serve.settled(1);
    assert_eq!(env.bodies().len(), 1);
    let memory = serve.most_memory();
    println!("without end: at most {memory} MiB");
    assert!(memory < 150, "{memory} MiB");
}

#[test]
fn a_client_that_sends_and_never_reads_fills_its_own_buffers_alone() {
    let env = TestEnv::new().ion_shop("shop", 1003, 1);
    let serve = env.serve();
    let mut greedy = connect(serve.intake);
    greedy.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let many = b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100);
    let mut sent = 0;
    while greedy.write_all(&many).is_ok() {
        sent += many.len();
        assert!(sent < 256 * 1024 * 1024, "everything is taken");
    }
    assert_eq!(serve.post("shop", paid(1003, "o.1")).status, 200);
    serve.settled(1);
    let memory = serve.most_memory();
    println!("never reads: {} KiB taken, at most {memory} MiB", sent / 1024);
    assert!(memory < 150, "{memory} MiB");
}
