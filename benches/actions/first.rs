//! From a verdict to the first byte of its news at a target with nothing else to do.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use countersign::service::ServiceOptions;

use crate::env::BenchEnv;
use crate::shops::Shops;
use crate::target::is_whole;

const ORDERS: usize = 200;

/// One order after the other, each with a pause, so that nothing is under way.
pub(crate) fn print() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let action = format!("[actions.erp]\nurl = \"http://{}/news\"\n", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let tell = tell.clone();
            std::thread::spawn(move || take(stream.unwrap(), &tell));
        }
    });
    let shops = Shops::open(ORDERS);
    let env = BenchEnv::new(&shops, 8, &action);
    let service = env.start(ServiceOptions::default());
    let mut waited: Vec<i64> = (0..ORDERS)
        .map(|n| {
            crate::announce(service.intake_addr, n);
            told.recv_timeout(Duration::from_secs(60)).unwrap()
        })
        .collect();
    env.runtime.block_on(service.stop());
    waited.sort_unstable();
    println!("| from a verdict to the first byte at an idle target | ms |\n|---|--:|");
    for (name, per_mille) in [("least", 0), ("median", 500), ("p99", 990), ("worst", 999)] {
        println!("| {name} of {ORDERS} | {} |", waited[ORDERS * per_mille / 1000]);
    }
}

/// Takes requests; tells of each the milliseconds from its news to its first byte.
fn take(mut stream: TcpStream, tell: &mpsc::Sender<i64>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let (mut read, mut first) = (0, None);
        while read == 0 || !is_whole(&buffer[..read]) {
            match stream.read(&mut buffer[read..]) {
                Ok(0) | Err(_) => return,
                Ok(more) => read += more,
            }
            first.get_or_insert_with(SystemTime::now);
        }
        let text = String::from_utf8_lossy(&buffer[..read]);
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        let news = chrono::DateTime::parse_from_rfc3339(body["timestamp"].as_str().unwrap()).unwrap();
        let first = first.unwrap().duration_since(UNIX_EPOCH).unwrap().as_millis();
        if tell.send(i64::try_from(first).unwrap() - news.timestamp_millis()).is_err() {
            return;
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    }
}
