//! Slow and hostile clients: each gets a safe answer or none, and a true delivery beside them is answered in time.

mod crowd;
mod files;
mod held_back;
mod shapes;

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::support::{Request, Serve};

/// The head of a notification whose body is still to come.
const HEAD: &str = "POST /hooks/shop HTTP/1.1\r\nHost: a\r\n";

fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    stream
}

/// Waits until it has at most so many files open; each look is a request, so that no look is idle.
#[track_caller]
fn wait_until_files_are_freed(serve: &Serve, most: usize) {
    let begun = Instant::now();
    while serve.open_files() > most {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} files, not {most}", serve.open_files());
        assert_eq!(serve.send(&Request::new("GET", "/healthz")).status, 200);
    }
}
