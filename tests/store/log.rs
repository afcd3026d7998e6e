//! The write-ahead log after a reader that kept it from being copied.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;

use crate::support::formats::{self, SHOP};
use crate::support::{Serve, TestEnv};

const PATIENCE: Duration = Duration::from_secs(60);

fn log_size(env: &TestEnv) -> u64 {
    std::fs::metadata(env.folder().join("countersign.db-wal")).unwrap().len()
}

/// The checks that are not ok, asked until they are these.
#[track_caller]
fn becomes(serve: &Serve, failing: &[&str]) -> Value {
    let began = Instant::now();
    loop {
        let answer = serve.admin_page("/readyz");
        let readiness: Value = serde_json::from_str(&answer.text()).unwrap();
        if readiness["failing"] == Value::from(failing) {
            assert_eq!(answer.status, if failing.is_empty() { 200 } else { 503 });
            return readiness;
        }
        assert!(began.elapsed() < PATIENCE, "{readiness}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn the_log_is_copied_by_itself_after_a_long_reader_and_gives_its_disk_back() {
    const BODY: usize = 4 << 20;
    let env = formats::env().server_keys("max_body = \"4MiB\"");
    let serve = env.serve_with(&["--no-worker"]);
    let reader = Connection::open(env.store_path()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM intake;").unwrap();
    let body = vec![b'x'; BODY];
    for _ in 0..75 {
        assert_eq!(serve.post("shop", body.clone()).status, 200);
    }
    assert!(log_size(&env) > 256 << 20);
    let readiness = becomes(&serve, &["wal"]);
    assert!(readiness.to_string().contains("are not checkpointed"), "{readiness}");
    reader.execute_batch("COMMIT").unwrap();
    becomes(&serve, &[]);
    assert_eq!(serve.send(&SHOP.request(SHOP.truth(1207))).status, 200);
    assert!(log_size(&env) <= 64 << 20, "{}", log_size(&env));
}
