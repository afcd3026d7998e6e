//! A disk that fails: nothing is acknowledged that is not stored, nothing is stored twice, `/readyz` says what is wrong, and
//! the service recovers by itself.

mod faults;
mod mounts;
mod shim;

use serde_json::Value;

use crate::support::Serve;

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// What `/readyz` finds wrong; empty where it is ready.
fn failing(serve: &Serve) -> Vec<String> {
    let answer = serve.admin_page("/readyz");
    let page: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let failing: Vec<String> = serde_json::from_value(page["failing"].clone()).expect("names");
    assert_eq!(answer.status == 200, failing.is_empty(), "{page}");
    failing
}
