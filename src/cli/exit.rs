//! How a command ends: its exit code, and what went wrong.

use std::io::{self, Write as _};
use std::process::ExitCode;

use super::screen::visible;
use crate::config::Mistakes;
use crate::store::{Store, StoreError};

/// The exit codes that scripts may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: fine.
    Fine,
    /// 1: failed.
    Failed,
    /// 2: wrong usage or configuration.
    Misused,
    /// 3: ran fine and found differences.
    Differences,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Failed => 1,
            Exit::Misused => 2,
            Exit::Differences => 3,
        })
    }
}

/// Why a command ended early.
#[derive(Debug)]
pub enum CommandError {
    /// It failed; the chain says what, where and what to do.
    Failed(anyhow::Error),
    /// The configuration is wrong.
    Misconfigured(Mistakes),
    /// The configuration does not fit the store, or the arguments do not fit each other; a line for each cause.
    Misused(Vec<String>),
    /// Standard output could not be written.
    Output(io::Error),
}

impl From<anyhow::Error> for CommandError {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Mistakes> for CommandError {
    fn from(mistakes: Mistakes) -> Self {
        Self::Misconfigured(mistakes)
    }
}

impl CommandError {
    /// Says on standard error what went wrong and returns the exit code of it.
    #[must_use]
    pub fn report(&self) -> Exit {
        match self {
            Self::Failed(error) => {
                let remedy = error.chain().find_map(|cause| cause.downcast_ref::<StoreError>()?.remedy());
                complain(&format!("{error:#}{}", remedy.map(|todo| format!("; {todo}")).unwrap_or_default()));
                Exit::Failed
            }
            Self::Misconfigured(mistakes) => {
                for line in mistakes.to_string().lines() {
                    complain(line);
                }
                Exit::Misused
            }
            Self::Misused(lines) => {
                for line in lines {
                    complain(line);
                }
                Exit::Misused
            }
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Fine,
            Self::Output(error) => {
                complain(&format!("standard output cannot be written; make room or choose another: {error}"));
                Exit::Failed
            }
        }
    }
}

/// Does `work`, which ends when a write of it has waited for another program's lock for too long: what is tried again for
/// other reasons is not, then.
pub(super) async fn unless_locked<T>(
    store: &Store,
    work: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    tokio::select! {
        biased;
        why = store.given_up() => Err(why.into()),
        done = work => done,
    }
}

/// The error as one of wrong usage, a line each, where its cause is an `E`.
pub(super) fn misused<E: std::error::Error + Send + Sync + 'static>(error: anyhow::Error) -> CommandError {
    match error.downcast_ref::<E>() {
        Some(cause) => CommandError::Misused(cause.to_string().lines().map(str::to_owned).collect()),
        None => CommandError::Failed(error),
    }
}

/// Writes one line on standard error. If that cannot be written either, the exit code has to say it.
pub(super) fn complain(line: &str) {
    drop(writeln!(io::stderr(), "countersign: {}", visible(line)));
}
