//! Beside a running `serve` under load: nothing is lost, nothing refused.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{SHOP, Shop, done, order};

const OLD: u64 = 3000;

/// A shop with [`OLD`] old settled notifications of invented orders.
fn full() -> Shop {
    let shop = Shop::new();
    shop.came_in(100, SHOP, order(77, "e"));
    shop.settle();
    shop.sql(&format!(
        "BEGIN;
         WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {OLD})
         INSERT INTO intake (id, source, provider, received_at, remote_addr, content_type, headers, body)
         SELECT i, source, provider, received_at, remote_addr, content_type, headers, body FROM n, intake WHERE id = 1;
         INSERT INTO verdicts (notification_id, source, received_at, day, sender, event, subject_kind, subject_id, claim,
           claim_key, state, reason, probes_since, decided_at)
         SELECT i.id, v.source, v.received_at, v.day, v.sender, event, subject_kind, subject_id, claim, claim_key || i.id, state,
           reason, probes_since, decided_at FROM intake i, verdicts v WHERE i.id > 1 AND v.notification_id = 1;
         COMMIT;"
    ));
    shop
}

/// Runs `command` while notifications come in without a pause; returns how many were acknowledged.
fn under_load(shop: &Shop, command: &[&str]) -> (String, usize) {
    let serve = shop.env.serve_with(&["--no-worker"]);
    let is_over = AtomicBool::new(false);
    let said = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..4)
            .map(|sender| {
                let (serve, is_over) = (&serve, &is_over);
                scope.spawn(move || {
                    let mut sent = 0;
                    while !is_over.load(Ordering::SeqCst) {
                        let body = order(1, &format!("load-{sender}-{sent}"));
                        assert_eq!(serve.post("shop", body).status, 200);
                        sent += 1;
                    }
                    sent
                })
            })
            .collect();
        let said = done(&shop.env.run(command));
        is_over.store(true, Ordering::SeqCst);
        let sent: usize = senders.into_iter().map(|sender| sender.join().unwrap()).sum();
        (said, sent)
    });
    assert!(serve.stop().success());
    said
}

#[test]
fn prune_removes_everything_old_while_notifications_come_in() {
    let shop = full();
    let (said, sent) = under_load(&shop, &["prune", "--older-than", "90d"]);
    assert_eq!(said, format!("removed {OLD} notifications: 0 confirmed, {OLD} ignored\n"));
    assert!(sent > 0);
    assert_eq!(shop.value("SELECT count(*) FROM notifications"), Some(sent.to_string()));
    assert_eq!(shop.value("SELECT count(*) FROM verifications").as_deref(), Some("0"));
    assert_eq!(shop.value("SELECT fakes FROM daily LIMIT 1"), Some(OLD.to_string()));
}

#[test]
fn a_backup_ends_and_is_consistent_while_notifications_come_in() {
    let shop = full();
    let copy = shop.env.folder().join("copy.db");
    let (said, sent) = under_load(&shop, &["backup", copy.to_str().unwrap()]);
    let held: u64 = said.split("checked it: ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(held >= OLD && held <= OLD + u64::try_from(sent).unwrap(), "{said}");
    let conn = rusqlite::Connection::open(&copy).unwrap();
    let rows: (i64, i64) = conn
        .query_row("SELECT count(*), count(body) FROM notifications", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let held = i64::try_from(held).unwrap();
    assert_eq!(rows, (held, held));
}
