//! What the store tells a ledger: every row as it is at last, whatever changed it and whenever it was read.

mod complete;
mod filling;
mod kept;

use std::collections::BTreeMap;

use countersign::domain::shipping::{
    BatchLimit, Cell, ChangeBatch, Include, Included, LedgerState, LedgerTable, Position,
};
use countersign::domain::{Clock, Timestamp};
use countersign::simulator::ecwid::EcwidStore;
use countersign::store::Store;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

use crate::news::env;
use crate::support::TestEnv;

/// Everything that can be included.
pub(crate) fn everything() -> Include {
    Included::ALL.iter().copied().collect()
}

/// The environment of [`crate::news`], whose configuration has a ledger without an engine: its `serve` keeps the same change
/// log as a [`Ledger`] of everything, and ships nothing.
pub(crate) fn logging_env() -> (TestEnv, EcwidStore) {
    let (env, shop) = env();
    (logging(env), shop)
}

/// With that ledger in the configuration.
pub(crate) fn logging(env: TestEnv) -> TestEnv {
    let all: Vec<&str> = Included::ALL.iter().map(|word| word.as_str()).collect();
    env.ledger(&format!("url = \"postgres://none@127.0.0.1:1/nowhere\"\nnode = \"a\"\ninclude = {all:?}\n"))
}

/// A ledger in memory: it holds what it was told and how far it got, and nothing else.
pub(crate) struct Ledger {
    store: Store,
    runtime: tokio::runtime::Runtime,
    pub(crate) limit: BatchLimit,
    pub(crate) rows: BTreeMap<LedgerTable, BTreeMap<String, Vec<Cell>>>,
    pub(crate) position: Option<Position>,
    /// The seq of each news in the order in which they appeared.
    pub(crate) news: Vec<i64>,
}

impl Ledger {
    /// Makes the store of an environment keep a change log for it.
    pub(crate) fn of(env: &TestEnv, include: Include) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let store = Store::open(&env.store_path()).unwrap();
        let limit = BatchLimit { rows: 1000, bytes: 1 << 20, refusals: true };
        let ledger = Self { store, runtime, limit, rows: BTreeMap::new(), position: None, news: Vec::new() };
        ledger.configure(Some(include));
        ledger
    }

    /// Puts another `[ledger]` in force, or none.
    pub(crate) fn configure(&self, include: Option<Include>) {
        self.runtime.block_on(self.store.keep_change_log(include, now())).unwrap();
    }

    /// What the store knows of it.
    pub(crate) fn state(&self) -> Option<LedgerState> {
        self.runtime.block_on(self.store.reader().ledger()).unwrap()
    }

    /// Connects: where shipping goes on.
    pub(crate) fn connect(&self) -> Position {
        let there = self.position.clone();
        self.runtime.block_on(self.store.resume_shipping(there, now())).unwrap().unwrap()
    }

    /// The next rows; `None` where there are none, or `from` is of an earlier filling.
    pub(crate) fn read(&self, from: &Position) -> Option<ChangeBatch> {
        let batch = self.runtime.block_on(self.store.reader().changes(from.clone(), self.limit)).unwrap();
        batch.filter(|batch| batch.through != *from)
    }

    /// Commits a batch, all of it at once.
    pub(crate) fn commit(&mut self, batch: &ChangeBatch) {
        let mut seen = std::collections::BTreeSet::new();
        for row in &batch.rows {
            assert_eq!(row.cells.len(), row.table.columns().len());
            let key = format!("{:?}", &row.cells[..row.table.key_length()]);
            assert!(seen.insert((row.table, key.clone())), "twice in a batch: {:?} {key}", row.table);
            self.rows.entry(row.table).or_default().insert(key, row.cells.clone());
        }
        for row in batch.rows.iter().filter(|row| row.table == LedgerTable::News) {
            let (Cell::Integer(seq), Cell::Integer(notification)) = (&row.cells[0], &row.cells[3]) else {
                panic!("{row:?}")
            };
            if self.news.last().is_none_or(|last| last < seq) {
                self.news.push(*seq);
            } else {
                assert!(self.news.contains(seq), "news {seq} came after {:?}", self.news.last());
            }
            let told =
                self.rows[&LedgerTable::Notifications].get(&format!("{:?}", [Cell::Integer(*notification)]));
            let state = told.map(|cells| cells[14].clone());
            assert_eq!(state, Some(Cell::Text("confirmed".to_owned())), "news {seq} before its notification");
        }
        self.position = Some(batch.through.clone());
    }

    /// Tells the store what it has committed.
    pub(crate) fn confirm(&self, until: Option<Timestamp>) -> bool {
        let through = self.position.clone().unwrap();
        self.runtime.block_on(self.store.shipped(through, until, now())).unwrap()
    }

    /// Ships until nothing is left; returns the sizes of the batches.
    pub(crate) fn ship_all(&mut self) -> Vec<usize> {
        let mut sizes = Vec::new();
        let mut from = self.connect();
        while let Some(batch) = self.read(&from) {
            self.commit(&batch);
            assert!(self.confirm(batch.through.reaches(&batch.end).then(now)));
            from = batch.through;
            sizes.push(batch.rows.len());
        }
        sizes
    }

    /// The rows of a table by key.
    pub(crate) fn table(&self, table: LedgerTable) -> BTreeMap<String, Vec<Cell>> {
        self.rows.get(&table).cloned().unwrap_or_default()
    }

    /// Asserts that each table of the ledger is the file's.
    #[track_caller]
    pub(crate) fn equals(&self, env: &TestEnv) {
        for table in LedgerTable::ALL {
            let file = in_file(env, *table);
            let ledger = self.table(*table);
            for (key, cells) in &file {
                assert_eq!(ledger.get(key), Some(cells), "{table} {key}");
            }
            let more: Vec<_> = ledger.keys().filter(|key| !file.contains_key(*key)).collect();
            assert!(more.is_empty(), "{table}: {more:?} is not in the file");
        }
    }
}

/// The rows of a table as its owner reads them.
fn in_file(env: &TestEnv, table: LedgerTable) -> BTreeMap<String, Vec<Cell>> {
    let conn = Connection::open_with_flags(env.store_path(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let columns: Vec<&str> = table.columns().iter().map(|column| column.name).collect();
    let mut statement = conn.prepare(&format!("SELECT {} FROM {table}", columns.join(", "))).unwrap();
    let found = statement.query_map([], |row| {
        let cells = (0..columns.len()).map(|at| {
            Ok(match row.get(at)? {
                Value::Null => Cell::Null,
                Value::Integer(number) => Cell::Integer(number),
                Value::Real(number) => Cell::Real(number),
                Value::Text(text) => Cell::Text(text),
                Value::Blob(bytes) => Cell::Bytes(bytes),
            })
        });
        cells.collect::<rusqlite::Result<Vec<_>>>()
    });
    let keyed = |cells: Vec<Cell>| (format!("{:?}", &cells[..table.key_length()]), cells);
    found.unwrap().map(|cells| keyed(cells.unwrap())).collect()
}

pub(crate) fn now() -> Timestamp {
    Clock::system().now()
}
