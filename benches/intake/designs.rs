//! Each design as a process of its own, on a disk that counts its syncs, and what has to be true of it in the end.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::disk::{Disk, Word};
use crate::load::{Load, Run};

/// A way to take notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Design {
    /// See [`crate::yardsticks::bare`].
    Bare,
    /// See [`crate::yardsticks::naive`].
    Naive,
    /// The real binary: `countersign serve --no-worker`.
    Countersign,
}

/// What one run of a design gave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) run: Run,
    /// Syncs that ended while the load ran.
    pub(crate) flushes: i64,
    /// Transactions of the store's writer meanwhile; 0 where nothing is stored.
    pub(crate) commits: i64,
}

/// A running design.
pub(crate) struct Server {
    design: Design,
    child: Child,
    pub(crate) intake: SocketAddr,
    pub(crate) admin: Option<SocketAddr>,
    disk: Disk,
    store: PathBuf,
}

impl Design {
    /// Starts it in an empty folder, loads it, stops it, and checks what it stored.
    pub(crate) fn measure(self, load: &Load, sync_delay: Duration) -> Outcome {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let server = Server::start(self, &folder.path().join("bench.db"), &["--no-worker"]);
        server.disk.set(Word::SyncDelay, i64::try_from(sync_delay.as_micros()).unwrap());
        let outcome = server.load(load);
        server.stop();
        outcome
    }

    fn table(self) -> Option<&'static str> {
        match self {
            Self::Bare => None,
            Self::Naive => Some("naive"),
            Self::Countersign => Some("intake"),
        }
    }
}

/// The program under test: that of this checkout, or the one that `COUNTERSIGN_BINARY` names.
fn program() -> OsString {
    std::env::var_os("COUNTERSIGN_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_countersign").into())
}

impl Server {
    /// Starts it with its store at `store`, and waits until it listens. `arguments` are those of `serve`.
    pub(crate) fn start(design: Design, store: &Path, arguments: &[&str]) -> Self {
        let mut command = match design {
            Design::Countersign => {
                let config = configure(store);
                let mut command = Command::new(program());
                command.arg("--config").arg(config).arg("serve").args(arguments);
                command
            }
            Design::Bare | Design::Naive => {
                let mut command = Command::new(std::env::current_exe().unwrap());
                command.arg(format!("{design:?}").to_lowercase()).arg(store);
                command
            }
        };
        command.env_remove("RUST_LOG").env_remove("JOURNAL_STREAM").env_remove("COUNTERSIGN_CONFIG");
        let disk = Disk::new();
        disk.under(&mut command);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut before = Vec::new();
        let listening = loop {
            let Some(Ok(line)) = log.next() else {
                panic!("{design:?} did not start: {}", before.join("\n"))
            };
            if line.contains("listening intake=") {
                break line;
            }
            before.push(line);
        };
        std::thread::spawn(move || {
            for line in log.map_while(Result::ok).filter(|line| !line.contains("INFO")) {
                eprintln!("{line}");
            }
        });
        let addr = |key: &str| -> Option<SocketAddr> {
            listening.split_once(key)?.1.split_whitespace().next()?.parse().ok()
        };
        let intake = addr("intake=http://").unwrap();
        Self { design, child, intake, admin: addr("admin=http://"), disk, store: store.to_path_buf() }
    }

    /// Loads it, and checks that the store then holds what was acknowledged, and that each commit was synced.
    pub(crate) fn load(&self, load: &Load) -> Outcome {
        let (last, commits, flushes) = (self.last_id(), self.commits(), self.disk.get(Word::SyncsDone));
        let run = load.run(self.intake);
        let commits = match self.design {
            Design::Naive => i64::try_from(run.acknowledged).unwrap(),
            _ => self.commits() - commits,
        };
        let flushes = self.disk.get(Word::SyncsDone) - flushes;
        if let Some(table) = self.design.table() {
            let conn = rusqlite::Connection::open(&self.store).unwrap();
            let count = format!("SELECT count(*) FROM {table} WHERE id > ?1");
            let stored: i64 = conn.query_row(&count, [last], |row| row.get(0)).unwrap();
            let acknowledged = i64::try_from(run.acknowledged).unwrap();
            assert_eq!(stored, acknowledged, "{:?} stored other than it acknowledged", self.design);
            assert!(commits > 0 && flushes >= commits, "{flushes} flushes for {commits} commits");
        }
        Outcome { run, flushes, commits }
    }

    fn last_id(&self) -> i64 {
        let Some(table) = self.design.table() else { return 0 };
        let conn = rusqlite::Connection::open(&self.store).unwrap();
        conn.query_row(&format!("SELECT coalesce(max(id), 0) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    /// How many transactions its writer has committed.
    fn commits(&self) -> i64 {
        let Some(admin) = self.admin else { return 0 };
        let mut page = String::new();
        let mut stream = TcpStream::connect(admin).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n").unwrap();
        stream.read_to_string(&mut page).unwrap();
        let count = page.lines().find_map(|line| line.strip_prefix("countersign_commits_total "));
        count.unwrap().parse().unwrap()
    }

    /// The memory that it holds now, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
    }

    /// The command line program, on this store.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.arg("--config").arg(self.store.with_extension("toml")).args(arguments);
        command
    }

    /// Ends it; what it acknowledged is on disk.
    pub(crate) fn stop(mut self) {
        if self.design == Design::Countersign {
            let told = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
            assert!(told.success());
            assert!(self.child.wait().unwrap().success());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already, if it is ours.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Writes a configuration beside the store: one shop whose API nobody serves.
fn configure(store: &Path) -> PathBuf {
    let config = store.with_extension("toml");
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n\
         [store]\npath = {store:?}\nmin_free = \"1MiB\"\nmax_unproven = 100000000\n\
         [sources.shop]\nprovider = \"ecwid\"\nstore_id = 4400551\ntoken = \"secret_bench\"\n\
         api_base = \"http://127.0.0.1:9/api\"\n"
    );
    std::fs::write(&config, text).unwrap();
    config
}
