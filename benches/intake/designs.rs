//! The three designs under the same load.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer, web};
use countersign::config::Settings;
use countersign::service::{Options, Service};
use r2d2_sqlite::SqliteConnectionManager;

use crate::load::{self, Run};

/// A genuine-looking Ecwid webhook.
const BODY: &str = r#"{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"storeId":4400551,"entityId":731200456,"eventType":"order.updated","data":{"orderId":"SALE-H4K9P","oldPaymentStatus":"AWAITING_PAYMENT","newPaymentStatus":"PAID","oldFulfillmentStatus":"AWAITING_PROCESSING","newFulfillmentStatus":"AWAITING_PROCESSING"}}"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Design {
    /// Reads the body and answers: what the HTTP server alone can do.
    Bare,
    /// One insert a request, each its own durable commit, on the blocking threads.
    Naive,
    /// countersign's own intake, without its worker.
    Countersign,
}

impl Design {
    pub(crate) const ALL: [Self; 3] = [Self::Bare, Self::Naive, Self::Countersign];

    /// Starts the design, puts the load on it, stops it, and counts what it stored.
    pub(crate) fn run(self, connections: usize, lasting: Duration) -> Run {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bench.db");
        let (run, stored) = match self {
            Self::Bare => (bare(connections, lasting), None),
            Self::Naive => (naive(&path, connections, lasting), Some("SELECT count(*) FROM naive")),
            Self::Countersign => {
                (countersign(&path, connections, lasting), Some("SELECT count(*) FROM notifications"))
            }
        };
        if let Some(count) = stored {
            let conn = rusqlite::Connection::open(&path).unwrap();
            let stored: i64 = conn.query_row(count, [], |row| row.get(0)).unwrap();
            assert_eq!(
                u64::try_from(stored).unwrap(),
                run.acknowledged,
                "{self:?} stored other than it acknowledged"
            );
        }
        run
    }
}

fn bare(connections: usize, lasting: Duration) -> Run {
    let app =
        || App::new().route("/hooks/shop", web::post().to(async |_body: Bytes| HttpResponse::Ok().finish()));
    let (addr, stop) =
        served(move |listener| HttpServer::new(app).disable_signals().listen(listener).unwrap().run());
    let run = load::run(addr, "/hooks/shop", BODY, connections, lasting);
    stop();
    run
}

fn naive(path: &Path, connections: usize, lasting: Duration) -> Run {
    let manager = SqliteConnectionManager::file(path).with_init(|conn| {
        conn.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 30000;",
        )
    });
    let pool = r2d2::Pool::builder().max_size(8).build(manager).unwrap();
    pool.get()
        .unwrap()
        .execute_batch("CREATE TABLE naive (id INTEGER PRIMARY KEY, received_at TEXT, body TEXT)")
        .unwrap();
    let pool = Data::new(pool);
    let app = move || {
        App::new().app_data(pool.clone()).route(
            "/hooks/shop",
            web::post().to(async |body: Bytes, pool: Data<r2d2::Pool<SqliteConnectionManager>>| {
                let insert = move || {
                    let conn = pool.get().unwrap();
                    let body = String::from_utf8_lossy(&body).into_owned();
                    conn.execute(
                        "INSERT INTO naive (received_at, body) VALUES (datetime('now'), ?1)",
                        [body],
                    )
                    .unwrap();
                };
                web::block(insert).await.unwrap();
                HttpResponse::Ok().finish()
            }),
        )
    };
    let (addr, stop) =
        served(move |listener| HttpServer::new(app).disable_signals().listen(listener).unwrap().run());
    let run = load::run(addr, "/hooks/shop", BODY, connections, lasting);
    stop();
    run
}

fn countersign(path: &Path, connections: usize, lasting: Duration) -> Run {
    let config = path.with_file_name("bench.toml");
    let text = "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n[store]\npath = \"bench.db\"\nmin_free = \"1MiB\"\n\
                [sources.shop]\nprovider = \"ecwid\"\nstore_id = 4400551\ntoken = \"secret_bench\"\n";
    std::fs::write(&config, text).unwrap();
    let settings = Settings::load(&config, |_| None).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let options = Options { no_worker: true, ..Options::default() };
    let service = runtime.block_on(Service::start(&settings, options)).unwrap();
    let run = load::run(service.intake_addr, "/hooks/shop", BODY, connections, lasting);
    runtime.block_on(service.stop());
    run
}

/// Runs a server on a thread of its own; returns its address, and how to stop it.
fn served(
    server: impl FnOnce(TcpListener) -> actix_web::dev::Server + Send + 'static,
) -> (SocketAddr, impl FnOnce()) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let (handle, received) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let server = server(listener);
            handle.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    let handle = received.recv().unwrap();
    let stop = move || {
        // The command is sent at once; the future would only wait for its end, as the thread's end does.
        drop(handle.stop(false));
        thread.join().unwrap();
    };
    (addr, stop)
}
