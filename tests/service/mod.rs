//! `serve` as a service manager runs it: what it says (`Type=notify`), the sockets that it is given, restarts under
//! load, and a configuration that is read again.

mod kept;
mod manager;
mod reload;
mod reload_load;
mod restart;
mod sockets;

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Serve, TestEnv, countersign};

/// `serve` on this configuration, with everything in its log.
fn serve_command(config: &Path) -> Command {
    let mut command = countersign();
    command.arg("--config").arg(config).arg("serve").env("RUST_LOG", "info,countersign=debug");
    command
}

/// Rewrites the configuration in place.
fn edit(env: &TestEnv, from: &str, to: &str) {
    let path = env.folder().join("countersign.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

/// Two listening sockets as systemd would hold them.
pub(crate) struct Sockets {
    pub(crate) intake: TcpListener,
    admin: TcpListener,
}

impl Sockets {
    pub(crate) fn open() -> Self {
        let open = || TcpListener::bind("127.0.0.1:0").unwrap();
        Self { intake: open(), admin: open() }
    }

    /// Starts `serve` on them.
    pub(crate) fn serve(&self, env: &TestEnv, arguments: &[&str]) -> Serve {
        let mut command = passing(&env.write_config(), &self.intake, &self.admin);
        command.args(arguments);
        Serve::spawn_as_it_is(command)
    }
}

/// `serve` with two sockets as the descriptors 3 and 4, named intake and admin.
fn passing(config: &Path, first: &TcpListener, second: &TcpListener) -> Command {
    let descriptor = |socket: &TcpListener| OwnedFd::from(socket.try_clone().unwrap());
    passing_any(config, descriptor(first), descriptor(second))
}

/// The same with any descriptors. A child inherits only its standard streams: the shell moves them to where systemd puts
/// sockets, and becomes the binary, so that the process is the one that `LISTEN_PID` names.
fn passing_any(config: &Path, first: OwnedFd, second: OwnedFd) -> Command {
    let serve = serve_command(config);
    let mut command = Command::new("sh");
    command.arg("-c").arg("exec 3<&0 4>&1 </dev/null >/dev/null; export LISTEN_PID=$$; exec \"$0\" \"$@\"");
    command.arg(serve.get_program()).args(serve.get_args());
    for (name, value) in serve.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("LISTEN_FDS", "2").env("LISTEN_FDNAMES", "intake:admin");
    command.stdin(Stdio::from(first)).stdout(Stdio::from(second));
    command
}
