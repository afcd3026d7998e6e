//! Crashes at the worst moment: nothing is lost, nothing is stuck, everything settles once.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use countersign::simulator::{Fault, Trouble};

use crate::support::{House, Request, assert_verdict, paid};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_kill_between_lease_and_record_loses_nothing_and_everything_settles_once() {
    let house = House::new().verify("timeout = \"60s\"").ion_shop("shop", 1003, 6);
    let shops = house.simulator.shops();
    let held = shops.add_fault(Fault::new(Trouble::Hold));
    let serve = house.serve();
    for n in 1..=6 {
        serve.post("shop", paid(1003, &format!("o.{n}")));
    }
    assert!(shops.wait_for_calls(1, PATIENCE));
    serve.kill();
    assert!(house.rows().iter().all(|row| row.state == "pending"));
    shops.clear_fault(held);
    let serve = house.serve();
    for id in 1..=6 {
        serve.settled(id);
        let row = house.row(id);
        assert_verdict(&row, "confirmed", "match");
        assert_eq!((row.outcomes.len(), row.attempts, row.news), (1, 1, 1), "{row:#?}");
    }
    assert_eq!(house.value("SELECT count(*) FROM verdicts WHERE lease IS NOT NULL").as_deref(), Some("0"));
}

#[test]
fn every_acknowledged_notification_is_there_once_after_each_of_twelve_kills_under_load() {
    const CYCLES: usize = 12;
    const SENDERS: usize = 4;
    const ACKNOWLEDGED_BEFORE_THE_KILL: usize = 40;
    let house = House::new().ion_shop_with("shop", 1003, 0, "rate_limit = \"1000000/min\"");
    let store = house.ion_store(1003);
    let mut acknowledged = BTreeSet::new();
    for cycle in 0..CYCLES {
        let serve = house.serve();
        let intake = serve.intake;
        let (tell, told) = mpsc::channel();
        std::thread::scope(|scope| {
            for sender in 0..SENDERS {
                let (tell, store) = (tell.clone(), store.clone());
                scope.spawn(move || {
                    for n in 0.. {
                        let order = format!("c{cycle}.{sender}.{n}");
                        store.put_order(countersign::simulator::ecwid::Order::new(&order, n).paid());
                        let request = Request::post("/hooks/shop").body(paid(1003, &order));
                        match request.try_send(intake) {
                            Ok(answer) if answer.status == 200 => drop(tell.send(order)),
                            _ => return,
                        }
                    }
                });
            }
            drop(tell);
            acknowledged.extend(told.iter().take(ACKNOWLEDGED_BEFORE_THE_KILL));
            serve.kill();
            acknowledged.extend(told.iter());
        });
        let stored = house.rows();
        let ids: Vec<&str> = stored.iter().filter_map(|row| row.subject_id.as_deref()).collect();
        let distinct: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), distinct.len(), "none is there twice");
    }
    let verify = house.run(&["verify"]);
    assert_eq!(verify.status.code(), Some(0), "{}", String::from_utf8_lossy(&verify.stderr));
    let serve = house.serve();
    let rows = house.rows();
    for row in &rows {
        if row.state == "pending" {
            serve.settled(row.id);
        }
    }
    let rows = house.rows();
    let stored: Vec<&str> = rows.iter().filter_map(|row| row.subject_id.as_deref()).collect();
    for order in &acknowledged {
        assert_eq!(stored.iter().filter(|stored| *stored == order).count(), 1, "{order}");
    }
    assert!(acknowledged.len() >= CYCLES * ACKNOWLEDGED_BEFORE_THE_KILL);
    for row in &rows {
        assert_verdict(row, "confirmed", "match");
        assert_eq!(row.outcomes, ["match"], "settled once: {row:#?}");
    }
    assert_eq!(house.value("PRAGMA integrity_check").as_deref(), Some("ok"));
}

#[test]
fn a_stop_while_an_answer_is_awaited_ends_within_drain_and_the_restart_settles_it_at_once() {
    let house =
        House::new().verify("timeout = \"60s\"").server_keys("drain = \"500ms\"").ion_shop("shop", 1003, 1);
    let shops = house.simulator.shops();
    let held = shops.add_fault(Fault::new(Trouble::Hold));
    let serve = house.serve();
    serve.post("shop", paid(1003, "o.1"));
    assert!(shops.wait_for_calls(1, PATIENCE));
    let begun = Instant::now();
    assert_eq!(serve.stop().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(3), "it took {:?}", begun.elapsed());
    assert_eq!(house.value("SELECT count(*) FROM verdicts WHERE lease IS NOT NULL").as_deref(), Some("0"));
    assert_eq!(house.row(1).state, "pending");
    shops.clear_fault(held);
    let begun = Instant::now();
    let serve = house.serve();
    serve.settled(1);
    assert!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
    assert_verdict(&house.row(1), "confirmed", "match");
}

#[test]
fn a_stop_lets_an_answer_that_comes_within_drain_count() {
    let house = House::new().verify("timeout = \"60s\"").ion_shop("shop", 1003, 1);
    let shops = house.simulator.shops();
    let held = shops.add_fault(Fault::new(Trouble::Hold));
    let serve = house.serve();
    serve.post("shop", paid(1003, "o.1"));
    assert!(shops.wait_for_calls(1, PATIENCE));
    serve.signal("TERM");
    serve.wait_for_line("it stops", |line| line.contains("stop"));
    shops.clear_fault(held);
    assert_eq!(serve.stop().code(), Some(0));
    assert_verdict(&house.row(1), "confirmed", "match");
}
