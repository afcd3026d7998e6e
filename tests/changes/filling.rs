//! A ledger that is new to a file, or has lost something, is filled from the file.

use countersign::domain::shipping::{Fill, LedgerTable, Position};

use super::{Ledger, everything, logging_env};
use crate::news::{about_order, env, order, tell};
use crate::support::TestEnv;

/// An environment whose store holds `count` confirmed orders; its `serve` has ended.
fn stocked(count: u64) -> TestEnv {
    let (env, shop) = env();
    for n in 1..=count {
        shop.put_order(order(n));
    }
    let serve = env.serve();
    for n in 1..=count {
        assert_eq!(serve.post("shop", about_order("order.created", n, "a")).status, 200);
    }
    env.wait_for_value("SELECT count(*) FROM news", &count.to_string());
    assert!(serve.stop().success());
    env
}

#[test]
fn a_filling_goes_in_pieces_says_how_far_it_is_and_ends() {
    let env = stocked(60);
    let mut ledger = Ledger::of(&env, everything());
    ledger.limit.rows = 16;
    assert_eq!(ledger.state().unwrap().filled, Some(0));
    let (mut from, mut shares) = (ledger.connect(), Vec::new());
    while let Some(batch) = ledger.read(&from) {
        assert!(batch.rows.len() <= 16, "{}", batch.rows.len());
        ledger.commit(&batch);
        assert!(ledger.confirm(None));
        from = batch.through;
        shares.extend(ledger.state().unwrap().filled);
    }
    assert!(shares.is_sorted() && shares.len() > 5 && shares.iter().all(|share| *share < 1000), "{shares:?}");
    let state = ledger.state().unwrap();
    assert_eq!((state.filled, state.waiting, from.fill), (None, 0, Fill::done()));
    ledger.equals(&env);
    assert_eq!(ledger.news, (1..=60).collect::<Vec<_>>());
}

#[test]
fn a_batch_is_bounded_by_bytes_and_holds_one_row_at_least() {
    let env = stocked(12);
    let mut ledger = Ledger::of(&env, everything());
    ledger.limit.bytes = 1;
    let sizes = ledger.ship_all();
    assert!(sizes.len() >= 12 * 4 && sizes.iter().all(|size| *size <= 1), "{sizes:?}");
    ledger.equals(&env);
    let mut larger = Ledger::of(&env, everything());
    larger.limit.bytes = 16 * 1024;
    let sizes = larger.ship_all();
    assert!(sizes.len() > 1 && sizes.iter().all(|size| *size < 40), "{sizes:?}");
    larger.equals(&env);
}

#[test]
fn what_the_ledger_committed_and_could_not_tell_of_is_not_shipped_again() {
    let env = stocked(20);
    let mut ledger = Ledger::of(&env, everything());
    ledger.limit.rows = 8;
    let from = ledger.connect();
    let batch = ledger.read(&from).unwrap();
    ledger.commit(&batch);
    assert_eq!(ledger.connect(), batch.through, "the ledger's word counts");
    assert_eq!(ledger.state().unwrap().position, batch.through);
    ledger.ship_all();
    ledger.equals(&env);
}

#[test]
fn a_ledger_that_lost_what_it_confirmed_is_filled_again() {
    let env = stocked(20);
    let mut ledger = Ledger::of(&env, everything());
    ledger.limit.rows = 8;
    let from = ledger.connect();
    let batch = ledger.read(&from).unwrap();
    ledger.commit(&batch);
    assert!(ledger.confirm(None));
    let (older, rows) = (ledger.position.clone(), ledger.rows.clone());
    ledger.ship_all();
    let generation = ledger.state().unwrap().position.generation;
    // A dump is restored.
    (ledger.position, ledger.rows) = (older, rows);
    ledger.news.clear();
    let again = ledger.connect();
    assert_eq!((again.generation, again.notifications), (generation + 1, 0));
    assert_eq!(ledger.connect(), again, "a filling that shipped nothing yet does not begin anew");
    assert_eq!(ledger.state().unwrap().shipped_until, None);
    ledger.ship_all();
    ledger.equals(&env);
    // It lost everything.
    (ledger.position, ledger.rows) = (None, Default::default());
    ledger.news.clear();
    ledger.ship_all();
    ledger.equals(&env);
}

