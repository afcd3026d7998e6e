//! Which file of `src` imports which: an arrow from a file to each other file that defines something it names, behind
//! `use` or in a path. A name that a module only passes on (`pub use`) leads to where it is defined. What a folder's
//! `mod.rs` defines belongs to all files in the folder: they may name it, and that makes no arrow.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The path of a module: `["store", "file", "open"]`; the library itself is empty.
pub(crate) type Module = Vec<String>;

/// A file of `src`.
pub(crate) struct Source {
    pub(crate) module: Module,
    pub(crate) file: PathBuf,
    pub(crate) text: String,
}

impl Source {
    /// The first part of its path.
    pub(crate) fn room(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }

    /// Without comments, and without a module of tests at its end.
    pub(crate) fn code(&self) -> String {
        let lines = self.text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code = lines.collect::<Vec<_>>().join("\n");
        match code.find("\n#[cfg(test)]\nmod tests {") {
            Some(end) => code[..end].to_owned(),
            None => code,
        }
    }
}

pub(crate) fn sources() -> Vec<Source> {
    sources_in("src")
}

/// The Rust files of a folder of this project.
pub(crate) fn sources_in(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut sources = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let file = path.strip_prefix(&root).expect("inside").to_path_buf();
                let parts = file.with_extension("");
                let mut module: Module =
                    parts.iter().map(|part| part.to_string_lossy().into_owned()).collect();
                module.pop_if(|last| last == "mod" || last == "lib");
                sources.push(Source { module, text: fs::read_to_string(&path).expect("text"), file });
            }
        }
    }
    sources
}

/// All arrows.
pub(crate) struct Arrows {
    names: BTreeMap<Module, BTreeMap<String, Vec<String>>>,
    pub(crate) of: BTreeMap<Module, BTreeSet<Module>>,
}

impl Arrows {
    pub(crate) fn read(sources: &[Source]) -> Self {
        let mut arrows = Self { names: BTreeMap::new(), of: BTreeMap::new() };
        let mut named = Vec::new();
        for source in sources {
            let (names, paths) = paths(&source.code());
            arrows.names.insert(source.module.clone(), names);
            named.push((&source.module, paths));
        }
        for (module, paths) in named {
            let found = paths.iter().filter_map(|path| arrows.definition(module, path, 0));
            let found = found.filter(|found| !module.starts_with(found)).collect();
            arrows.of.insert(module.clone(), found);
        }
        arrows
    }

    fn is_module(&self, parent: &[String], name: &str) -> bool {
        self.names.contains_key(&[parent, &[name.to_owned()]].concat())
    }

    /// The module that defines what `path` names in `module`.
    fn definition(&self, module: &[String], path: &[String], depth: usize) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let (mut at, mut rest) = match first.as_str() {
            "crate" | "countersign" => (Vec::new(), rest),
            "self" => (module.to_vec(), rest),
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                (module[..module.len().checked_sub(ups)?].to_vec(), &path[ups..])
            }
            name if self.is_module(module, name) => (module.to_vec(), path),
            name => {
                let passed = self.names.get(module)?.get(name)?;
                let is_new = depth < 10 && passed.first() != Some(first);
                return is_new
                    .then(|| self.definition(module, &[passed, rest].concat(), depth + 1))
                    .flatten();
            }
        };
        while let Some((name, later)) = rest.split_first() {
            if self.is_module(&at, name) {
                at.push(name.clone());
                rest = later;
                continue;
            }
            let passed = self.names.get(&at).and_then(|names| names.get(name));
            let passed = passed.filter(|passed| depth < 10 && passed.first() != Some(name));
            let origin = passed.and_then(|passed| self.definition(&at, &[passed, later].concat(), depth + 1));
            return Some(origin.unwrap_or(at));
        }
        Some(at)
    }

    /// Groups of files that reach each other, one line per file with its arrows inside the group.
    pub(crate) fn circles(&self) -> Vec<String> {
        let reach: BTreeMap<&Module, BTreeSet<&Module>> =
            self.of.keys().map(|module| (module, self.reached_from(module))).collect();
        let mut circles: BTreeSet<BTreeSet<&Module>> = BTreeSet::new();
        for (module, reached) in &reach {
            let circle: BTreeSet<&Module> = reached
                .iter()
                .copied()
                .filter(|other| reach.get(other).is_some_and(|back| back.contains(module)))
                .collect();
            if !circle.is_empty() {
                circles.insert(circle);
            }
        }
        let mut described = Vec::new();
        for circle in circles {
            let mut lines = format!("a circle of {} files", circle.len());
            for module in &circle {
                let inside = self.of[*module].iter().filter(|other| circle.contains(other));
                let inside: Vec<String> = inside.map(|other| other.join("/")).collect();
                write!(lines, "\n  {} -> {}", module.join("/"), inside.join(", ")).expect("text");
            }
            described.push(lines);
        }
        described
    }

    fn reached_from<'a>(&'a self, module: &'a Module) -> BTreeSet<&'a Module> {
        let mut reached = BTreeSet::new();
        let mut left: Vec<&Module> = self.of[module].iter().collect();
        while let Some(next) = left.pop() {
            if reached.insert(next) {
                left.extend(self.of.get(next).into_iter().flatten());
            }
        }
        reached
    }
}

