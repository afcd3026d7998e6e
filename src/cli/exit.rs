//! How a command ends: its exit code and its error.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::config::Mistakes;
use crate::domain::escape::escape_controls;
use crate::store::{Store, StoreError};

/// The exit codes that scripts may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Code 0: success.
    Fine,
    /// Code 1: failure.
    Failed,
    /// Code 2: wrong usage or configuration.
    Usage,
    /// Code 3: success, but differences were found.
    Differences,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Differences => 3,
        })
    }
}

/// Why a command ended early.
#[derive(Debug)]
pub enum CommandError {
    /// The command failed. The chain says what failed, on what, and what to do.
    Failed(anyhow::Error),
    /// The configuration has mistakes.
    Misconfigured(Mistakes),
    /// The configuration conflicts with the store, or the arguments with each other; one line per cause.
    Usage(Vec<String>),
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
    /// Prints the error to standard error and returns its exit code.
    #[must_use]
    pub fn report(&self) -> Exit {
        for line in self.lines() {
            print_error(&line);
        }
        match self {
            Self::Failed(_) => Exit::Failed,
            Self::Misconfigured(_) | Self::Usage(_) => Exit::Usage,
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Fine,
            Self::Output(_) => Exit::Failed,
        }
    }

    /// What went wrong, one line for each cause; none if the reader of standard output has read enough.
    pub(super) fn lines(&self) -> Vec<String> {
        match self {
            Self::Failed(error) => {
                let remedy = error.chain().find_map(|cause| cause.downcast_ref::<StoreError>()?.remedy());
                vec![format!("{error:#}{}", remedy.map(|todo| format!("; {todo}")).unwrap_or_default())]
            }
            Self::Misconfigured(mistakes) => mistakes.to_string().lines().map(str::to_owned).collect(),
            Self::Usage(lines) => lines.clone(),
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Vec::new(),
            Self::Output(error) => {
                vec![format!("cannot write standard output; make room or redirect it elsewhere: {error}")]
            }
        }
    }
}

/// Does `work`, but fails as soon as a write has waited too long for another program's lock.
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

/// Turns an error whose cause is an `E` into an error of usage, one line per cause.
pub(super) fn usage_error<E: std::error::Error + Send + Sync + 'static>(
    error: anyhow::Error,
) -> CommandError {
    match error.downcast_ref::<E>() {
        Some(cause) => CommandError::Usage(cause.to_string().lines().map(str::to_owned).collect()),
        None => CommandError::Failed(error),
    }
}

/// Writes one line to standard error. If that fails too, the exit code still tells.
pub(super) fn print_error(line: &str) {
    drop(writeln!(io::stderr(), "countersign: {}", escape_controls(line)));
}
