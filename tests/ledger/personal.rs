//! `keep_personal` and `prune` against the ledger.

use super::{Shop, settled, wait_until_shipped};
use crate::support::postgres::{Database, Postgres};
use crate::support::{Request, paid};

const PERSONAL: &str = "SELECT count(*) FROM countersign.notifications
                        WHERE coalesce(remote_addr, content_type, headers::text, body::text) IS NOT NULL";

#[test]
fn prune_leaves_the_ledger_alone_and_keep_personal_empties_what_the_file_forgot() {
    let database = Postgres::shared().database();
    let keys = database.keys("a") + "\ninclude = [\"body\", \"headers\", \"remote_addr\", \"raw\"]";
    let shop = Shop::new().ledger(&keys);
    let serve = shop.serve();
    for id in 1..=3 {
        shop.sell(&serve, u64::try_from(id).unwrap(), id);
    }
    database.wait_for(&settled("a"), "3");
    database.wait_for(PERSONAL, "3");
    assert!(serve.stop().success());
    // All of it came in long ago, and the file forgets one of them.
    let old = "2020-01-01";
    let conn = rusqlite::Connection::open(shop.env.store_path()).unwrap();
    conn.execute_batch(&format!(
        "UPDATE intake SET received_at = '{old}T00:00:00.000Z';
         UPDATE verdicts SET received_at = '{old}T00:00:00.000Z';
         UPDATE orders SET notified_at = '{old}T00:00:00.000Z', fetched_at = '{old}T00:00:00.000Z';
         DELETE FROM intake WHERE id = 2;"
    ))
    .unwrap();
    drop(conn);
    database.connect().run(&format!("UPDATE countersign.notifications SET received_at = '{old}'"));
    let serve = shop.serve();
    database.wait_for("SELECT writer FROM countersign.nodes", "2");
    shop.sell(&serve, 4, 4);
    database.wait_for(&settled("a"), "4");
    assert_eq!(database.value(PERSONAL).as_deref(), Some("4"), "it went without keep_personal");
    assert!(serve.stop().success());
    let shop = shop.store_keys("keep_personal = \"30d\"");
    let serve = shop.serve();
    database.wait_for(PERSONAL, "1");
    database.wait_for("SELECT count(*) FROM countersign.orders WHERE raw IS NOT NULL", "1");
    let verdicts =
        "SELECT count(*) FROM countersign.notifications WHERE state = 'confirmed' AND claim IS NOT NULL";
    assert_eq!(database.value(verdicts).as_deref(), Some("4"), "the verdicts stay");
    let pruned = shop.env.run(&["prune", "--older-than", "30d"]);
    assert!(pruned.status.success(), "{pruned:?}");
    assert_eq!(shop.env.value("SELECT count(*) FROM notifications").as_deref(), Some("1"));
    shop.sell(&serve, 5, 5);
    database.wait_for(&settled("a"), "5");
    assert!(serve.stop().success());
}

#[test]
fn an_undecided_notification_that_max_unproven_removed_is_emptied_there() {
    let database = Postgres::shared().database();
    let keys = database.keys("a") + "\ninclude = [\"body\", \"headers\", \"remote_addr\"]";
    let shop = Shop::new().ledger(&keys);
    let serve = shop.serve();
    for id in 1..=2 {
        let forged = Request::post("/hooks/shop").header("x-forwarded-for", "203.0.113.66");
        assert_eq!(serve.send(&forged.body(paid(1003, &format!("forged.{id}")))).status, 200);
        serve.settled(id);
    }
    assert!(serve.stop().success());
    rusqlite::Connection::open(shop.env.store_path())
        .unwrap()
        .execute_batch(
            "UPDATE intake SET received_at = '2020-01-01T00:00:00.000Z', headers = json_set(headers, '$.x', 1);
             UPDATE verdicts SET received_at = '2020-01-01T00:00:00.000Z', state = 'undecided', reason = 'api_error'",
        )
        .unwrap();
    let serve = shop.serve();
    let undecided = "SELECT count(*) FROM countersign.notifications
                     WHERE state = 'undecided' AND received_at < '2021-01-01' AND body IS NOT NULL";
    database.wait_for(undecided, "2");
    assert!(serve.stop().success());
    let shop = shop.store_keys("max_unproven = 1\nkeep_personal = \"30d\"");
    let serve = shop.serve();
    database.wait_for(PERSONAL, "1");
    let kept = "SELECT string_agg(id || ' ' || state || ' ' || (body IS NOT NULL), ', ' ORDER BY id)
                FROM countersign.notifications";
    assert_eq!(database.value(kept).as_deref(), Some("1 undecided false, 2 undecided true"));
    assert_eq!(shop.env.value("SELECT group_concat(id) FROM notifications").as_deref(), Some("2"));
    assert!(serve.stop().success());
}

