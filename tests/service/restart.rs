//! Restarts under load on sockets that outlive the process: nothing is refused, and nothing is lost.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use super::Sockets;
use crate::support::TestEnv;
use crate::support::paid;

/// A connection that is kept open between requests.
pub(super) struct Kept(BufReader<TcpStream>);

/// What matters of an answer.
pub(super) struct Answer {
    pub(super) status: u16,
    /// It says `Connection: close`.
    pub(super) closes: bool,
}

impl Kept {
    pub(super) fn connect(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(to)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(super) fn stream(&mut self) -> &mut TcpStream {
        self.0.get_mut()
    }

    /// Sends a request whole, without asking to close, and reads its answer.
    pub(super) fn post(&mut self, target: &str, body: &[u8]) -> io::Result<Answer> {
        let head = format!("POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
        self.stream().write_all(&[head.as_bytes(), body].concat())?;
        self.answer()
    }

    /// Reads one answer to its end, and not beyond.
    pub(super) fn answer(&mut self) -> io::Result<Answer> {
        let (mut answer, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end().to_ascii_lowercase();
            match &mut answer {
                None => {
                    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
                    answer =
                        Some(Answer { status: status.ok_or(io::ErrorKind::InvalidData)?, closes: false });
                }
                Some(_) if line.is_empty() => break,
                Some(answer) if line == "connection: close" => answer.closes = true,
                Some(_) => {
                    if let Some(given) = line.strip_prefix("content-length: ") {
                        length = given.parse().map_err(|_| io::ErrorKind::InvalidData)?;
                    }
                }
            }
        }
        self.0.read_exact(&mut vec![0; length])?;
        answer.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Whether the other side has closed.
    pub(super) fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0))
    }
}

#[derive(Debug, Default)]
struct Figures {
    sent: AtomicU64,
    refused: AtomicU64,
    /// Written whole and not answered.
    lost: AtomicU64,
    /// Answered otherwise than 200.
    turned_away: AtomicU64,
    told_to_close: AtomicU64,
}

struct Load<'a> {
    to: SocketAddr,
    figures: &'a Figures,
    is_over: &'a AtomicBool,
    acknowledged: &'a Mutex<BTreeSet<String>>,
    tell: mpsc::Sender<()>,
}

impl Load<'_> {
    /// Sends one order after the other; keeps its connection, or takes a new one for each.
    fn run(&self, name: &str, keeps: bool) {
        let mut kept = None;
        for n in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            let mut connection = match kept.take() {
                Some(connection) => connection,
                None => match Kept::connect(self.to) {
                    Ok(connection) => connection,
                    Err(_) => {
                        self.figures.refused.fetch_add(1, Ordering::Relaxed);
                        continue;
                    }
                },
            };
            let order = format!("{name}.{n}");
            self.figures.sent.fetch_add(1, Ordering::Relaxed);
            match connection.post("/hooks/shop", paid(1003, &order).as_bytes()) {
                Ok(answer) if answer.status == 200 => {
                    self.acknowledged.lock().unwrap().insert(order);
                    self.tell.send(()).unwrap();
                    if answer.closes {
                        self.figures.told_to_close.fetch_add(1, Ordering::Relaxed);
                    } else if keeps {
                        kept = Some(connection);
                    }
                }
                Ok(_) => drop(self.figures.turned_away.fetch_add(1, Ordering::Relaxed)),
                Err(_) => drop(self.figures.lost.fetch_add(1, Ordering::Relaxed)),
            }
        }
    }
}

#[test]
fn restarts_under_load_refuse_no_connection_and_lose_no_notification() {
    const RESTARTS: usize = 6;
    const SENDERS: usize = 4;
    const BETWEEN: usize = 150;
    let env = TestEnv::new().ion_shop("shop", 1003, 0);
    let sockets = Sockets::open();
    let (figures, is_over) = (Figures::default(), AtomicBool::new(false));
    let acknowledged = Mutex::new(BTreeSet::new());
    let (tell, told) = mpsc::channel();
    let to = sockets.intake.local_addr().unwrap();
    let mut serve = sockets.serve(&env, &["--no-worker"]);
    let serve = std::thread::scope(|scope| {
        for sender in 0..2 * SENDERS {
            let load = Load {
                to,
                figures: &figures,
                is_over: &is_over,
                acknowledged: &acknowledged,
                tell: tell.clone(),
            };
            scope.spawn(move || load.run(&format!("s{sender}"), sender < SENDERS));
        }
        for _ in 0..RESTARTS {
            assert_eq!(told.iter().take(BETWEEN).count(), BETWEEN);
            assert_eq!(serve.stop().code(), Some(0));
            serve = sockets.serve(&env, &["--no-worker"]);
        }
        assert_eq!(told.iter().take(BETWEEN).count(), BETWEEN);
        is_over.store(true, Ordering::Relaxed);
        serve
    });
    assert_eq!(serve.stop().code(), Some(0));
    let acknowledged = acknowledged.into_inner().unwrap();
    println!("{RESTARTS} restarts: {figures:?}, acknowledged {}", acknowledged.len());
    for (figure, what) in
        [(&figures.refused, "refused"), (&figures.lost, "lost"), (&figures.turned_away, "turned away")]
    {
        assert_eq!(figure.load(Ordering::Relaxed), 0, "{what}: {figures:?}");
    }
    assert!(figures.told_to_close.load(Ordering::Relaxed) > 0, "{figures:?}");
    let stored = env.value("SELECT count(DISTINCT body) FROM notifications").unwrap();
    assert_eq!(stored, acknowledged.len().to_string());
    assert_eq!(figures.sent.load(Ordering::Relaxed), acknowledged.len() as u64);
}
