//! The queries of docs/scaling.md.

use super::wait_until_shipped;
use crate::documents::document;
use crate::support::formats::{self, SHOP};
use crate::support::postgres::Postgres;

/// A query with what Grafana and the reader put in.
fn completed(sql: &str) -> String {
    sql.replace("$__timeGroupAlias(received_at, '1h')", "date_trunc('hour', received_at) AS \"time\"")
        .replace("$__timeFilter(received_at)", "received_at > now() - interval '1 day'")
        .replace(":node", "'a'")
        .replace(":last", "0")
}

#[test]
fn every_query_about_the_ledger_in_the_documents_finds_rows_there() {
    let database = Postgres::shared().database();
    let env = formats::env().ledger(&database.keys("a"));
    let serve = env.serve();
    for (id, body) in (1..).zip([SHOP.truth(1207), SHOP.truth(9999)]) {
        serve.send(&SHOP.request(body));
        serve.settled(id);
    }
    wait_until_shipped(&database, "a");
    let scaling = document("docs/scaling.md");
    let blocks = scaling.blocks();
    let queries: Vec<_> = blocks.iter().filter(|block| block.language == "sql").collect();
    let connection = database.connect();
    for block in &queries {
        let found = connection.rows(&completed(&block.text));
        // Nothing stays open.
        assert_eq!(!found.is_empty(), !block.text.contains("countersign.open"), "{}", block.place);
    }
    assert!(queries.len() >= 5);
    assert!(serve.stop().success());
}
