use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::outputs::demo;
use super::{all, code_spans, document};

fn open() -> Connection {
    Connection::open_with_flags(&demo().store, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// The queries in this one are the ledger's.
const OF_THE_LEDGER: &str = "docs/scaling.md";

/// Every query in the documents, with its place: blocks of SQL, and what is handed to sqlite3.
fn queries() -> Vec<(String, String)> {
    let mut queries = Vec::new();
    for document in all().into_iter().filter(|document| document.path != Path::new(OF_THE_LEDGER)) {
        for block in document.blocks() {
            if block.language == "sql" {
                queries.push((block.place.clone(), block.text.clone()));
            }
            let handed = block.text.lines().filter(|line| line.contains("sqlite3 "));
            let handed =
                handed.filter_map(|line| line.split(['\'', '"']).find(|part| part.starts_with("SELECT ")));
            queries.extend(handed.map(|sql| (block.place.clone(), sql.to_owned())));
        }
        let prose = document.prose();
        let spans = code_spans(&prose).into_iter().filter(|span| span.starts_with("SELECT "));
        queries.extend(spans.map(|sql| (document.path.display().to_string(), sql.to_owned())));
    }
    queries
}

#[test]
fn every_query_in_the_documents_finds_rows_in_the_store_of_the_demo() {
    let conn = open();
    let queries = queries();
    for (place, sql) in &queries {
        let mut statement =
            conn.prepare(sql.trim_end().trim_end_matches(';')).unwrap_or_else(|e| panic!("{place}: {e}"));
        let found = statement.query_map([], |_| Ok(())).unwrap().map(Result::unwrap).count();
        // Nothing stays open in the demo.
        assert_eq!(found > 0, !sql.contains("FROM open"), "{place}: {sql}");
    }
    assert!(queries.len() >= 6, "{queries:?}");
}

#[test]
fn every_column_that_the_documents_promise_exists() {
    let text = document("docs/store.md").text;
    let lists = text.split("\n- `").skip(1).filter_map(|item| item.split("\n\n").next()?.split_once("`: "));
    let mut listed = BTreeMap::new();
    for (table, columns) in lists {
        // What is said about a column follows the list.
        let columns = columns.split(['.', ';']).next().unwrap();
        listed.insert(table, code_spans(columns));
    }
    let conn = open();
    for (table, columns) in &listed {
        let mut statement = conn.prepare("SELECT name FROM pragma_table_info(?1)").unwrap();
        let found = statement.query_map([table], |row| row.get::<_, String>(0)).unwrap();
        let found: Vec<String> = found.map(Result::unwrap).collect();
        let missing: Vec<_> =
            columns.iter().filter(|column| !found.contains(&(**column).to_owned())).collect();
        assert!(missing.is_empty() && !columns.is_empty(), "{table}: {missing:?}");
    }
    assert_eq!(listed.len(), 8, "{listed:?}");
}
