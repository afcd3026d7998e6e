//! The records of one kind in one shop, found by either of their ids.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use super::record::{Record, RecordKind};

/// Records in the order of their ids, because no provider documents the order of its listings.
#[derive(Debug)]
pub(super) struct Shelf<K> {
    records: BTreeMap<String, Record<K>>,
    aliases: HashMap<String, String>,
}

impl<K> Default for Shelf<K> {
    fn default() -> Self {
        Self { records: BTreeMap::new(), aliases: HashMap::new() }
    }
}

impl<K: RecordKind> Shelf<K> {
    pub(super) fn put(&mut self, mut record: Record<K>, now: DateTime<Utc>) {
        record.enter(now);
        let key = K::key(record.fields());
        self.remove(&key);
        if let Some(alias) = K::alias(record.fields()) {
            self.aliases.insert(alias, key.clone());
        }
        self.records.insert(key, record);
    }

    /// Changes a record; false if there is none with this id.
    pub(super) fn edit(
        &mut self,
        key: &str,
        now: DateTime<Utc>,
        change: impl FnOnce(Record<K>) -> Record<K>,
    ) -> bool {
        match self.remove(key) {
            Some(record) => {
                self.put(record.edited(now, change), now);
                true
            }
            None => false,
        }
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<Record<K>> {
        let record = self.records.remove(key)?;
        if let Some(alias) = K::alias(record.fields())
            && self.aliases.get(&alias).is_some_and(|owner| owner == key)
        {
            self.aliases.remove(&alias);
        }
        Some(record)
    }

    /// The record with this id, even if hidden.
    pub(super) fn get(&self, key: &str) -> Option<&Record<K>> {
        self.records.get(key)
    }

    /// The record with this id, if a call that names it sees it.
    pub(super) fn ask(&mut self, key: &str, now: DateTime<Utc>) -> Option<&Record<K>> {
        let record = self.records.get_mut(key)?;
        record.asked(now).then_some(&*record)
    }

    /// The record with this second id, if a call that names it sees it.
    pub(super) fn ask_alias(&mut self, alias: &str, now: DateTime<Utc>) -> Option<&Record<K>> {
        let key = self.aliases.get(alias)?.clone();
        self.ask(&key, now)
    }

    /// All records, including hidden ones.
    pub(super) fn all(&self) -> impl Iterator<Item = &Record<K>> {
        self.records.values()
    }

    pub(super) fn visible(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Record<K>> {
        self.records.values().filter(move |record| record.is_visible(now))
    }
}
