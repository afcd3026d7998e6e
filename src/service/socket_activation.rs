//! Listening sockets opened by the service manager (socket activation, `sd_listen_fds(3)`). They outlive the process:
//! a client that connects during a restart waits in the socket's queue for the next process.

use std::net::TcpListener;

use listenfd::ListenFd;

/// The first passed descriptor.
const FIRST: usize = 3;

/// The passed sockets, by name.
#[derive(Debug, Default)]
pub struct Inherited {
    /// Used instead of `server.listen`.
    pub(super) intake: Option<TcpListener>,
    /// Used instead of `server.admin_listen`.
    pub(super) admin: Option<TcpListener>,
}

/// The mistakes in the passed sockets, one line each.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct WrongSockets(pub Vec<String>);

impl Inherited {
    /// Takes the sockets passed to this process, if any. Call it before there is a second thread, because it removes
    /// the variables that announce them, so that child processes do not take them.
    ///
    /// # Errors
    /// The sockets are not what countersign listens on.
    pub fn take(environment: impl Fn(&str) -> Option<String>) -> Result<Self, WrongSockets> {
        let Some(count) = environment("LISTEN_FDS") else { return Ok(Self::default()) };
        if environment("LISTEN_PID").as_deref() != Some(std::process::id().to_string().as_str()) {
            log::warn!("LISTEN_FDS is for another process (LISTEN_PID); ignoring its sockets");
            return Ok(Self::default());
        }
        let Ok(count) = count.parse::<usize>() else {
            return Err(WrongSockets(vec!["LISTEN_FDS is not a number; leave it to systemd".to_owned()]));
        };
        let names = environment("LISTEN_FDNAMES").unwrap_or_default();
        let names: Vec<&str> = names.split(':').filter(|name| !name.is_empty()).collect();
        if names.len() != count {
            return Err(WrongSockets(vec![format!(
                "{count} sockets were passed, but LISTEN_FDNAMES names {}; give each its FileDescriptorName= (intake, \
                 admin), in a socket unit of its own",
                names.len()
            )]));
        }
        let (mut passed, mut found, mut wrong) = (ListenFd::from_env(), Self::default(), Vec::new());
        for (index, name) in names.iter().enumerate() {
            if let Err(why) = found.keep(&mut passed, index, name) {
                wrong.push(format!("the socket {name:?} (descriptor {}) {why}", FIRST + index));
            }
        }
        if wrong.is_empty() { Ok(found) } else { Err(WrongSockets(wrong)) }
    }

    fn keep(&mut self, passed: &mut ListenFd, index: usize, name: &str) -> Result<(), String> {
        let place = match name {
            "intake" => &mut self.intake,
            "admin" => &mut self.admin,
            _ => {
                return Err("has an unknown name; write FileDescriptorName=intake, or admin".to_owned());
            }
        };
        if place.is_some() {
            return Err("is the second of this name; one ListenStream= for each is enough".to_owned());
        }
        let listener = passed.take_tcp_listener(index).ok().flatten().filter(|listener| {
            rustix::net::sockopt::socket_acceptconn(listener).is_ok_and(|accepts| accepts)
        });
        match listener {
            Some(listener) => {
                *place = Some(listener);
                Ok(())
            }
            None => Err("is not a listening TCP socket; write ListenStream= with an address and a port, as \
                in ListenStream=127.0.0.1:8080, and Accept=no"
                .to_owned()),
        }
    }
}