#[test]
fn a_ledger_that_is_ahead_of_an_older_file_is_filled_again() {
    let env = stocked(3);
    let mut ledger = Ledger::of(&env, everything());
    ledger.ship_all();
    let here = ledger.state().unwrap().position;
    ledger.position = Some(Position { notifications: 1000, ..here.clone() });
    assert_eq!(ledger.connect().generation, here.generation + 1);
    ledger.position = Some(Position { generation: here.generation + 5, ..here.clone() });
    ledger.ship_all();
    assert_eq!(
        ledger.state().unwrap().position.generation,
        here.generation + 1,
        "nothing was shipped meanwhile"
    );
}

#[test]
fn a_position_of_an_earlier_filling_ships_nothing_and_confirms_nothing() {
    let env = stocked(3);
    let mut ledger = Ledger::of(&env, everything());
    let from = ledger.connect();
    let batch = ledger.read(&from).unwrap();
    ledger.commit(&batch);
    ledger.configure(Some([].into()));
    assert_eq!(ledger.read(&from), None);
    assert!(!ledger.confirm(None));
    assert_eq!(ledger.state().unwrap().confirmed_at, None);
}

#[test]
fn changes_go_alongside_a_filling() {
    let (env, shop) = logging_env();
    for n in 1..=30 {
        shop.put_order(order(n));
    }
    let serve = env.serve();
    for n in 1..=30 {
        tell(&serve, about_order("order.created", n, "a"), i64::try_from(n).unwrap());
    }
    let mut ledger = Ledger::of(&env, everything());
    // Other columns: the ledger is filled from here on.
    ledger.configure(Some([].into()));
    ledger.configure(Some(everything()));
    ledger.limit.rows = 12;
    let mut from = ledger.connect();
    let first = ledger.read(&from).unwrap();
    ledger.commit(&first);
    assert!(ledger.confirm(None));
    from = first.through;
    assert!(from.notifications >= 1 && from.notifications < 30);
    shop.edit_order("SALE-1", |order| order.payment("REFUNDED"));
    tell(&serve, about_order("order.updated", 1, "b"), 31);
    let second = ledger.read(&from).unwrap();
    let orders: Vec<_> = second.rows.iter().filter(|row| row.table == LedgerTable::Orders).collect();
    assert_eq!(orders.len(), 1, "the change of an order, before its turn in the filling");
    ledger.commit(&second);
    assert!(ledger.confirm(None));
    ledger.ship_all();
    ledger.equals(&env);
}

#[test]
fn what_changes_between_reading_and_confirming_is_shipped_again() {
    let (env, shop) = logging_env();
    shop.put_order(order(1));
    let serve = env.serve();
    let mut ledger = Ledger::of(&env, everything());
    tell(&serve, about_order("order.created", 1, "a"), 1);
    tell(&serve, about_order("order.created", 7, "fake"), 2);
    // First new rows, then rows with an entry in the log.
    for attempt in 1..=2 {
        let batch = ledger.read(&ledger.connect()).unwrap();
        assert!(batch.rows.iter().any(|row| row.table == LedgerTable::Notifications), "{attempt}");
        assert!(env.run(&["retry", "2"]).status.success());
        let verified = format!("{}", attempt + 1);
        env.wait_for_value("SELECT count(*) FROM verifications WHERE notification_id = 2", &verified);
        serve.settled(2);
        ledger.commit(&batch);
        assert!(ledger.confirm(None));
    }
    ledger.ship_all();
    ledger.equals(&env);
    assert!(ledger.ship_all().is_empty());
}

#[test]
fn a_backup_is_another_file_and_begins_anew() {
    let env = stocked(3);
    let mut ledger = Ledger::of(&env, everything());
    ledger.ship_all();
    let copy = env.folder().join("copy.db");
    assert!(env.run(&["backup", copy.to_str().unwrap()]).status.success());
    drop(ledger);
    std::fs::rename(&copy, env.store_path()).unwrap();
    for end in ["-wal", "-shm"] {
        std::fs::remove_file(format!("{}{end}", env.store_path().display())).ok();
    }
    let mut other = Ledger::of(&env, everything());
    assert_eq!(other.connect().notifications, 0);
    other.ship_all();
    other.equals(&env);
}
