//! A real PostgreSQL, started by the tests on loopback in a folder of its own; as another user where the tests run as root.
//! It ends with the process that started it, however that ends.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The password of every role that the tests make; no output of the program may ever hold it.
pub(crate) const PASSWORD: &str = "hunter2-of-the-ledger";

const OWNER: &str = "owner";

/// The path of a program of the distribution's `package`, which may not be on `PATH`.
pub(crate) fn program(name: &str, package: &str) -> PathBuf {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&on_path).collect();
    folders.push(PathBuf::from("/usr/sbin"));
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    let found = folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!("these tests need {name}, which is not there; install it (apt-get install {package})")
    })
}

/// The user and group that the server runs as; `None` for our own. It refuses to run as root.
fn other_user() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("the users");
    let id = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    Some(id("postgres").or_else(|| id("nobody")).expect("a user postgres or nobody"))
}

/// A command that the server's user runs.
pub(crate) fn as_other_user(program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = other_user() {
        command.uid(user).gid(group);
    }
    command.current_dir("/").env("LC_ALL", "C");
    command
}

/// The folder of a server that never ran; every server of the tests starts with a copy of its data.
fn template() -> &'static Path {
    static TEMPLATE: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = tempfile::Builder::new().prefix("countersign-pg").tempdir().expect("a folder");
        give_away(folder.path());
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD).expect("the password's file");
        give_away(&password);
        let made = as_other_user(&program("initdb", "postgresql"))
            .args(["--no-sync", "--auth=scram-sha-256", "--encoding=UTF8", "--username", OWNER, "--pwfile"])
            .arg(&password)
            .arg("-D")
            .arg(folder.path().join("data"))
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let rules = folder.path().join("data/pg_hba.conf");
        let others = fs::read_to_string(&rules).expect("the rules of access");
        // The tests look in often, and a proof of the password takes a debug build most of a look.
        fs::write(&rules, format!("host all {OWNER} 127.0.0.1/32 trust\n{others}"))
            .expect("the rules of access");
        remove_in_the_end(folder)
    });
    &TEMPLATE
}

/// Gives a file or folder to the server's user.
pub(crate) fn give_away(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(if path.is_dir() { 0o700 } else { 0o600 }))
        .expect("mode");
    if let Some((user, group)) = other_user() {
        std::os::unix::fs::chown(path, Some(user), Some(group)).expect("owner");
    }
}

/// A server, running or not.
pub(crate) struct Postgres {
    folder: PathBuf,
    /// Removes the folder when dropped; `None` if the janitor does.
    own: Option<tempfile::TempDir>,
    port: u16,
    /// Settings beside those of every server here.
    settings: Vec<String>,
    running: Mutex<Option<Running>>,
}

/// The server's process, and what keeps it alive.
struct Running {
    keeper: Child,
    alive: ChildStdin,
}

/// Starts the server, and ends it when standard input ends, however the process at its other end died. A shell gives
/// background processes another standard input, so this one is kept as descriptor 3.
const KEEPER: &str = r#"
exec 3<&0
"$@" 3<&- & server=$!
( cat <&3 >/dev/null; kill -QUIT $server 2>/dev/null ) &
wait $server
"#;

/// Removes folders once the tests have ended, and their servers with them.
const JANITOR: &str = r#"cat >/dev/null; sleep 2; rm -rf "$@""#;

/// Leaves a folder to the janitor, because a static is never dropped.
fn remove_in_the_end(folder: tempfile::TempDir) -> PathBuf {
    static JANITORS: Mutex<Vec<Child>> = Mutex::new(Vec::new());
    let path = folder.keep();
    let janitor =
        Command::new("/bin/sh").args(["-c", JANITOR, "janitor"]).arg(&path).stdin(Stdio::piped()).spawn();
    JANITORS.lock().expect("janitors").push(janitor.expect("the janitor starts"));
    path
}

