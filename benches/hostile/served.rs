//! The program as a process of its own, a simulated shop in this one, and requests over plain connections.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use countersign::simulator::{Fault, Simulator, SimulatorOptions, Trouble, ecwid};
use rusqlite::Connection;

const STORE: u64 = 1003;
const TOKEN: &str = "secret_bench";

/// The order that all of it is about, unless a claim names another.
pub(crate) const ORDER: &str = "SALE-1";

/// When the first event was, in seconds.
const CREATED: u64 = 1_764_000_000;

/// No part may take longer.
const PATIENCE: Duration = Duration::from_secs(300);

/// A folder with a store and a shop whose one order is paid.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    simulator: Simulator,
}

/// A running `serve`.
pub(crate) struct Served {
    child: Child,
    pub(crate) intake: SocketAddr,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
        let store = simulator.shops().open_ecwid(STORE, TOKEN);
        store.put_order(ecwid::Order::new(ORDER, 1_000_001).paid());
        let place = Self { folder, simulator };
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n\
             [store]\npath = \"bench.db\"\nmin_free = \"1MiB\"\nmax_unproven = 100000000\n\
             [verify]\ngrace = \"0s\"\nretry_base = \"1s\"\nretry_cap = \"1s\"\n\
             [sources.shop]\nprovider = \"ecwid\"\nstore_id = {STORE}\ntoken = \"{TOKEN}\"\napi_base = \"{}/ecwid/api/v3\"\n",
            place.simulator.url()
        );
        std::fs::write(place.config(), text).unwrap();
        place
    }

    /// From now on each call to the shop takes so long.
    pub(crate) fn slow_down(&self, latency: Duration) {
        self.simulator.shops().add_fault(Fault::new(Trouble::Latency(latency)));
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("bench.toml")
    }

    /// The program under test.
    fn command(&self) -> Command {
        let program = std::env::var_os("COUNTERSIGN_BINARY");
        let mut command = Command::new(program.unwrap_or_else(|| env!("CARGO_BIN_EXE_countersign").into()));
        command.env_remove("RUST_LOG").env_remove("JOURNAL_STREAM").env_remove("COUNTERSIGN_CONFIG");
        command.arg("--config").arg(self.config());
        command
    }

    pub(crate) fn serve(&self, arguments: &[&str]) -> Served {
        let mut command = self.command();
        let mut child = command
            .arg("serve")
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = log.find(|line| line.contains("listening intake=")).unwrap();
        std::thread::spawn(move || log.for_each(drop));
        let intake = line.split_once("intake=http://").unwrap().1.split_whitespace().next().unwrap();
        Served { child, intake: intake.parse().unwrap() }
    }

    /// Runs `verify` to its end; the most memory that it held, in MiB.
    pub(crate) fn verify(&self) -> u64 {
        let mut child =
            self.command().arg("verify").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut most = 0;
        while child.try_wait().unwrap().is_none() {
            most = most_memory(child.id()).unwrap_or(0).max(most);
            std::thread::sleep(Duration::from_millis(2));
        }
        most
    }

    pub(crate) fn value(&self, sql: &str) -> i64 {
        let conn = Connection::open(self.folder.path().join("bench.db")).unwrap();
        conn.busy_timeout(PATIENCE).unwrap();
        conn.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Waits until `sql` gives `wanted`.
    pub(crate) fn wait_until(&self, sql: &str, wanted: i64) {
        let began = Instant::now();
        while self.value(sql) != wanted {
            assert!(began.elapsed() < PATIENCE, "{sql} is {}, not {wanted}", self.value(sql));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Served {
    /// Posts a body and returns the status.
    pub(crate) fn post(&self, body: &str) -> u16 {
        let mut stream = self.begin(body, 0);
        status(&mut stream)
    }

    /// Sends a request but for the last `held_back` bytes of its body.
    pub(crate) fn begin(&self, body: &str, held_back: usize) -> TcpStream {
        let mut stream = TcpStream::connect(self.intake).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head =
            format!("POST /hooks/shop HTTP/1.1\r\nHost: bench\r\nContent-Length: {}\r\n\r\n", body.len());
        let now = &body.as_bytes()[..body.len() - held_back];
        // Where it is refused meanwhile, its answer is what counts.
        drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(now)));
        stream
    }

    /// The most memory that it has held so far, in MiB.
    pub(crate) fn most_memory(&self) -> u64 {
        most_memory(self.child.id()).unwrap()
    }

    pub(crate) fn stop(mut self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Ended already, as a rule.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The status of an answer; 0 where the connection ended without one.
pub(crate) fn status(stream: &mut TcpStream) -> u16 {
    let mut start = [0; 12];
    match stream.read_exact(&mut start) {
        Ok(()) => std::str::from_utf8(&start[9..]).unwrap().parse().unwrap(),
        Err(_) => 0,
    }
}

fn most_memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

/// A webhook about an order: another event each time, a second after the last one. `more` is put in as further fields.
pub(crate) fn hook(n: usize, order: &str, old: Option<&str>, new: &str, more: &str) -> String {
    let old = old
        .map(|word| format!(r#""oldPaymentStatus":"{word}","oldFulfillmentStatus":"AWAITING_PROCESSING","#));
    let created = CREATED + u64::try_from(n).unwrap();
    format!(
        r#"{{"eventId":"e-{n}","eventCreated":{created},"storeId":{STORE},"entityId":1000001,"eventType":"order.updated","data":{{"orderId":"{order}",{}"newPaymentStatus":"{new}","newFulfillmentStatus":"AWAITING_PROCESSING"}}{more}}}"#,
        old.unwrap_or_default()
    )
}

/// What is still to be judged.
pub(crate) const OPEN: &str = "SELECT count(*) FROM notifications WHERE state = 'pending'";
