//! How long after its verdict a notification is in the ledger, where nothing else happens.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::simulator::ecwid::Order;
use countersign::simulator::{Simulator, SimulatorOptions};

use crate::postgres::Postgres;
use crate::served::Served;
use crate::{DURABLE, median};

const VERDICTS: u64 = 30;

/// Long enough for everything to be idle again.
const BETWEEN: Duration = Duration::from_millis(1500);

const TOKEN: &str = "secret_bench_token";

/// Measures and prints the table.
pub(crate) fn print() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let shop = simulator.shops().open_ecwid(1003, TOKEN);
    let postgres = Arc::new(Postgres::start_with(&DURABLE));
    let database = postgres.database();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let tables = format!(
        "[verify]\ngrace = \"0s\"\n[sources.shop]\nprovider = \"ecwid-ion\"\nstore_id = 1003\ntoken = \"{TOKEN}\"\n\
         api_base = \"{}\"\n[ledger]\n{}\n",
        simulator.ecwid_base(),
        database.keys("bench")
    );
    let served = Served::start(folder.path(), &tables, &[]);
    served.line(|line| line.contains("connected as writer"));
    let connection = database.connect();
    let mut lags = Vec::new();
    for n in 1..=VERDICTS {
        std::thread::sleep(BETWEEN);
        shop.put_order(Order::new(&format!("o.{n}"), 40_000 + n).paid());
        post(
            served.intake,
            &format!(
                "owner_id=1003&event_type=new_order&date=2014-11-02+09%3A41%3A00&order_id=o.{n}&payment_status=ACCEPTED\
             &fulfillment_status=NEW"
            ),
        );
        let (decided, _) =
            served.line(|line| line.contains(&format!("notification={n} ")) && line.contains(" verdict="));
        let sql = format!("SELECT 1 FROM countersign.notifications WHERE id = {n} AND state = 'confirmed'");
        while connection.rows(&sql).is_empty() {
            assert!(decided.elapsed() < Duration::from_secs(60), "it never comes");
            std::thread::sleep(Duration::from_millis(2));
        }
        lags.push(Instant::now().duration_since(decided).as_secs_f64());
    }
    let worst = lags.iter().copied().fold(0.0, f64::max);
    println!("| verdicts | median s | worst s |");
    println!("|--:|--:|--:|");
    println!("| {VERDICTS} | {:.3} | {worst:.3} |", median(lags));
}

/// Posts a body to the shop's intake.
fn post(intake: SocketAddr, body: &str) {
    let mut stream = TcpStream::connect(intake).unwrap();
    let length = body.len();
    let head = "POST /hooks/shop HTTP/1.1\r\nHost: bench\r\nConnection: close";
    write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