impl Postgres {
    /// The one that all tests share, each with databases of its own.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: OnceLock<Arc<Postgres>> = OnceLock::new();
        Arc::clone(SHARED.get_or_init(|| {
            let mut postgres = Self::start();
            if let Some(folder) = postgres.own.take() {
                remove_in_the_end(folder);
            }
            Arc::new(postgres)
        }))
    }

    /// One of its own, for a test that kills or fills it.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with more settings (`fsync=on`).
    pub(crate) fn start_with(settings: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("countersign-pg").tempdir().expect("a folder");
        give_away(folder.path());
        let copied = Command::new("cp").arg("-a").arg(template().join("data")).arg(folder.path()).status();
        assert!(copied.expect("cp runs").success());
        let port = free_port();
        let postgres = Self {
            folder: folder.path().to_owned(),
            own: Some(folder),
            port,
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
            running: Mutex::new(None),
        };
        postgres.start_again();
        postgres
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Starts it, and waits until it lets its owner in.
    pub(crate) fn start_again(&self) {
        let settings = [
            format!("port={}", self.port),
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={}", self.folder.display()),
            "fsync=off".to_owned(),
            "max_connections=200".to_owned(),
            "shared_buffers=32MB".to_owned(),
            "autovacuum=off".to_owned(),
        ];
        let log =
            fs::OpenOptions::new().create(true).append(true).open(self.folder.join("log")).expect("a log");
        let mut command = as_other_user(Path::new("/bin/sh"));
        command.args(["-c", KEEPER, "keeper"]);
        command.arg(program("postgres", "postgresql")).arg("-D").arg(self.data());
        for setting in settings.iter().chain(&self.settings) {
            command.arg("-c").arg(setting);
        }
        let mut keeper = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let alive = keeper.stdin.take().expect("its standard input");
        *self.running.lock().expect("the server") = Some(Running { keeper, alive });
        let deadline = Instant::now() + PATIENCE;
        while self.try_connect("postgres").is_none() {
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "PostgreSQL does not start:\n{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&self) {
        let Some(mut running) = self.running.lock().expect("the server").take() else { return };
        let pid = fs::read_to_string(self.data().join("postmaster.pid")).expect("its process");
        let pid = pid.lines().next().expect("a number").to_owned();
        // SIGQUIT ends the server and its backends at once and without a checkpoint; they recover from the log.
        assert!(Command::new("kill").args(["-QUIT", &pid]).status().expect("kill runs").success());
        running.keeper.wait().expect("wait");
        let deadline = Instant::now() + PATIENCE;
        while Path::new(&format!("/proc/{pid}")).exists() {
            assert!(Instant::now() < deadline, "PostgreSQL does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Where it listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// The folder of its socket.
    pub(crate) fn socket_folder(&self) -> &Path {
        &self.folder
    }

    /// A new database with a role of its own name that owns it.
    pub(crate) fn database(self: &Arc<Self>) -> Database {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("shop{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let owner = self.connect("postgres");
        owner.run(&format!("CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'"));
        owner.run(&format!("CREATE DATABASE {name} OWNER {name}"));
        Database { postgres: Arc::clone(self), name }
    }

    fn try_connect(&self, database: &str) -> Option<Connection> {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.port).user(OWNER).dbname(database);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let (client, connection) = runtime.block_on(config.connect(NoTls)).ok()?;
        runtime.spawn(connection);
        Some(Connection { runtime, client })
    }

    fn connect(&self, database: &str) -> Connection {
        self.try_connect(database).expect("PostgreSQL lets its owner in")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let running = self.running.get_mut().map(Option::take);
        if let Ok(Some(Running { mut keeper, alive })) = running {
            drop(alive);
            drop(keeper.wait());
        }
    }
}

/// A port that nothing listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port()
}

/// A connection to one database as the server's owner.
pub(crate) struct Connection {
    runtime: Runtime,
    client: Client,
}

impl Connection {
    /// Runs statements; their rows, each value as text.
    #[track_caller]
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        self.try_rows(sql).unwrap_or_else(|error| panic!("{error}: {sql}"))
    }

    /// Like [`Connection::rows`]; the error as text.
    pub(crate) fn try_rows(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, String> {
        let answer = self.runtime.block_on(self.client.simple_query(sql));
        let answer =
            answer.map_err(|error| error.as_db_error().map_or(error.to_string(), ToString::to_string))?;
        let rows = answer.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
            }
            _ => None,
        });
        Ok(rows.collect())
    }

    /// Runs statements.
    #[track_caller]
    pub(crate) fn run(&self, sql: &str) {
        self.rows(sql);
    }
}

/// A database of one test.
pub(crate) struct Database {
    postgres: Arc<Postgres>,
    name: String,
}

impl Database {
    /// The server that it is on.
    pub(crate) fn postgres(&self) -> &Postgres {
        &self.postgres
    }

    /// Its name, and that of its role.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A connection as the server's owner.
    pub(crate) fn connect(&self) -> Connection {
        self.postgres.connect(&self.name)
    }

    /// Its `ledger.url`.
    pub(crate) fn url(&self) -> String {
        self.url_at(self.postgres.addr())
    }

    /// `ledger.url` with another address, such as a proxy's.
    pub(crate) fn url_at(&self, addr: SocketAddr) -> String {
        format!("postgres://{0}@{addr}/{0}", self.name)
    }

    /// The keys of a `[ledger]` table.
    pub(crate) fn keys(&self, node: &str) -> String {
        self.keys_at(&self.url(), node)
    }

    /// The same with another URL.
    pub(crate) fn keys_at(&self, url: &str, node: &str) -> String {
        format!("url = \"{url}\"\npassword = \"{PASSWORD}\"\nnode = \"{node}\"")
    }

    /// One value.
    #[track_caller]
    pub(crate) fn value(&self, sql: &str) -> Option<String> {
        self.connect().rows(sql).into_iter().next().and_then(|row| row.into_iter().next()).flatten()
    }

    /// Waits until a value is the wanted one.
    #[track_caller]
    pub(crate) fn wait_for(&self, sql: &str, wanted: &str) {
        let deadline = Instant::now() + PATIENCE;
        let connection = self.connect();
        loop {
            // An error until the program has created its tables.
            let found = connection.try_rows(sql);
            let value = found.as_ref().ok().and_then(|rows| rows.first()?.first()?.clone());
            if value.as_deref() == Some(wanted) {
                return;
            }
            assert!(Instant::now() < deadline, "waited in vain for {wanted:?}, not {found:?}: {sql}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
