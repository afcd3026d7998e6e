//! The documents are true: links lead somewhere; keys, commands, columns and words exist; shown outputs are printed so.

mod commands;
mod configuration;
mod links;
mod outputs;
mod store;
mod words;

use std::path::{Path, PathBuf};

/// A Markdown file of this repository.
pub(crate) struct Document {
    /// Relative to the repository.
    path: PathBuf,
    text: String,
}

/// A fenced block.
pub(crate) struct Block<'a> {
    pub(crate) language: &'a str,
    pub(crate) text: String,
    /// Where it stands, for a person.
    pub(crate) place: String,
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn document(path: impl AsRef<Path>) -> Document {
    let path = path.as_ref().to_path_buf();
    let text = std::fs::read_to_string(repository().join(&path)).unwrap();
    Document { path, text }
}

/// Every document that people read.
fn all() -> Vec<Document> {
    let in_docs = std::fs::read_dir(repository().join("docs")).unwrap();
    let in_docs = in_docs.map(|entry| Path::new("docs").join(entry.unwrap().file_name()));
    let mut paths: Vec<PathBuf> =
        in_docs.filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    paths.sort();
    paths.extend(["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(PathBuf::from));
    paths.into_iter().map(document).collect()
}

impl Document {
    pub(crate) fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut open: Option<Block<'_>> = None;
        for (index, line) in self.text.lines().enumerate() {
            match (line.trim_start().strip_prefix("```"), &mut open) {
                (Some(language), None) => {
                    let place = format!("{}:{}", self.path.display(), index + 1);
                    open = Some(Block { language, text: String::new(), place });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{} ends within a block", self.path.display());
        blocks
    }

    /// The text without its fenced blocks.
    fn prose(&self) -> String {
        let mut inside = false;
        let mut prose = String::new();
        for line in self.text.lines() {
            let is_fence = line.trim_start().starts_with("```");
            if !inside && !is_fence {
                prose.push_str(line);
                prose.push('\n');
            }
            inside ^= is_fence;
        }
        prose
    }

    /// The cells in column `index` of each table whose first header is `header`.
    fn column(&self, header: &str, index: usize) -> Vec<&str> {
        let mut column: Vec<&str> = Vec::new();
        let mut inside = false;
        for line in self.text.lines() {
            let cells: Option<Vec<&str>> =
                line.strip_prefix('|').map(|row| row.split('|').map(str::trim).collect());
            match cells {
                Some(cells) if inside => column.extend(cells.get(index)),
                Some(cells) => inside = cells.first() == Some(&header),
                None => inside = false,
            }
        }
        column.retain(|cell| !cell.starts_with("---"));
        column
    }
}

/// What stands between single backticks.
fn code_spans(text: &str) -> Vec<&str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}
