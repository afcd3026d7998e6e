//! Reloads while notifications come in.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use countersign::simulator::ecwid::Order;

use super::edit;
use super::restart::Kept;
use crate::support::{TestEnv, paid};

#[test]
fn reloads_under_load_drop_no_request_and_every_notification_is_settled_once() {
    const RELOADS: usize = 8;
    const BETWEEN: usize = 20;
    let env = TestEnv::new().verify("timeout = \"60s\"").ion_shop_with(
        "shop",
        1003,
        0,
        "rate_limit = \"100000/s\"",
    );
    let env = env.ion_shop("extra", 1004, 20);
    let store = env.ion_store(1003);
    let serve = env.serve();
    let with_extra = std::fs::read_to_string(env.folder().join("countersign.toml")).unwrap();
    let (without_extra, _) = with_extra.split_at(with_extra.find("[sources.extra]").unwrap());
    let (next, is_over, dropped) = (AtomicU64::new(1), AtomicBool::new(false), AtomicU64::new(0));
    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let (tell, store) = (tell.clone(), store.clone());
            let (next, is_over, dropped, to) = (&next, &is_over, &dropped, serve.intake);
            scope.spawn(move || {
                let mut kept = Kept::connect(to).unwrap();
                while !is_over.load(Ordering::Relaxed) {
                    let order = next.fetch_add(1, Ordering::Relaxed);
                    let name = format!("o.{order}");
                    store.put_order(Order::new(&name, order).paid());
                    match kept.post("/hooks/shop", paid(1003, &name).as_bytes()) {
                        Ok(answer) if answer.status == 200 && !answer.closes => tell.send(()).unwrap(),
                        _ => drop(dropped.fetch_add(1, Ordering::Relaxed)),
                    }
                }
            });
        }
        for n in 0..RELOADS {
            assert_eq!(told.iter().take(BETWEEN).count(), BETWEEN);
            let is_there = n % 2 == 1;
            let text = if is_there { with_extra.as_str() } else { without_extra };
            std::fs::write(env.folder().join("countersign.toml"), text).unwrap();
            if n == 4 {
                edit(&env, "[verify]", "[verify]\nconcurrency = 3");
            }
            serve.signal("HUP");
            let is_over = |line: &str| line.ends_with("reloaded the configuration");
            serve.wait_for_lines("it is reloaded", n + 1, is_over);
            let answer = serve.post("extra", paid(1004, &format!("o.{}", n + 1)));
            assert_eq!(answer.status, if is_there { 200 } else { 404 });
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let rows = env.rows();
    let sent = next.load(Ordering::Relaxed) - 1;
    println!(
        "{RELOADS} reloads: sent {sent}, dropped {}, stored {}",
        dropped.load(Ordering::Relaxed),
        rows.len()
    );
    assert_eq!(dropped.load(Ordering::Relaxed), 0);
    assert_eq!(rows.len() as u64, sent + RELOADS as u64 / 2);
    for row in &rows {
        if row.state == "pending" {
            serve.settled(row.id);
        }
        let row = env.row(row.id);
        assert_eq!(
            (row.state.as_str(), row.outcomes.as_slice()),
            ("confirmed", &["match".to_owned()][..]),
            "{row:#?}"
        );
    }
}
