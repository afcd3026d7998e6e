//! A disk that fails, is slow, fills up or loses its power on demand, and a clock that jumps, for the real binary: a
//! small C library, built once per run and preloaded, that reads its settings from a mapped file.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

/// A setting of the library, or one of its counts, in the order of `disk/shim.c`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Word {
    /// Every sync fails, and what it should have written is lost.
    SyncFails,
    /// Microseconds that every sync takes longer.
    SyncDelay,
    /// Syncs that succeeded.
    SyncsDone,
    /// The `errno` with which every write fails, such as [`NO_SPACE`]; 0: writes succeed.
    WriteFails,
    /// The process dies before the Nth sync from now.
    KillBeforeSync,
    /// The process dies in the middle of the Nth write to the write-ahead log.
    KillAtLogWrite,
    /// Seconds that the wall clock is ahead.
    ClockSeconds,
    /// The process dies after the Nth sync from now.
    KillAfterSync,
    /// The process dies in the middle of the Nth write to the database itself: during a checkpoint.
    KillAtMainWrite,
    /// The durable image of each file is kept, for [`Disk::cut_power`].
    KeepDurable,
    /// Seconds that the monotonic clock is ahead.
    SteadySeconds,
    /// Seconds that both clocks are ahead: see [`Disk::pass`].
    PassedSeconds,
}

/// `ENOSPC`: the disk is full.
pub(crate) const NO_SPACE: i64 = 28;

/// `EROFS`: the file system became read-only.
pub(crate) const READ_ONLY: i64 = 30;

/// The length of the control file, in 64-bit words.
const WORDS: u64 = 16;

/// The built library; it lives as long as the run.
static LIBRARY: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let library = folder.path().join("shim.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/disk/shim.c");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut build = Command::new(compiler);
    build
        .args(["-shared", "-fPIC", "-O2", "-Wall", "-o"])
        .arg(&library)
        .arg(source)
        .args(["-ldl", "-lpthread"]);
    let built = build.output().expect("a C compiler, as SQLite needs one");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    (folder, library)
});

/// The disk of one process at a time.
pub(crate) struct Disk {
    folder: tempfile::TempDir,
    words: File,
}

impl Disk {
    /// A disk that works.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let words = File::options().read(true).write(true).create_new(true).open(folder.path().join("words"));
        let words = words.expect("the control file");
        words.set_len(WORDS * 8).expect("the control file");
        Self { folder, words }
    }

    /// Makes this command use the disk.
    pub(crate) fn under(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &LIBRARY.1).env("COUNTERSIGN_DISK", self.folder.path().join("words"));
    }

    /// Changes a setting; it applies from the next system call on.
    pub(crate) fn set(&self, word: Word, value: i64) {
        self.words.write_all_at(&value.to_ne_bytes(), word as u64 * 8).expect("the control file");
    }

    /// Reads a word.
    pub(crate) fn get(&self, word: Word) -> i64 {
        let mut bytes = [0; 8];
        self.words.read_exact_at(&mut bytes, word as u64 * 8).expect("the control file");
        i64::from_ne_bytes(bytes)
    }

    /// Lets this many seconds pass for the process. Its timers notice when they wake for another reason, as the worker's
    /// do twice a second.
    pub(crate) fn pass(&self, seconds: i64) {
        self.set(Word::PassedSeconds, self.get(Word::PassedSeconds) + seconds);
    }

    /// How much was let pass so far.
    pub(crate) fn passed(&self) -> Duration {
        Duration::from_secs(self.get(Word::PassedSeconds).unsigned_abs())
    }

    /// Reduces a store, whose process is dead, to what survives a power failure: what was synced.
    pub(crate) fn cut_power(store: &Path) {
        for end in ["", "-wal", "-journal"] {
            let name = |more: &str| {
                let mut name = store.as_os_str().to_owned();
                name.push(end);
                name.push(more);
                PathBuf::from(name)
            };
            let (file, durable) = (name(""), name(".durable"));
            if durable.exists() {
                std::fs::copy(durable, file).expect("the durable image takes its place");
            } else if file.exists() {
                std::fs::remove_file(file).expect("what was never synced goes");
            }
        }
        let mut shared = store.as_os_str().to_owned();
        shared.push("-shm");
        drop(std::fs::remove_file(shared));
    }
}
