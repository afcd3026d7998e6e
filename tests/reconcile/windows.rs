//! Where a run begins and ends, and how it ends for scripts.

use chrono::{DateTime, TimeDelta, Utc};
use countersign::simulator::ecwid::Order;

use super::{Run, ecwid_env, reconcile, reconcile_all};

#[test]
fn without_choices_a_run_covers_everything_since_the_last_complete_one() {
    let (env, shop) = ecwid_env();
    shop.put_order(Order::new("BEFORE", 1000).paid().updated_at(Utc::now() - TimeDelta::hours(1)));
    let serve = env.serve();
    let first_served = env.value("SELECT first_served_at FROM sources").unwrap();
    shop.put_order(Order::new("SALE-1", 1001).paid());
    let first = reconcile_all(&env, &[]);
    assert_eq!(first.findings("shop"), ["missed SALE-1 - PAID/AWAITING_PROCESSING"]);
    assert_eq!(first.report["from"], first_served.as_str());
    let second = reconcile_all(&env, &["--recover"]);
    assert_eq!(instant(&second, "from"), instant(&first, "to") - TimeDelta::hours(6), "windows overlap");
    let chosen = reconcile(&env, &[]);
    let third = reconcile_all(&env, &[]);
    let overlapping = instant(&second, "to") - TimeDelta::hours(6);
    assert_eq!(instant(&third, "from"), overlapping, "a run with choices moves nothing: {chosen:#?}");
    drop(serve);
}

fn instant(run: &Run, end: &str) -> DateTime<Utc> {
    run.report[end].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_chosen_window_is_the_one_that_is_asked_for() {
    let (env, shop) = ecwid_env();
    env.serve().stop();
    for (order_id, internal_id, day) in
        [("JAN-1", 1, "2026-01-01"), ("JAN-2", 2, "2026-01-02"), ("JAN-4", 4, "2026-01-04")]
    {
        let at = format!("{day}T12:00:00Z").parse().unwrap();
        shop.put_order(Order::new(order_id, internal_id).paid().updated_at(at));
    }
    let run = reconcile_all(&env, &["--from", "2026-01-02", "--to", "2026-01-03T00:00:00Z"]);
    assert_eq!(run.findings("shop"), ["missed JAN-2 - PAID/AWAITING_PROCESSING"]);
    assert_eq!(
        (&run.report["from"], &run.report["to"]),
        (&"2026-01-02T00:00:00.000Z".into(), &"2026-01-03T00:00:00.000Z".into())
    );
    assert_eq!(env.value("SELECT count(*) FROM reconciliations").as_deref(), Some("0"));
}

#[test]
fn the_window_ends_a_grace_before_now() {
    let (env, shop) = ecwid_env();
    let env = env.verify("grace = \"30m\"");
    env.serve().stop();
    let minutes = |minutes| Utc::now() - TimeDelta::minutes(minutes);
    shop.put_order(Order::new("EARLY", 1).paid().updated_at(minutes(40)));
    shop.put_order(Order::new("LATE", 2).paid().updated_at(minutes(20)));
    assert_eq!(reconcile(&env, &[]).findings("shop"), ["missed EARLY - PAID/AWAITING_PROCESSING"]);
}

#[test]
fn wrong_usage_a_missing_store_and_a_missing_configuration_end_as_they_should() {
    let (env, _shop) = ecwid_env();
    let code = |arguments: &[&str]| env.run(&[&["reconcile"], arguments].concat()).status.code();
    assert_eq!(code(&[]), Some(1), "there is no store");
    env.serve().stop();
    assert_eq!(code(&[]), Some(0));
    for wrong in [
        &["--source", "nobody"][..],
        &["--from", "2026-01-02", "--to", "2026-01-01"],
        &["--since", "1h", "--from", "2026-01-01"],
        &["--recheck", "soon"],
        &["--since", "yesterday"],
        &["--format", "xml"],
    ] {
        assert_eq!(code(wrong), Some(2), "{wrong:?}");
    }
}

#[test]
fn one_source_can_be_chosen() {
    let (env, shop) = ecwid_env();
    let lines = super::ecwid_lines(&env);
    let env = env.source("twin", &lines);
    env.serve().stop();
    shop.put_order(Order::new("SALE-1", 1001).paid());
    let run = reconcile_all(&env, &["--source", "twin"]);
    assert_eq!(run.report["sources"].as_array().unwrap().len(), 1);
    assert_eq!(run.findings("twin"), ["missed SALE-1 - PAID/AWAITING_PROCESSING"]);
    assert_eq!(env.value("SELECT count(*) FROM reconciliations").as_deref(), Some("0"));
}

#[test]
fn the_report_can_be_put_into_a_file() {
    let (env, shop) = ecwid_env();
    env.serve().stop();
    shop.put_order(Order::new("SALE-1", 1001).paid());
    let file = env.folder().join("report.json");
    std::fs::write(&file, "yesterday's").unwrap();
    let done =
        env.run(&["reconcile", "--since", "1h", "--format", "json", "--output", file.to_str().unwrap()]);
    assert_eq!((done.status.code(), done.stdout.len()), (Some(3), 0));
    let written = std::process::Output { stdout: std::fs::read(&file).unwrap(), ..done };
    assert_eq!(Run::of(&written).findings("shop"), ["missed SALE-1 - PAID/AWAITING_PROCESSING"]);
}

#[test]
fn what_was_last_told_survives_the_notifications() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    super::sell_and_tell(&shop, &serve, "SAME", 1001);
    super::sell_and_tell(&shop, &serve, "DRIFT", 1002);
    super::sell_and_tell(&shop, &serve, "GONE", 1003);
    for id in 1..=3 {
        serve.settled(id);
    }
    serve.stop();
    let conn = rusqlite::Connection::open(env.store_path()).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = ON; DELETE FROM intake; DELETE FROM verdicts;").unwrap();
    shop.edit_order("DRIFT", |order| order.payment("REFUNDED"));
    shop.vanish_order("GONE");
    let run = reconcile(&env, &[]);
    assert_eq!(
        run.findings("shop"),
        [
            "drift DRIFT PAID/AWAITING_PROCESSING REFUNDED/AWAITING_PROCESSING",
            "vanished GONE PAID/AWAITING_PROCESSING -"
        ]
    );
}
