//! A running program: its process group, which ends with it, and its standard error.

use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::sync::oneshot;

use crate::actions::LONGEST_EXCERPT;

pub(super) type Exited = oneshot::Receiver<io::Result<ExitStatus>>;

/// The process group of a running program; when this is dropped, what is left of the group is killed.
pub(super) struct ProcessGroup {
    leader: Pid,
    /// Until its leader is reaped, no other group can have its number.
    is_there: Arc<Mutex<bool>>,
}

impl ProcessGroup {
    /// Waits for a program's end on its own thread, then ends whatever the program leaves behind.
    pub(super) fn watch(mut child: Child) -> (Self, Exited) {
        let leader = Pid::from_child(&child);
        let is_there = Arc::new(Mutex::new(true));
        let (ends, exited) = oneshot::channel();
        let group = Self { leader, is_there: Arc::clone(&is_there) };
        tokio::task::spawn_blocking(move || {
            while waitid(WaitId::Pid(leader), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
                .is_err_and(|error| error == rustix::io::Errno::INTR)
            {}
            let mut is_there = is_there.lock().unwrap_or_else(PoisonError::into_inner);
            // Usually only the leader was left.
            let _ = kill_process_group(leader, Signal::KILL);
            let status = child.wait();
            *is_there = false;
            drop(is_there);
            // A try that was cut off no longer waits.
            let _ = ends.send(status);
        });
        (group, exited)
    }

    pub(super) fn signal(&self, signal: Signal) {
        let is_there = self.is_there.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_there {
            // It may be exiting at this very moment.
            let _ = kill_process_group(self.leader, signal);
        }
    }

    /// Sends SIGTERM to the group, and SIGKILL after `patience`. Returns the leader's status if it ended by
    /// itself.
    pub(super) async fn end(
        &mut self,
        stderr_reader: &mut StderrReader,
        exited: &mut Exited,
        patience: impl Future<Output = ()>,
    ) -> Option<ExitStatus> {
        self.signal(Signal::TERM);
        tokio::select! {
            status = wait_and_read(stderr_reader, exited) => return status.ok(),
            () = patience => {}
        }
        self.signal(Signal::KILL);
        wait_and_read(stderr_reader, exited).await.ok()
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Waits for a program's end while its output is read, so that a full pipe does not block it.
pub(super) async fn wait_and_read(
    stderr_reader: &mut StderrReader,
    exited: &mut Exited,
) -> io::Result<ExitStatus> {
    tokio::select! {
        biased;
        status = exited => status.unwrap_or_else(|_| Err(ErrorKind::Interrupted.into())),
        never = stderr_reader.read() => match never {},
    }
}

/// The standard error of a program.
pub(super) struct StderrReader {
    pipe: Option<pipe::Receiver>,
    pub(super) beginning: Vec<u8>,
}

impl StderrReader {
    pub(super) fn of(pipe: Option<OwnedFd>) -> Self {
        Self { pipe: pipe.and_then(|pipe| pipe::Receiver::from_owned_fd(pipe).ok()), beginning: Vec::new() }
    }

    /// Reads to the end, but keeps only the beginning.
    async fn read(&mut self) -> std::convert::Infallible {
        let mut part = [0; 4096];
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut part).await {
                Ok(count @ 1..) => append(&mut self.beginning, part.get(..count).unwrap_or_default()),
                Ok(0) | Err(_) => self.pipe = None,
            }
        }
        std::future::pending().await
    }

    /// The output so far, even if another process still holds the pipe open.
    pub(super) fn read_rest(&mut self) {
        let mut part = [0; 4096];
        // Reads the descriptor directly: the runtime reports nothing for a pipe that it has not been notified
        // about.
        while self.beginning.len() < LONGEST_EXCERPT
            && let Some(Ok(count @ 1..)) = self.pipe.as_ref().map(|pipe| rustix::io::read(pipe, &mut part))
        {
            append(&mut self.beginning, part.get(..count).unwrap_or_default());
        }
    }
}

fn append(beginning: &mut Vec<u8>, part: &[u8]) {
    let room = LONGEST_EXCERPT.saturating_sub(beginning.len());
    beginning.extend_from_slice(part.get(..room).unwrap_or(part));
}
