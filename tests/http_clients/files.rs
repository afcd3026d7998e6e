//! More connections than the process may have files.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::process::Command;

use countersign::simulator::Fault;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};

use super::wait_until_files_are_freed;
use crate::support::{Request, Serve, TestEnv, assert_verdict, paid};

/// A connection that nothing waits for: once its queue is full, the system lets the others knock again and again.
fn begin_connecting(to: SocketAddr) -> OwnedFd {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::NONBLOCK, None).unwrap();
    assert!(matches!(connect(&socket, &to), Ok(()) | Err(Errno::INPROGRESS)));
    socket
}

#[test]
fn with_256_files_a_crowd_of_400_starves_neither_worker_nor_admin_listener() {
    let env = TestEnv::new().ion_shop("shop", 1003, 2);
    let shops = env.simulator.shops();
    let config = env.write_config();
    let mut command = Command::new("prlimit");
    command
        .args(["--nofile=256:256", env!("CARGO_BIN_EXE_countersign"), "--config"])
        .arg(config)
        .arg("serve");
    command.env("RUST_LOG", "info,countersign=debug");
    let serve = Serve::spawn(command);
    let fault = shops.add_fault(Fault::status(500));
    assert_eq!(serve.post("shop", paid(1003, "o.1")).status, 200);
    serve.pending(1, "api_error");
    let files = serve.open_files();
    let crowd: Vec<OwnedFd> = (0..400).map(|_| begin_connecting(serve.intake)).collect();
    for _ in 0..5 {
        assert_eq!(serve.admin_page("/readyz").status, 200, "the store is read and written");
    }
    shops.clear_fault(fault);
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
    assert!(serve.open_files() < 256);
    drop(crowd);
    assert_eq!(serve.post("shop", paid(1003, "o.2")).status, 200);
    serve.settled(2);
    // More than before only by readers of the store, which are opened when they are needed and stay.
    wait_until_files_are_freed(&serve, files + 16);
    assert_eq!(Request::new("GET", "/healthz").send(serve.intake).status, 200);
    assert!(serve.stop().success());
}
