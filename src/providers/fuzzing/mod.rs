//! A fuzzer for all code that reads a stranger's or a shop's bytes: the five formats, the signature headers, the APIs'
//! answers.
//!
//! A target begins with the recordings under `data/` and with its corpus, `data/fuzz/TARGET`. Each input is a mutation of
//! one of them: of its replies, header lines, JSON values or bytes. One with an effect that was not seen before is mutated
//! further. A short run is a part of every `cargo test`, the whole corpus included. How to fuzz longer, with arithmetic
//! checked and another seed each time:
//!
//! ```text
//! COUNTERSIGN_FUZZ_RUNS=1000000 COUNTERSIGN_FUZZ_SEED=7 CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true \
//!   cargo test --release --lib fuzzing:: -- --nocapture --test-threads 1
//! ```
//!
//! One target goes by its test's name, e.g. `fuzzing::notifications::any_ion_is_read`. An input that breaks a promise is
//! written to `target/fuzz/TARGET` and moves to the corpus with the mend. `COUNTERSIGN_FUZZ_KEEP=1` adds what had a new
//! effect to the corpus: choose among it before it is committed, the folder is to stay small.
//!
//! - `mutation`, `json`: one input out of another;
//! - `conversation`: an API in the network's place that says what an input makes it say, call by call;
//! - `notifications`, `signatures`, `answers`, `lists`: the targets, and the promises about each.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

mod answers;
mod bytes;
mod conversation;
mod json;
mod lists;
mod mutation;
mod notifications;
mod signatures;

/// Every target; each has a folder of this name under `data/fuzz`.
const TARGETS: [&str; 16] = [
    "answers-ecwid",
    "answers-ecwid-ion",
    "answers-kinguin",
    "answers-kinguin-postback",
    "answers-midas",
    "answers-midas-signed",
    "ecwid",
    "ecwid-ion",
    "kinguin",
    "kinguin-postback",
    "lists-ecwid",
    "lists-kinguin",
    "midas",
    "signature-ecwid",
    "signature-kinguin",
    "signature-midas",
];

/// Executions of a target where `COUNTERSIGN_FUZZ_RUNS` asks for no other number.
const RUNS: usize = 1_000;

/// Inputs that a target holds at most: the effect may carry words of the input, and then every input is a new one.
const LARGEST_POOL: usize = 400;

/// Longer inputs only make the run slower.
const LONGEST_INPUT: usize = 16 * 1024;

/// No input of that length may keep a reader busy for so long, on a busy machine and unoptimised.
const LONGEST_EXECUTION: Duration = Duration::from_secs(10);

/// The corpus is read by people and cloned with the code.
const LARGEST_CORPUS: (usize, usize) = (400, 1024 * 1024);

