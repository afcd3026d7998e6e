//! The configuration file as tables that know the line of each key. A [`Section`] collects all mistakes in its table
//! instead of stopping at the first.

use std::ops::Range;

use toml_edit::{Document, Item, TableLike, Value};

use super::entry::{Entry, ShownValue, ValueOrigin};
use super::mistakes::{Mistake, closest, shown};

/// A key that a table accepts: its name, and an example of its value in TOML.
pub(super) type KnownKey = (&'static str, &'static str);

/// The example for every key that names a secret's file.
const FILE_EXAMPLE: &str = "\"/etc/countersign/secret\"";

/// Parses a configuration file. A duplicate key is noted and skipped, so that the rest of the file is checked too.
/// Returns `None` if the file is not TOML.
pub(super) fn parse(text: &str, mistakes: &mut Vec<Mistake>) -> Option<Document<String>> {
    let mut rest = text.to_owned();
    loop {
        let error = match Document::parse(rest.clone()) {
            Ok(document) => return Some(document),
            Err(error) => error,
        };
        let span = error.span().unwrap_or(0..0);
        let line = line_of(&rest, &span);
        let is_twice = error.message() == "duplicate key";
        mistakes.push(if is_twice {
            Mistake {
                line: Some(line),
                key: shown(rest.get(span.clone()).unwrap_or_default()),
                message: "is set here for the second time; keep one of them (e.g. the first)".to_owned(),
            }
        } else {
            Mistake {
                line: Some(line),
                key: String::new(),
                message: format!(
                    "not valid TOML: {}; correct this line (e.g. key = \"text\")",
                    error.message().replace('\n', " ")
                ),
            }
        });
        rest = without_line_of(&rest, &span).filter(|_| is_twice)?;
    }
}

/// The text with the line of the key at `span` emptied; `None` if the key and its value are not exactly one line,
/// because the rest would be misread.
fn without_line_of(text: &str, span: &Range<usize>) -> Option<String> {
    let start = text.get(..span.start)?.rfind('\n').map_or(0, |end| end + 1);
    let (before, rest) = text.split_at(start);
    let (line, after) = rest.split_at(rest.find('\n').unwrap_or(rest.len()));
    let is_header = line.trim_start().starts_with('[');
    (!is_header && Document::parse(line).is_ok()).then(|| format!("{before}{after}"))
}

/// The line in which a span begins, from 1.
fn line_of(text: &str, span: &Range<usize>) -> usize {
    1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count()
}

/// The mistakes and entries that parsing collects besides the settings.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) mistakes: Vec<Mistake>,
    /// The settings in force, in the order of reading.
    pub(super) entries: Vec<Entry>,
}

/// One table of the file; a missing table has no keys.
pub(super) struct Section<'a> {
    path: String,
    line: Option<usize>,
    table: Option<&'a dyn TableLike>,
    known: Vec<(&'static str, String)>,
    text: &'a str,
    notes: &'a mut Notes,
}

impl<'a> Section<'a> {
    /// The top level of the file, which accepts the tables `known`.
    pub(super) fn top(document: &'a Document<String>, known: &[KnownKey], notes: &'a mut Notes) -> Self {
        let table: &dyn TableLike = document.as_table();
        let known = owned(known);
        Self { path: String::new(), line: None, table: Some(table), known, text: document.raw(), notes }
    }

