//! A load of keep-alive connections that each send the next notification when the last one is answered.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What one run gave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) acknowledged: u64,
    pub(crate) rate: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Sends `POST {path}` with `body` over `connections` connections for a while.
pub(crate) fn run(addr: SocketAddr, path: &str, body: &str, connections: usize, lasting: Duration) -> Run {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let began = Instant::now();
    let mut took: Vec<Duration> = runtime.block_on(async {
        let until = began + lasting;
        let tasks: Vec<_> =
            (0..connections).map(|_| tokio::spawn(one_connection(addr, request.clone(), until))).collect();
        let mut took = Vec::new();
        for task in tasks {
            took.extend(task.await.unwrap());
        }
        took
    });
    let seconds = began.elapsed().as_secs_f64();
    took.sort_unstable();
    let percentile =
        |part: usize| took.get(took.len() * part / 100).map_or(0.0, |took| took.as_secs_f64() * 1000.0);
    let acknowledged = u64::try_from(took.len()).unwrap();
    Run {
        acknowledged,
        rate: f64::from(u32::try_from(took.len()).unwrap()) / seconds,
        p50_ms: percentile(50),
        p99_ms: percentile(99),
    }
}

async fn one_connection(addr: SocketAddr, request: String, until: Instant) -> Vec<Duration> {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut took = Vec::new();
    let mut answer = vec![0; 4096];
    while Instant::now() < until {
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut read = 0;
        while !answer[..read].ends_with(b"\r\n\r\n") {
            let more = stream.read(&mut answer[read..]).await.unwrap();
            assert!(more > 0, "the server closed the connection");
            read += more;
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..read]));
        took.push(sent.elapsed());
    }
    took
}