/// The names that `use` brings into a file, each with its path, and the paths that the file names.
fn paths(code: &str) -> (BTreeMap<String, Vec<String>>, Vec<Vec<String>>) {
    let (mut names, mut paths) = (BTreeMap::new(), Vec::new());
    let mut rest = String::new();
    let mut statement: Option<(bool, String)> = None;
    for line in code.lines() {
        let begins = line.trim_start();
        let is_passed_on = begins.starts_with("pub");
        let tree = begins.strip_prefix("pub").map_or(begins, |line| {
            line.strip_prefix('(').and_then(|line| line.split_once(") ")).map_or(line, |(_, line)| line)
        });
        if let Some(tree) = tree.trim_start().strip_prefix("use ") {
            statement = Some((is_passed_on, String::new()));
            add(&mut statement, tree, &mut names, &mut paths);
        } else if statement.is_some() {
            add(&mut statement, begins, &mut names, &mut paths);
        } else {
            rest.push_str(line);
            rest.push('\n');
        }
    }
    let is_of_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    for word in rest.replace("pub(in crate::", "(").split(|c: char| !is_of_path(c)) {
        let path: Vec<String> = word.split("::").map(str::to_owned).collect();
        if path.len() > 1 && !path[0].is_empty() {
            paths.push(path);
        }
    }
    (names, paths)
}

/// Adds a line to a `use` statement, and reads the statement where it ends.
fn add(
    statement: &mut Option<(bool, String)>,
    line: &str,
    names: &mut BTreeMap<String, Vec<String>>,
    paths: &mut Vec<Vec<String>>,
) {
    let Some((is_passed_on, tree)) = statement else { return };
    tree.push_str(line);
    tree.push(' ');
    let Some((tree, _)) = tree.split_once(';') else { return };
    for (path, name) in leaves(tree, &[]) {
        if !*is_passed_on {
            paths.push(path.clone());
        }
        names.insert(name, path);
    }
    *statement = None;
}

/// The paths of a `use` tree, each with the name that it has in the file.
fn leaves(tree: &str, before: &[String]) -> Vec<(Vec<String>, String)> {
    let tree = tree.trim();
    if let Some((start, list)) = tree.split_once('{') {
        let start = start.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned);
        let before: Vec<String> = before.iter().cloned().chain(start).collect();
        let list = list.rsplit_once('}').map_or(list, |(list, _)| list);
        let (mut depth, mut begin, mut found) = (0, 0, Vec::new());
        for (at, c) in list.char_indices().chain([(list.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    found.extend(leaves(&list[begin..at], &before));
                    begin = at + 1;
                }
                _ => {}
            }
        }
        return found;
    }
    let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias)));
    let mut path: Vec<String> = before
        .iter()
        .cloned()
        .chain(path.split("::").map(|part| part.trim().to_owned()))
        .filter(|part| !part.is_empty())
        .collect();
    path.pop_if(|last| last == "self" && !before.is_empty());
    let name = alias.map(|alias| alias.trim().to_owned()).or_else(|| path.last().cloned());
    name.map(|name| (path, name)).into_iter().collect()
}

#[test]
fn paths_of_a_file_are_read_with_aliases_and_lists() {
    let code = "use super::a::{self, B as C, d::{E, F}};\npub(super) use x::Y;\nfn f() { crate::g::h(); }\n";
    let (names, paths) = paths(code);
    let path = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
    let wanted = ["super::a", "super::a::B", "super::a::d::E", "super::a::d::F", "crate::g::h"].map(path);
    assert_eq!(paths, wanted);
    assert_eq!(names["C"], path("super::a::B"));
    assert_eq!(names["Y"], path("x::Y"), "it is passed on, and no arrow");
}

#[test]
fn a_circle_is_seen_through_names_that_are_passed_on() {
    let source = |module: &str, text: &str| Source {
        module: module.split('/').map(str::to_owned).collect(),
        file: PathBuf::new(),
        text: text.to_owned(),
    };
    let files = |c: &str| {
        Arrows::read(&[
            source("a", "mod b;\nmod c;\npub use b::B;\nstruct A;"),
            source("a/b", "use super::{A, c::C};\npub struct B;"),
            source("a/c", c),
        ])
    };
    let tied = files("pub struct C;\nfn f(_: super::B) {}");
    assert_eq!(tied.circles(), ["a circle of 2 files\n  a/b -> a/c\n  a/c -> a/b"]);
    assert_eq!(files("pub struct C;\nfn f(_: super::A) {}").circles(), Vec::<String>::new());
}
