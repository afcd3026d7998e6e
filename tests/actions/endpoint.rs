//! An HTTP endpoint of an owner's: remembers what it was sent, and answers as it is told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) at: Instant,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    pub(crate) fn subject(&self) -> String {
        self.json()["data"]["subject_id"].as_str().unwrap_or_default().to_owned()
    }
}

/// What comes back.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// These bytes, and the end of the connection.
    Bytes(String),
    /// These bytes, and then nothing, for ever.
    Hang(String),
}

/// An answer with a status, further header lines, and a body.
pub(crate) fn status(status: u16, headers: &str, body: &str) -> Reply {
    let length = body.len();
    Reply::Bytes(format!(
        "HTTP/1.1 {status} Word\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    ))
}

pub(crate) fn ok() -> Reply {
    status(200, "", "stored")
}

type Answer = Box<dyn FnMut(&Seen) -> Reply + Send>;

struct Inner {
    seen: Mutex<Vec<Seen>>,
    came: Condvar,
    answer: Mutex<Answer>,
    open: Mutex<Vec<TcpStream>>,
}

/// A listening endpoint.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) addr: SocketAddr,
    inner: Arc<Inner>,
}

impl Endpoint {
    /// One that takes everything.
    pub(crate) fn new() -> Self {
        Self::answering(|_| ok())
    }

    pub(crate) fn answering(answer: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
        let addr = listener.local_addr().expect("an address");
        let inner = Arc::new(Inner {
            seen: Mutex::default(),
            came: Condvar::new(),
            answer: Mutex::new(Box::new(answer)),
            open: Mutex::default(),
        });
        let serving = Arc::clone(&inner);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let inner = Arc::clone(&serving);
                std::thread::spawn(move || inner.serve(stream));
            }
        });
        Self { addr, inner }
    }

    /// From now on it answers otherwise.
    pub(crate) fn answer(&self, answer: impl FnMut(&Seen) -> Reply + Send + 'static) {
        *self.inner.answer.lock().expect("an answer") = Box::new(answer);
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/orders", self.addr)
    }

    /// What it was sent so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.inner.seen.lock().expect("requests").clone()
    }

    /// Waits until it was sent so many requests.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Seen> {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.inner.seen.lock().expect("requests");
        while seen.len() < count {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "only {} of {count} requests came: {seen:#?}", seen.len());
            seen = self.inner.came.wait_timeout(seen, left).expect("requests").0;
        }
        seen.clone()
    }
}

impl Inner {
    fn serve(&self, mut stream: TcpStream) {
        let Some(seen) = read(&stream) else { return };
        let reply = {
            let mut answer = self.answer.lock().expect("an answer");
            self.seen.lock().expect("requests").push(seen.clone());
            answer(&seen)
        };
        self.came.notify_all();
        match reply {
            Reply::Bytes(bytes) => drop(stream.write_all(bytes.as_bytes())),
            Reply::Hang(bytes) => {
                drop(stream.write_all(bytes.as_bytes()));
                self.open.lock().expect("connections").push(stream);
            }
        }
    }
}

fn read(stream: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, n)| n.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    Some(Seen { line: line.trim_end().to_owned(), headers, body, at: Instant::now() })
}
