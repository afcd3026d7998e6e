//! An endpoint of the owner's, in a process of its own: what it takes from the machine is not the deliverer's.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The first argument of the process that plays the endpoint; the second is how many milliseconds it takes, or `never`.
pub(crate) const ROLE: &str = "--play-the-target";

const ANSWER: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

/// The running process.
pub(crate) struct Target {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub(crate) addr: SocketAddr,
}

impl Target {
    /// One that answers after `takes`; `None`: never.
    pub(crate) fn open(takes: Option<Duration>) -> Self {
        let takes = takes.map_or_else(|| "never".to_owned(), |takes| takes.as_millis().to_string());
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([ROLE, &takes])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        Self { child, orders, answers, addr: line.trim().parse().unwrap() }
    }

    /// The lines of an action that is told there.
    pub(crate) fn action(&self, name: &str, concurrency: usize) -> String {
        format!(
            "[actions.{name}]\nurl = \"http://{}/news\"\nconcurrency = {concurrency}\ntimeout = \"1h\"\n",
            self.addr
        )
    }

    /// How many requests came so far.
    pub(crate) fn count(&mut self) -> usize {
        self.orders.write_all(b"count\n").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim().parse().unwrap()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Plays the endpoint until the other side is gone.
pub(crate) fn play(takes: &str) {
    let takes = takes.parse().ok().map(Duration::from_millis);
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    println!("{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        runtime.block_on(async {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, takes, Arc::clone(&counted)));
            }
        });
    });
    for line in std::io::stdin().lines() {
        if line.unwrap() == "count" {
            println!("{}", count.load(Ordering::Relaxed));
        }
    }
}

async fn serve(mut stream: TcpStream, takes: Option<Duration>, count: Arc<AtomicUsize>) {
    let mut buffer = vec![0; 64 * 1024];
    let mut read = 0;
    loop {
        match stream.read(&mut buffer[read..]).await {
            Ok(0) | Err(_) => return,
            Ok(more) => read += more,
        }
        if !is_whole(&buffer[..read]) {
            continue;
        }
        read = 0;
        count.fetch_add(1, Ordering::Relaxed);
        match takes {
            Some(takes) => tokio::time::sleep(takes).await,
            None => std::future::pending().await,
        }
        if stream.write_all(ANSWER).await.is_err() {
            return;
        }
    }
}

/// Whether the body is there as far as its length says.
pub(crate) fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|part| part == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length =
        head.split("\r\n").find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    request.len() >= end + 4 + length.unwrap_or(0)
}

/// Seconds that `connections` senders need for `requests` requests to an endpoint and nothing beside it.
pub(crate) fn alone(addr: SocketAddr, connections: usize, requests: usize) -> f64 {
    let body = "x".repeat(500);
    let request =
        format!("POST /news HTTP/1.1\r\nHost: bench\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let request: Arc<[u8]> = request.into_bytes().into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let began = std::time::Instant::now();
    runtime.block_on(async {
        let left = Arc::new(AtomicUsize::new(requests));
        let tasks: Vec<_> = (0..connections)
            .map(|_| {
                let (request, left) = (Arc::clone(&request), Arc::clone(&left));
                tokio::spawn(async move {
                    let mut stream = TcpStream::connect(addr).await.unwrap();
                    let mut answer = [0; ANSWER.len()];
                    while left
                        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                        .is_ok()
                    {
                        stream.write_all(&request).await.unwrap();
                        stream.read_exact(&mut answer).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    began.elapsed().as_secs_f64()
}
