//! One notification on its way through an idle service, and a kill at every single step of it: each commit of the
//! receiver and the worker, before, after and in the midst of being written.

use countersign::simulator::ecwid::Order;

use crate::support::disk::{Disk, Word};
use crate::support::{Request, TestEnv, assert_verdict, paid};

/// Kills at the Nth of `word` for every N up to where the notification passes unharmed; returns how many there were.
fn kill_at_every(word: Word, env: &TestEnv, disk: &Disk, next: &mut u64) -> i64 {
    let store = env.ion_store(1003);
    for n in 1.. {
        *next += 1;
        let order = format!("o.{next}");
        store.put_order(Order::new(&order, *next).paid());
        let serve = env.serve_on(disk);
        let before = env.bodies().len();
        disk.set(word, n);
        let request = Request::post("/hooks/shop").body(paid(1003, &order));
        let answer = request.try_send(serve.intake).ok().map(|answer| answer.status);
        let id = i64::try_from(before).unwrap() + 1;
        let has_died = answer.is_none() || !serve.is_settled_or_dead(id);
        if has_died {
            assert_eq!(serve.end().code(), None, "{word:?} {n}");
            disk.set(word, 0);
        } else {
            disk.set(word, 0);
            assert!(serve.stop().success());
        }
        let stored = env.bodies().len() - before;
        assert!(
            stored == 1 || (stored == 0 && answer.is_none()),
            "{word:?} {n}: {answer:?}, {stored} stored"
        );
        if stored == 1 {
            let serve = env.serve();
            if env.row(id).state == "pending" {
                serve.settled(id);
            }
            assert!(serve.stop().success());
            let row = env.row(id);
            assert_verdict(&row, "confirmed", "match");
            assert_eq!(row.outcomes, ["match"], "{word:?} {n}: settled once: {row:#?}");
        }
        if !has_died {
            return n - 1;
        }
    }
    0
}

#[test]
fn a_kill_at_any_step_from_receipt_to_verdict_loses_nothing_that_was_acknowledged() {
    let env = TestEnv::new().ion_shop("shop", 1003, 0);
    let disk = Disk::new();
    // A first life, so that the store is there.
    assert!(env.serve_on(&disk).stop().success());
    let mut next = 0;
    let mut kills = 0;
    for (word, at_least) in [(Word::KillBeforeSync, 4), (Word::KillAfterSync, 4), (Word::KillAtLogWrite, 8)] {
        let steps = kill_at_every(word, &env, &disk, &mut next);
        assert!(steps >= at_least, "only {steps} steps of {word:?}");
        kills += steps;
    }
    assert_eq!(env.value("PRAGMA integrity_check").as_deref(), Some("ok"));
    println!("steps: {kills} kills, each at another step of one notification");
}
