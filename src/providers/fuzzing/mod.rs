//! A fuzzer for whatever reads a stranger's or a shop's bytes: the five formats, the signature headers, the APIs' answers.
//!
//! A target begins with the recordings under `data/` and with what earlier runs kept in `data/fuzz/TARGET`. Each input is
//! a mutation of one of them; one with an effect that was not seen before is mutated further. A short run is a part of
//! every `cargo test`; a long one, which also keeps such inputs in the repository:
//!
//! ```text
//! COUNTERSIGN_FUZZ_RUNS=1000000 COUNTERSIGN_FUZZ_KEEP=1 cargo test --release --lib fuzzing -- --nocapture
//! ```

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::Instant;

mod answers;
mod mutation;
mod notifications;
mod signatures;

/// Executions of a target where `COUNTERSIGN_FUZZ_RUNS` asks for no other number.
const RUNS: usize = 1_000;

/// Inputs that a target holds at most: the effect may carry words of the input, and then every input is a new one.
const LARGEST_CORPUS: usize = 300;

/// Longer inputs only make the run slower.
const LONGEST_INPUT: usize = 16 * 1024;

/// Runs `execute` on mutations of `seeds`. It returns in words what the input effected, and panics where a promise is
/// broken.
fn fuzz(target: &str, seeds: Vec<Vec<u8>>, mut execute: impl FnMut(&[u8]) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/fuzz").join(target);
    let mut corpus: Vec<Vec<u8>> = seeds.into_iter().chain(kept(&folder)).collect();
    assert!(!corpus.is_empty(), "{target} has nothing to begin with");
    let mut effects = HashSet::new();
    let mut tried = |input: &[u8]| {
        catch_unwind(AssertUnwindSafe(|| execute(input))).unwrap_or_else(|panic| {
            eprintln!("{target} broke on {:?}", String::from_utf8_lossy(input));
            resume_unwind(panic)
        })
    };
    for input in &corpus {
        effects.insert(tried(input));
    }
    let runs = number("COUNTERSIGN_FUZZ_RUNS").unwrap_or(RUNS);
    let mut random =
        fastrand::Rng::with_seed(u64::try_from(number("COUNTERSIGN_FUZZ_SEED").unwrap_or(1)).unwrap());
    let began = Instant::now();
    let mut found = 0;
    for _ in 0..runs {
        let mut input = mutation::mutate(&corpus, &mut random);
        input.truncate(LONGEST_INPUT);
        if effects.insert(tried(&input)) && corpus.len() < LARGEST_CORPUS {
            found += 1;
            if number("COUNTERSIGN_FUZZ_KEEP").is_some() {
                keep(&folder, &input);
            }
            corpus.push(input);
        }
    }
    let took = began.elapsed().as_secs_f64();
    eprintln!("{target}: {runs} executions in {took:.1} s, {} effects, {found} inputs found", effects.len());
}

fn number(variable: &str) -> Option<usize> {
    std::env::var(variable).ok()?.parse().ok()
}

/// What earlier runs kept, in an order that does not depend on the disk.
fn kept(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

fn keep(folder: &Path, input: &[u8]) {
    std::fs::create_dir_all(folder).unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, input);
    let name: String = digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(folder.join(name), input).unwrap();
}

/// A recording under `data/`.
fn recording(file: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(file)).unwrap()
}

/// An input taken apart: lines `Name: value` before the first empty line, and the body. Without such lines all of it
/// is body.
fn head_and_body(input: &[u8]) -> (Vec<(String, String)>, &[u8]) {
    let Some(at) = input.windows(2).position(|pair| pair == b"\n\n") else { return (Vec::new(), input) };
    let head = String::from_utf8_lossy(&input[..at]);
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    (headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(), &input[at + 2..])
}

/// Words without what an input put into them, so that two inputs with the same effect count as one.
fn plain(words: &str) -> String {
    let unquoted: String = words.split(['"', '`', '\'']).step_by(2).collect();
    unquoted.chars().filter(|c| c.is_ascii_alphabetic() || *c == ' ').take(60).collect()
}
