//! An action that runs a program: no shell, the news on standard input, nothing of it in an argument. The
//! program leads its own process group, and no process of that group outlives the try.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe;

mod process_group;

use process_group::{ProcessGroup, StderrReader, wait_and_read};

use super::{Message, SendResult, Stop, Target, ended, excerpt, stopping};
use crate::domain::{AttemptOutcome, Effect, Timestamp};

/// Time between SIGTERM and SIGKILL for a process group.
const KILL_AFTER: Duration = Duration::from_secs(5);

/// The exit code of a program that will never accept this news (`EX_DATAERR` of sysexits.h).
const REJECTED: i32 = 65;

/// The environment variables that are passed on to a program.
const INHERITED: [&str; 4] = ["PATH", "HOME", "TZ", "LANG"];

/// A program with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandTarget {
    program: PathBuf,
    arguments: Vec<String>,
}

impl CommandTarget {
    /// A `program` without a slash is looked up in `PATH`.
    #[must_use]
    pub fn new(program: PathBuf, arguments: Vec<String>) -> Self {
        Self { program, arguments }
    }

    fn start(&self, message: &Message) -> io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear();
        command.envs(INHERITED.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        if let Some(news) = &message.news {
            command.env("COUNTERSIGN_SEQ", news.seq.to_string()).env("COUNTERSIGN_SOURCE", &news.source);
        }
        command
            .env("COUNTERSIGN_TYPE", message.kind())
            .env("COUNTERSIGN_ACTION", &message.action)
            .env("COUNTERSIGN_ATTEMPT", message.attempt.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
    }

    async fn run(&self, message: &Message, timeout: Duration, stop: Stop) -> Option<SendResult> {
        let mut child = match self.start(message) {
            Ok(child) => child,
            Err(error) => return Some(self.not_started(&error)),
        };
        let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
        let (mut group, mut exited) = ProcessGroup::watch(child);
        let input = stdin.map(|stdin| write(stdin.into(), message.body.clone()));
        let writing = tokio::spawn(async {
            if let Some(input) = input {
                input.await;
            }
        });
        let mut stderr_reader = StderrReader::of(stderr.map(Into::into));
        let end = tokio::select! {
            biased;
            status = wait_and_read(&mut stderr_reader, &mut exited) => End::Exited(status),
            () = stopping(stop.clone()) => End::Stopped,
            () = tokio::time::sleep(timeout) => End::TimedOut,
        };
        let result = match end {
            End::Exited(status) => Some(self.judge(status)),
            End::TimedOut => {
                group.end(&mut stderr_reader, &mut exited, tokio::time::sleep(KILL_AFTER)).await;
                Some(SendResult::failed(AttemptOutcome::Timeout, "the command did not end in time"))
            }
            End::Stopped => {
                let status = group.end(&mut stderr_reader, &mut exited, ended(stop)).await;
                status.filter(ExitStatus::success).map(|status| self.judge(Ok(status)))
            }
        };
        writing.abort();
        stderr_reader.read_rest();
        result.map(|result| SendResult { answer: excerpt(&stderr_reader.beginning), ..result })
    }

    fn judge(&self, status: io::Result<ExitStatus>) -> SendResult {
        let failed = |detail: String| SendResult::failed(AttemptOutcome::Failed, detail);
        let status = match status {
            Ok(status) => status,
            Err(error) => return failed(format!("the command's end is not known: {error}")),
        };
        match (status.code(), status.signal()) {
            (Some(0), _) => SendResult { exit_code: Some(0), ..SendResult::delivered(None) },
            (Some(REJECTED), _) => SendResult {
                exit_code: Some(REJECTED),
                effect: Effect::Rejected,
                ..failed(format!("exit code {REJECTED}: the command will never take it"))
            },
            (Some(code), _) => SendResult { exit_code: Some(code), ..failed(format!("exit code {code}")) },
            (None, signal) => {
                failed(format!("the command was ended by signal {}", signal.unwrap_or_default()))
            }
        }
    }

    fn not_started(&self, error: &io::Error) -> SendResult {
        SendResult::failed(
            AttemptOutcome::Failed,
            format!("cannot start {}: {error}", self.program.display()),
        )
    }

    /// The file that would be executed.
    fn found(&self) -> Option<PathBuf> {
        if self.program.components().count() > 1 || self.program.is_absolute() {
            return Some(self.program.clone());
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).map(|folder| folder.join(&self.program)).find(|file| file.is_file())
    }
}

impl Target for CommandTarget {
    fn send<'a>(
        &'a self,
        message: &'a Message,
        _: Timestamp,
        timeout: Duration,
        stop: Stop,
    ) -> BoxFuture<'a, Option<SendResult>> {
        Box::pin(self.run(message, timeout, stop))
    }

    fn check(&self) -> BoxFuture<'_, Vec<String>> {
        let shown = self.program.display();
        let is_program =
            |file: &Path| file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok();
        let wrong = match self.found() {
            None => Some(format!("there is no program {shown} in PATH")),
            Some(file) if !file.exists() => Some(format!("there is no program {shown}")),
            Some(file) if !is_program(&file) => {
                Some(format!("{shown} is not a program that this user may run"))
            }
            Some(_) => None,
        };
        Box::pin(std::future::ready(wrong.into_iter().collect()))
    }
}