    /// The table `name` below this one, which accepts the keys `known`. A value that is not a table is a mistake, and
    /// counts as a missing table.
    pub(super) fn below(&mut self, name: &str, known: &[KnownKey]) -> Section<'_> {
        let found = self.table.and_then(|table| table.get_key_value(name));
        let table = found.and_then(|(_, item)| item.as_table_like());
        let path = self.path_of(name);
        if found.is_some() && table.is_none() {
            self.note(
                name,
                format!("must be a table; write its name once, and its keys below (e.g. [{path}])"),
            );
        }
        let line = self.line_of_key(name);
        Section { path, line, table, known: owned(known), text: self.text, notes: self.notes }
    }

    /// The line of the table, from 1.
    pub(super) fn line(&self) -> Option<usize> {
        self.line
    }

    /// The keys of the table, in the order of the file.
    pub(super) fn names(&self) -> Vec<String> {
        self.table.map(|table| table.iter().map(|(name, _)| name.to_owned()).collect()).unwrap_or_default()
    }

    /// Whether the file has this table.
    pub(super) fn is_present(&self) -> bool {
        self.table.is_some()
    }

    /// Whether the file has this key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.item(key).is_some()
    }

    /// The value of a key.
    pub(super) fn item(&self, key: &str) -> Option<&'a Item> {
        self.table.and_then(|table| table.get(key))
    }

    pub(super) fn know(&mut self, name: &'static str, example: impl Into<String>) {
        self.known.push((name, example.into()));
    }

    /// Reads a key. `None` if it is missing or wrong; a wrong value is noted with the key's example.
    pub(super) fn read<T>(
        &mut self,
        key: &str,
        reader: impl FnOnce(&Item) -> Result<T, String>,
    ) -> Option<T> {
        let Some(item) = self.item(key) else {
            self.enter(key, ShownValue::Off, ValueOrigin::Default);
            return None;
        };
        match reader(item) {
            Ok(value) => {
                self.enter(key, ShownValue::item(item), ValueOrigin::File { line: self.line_of_key(key) });
                Some(value)
            }
            Err(wrong) => {
                self.blame(key, &wrong);
                None
            }
        }
    }

    /// Reads a key with a default, which is given in TOML.
    pub(super) fn read_or<T>(
        &mut self,
        key: &str,
        default: &str,
        reader: impl Fn(&Item) -> Result<T, String>,
    ) -> Option<T> {
        if self.has(key) {
            return self.read(key, reader);
        }
        self.enter(key, ShownValue::default(default), ValueOrigin::Default);
        let value = default.parse::<Value>().map_err(|error| error.to_string());
        let read = value.and_then(|value| reader(&Item::Value(value)));
        read.map_err(|wrong| self.blame(key, &wrong)).ok()
    }

    /// Reads a key that holds a secret or names its file, without entering its value.
    pub(super) fn read_secret<T>(
        &mut self,
        key: &str,
        reader: impl FnOnce(&Item) -> Result<T, String>,
    ) -> Option<T> {
        match reader(self.item(key)?) {
            Ok(secret) => Some(secret),
            Err(wrong) => {
                self.blame(key, &wrong);
                None
            }
        }
    }

    /// Enters the value in force of a key, replacing an earlier one.
    pub(super) fn enter(&mut self, key: &str, value: ShownValue, origin: ValueOrigin) {
        let key = self.path_of(key);
        match self.notes.entries.iter_mut().find(|entry| entry.key == key) {
            Some(entry) => (entry.value, entry.origin) = (value, origin),
            None => self.notes.entries.push(Entry { key, value, origin }),
        }
    }

    /// Enters a key's value with its origin.
    pub(super) fn enter_as(&mut self, key: &str, value: &str) {
        let key = self.path_of(key);
        if let Some(entry) = self.notes.entries.iter_mut().find(|entry| entry.key == key) {
            entry.value = ShownValue::Value(value.into());
        }
    }

    /// Notes a mistake in a key, with its example.
    pub(super) fn blame(&mut self, key: &str, wrong: &str) {
        let example = self.example(key).map(|example| format!(" (e.g. {example})")).unwrap_or_default();
        self.note(key, format!("{wrong}{example}"));
    }

    /// A valid line for a key.
    pub(super) fn example(&self, key: &str) -> Option<String> {
        let known = self.known.iter().find(|(name, _)| *name == key).map(|(_, example)| example.as_str());
        let example = known.or_else(|| key.ends_with("_file").then_some(FILE_EXAMPLE))?;
        // The example of a table is its name.
        Some(if example.is_empty() { format!("[{key}]") } else { format!("{key} = {example}") })
    }

    /// Notes a mistake in a key at its line, or at the line of the table if the key is missing.
    pub(super) fn note(&mut self, key: &str, message: String) {
        let line = self.line_of_key(key).or(self.line);
        self.notes.mistakes.push(Mistake { line, key: self.path_of(key), message });
    }

    /// Notes a mistake in the table as a whole.
    pub(super) fn note_itself(&mut self, message: &str) {
        self.notes.mistakes.push(Mistake {
            line: self.line,
            key: self.path.clone(),
            message: message.to_owned(),
        });
    }

    /// Notes a mistake in a value that does not come from the file.
    pub(super) fn note_outside(&mut self, key: &str, message: String) {
        self.notes.mistakes.push(Mistake { line: None, key: self.path_of(key), message });
    }

    /// Notes every unknown key. Keys in `also` are accepted but not suggested. An explanation by `explain` replaces
    /// the guess at the key that was meant.
    pub(super) fn refuse_unknown(
        &mut self,
        also: &[String],
        explain: impl Fn(&str, &Item) -> Option<String>,
    ) {
        let known: Vec<&'static str> = self.known.iter().map(|(name, _)| *name).collect();
        for name in self.names() {
            let Some(item) = self.item(&name) else { continue };
            if known.contains(&name.as_str()) || also.contains(&name) {
                continue;
            }
            let words = known.iter().copied().chain(also.iter().map(String::as_str));
            let message = explain(&name, item).unwrap_or_else(|| {
                let meant = closest(&name, words);
                let right = meant.or(known.first().copied()).unwrap_or_default();
                let example = self.example(right).unwrap_or_else(|| format!("{right} = \"…\""));
                match meant {
                    Some(meant) => format!("unknown {}; did you mean {meant}? (e.g. {example})", thing(item)),
                    None => {
                        let known = known.join(", ");
                        format!("unknown {}; remove it, or use one of {known} (e.g. {example})", thing(item))
                    }
                }
            });
            self.note(&name, message);
        }
    }

    /// The number of mistakes so far, in the whole file.
    pub(super) fn mistakes(&self) -> usize {
        self.notes.mistakes.len()
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { shown(key) } else { format!("{}.{}", self.path, shown(key)) }
    }

    /// The line of a key, from 1.
    pub(super) fn line_of_key(&self, key: &str) -> Option<usize> {
        let (key, item) = self.table?.get_key_value(key)?;
        key.span().or(item.span()).map(|span| line_of(self.text, &span))
    }
}

fn owned(known: &[KnownKey]) -> Vec<(&'static str, String)> {
    known.iter().map(|(name, example)| (*name, (*example).to_owned())).collect()
}

fn thing(item: &Item) -> &'static str {
    if item.is_table() || item.is_array_of_tables() { "table" } else { "key" }
}
