//! The load: keep-alive connections on one thread, so that it takes little from the machine that it measures.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A genuine-looking Ecwid webhook.
const BODY: &str = r#"{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"storeId":4400551,"entityId":731200456,"eventType":"order.updated","data":{"orderId":"SALE-H4K9P","oldPaymentStatus":"AWAITING_PAYMENT","newPaymentStatus":"PAID","oldFulfillmentStatus":"AWAITING_PROCESSING","newFulfillmentStatus":"AWAITING_PROCESSING"}}"#;

/// What comes first is acknowledged and stored like the rest, but does not count in a rate or a percentile.
const WARM_UP: Duration = Duration::from_millis(200);

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    /// Until then, unless `is_over` comes first.
    pub(crate) lasting: Duration,
    /// `None`: each connection sends when it has its answer. Else: each sends once in this time, and an answer's time
    /// counts from when its request was due.
    pub(crate) every: Option<Duration>,
    /// Ends it early.
    pub(crate) is_over: Arc<AtomicBool>,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// All answers, each 200.
    pub(crate) acknowledged: u64,
    pub(crate) rate: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) worst_ms: f64,
}

/// An answer: when it came, and how long it took.
type Answer = (Duration, Duration);

impl Load {
    /// As much as goes.
    pub(crate) fn full(connections: usize, lasting: Duration) -> Self {
        Self { connections, lasting, every: None, is_over: Arc::new(AtomicBool::new(false)) }
    }

    /// So many a second over all connections, whatever the answers do.
    pub(crate) fn paced(connections: u32, a_second: u32, lasting: Duration) -> Self {
        let every = Duration::from_secs(1) * connections / a_second;
        Self { every: Some(every), ..Self::full(usize::try_from(connections).unwrap(), lasting) }
    }

    /// Sends it, and waits for the last answer.
    pub(crate) fn run(&self, addr: SocketAddr) -> Run {
        let request = format!(
            "POST /hooks/shop HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{BODY}",
            BODY.len()
        );
        let request: Arc<[u8]> = request.into_bytes().into();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (answers, took) = runtime.block_on(async {
            let mut streams = Vec::new();
            for _ in 0..self.connections {
                let stream = TcpStream::connect(addr).await.unwrap();
                stream.set_nodelay(true).unwrap();
                streams.push(stream);
            }
            let began = Instant::now();
            let tasks: Vec<_> = (0_u32..)
                .zip(streams)
                .map(|(n, stream)| {
                    tokio::spawn(self.clone().connection(n, stream, Arc::clone(&request), began))
                })
                .collect();
            let mut answers: Vec<Answer> = Vec::new();
            for task in tasks {
                answers.extend(task.await.unwrap());
            }
            (answers, began.elapsed().min(self.lasting))
        });
        Run::of(&answers, took)
    }

    async fn connection(
        self,
        n: u32,
        mut stream: TcpStream,
        request: Arc<[u8]>,
        began: Instant,
    ) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(65_536);
        let mut buffer = [0; 1024];
        let spread = u32::try_from(self.connections).unwrap();
        let mut due = began + self.every.map_or(Duration::ZERO, |every| every * n / spread);
        while began.elapsed() < self.lasting && !self.is_over.load(Ordering::Relaxed) {
            match self.every {
                None => due = Instant::now(),
                Some(_) => tokio::time::sleep_until(due.into()).await,
            }
            let took = one(&mut stream, &request, &mut buffer, due).await;
            answers.push((began.elapsed(), took));
            due += self.every.unwrap_or_default();
        }
        answers
    }
}

/// Sends one request and reads its answer, which has no body; returns the time since it was due.
async fn one(stream: &mut TcpStream, request: &[u8], buffer: &mut [u8], due: Instant) -> Duration {
    stream.write_all(request).await.unwrap();
    let mut read = 0;
    while !buffer[..read].ends_with(b"\r\n\r\n") {
        let more = stream.read(&mut buffer[read..]).await.unwrap();
        assert!(more > 0, "the server closed the connection");
        read += more;
    }
    assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..read]));
    due.elapsed()
}

impl Run {
    fn of(answers: &[Answer], lasted: Duration) -> Self {
        let counted = answers.iter().filter(|(at, _)| (WARM_UP..lasted).contains(at));
        let mut took: Vec<Duration> = counted.map(|(_, took)| *took).collect();
        took.sort_unstable();
        let percentile = |per_mille: usize| {
            let at = (took.len() * per_mille / 1000).min(took.len().saturating_sub(1));
            took.get(at).map_or(0.0, |took| took.as_secs_f64() * 1000.0)
        };
        Self {
            acknowledged: u64::try_from(answers.len()).unwrap(),
            rate: f64::from(u32::try_from(took.len()).unwrap()) / (lasted - WARM_UP).as_secs_f64(),
            p50_ms: percentile(500),
            p99_ms: percentile(990),
            worst_ms: percentile(1000),
        }
    }
}
