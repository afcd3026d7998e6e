//! The designs that countersign is measured against, each run as a process of its own: this bench's binary, called again.

use std::net::TcpListener;
use std::path::Path;

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use r2d2_sqlite::SqliteConnectionManager;

type Pool = r2d2::Pool<SqliteConnectionManager>;

/// Reads the body and answers: what the HTTP server alone can do.
pub(crate) fn bare() {
    let app =
        || App::new().route("/hooks/shop", web::post().to(async |_body: Bytes| HttpResponse::Ok().finish()));
    let listener = listener();
    block_on(HttpServer::new(app).listen(listener).unwrap().run());
}

/// One insert a request, each its own durable commit, through a pool on the blocking threads.
pub(crate) fn naive(store: &Path) {
    let manager = SqliteConnectionManager::file(store).with_init(|conn| {
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
    let app = move || App::new().app_data(pool.clone()).route("/hooks/shop", web::post().to(insert));
    let listener = listener();
    block_on(HttpServer::new(app).listen(listener).unwrap().run());
}

async fn insert(body: Bytes, pool: Data<Pool>) -> HttpResponse {
    let insert = move || {
        let body = String::from_utf8_lossy(&body).into_owned();
        pool.get()
            .unwrap()
            .execute("INSERT INTO naive (received_at, body) VALUES (datetime('now'), ?1)", [body])
            .unwrap();
    };
    web::block(insert).await.unwrap();
    HttpResponse::Ok().finish()
}

/// Says where it listens in the words of `countersign serve`.
fn listener() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    eprintln!("listening intake=http://{}", listener.local_addr().unwrap());
    listener
}

fn block_on(server: actix_web::dev::Server) {
    actix_web::rt::System::new().block_on(server).unwrap();
}