/// Runs `execute` on the corpus and on mutations of it and of `seeds`. It returns in words what the input effected, several
/// effects with semicolons between, and panics where a promise is broken. Each word of `reached` must turn up in one of the
/// effects: otherwise the target's promises are never tested.
fn fuzz(target: &str, reached: &[&str], seeds: Vec<Vec<u8>>, mut execute: impl FnMut(&[u8]) -> String) {
    assert!(TARGETS.contains(&target), "{target} is not among the targets");
    let folder = corpus().join(target);
    let kept = kept(&folder);
    let keeps = number("COUNTERSIGN_FUZZ_KEEP").is_some();
    assert!(keeps || !kept.is_empty(), "{} is empty or not there", folder.display());
    let true_ones = seeds.len();
    let mut pool: Vec<Vec<u8>> = seeds.into_iter().chain(kept).collect();
    let mut effects = HashSet::new();
    let mut slowest = Duration::ZERO;
    let mut tried = |input: &[u8]| {
        let mut timed = || {
            let began = Instant::now();
            (execute(input), began.elapsed())
        };
        let judged = catch_unwind(AssertUnwindSafe(|| {
            // Where the machine was busy elsewhere, the second time is short.
            let (effect, took) =
                Some(timed()).filter(|(_, took)| *took < LONGEST_EXECUTION).unwrap_or_else(timed);
            assert!(took < LONGEST_EXECUTION, "twice too slow, {took:?}");
            (effect, took)
        }));
        let (effect, took) = judged.unwrap_or_else(|panic| {
            let file = keep(&Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fuzz").join(target), input);
            eprintln!("{target} broke on {}: {:?}", file.display(), String::from_utf8_lossy(input));
            resume_unwind(panic)
        });
        slowest = slowest.max(took);
        effect
    };
    for input in &pool {
        add(&mut effects, &tried(input));
    }
    let runs = number("COUNTERSIGN_FUZZ_RUNS").unwrap_or(RUNS);
    let seed = number("COUNTERSIGN_FUZZ_SEED").unwrap_or(1);
    let mut random = fastrand::Rng::with_seed(u64::try_from(seed).unwrap());
    let began = Instant::now();
    for _ in 0..runs {
        let mut input = mutation::mutate(&pool, true_ones, &mut random);
        input.truncate(LONGEST_INPUT);
        if add(&mut effects, &tried(&input)) && pool.len() < LARGEST_POOL {
            if keeps {
                keep(&folder, &input);
            }
            pool.push(input);
        }
    }
    let took = began.elapsed().as_secs_f64();
    for word in reached {
        assert!(effects.iter().any(|effect| effect.contains(word)), "{target} reaches no {word}");
    }
    eprintln!(
        "{target}: {runs} executions of seed {seed} in {took:.1} s, {} effects, the slowest took {slowest:?}",
        effects.len()
    );
}

/// Adds the effects of one input, each up to a semicolon; whether one of them is new.
fn add(effects: &mut HashSet<String>, effect: &str) -> bool {
    effect.split(';').filter(|one| effects.insert((*one).to_owned())).count() > 0
}

fn number(variable: &str) -> Option<usize> {
    std::env::var(variable).ok()?.parse().ok()
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/fuzz")
}

/// The corpus of a target, in an order that does not depend on the disk.
fn kept(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Writes an input to a file that bears its digest for a name.
fn keep(folder: &Path, input: &[u8]) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, input);
    let name: String = digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let file = folder.join(name);
    std::fs::write(&file, input).unwrap();
    file
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

/// The JSON of a body, parsed without the code under test: every lone surrogate, and a pair too, is U+FFFD, as is what is
/// not UTF-8. No recording holds either, so that a value with one equals none that is promised.
fn readable(body: &[u8]) -> Value {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = String::from_utf8_lossy(body);
    let text = text.trim_end_matches(|c: char| c == '\0' || c.is_ascii_whitespace());
    let mut pieces = text.split("\\\\").map(|piece| {
        let mut units = piece.split("\\u");
        let mut whole = units.next().unwrap_or_default().to_owned();
        for unit in units {
            let is_surrogate = unit.get(..2).is_some_and(|high| {
                ["d8", "d9", "da", "db", "dc", "dd", "de", "df"].contains(&high.to_lowercase().as_str())
            });
            whole += &if is_surrogate {
                format!("\\ufffd{}", unit.get(4..).unwrap_or_default())
            } else {
                format!("\\u{unit}")
            };
        }
        whole
    });
    let first = pieces.next().unwrap_or_default();
    serde_json::from_str(&pieces.fold(first, |whole, piece| whole + "\\\\" + &piece)).unwrap_or_default()
}

/// Words without what an input put into them, so that two inputs with the same effect count as one.
fn plain(words: &str) -> String {
    let unquoted: String = words.split(['"', '`', '\'']).step_by(2).collect();
    unquoted.chars().filter(|c| c.is_ascii_alphabetic() || *c == ' ').take(60).collect()
}

/// Asserts that a sentence of ours about a stranger's values is short and obeyed by no terminal.
fn assert_fit_for_a_line(words: &str) {
    assert!(words.len() < 1000 && !words.contains(char::is_control), "{words:?}");
}

#[test]
fn each_target_has_a_corpus_and_all_of_it_is_small() {
    let folders = std::fs::read_dir(corpus()).unwrap().flatten().filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, TARGETS);
    let inputs: Vec<Vec<u8>> = names.iter().flat_map(|name| kept(&corpus().join(name))).collect();
    let bytes: usize = inputs.iter().map(Vec::len).sum();
    assert!(
        inputs.len() <= LARGEST_CORPUS.0 && bytes < LARGEST_CORPUS.1,
        "{} of {bytes} bytes",
        inputs.len()
    );
}
