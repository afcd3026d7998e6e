//! Both sides killed, and connections cut, again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::proxy::Proxy;
use super::{Shop, assert_same, settled};
use crate::support::Serve;
use crate::support::load::Load;
use crate::support::postgres::Postgres;

/// What dies in a round.
#[derive(Clone, Copy, Debug)]
enum Kill {
    First,
    Second,
    Engine,
    /// Of the first node's connections.
    Connections,
    /// The engine commits, and the node never hears of it.
    Answer,
}

const ROUNDS: usize = 50;

/// Acknowledged by each node in a round.
const SOLD: usize = 6;

#[test]
fn two_nodes_and_the_engine_killed_fifty_times_under_load_end_with_the_files_rows() {
    let postgres = Arc::new(Postgres::start());
    let database = postgres.database();
    let proxy = Proxy::new(postgres.addr());
    let shops = [
        Shop::new().ledger(&database.keys_at(&database.url_at(proxy.addr), "a")),
        Shop::new().ledger(&database.keys("b")),
    ];
    let loads = [Load::new(shops[0].env.ion_store(1003)), Load::new(shops[1].env.ion_store(1003))];
    let mut nodes: [Option<Serve>; 2] = [Some(shops[0].serve()), Some(shops[1].serve())];
    database.wait_for("SELECT count(*) FROM countersign.nodes", "2");
    let mut random = fastrand::Rng::with_seed(15);
    let kills = [Kill::First, Kill::Second, Kill::Engine, Kill::Connections, Kill::Answer];
    for round in 0..ROUNDS {
        for (node, (shop, load)) in nodes.iter_mut().zip(shops.iter().zip(&loads)) {
            let serve = node.get_or_insert_with(|| shop.serve());
            let mut acknowledged = 0;
            load.run(serve.intake, 2, |_| {
                acknowledged += 1;
                acknowledged >= SOLD
            });
        }
        match kills[round % kills.len()] {
            Kill::First => nodes[0].take().into_iter().for_each(Serve::kill),
            Kill::Second => nodes[1].take().into_iter().for_each(Serve::kill),
            Kill::Engine => {
                postgres.kill();
                postgres.start_again();
            }
            Kill::Connections => proxy.cut(),
            Kill::Answer => proxy.lose_an_answer_after(random.usize(1..20_000)),
        }
    }
    for ((node, shop), (serve, load)) in ["a", "b"].iter().zip(&shops).zip(nodes.iter_mut().zip(&loads)) {
        let serve = serve.get_or_insert_with(|| shop.serve());
        load.assert_kept(&shop.env.bodies());
        let count = shop.env.rows().len();
        shop.env.wait_for_value(
            "SELECT count(*) FROM notifications WHERE state = 'confirmed'",
            &count.to_string(),
        );
        database.wait_for(&settled(node), &count.to_string());
        let news = format!("SELECT count(*) FROM countersign.news WHERE node = '{node}'");
        database.wait_for(&news, &count.to_string());
        let orders = format!("SELECT count(*) FROM countersign.orders WHERE node = '{node}'");
        database.wait_for(&orders, &count.to_string());
        assert_same(shop, &database, node);
        assert!(count >= ROUNDS * SOLD / 2, "{count}");
        assert!(!serve.log().contains("panicked"), "{}", serve.log());
    }
    println!("ledger: {ROUNDS} kills, {} and {} rows", shops[0].env.rows().len(), shops[1].env.rows().len());
}

#[test]
fn a_serve_that_stops_under_load_loses_no_row_of_the_ledger() {
    let database = Postgres::shared().database();
    let shop = Shop::new().ledger(&database.keys("a"));
    let load = Load::new(shop.env.ion_store(1003));
    let serve = shop.serve();
    let is_enough = AtomicBool::new(false);
    load.run(serve.intake, 4, |_| {
        let settled = serve.log().contains("notification=40 ");
        is_enough.store(settled, Ordering::Relaxed);
        settled
    });
    assert!(is_enough.load(Ordering::Relaxed));
    assert!(serve.stop().success());
    let serve = shop.serve();
    let count = shop.env.rows().len().to_string();
    database.wait_for(&settled("a"), &count);
    assert_same(&shop, &database, "a");
    assert!(serve.stop().success());
}
