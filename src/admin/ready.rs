//! Whether the service can do its work: one check for each thing that would stop it, each with its finding in words.

use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::HttpResponse;
use serde::Serialize;

use super::Admin;
use crate::domain::Timestamp;
use crate::store::{self, QueueLength};

/// A larger write-ahead log means that it is never folded back: somebody reads without end, or the disk is too slow.
const LARGEST_WAL: u64 = 256 * 1024 * 1024;

/// A worker that took no turn for so long hangs.
const LONGEST_TURN: Duration = Duration::from_secs(60);

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    /// The names of the checks that are not ok.
    failing: Vec<&'static str>,
    checks: Vec<Check>,
    /// Sources that wait in the store but are no longer configured: nobody asks for them. No failure.
    unconfigured: Vec<Unconfigured>,
}

#[derive(Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    detail: String,
}

#[derive(Serialize)]
struct Unconfigured {
    name: String,
    pending: u64,
}

/// 200 where every check is ok, else 503; the same JSON in both.
pub(super) async fn answer(admin: &Admin) -> HttpResponse {
    let now = admin.clock.now();
    let queues = admin.store.reader().queues().await;
    let (disk, wal) = sizes(admin).await;
    let checks = vec![
        store_writable(admin, now).await,
        store_readable(&queues),
        disk_free(disk, admin.min_free),
        wal_small(wal),
        worker_alive(admin, now),
    ];
    let failing: Vec<&'static str> =
        checks.iter().filter(|check| !check.ok).map(|check| check.name).collect();
    let readiness = Readiness {
        ready: failing.is_empty(),
        failing,
        checks,
        unconfigured: unconfigured(queues.unwrap_or_default(), &admin.sources),
    };
    let mut answer = if readiness.ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    answer.json(readiness)
}

/// Free disk and the size of the write-ahead log. Asked on a thread that may block: a network disk may hang.
async fn sizes(admin: &Admin) -> (Option<u64>, u64) {
    let path = admin.store.path().to_path_buf();
    let asked = actix_web::web::block(move || (store::free_disk(&path), store::wal_size(&path)));
    asked.await.unwrap_or((None, 0))
}

async fn store_writable(admin: &Admin, now: Timestamp) -> Check {
    let name = "store_writable";
    match admin.store.check_writable(now).await {
        Ok(()) => Check { name, ok: true, detail: "a row was written".to_owned() },
        Err(error) => Check { name, ok: false, detail: error.to_string() },
    }
}

fn store_readable(queues: &store::Result<Vec<QueueLength>>) -> Check {
    let name = "store_readable";
    match queues {
        Ok(_) => Check { name, ok: true, detail: "the queues were read".to_owned() },
        Err(error) => Check { name, ok: false, detail: error.to_string() },
    }
}

fn disk_free(free: Option<u64>, min_free: u64) -> Check {
    let name = "disk";
    match free {
        None => Check { name, ok: true, detail: "the system does not tell how much is free".to_owned() },
        Some(free) if free < min_free => {
            let detail = format!("{free} bytes free, less than min_free of {min_free}; intake answers 503");
            Check { name, ok: false, detail }
        }
        Some(free) => Check { name, ok: true, detail: format!("{free} bytes free") },
    }
}

fn wal_small(wal: u64) -> Check {
    let detail = format!("the write-ahead log has {wal} bytes, at most {LARGEST_WAL} are fine");
    Check { name: "wal", ok: wal <= LARGEST_WAL, detail }
}

fn worker_alive(admin: &Admin, now: Timestamp) -> Check {
    let name = "worker";
    let Some(heartbeat) = &admin.heartbeat else {
        return Check { name, ok: true, detail: "not started by --no-worker".to_owned() };
    };
    let silence = now.since(Timestamp::from_millis(heartbeat.load(Ordering::Relaxed)));
    let detail = format!("took its last turn {} s ago", silence.as_secs());
    Check { name, ok: silence <= LONGEST_TURN, detail }
}

fn unconfigured(queues: Vec<QueueLength>, configured: &[String]) -> Vec<Unconfigured> {
    queues
        .into_iter()
        .filter(|queue| queue.pending > 0 && !configured.contains(&queue.source))
        .map(|queue| Unconfigured { name: queue.source, pending: queue.pending })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wal_over_256_mib_is_a_failure() {
        assert!(wal_small(LARGEST_WAL).ok);
        assert!(!wal_small(LARGEST_WAL + 1).ok);
    }

    #[test]
    fn less_free_disk_than_min_free_is_a_failure() {
        assert!(disk_free(Some(10), 10).ok);
        assert!(!disk_free(Some(9), 10).ok);
        assert!(disk_free(None, 10).ok, "what nobody knows stops nobody");
    }
}
