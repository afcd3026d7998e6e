//! What is shipped, in which form and in which order.

use std::time::{Duration, Instant};

use super::{Shop, assert_same, assert_silent, compare, settled};
use crate::support::formats::{self, FORMATS, SHOP};
use crate::support::postgres::Postgres;

const ALL: [&str; 7] = ["body", "headers", "remote_addr", "email", "answer", "raw", "verifications"];

#[test]
fn every_table_holds_the_files_rows_and_only_what_is_included_personally() {
    let database = Postgres::shared().database();
    let include = format!("\ninclude = {ALL:?}");
    let env =
        formats::env().action("erp", "command = [\"/bin/true\"]").ledger(&(database.keys("full") + &include));
    let serve = env.serve();
    let mut id = 0;
    for format in FORMATS {
        for body in [format.truth(1207), format.truth(1208), format.truth(1208), "{}{".to_owned()] {
            serve.send(&format.request(body));
            id += 1;
            serve.settled(id);
        }
    }
    assert_eq!(serve.send(&SHOP.request_to("/hooks/shop/no-such-token", "x")).status, 404);
    let encoded = SHOP.request(SHOP.truth(1209)).header("Content-Encoding", "gzip");
    assert_eq!(serve.send(&encoded).status, 415);
    env.wait_for_value("SELECT count(*) FROM deliveries WHERE state = 'waiting'", "0");
    database.wait_for("SELECT position IS NOT NULL FROM countersign.nodes WHERE node = 'full'", "t");
    assert!(serve.stop().success());
    // The next one ships the refusals at once.
    let serve = env.serve();
    database.wait_for("SELECT count(*) FROM countersign.refusals WHERE cause = 'encoding'", "1");
    database.wait_for("SELECT count(*) FROM countersign.deliveries WHERE state <> 'delivered'", "0");
    assert_silent(&serve);
    super::wait_until_shipped(&database, "full");
    compare::assert_same(&env.store_path(), &database.connect(), "full", &ALL);
    let body =
        database.value("SELECT convert_from(body, 'UTF8') FROM countersign.notifications WHERE id = 1");
    assert_eq!(body, Some(FORMATS[0].truth(1207)));
    assert!(serve.stop().success());
    // Less is included from now on: the ledger forgets the rest.
    let env = env.without_ledger().ledger(&database.keys("full"));
    let serve = env.serve();
    database.wait_for(
        "SELECT count(*) FROM countersign.notifications WHERE node = 'full'
           AND coalesce(body::text, headers::text, remote_addr) IS NOT NULL",
        "0",
    );
    database.wait_for(
        "SELECT count(*) FROM countersign.orders WHERE coalesce(raw::text, email) IS NOT NULL",
        "0",
    );
    database.wait_for("SELECT count(*) FROM countersign.verifications WHERE answer IS NOT NULL", "0");
    assert!(serve.stop().success());
}

#[test]
fn what_was_there_before_is_filled_in_and_new_verdicts_come_within_a_second() {
    let database = Postgres::shared().database();
    let shop = Shop::new();
    let serve = shop.serve();
    for n in 1..=50 {
        shop.tell(&serve, n);
    }
    for id in 1..=50 {
        serve.settled(id);
    }
    assert!(serve.stop().success());
    let shop = shop.ledger(&database.keys("a"));
    let serve = shop.serve();
    database.wait_for(&settled("a"), "50");
    database.wait_for("SELECT shipped_until IS NOT NULL FROM countersign.nodes WHERE node = 'a'", "t");
    let began = Instant::now();
    shop.sell(&serve, 51, 51);
    let decided = Instant::now();
    database.wait_for(&settled("a"), "51");
    // On a machine with nothing else to do it is a tenth of a second.
    assert!(decided.elapsed() < Duration::from_secs(10), "{:?} {:?}", decided.elapsed(), began.elapsed());
    database.wait_for("SELECT count(*) FROM countersign.news", "51");
    let fresh =
        "SELECT shipped_until > now() - interval '1 minute' AND shipped_until <= now() + interval '1 second'
                 FROM countersign.nodes";
    database.wait_for(fresh, "t");
    assert_same(&shop, &database, "a");
    let nodes = database.connect().rows("SELECT version, schema_version, writer FROM countersign.nodes");
    assert_eq!(
        nodes,
        [[Some(env!("CARGO_PKG_VERSION").to_owned()), Some("1".to_owned()), Some("1".to_owned())]]
    );
    assert_silent(&serve);
}

#[test]
fn the_views_count_and_name_what_the_files_views_do() {
    let database = Postgres::shared().database();
    let env = formats::env().ledger(&database.keys("v"));
    let serve = env.serve();
    for (id, body) in (1..).zip([SHOP.truth(1207), SHOP.truth(1207), SHOP.truth(9999), "no".to_owned()]) {
        serve.send(&SHOP.request(body));
        serve.settled(id);
    }
    let daily = "SELECT received, confirmed, ignored, fakes, duplicates, pending, undecided FROM ";
    database.wait_for("SELECT sum(confirmed + ignored) FROM countersign.daily", "4");
    let ours: Vec<String> = (0..7)
        .map(|at| {
            let column =
                ["received", "confirmed", "ignored", "fakes", "duplicates", "pending", "undecided"][at];
            env.value(&format!("SELECT {column} FROM daily")).unwrap()
        })
        .collect();
    let theirs = database.connect().rows(&format!("{daily} countersign.daily")).remove(0);
    assert_eq!(theirs.into_iter().flatten().collect::<Vec<_>>(), ours);
    assert_eq!(
        database.value("SELECT string_agg(id::text, ' ') FROM countersign.fakes").as_deref(),
        Some("3")
    );
    assert_eq!(database.value("SELECT count(*) FROM countersign.open").as_deref(), Some("0"));
    assert!(serve.stop().success());
}

#[test]
fn a_reader_that_polls_the_news_sees_them_ascending_and_after_their_notifications() {
    let database = Postgres::shared().database();
    let shop = Shop::new().ledger(&database.keys("n"));
    let serve = shop.serve();
    database.wait_for("SELECT count(*) FROM countersign.nodes", "1");
    let connection = database.connect();
    let mut last = 0;
    let mut seen = 0;
    for n in 1..=60 {
        shop.tell(&serve, n);
        let sql = format!(
            "SELECT w.seq, n.state FROM countersign.news w LEFT JOIN countersign.notifications n
               ON n.node = w.node AND n.id = w.notification_id WHERE w.seq > {last} ORDER BY w.seq"
        );
        for row in connection.rows(&sql) {
            let seq: i64 = row[0].as_ref().unwrap().parse().unwrap();
            assert_eq!(row[1].as_deref(), Some("confirmed"), "news {seq} without its notification");
            assert!(seq > last);
            (last, seen) = (seq, seen + 1);
        }
    }
    database.wait_for("SELECT count(*) FROM countersign.news", "60");
    let missed = format!("SELECT count(*) FROM countersign.news WHERE seq <= {last}");
    assert_eq!(database.value(&missed), Some(seen.to_string()), "some appeared behind the reader's back");
    assert!(serve.stop().success());
}