/// A shop with an old confirmed notification and an old undecided one, which its file does not have any more, while the
/// ledger `a` holds personal data of both; not serving.
fn forgotten(database: &Database) -> Shop {
    let shop = Shop::new().ledger(&(database.keys("a") + "\ninclude = [\"body\", \"raw\"]"));
    let serve = shop.serve();
    shop.sell(&serve, 1, 1);
    assert_eq!(serve.post("shop", paid(1003, "forged.2")).status, 200);
    serve.settled(2);
    wait_until_shipped(database, "a");
    assert!(serve.stop().success());
    let conn = rusqlite::Connection::open(shop.env.store_path()).unwrap();
    conn.execute_batch("DELETE FROM intake WHERE id = 2").unwrap();
    drop(conn);
    database.connect().run(
        "UPDATE countersign.notifications SET received_at = '2020-01-01';
         UPDATE countersign.notifications SET state = 'undecided' WHERE id = 2;
         UPDATE countersign.orders SET fetched_at = '2020-01-01'",
    );
    shop.store_keys("keep_personal = \"30d\"")
}

#[test]
fn a_writer_that_has_lost_its_node_empties_nothing_there() {
    let database = Postgres::shared().database();
    let shop = forgotten(&database);
    // Another writer takes the node while this one empties the first notification.
    database.connect().run(
        "CREATE FUNCTION countersign.lose() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN UPDATE countersign.nodes SET writer = writer + 1; RETURN NULL; END $$;
         CREATE TRIGGER lose AFTER UPDATE ON countersign.notifications FOR EACH ROW
           WHEN (OLD.body IS NOT NULL AND NEW.body IS NULL) EXECUTE FUNCTION countersign.lose()",
    );
    let serve = shop.serve();
    serve.wait_for_line("it stops", |line| line.contains("another serve with this file's id"));
    let held =
        "SELECT string_agg(id || ' ' || (body IS NOT NULL), ', ' ORDER BY id) FROM countersign.notifications";
    assert_eq!(database.value(held).as_deref(), Some("1 false, 2 true"));
    let orders = "SELECT count(*) FROM countersign.orders WHERE raw IS NOT NULL";
    assert_eq!(database.value(orders).as_deref(), Some("1"));
    assert!(serve.stop().success());
}

#[test]
fn while_many_removed_ones_are_emptied_new_ones_are_shipped() {
    let database = Postgres::shared().database();
    let shop = forgotten(&database);
    // Three pages. The first waits for the test, and the last tells what was shipped until then.
    let gate = database.connect();
    gate.run(
        "INSERT INTO countersign.notifications
           SELECT (jsonb_populate_record(n, jsonb_build_object('id', made))).*
           FROM countersign.notifications n, generate_series(101, 12000) made WHERE n.id = 2;
         CREATE TABLE countersign.shipped (confirmed bigint);
         CREATE FUNCTION countersign.tell() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
           BEGIN
             IF OLD.id = 101 THEN PERFORM pg_advisory_xact_lock(1); END IF;
             IF OLD.id = 12000 THEN
               INSERT INTO countersign.shipped
                 SELECT count(*) FROM countersign.notifications WHERE state = 'confirmed';
             END IF;
             RETURN NULL;
           END $$;
         CREATE TRIGGER tell AFTER UPDATE ON countersign.notifications FOR EACH ROW
           WHEN (OLD.body IS NOT NULL AND NEW.body IS NULL) EXECUTE FUNCTION countersign.tell();
         SELECT pg_advisory_lock(1)",
    );
    let serve = shop.serve();
    let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    database.wait_for(waiting, "1");
    shop.sell(&serve, 3, 3);
    gate.run("SELECT pg_advisory_unlock(1)");
    database.wait_for("SELECT confirmed FROM countersign.shipped", "2");
    database.wait_for(PERSONAL, "1");
    assert!(serve.stop().success());
}