/// How a try ended.
enum End {
    Exited(io::Result<ExitStatus>),
    Stopped,
    TimedOut,
}

/// Writes the standard input, which a program need not read.
async fn write(pipe: OwnedFd, body: String) {
    if let Ok(mut pipe) = pipe::Sender::from_owned_fd(pipe) {
        let _ = pipe.write_all(body.as_bytes()).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::*;
    use crate::actions::Stopping;

    fn message(body: String) -> Message {
        Message { id: "test_1".to_owned(), action: "ship".to_owned(), attempt: 1, news: None, body }
    }

    async fn run_script(script: &str, body: &str, timeout: Duration) -> SendResult {
        let target = CommandTarget::new("/bin/sh".into(), vec!["-c".to_owned(), script.to_owned()]);
        let (_running, stop) = watch::channel(Stopping::No);
        target.run(&message(body.to_owned()), timeout, stop).await.unwrap()
    }

    const PATIENCE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn the_exit_code_decides() {
        for (script, effect, code, detail) in [
            ("cat >/dev/null", Effect::Delivered, Some(0), ""),
            ("exit 0", Effect::Delivered, Some(0), ""),
            ("echo no >&2; exit 3", Effect::Failed, Some(3), "exit code 3"),
            ("exit 65", Effect::Rejected, Some(65), "exit code 65: the command will never take it"),
            ("kill -9 $$", Effect::Failed, None, "the command was ended by signal 9"),
        ] {
            let result = run_script(script, &"x".repeat(1_000_000), PATIENCE).await;
            assert_eq!(
                (result.effect, result.exit_code, result.detail.as_str()),
                (effect, code, detail),
                "{script}"
            );
        }
        assert_eq!(run_script("echo no >&2; exit 3", "", PATIENCE).await.answer.as_deref(), Some("no"));
    }

    #[tokio::test]
    async fn whatever_holds_the_pipes_the_exit_code_decides_and_the_group_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 1000 & echo $! > {}; echo said >&2; exit 0", file.display());
        let result = run_script(&script, "", PATIENCE).await;
        assert_eq!((result.effect, result.answer.as_deref()), (Effect::Delivered, Some("said")));
        wait_until_gone(&std::fs::read_to_string(&file).unwrap()).await;
    }

    #[tokio::test]
    async fn a_time_out_ends_grandchildren_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 1000 & echo $! > {}; wait", file.display());
        // The time-out comes when the grandchild is there.
        let target = CommandTarget::new("/bin/sh".into(), vec!["-c".to_owned(), script]);
        let (_running, stop) = watch::channel(Stopping::No);
        let mut timeout = Duration::from_millis(200);
        loop {
            let result = target.run(&message(String::new()), timeout, stop.clone()).await.unwrap();
            assert_eq!(result.outcome, AttemptOutcome::Timeout);
            if let Ok(pid) = std::fs::read_to_string(&file)
                && pid.ends_with('\n')
            {
                return wait_until_gone(&pid).await;
            }
            timeout *= 2;
        }
    }

    #[tokio::test]
    async fn a_stop_asks_the_command_to_end_and_takes_its_success() {
        for (script, is_known) in
            [("trap 'exit 0' TERM; while :; do sleep 0.01; done", true), ("sleep 1000", false)]
        {
            let target = CommandTarget::new("/bin/sh".into(), vec!["-c".to_owned(), format!("{script}; :")]);
            let (stops, stop) = watch::channel(Stopping::No);
            let running = async { target.run(&message(String::new()), PATIENCE, stop).await };
            let stopping = async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                stops.send_replace(Stopping::Ends);
            };
            let (result, ()) = tokio::join!(running, stopping);
            assert_eq!(result.is_some(), is_known, "{script}: {result:?}");
        }
    }

    #[tokio::test]
    async fn a_missing_program_is_a_failure_and_is_named_by_a_check() {
        let missing = CommandTarget::new("/nowhere/ship-keys".into(), Vec::new());
        let (_running, stop) = watch::channel(Stopping::No);
        let result = missing.run(&message(String::new()), PATIENCE, stop).await.unwrap();
        assert_eq!(
            (result.outcome, result.effect, result.exit_code),
            (AttemptOutcome::Failed, Effect::Failed, None)
        );
        assert!(result.detail.starts_with("cannot start /nowhere/ship-keys: "), "{result:?}");
        assert_eq!(missing.check().await, ["there is no program /nowhere/ship-keys"]);
        assert!(CommandTarget::new("sh".into(), Vec::new()).check().await.is_empty());
        assert_eq!(CommandTarget::new("/etc/passwd".into(), Vec::new()).check().await.len(), 1);
    }

    /// Waits until a process is gone, or a zombie that only waits for its parent.
    async fn wait_until_gone(pid: &str) {
        let status = format!("/proc/{}/stat", pid.trim());
        loop {
            match std::fs::read_to_string(&status) {
                Ok(stat) if !stat.contains(") Z") => tokio::time::sleep(Duration::from_millis(5)).await,
                _ => return,
            }
        }
    }
}
