//! Sockets that were opened by somebody else.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::process::Command;

use super::{Sockets, passing, passing_any};
use crate::support::formats::{self, SHOP};
use crate::support::{Request, Serve, assert_verdict};

#[test]
fn sockets_that_are_passed_take_the_place_of_the_configured_addresses() {
    let (env, sockets) = (formats::env(), Sockets::open());
    let serve = sockets.serve(&env, &[]);
    assert_eq!(serve.intake, sockets.intake.local_addr().unwrap());
    assert_eq!(serve.admin, sockets.admin.local_addr().unwrap());
    assert_eq!(serve.post("shop", SHOP.truth(1207)).status, 200);
    assert_eq!(serve.admin_page("/readyz").status, 200);
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
}

#[test]
fn one_socket_may_be_passed_and_the_other_be_configured() {
    let (env, sockets) = (formats::env(), Sockets::open());
    let mut command = passing(&env.write_config(), &sockets.intake, &sockets.admin);
    command.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", "admin");
    let serve = Serve::spawn_as_it_is(command);
    assert_eq!(serve.admin, sockets.intake.local_addr().unwrap(), "the first socket, by its name");
    assert_eq!(serve.admin_page("/healthz").status, 200);
    assert_eq!(serve.post("shop", SHOP.truth(1207)).status, 200);
}

#[test]
fn who_sees_the_page_goes_by_the_socket_that_was_passed_not_by_the_configuration() {
    for (bound, configured, status) in [("0.0.0.0:0", "127.0.0.1:0", 404), ("127.0.0.1:0", "0.0.0.0:0", 200)]
    {
        let (env, intake, admin) =
            (formats::env(), TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind(bound).unwrap());
        let config = env.write_config();
        let text = std::fs::read_to_string(&config).unwrap();
        let listen = format!("admin_listen = \"{configured}\"");
        std::fs::write(&config, text.replace("admin_listen = \"127.0.0.1:0\"", &listen)).unwrap();
        let serve = Serve::spawn_as_it_is(passing(&config, &intake, &admin));
        let here = SocketAddr::from(([127, 0, 0, 1], serve.admin.port()));
        assert_eq!(Request::new("GET", "/").send(here).status, status, "{bound}");
        assert_eq!(Request::new("GET", "/healthz").send(here).status, 200, "{bound}");
    }
}

#[test]
fn sockets_of_another_process_are_not_touched() {
    let (env, sockets) = (formats::env(), Sockets::open());
    let mut command = passing(&env.write_config(), &sockets.intake, &sockets.admin);
    let script = "exec 3<&0 4>&1 </dev/null >/dev/null; export LISTEN_PID=1; exec \"$0\" \"$@\"";
    let arguments: Vec<_> = command.get_args().skip(2).map(ToOwned::to_owned).collect();
    let mut other = Command::new("sh");
    other.arg("-c").arg(script).args(arguments);
    other.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command = other;
    let serve = Serve::spawn(command);
    assert_ne!(serve.intake, sockets.intake.local_addr().unwrap());
    assert!(serve.log().contains("LISTEN_FDS is for another process"), "{}", serve.log());
    assert_eq!(serve.post("shop", SHOP.truth(1207)).status, 200);
}

/// What `serve` says of sockets that it does not take; its exit code has to be 2.
fn refused(mut command: Command) -> Vec<String> {
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    said.lines().map(str::to_owned).collect()
}

#[test]
fn sockets_that_nobody_can_use_are_named_with_what_to_write() {
    let env = formats::env();
    let config = env.write_config();
    let tcp = || OwnedFd::from(TcpListener::bind("127.0.0.1:0").unwrap());
    for (count, names, expected) in [
        ("2", "intake:metrics", vec!["\"metrics\" (descriptor 4) has an unknown name"]),
        (
            "2",
            "web:metrics",
            vec!["\"web\" (descriptor 3) has an unknown", "\"metrics\" (descriptor 4) has an"],
        ),
        ("2", "intake:intake", vec!["\"intake\" (descriptor 4) is the second of this name"]),
        ("2", "intake", vec!["2 sockets were passed, but LISTEN_FDNAMES names 1"]),
        ("2", "", vec!["2 sockets were passed, but LISTEN_FDNAMES names 0"]),
        ("two", "intake:admin", vec!["LISTEN_FDS is not a number"]),
    ] {
        let mut command = passing_any(&config, tcp(), tcp());
        command.env("LISTEN_FDS", count).env("LISTEN_FDNAMES", names);
        let said = refused(command);
        assert_eq!(said.len(), expected.len(), "{said:?}");
        for (line, expected) in said.iter().zip(expected) {
            assert!(line.contains(expected), "{expected}: {line}");
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    for wrong in [
        OwnedFd::from(stream),
        OwnedFd::from(UdpSocket::bind("127.0.0.1:0").unwrap()),
        OwnedFd::from(UnixListener::bind(env.folder().join("unix")).unwrap()),
        OwnedFd::from(std::fs::File::open(&config).unwrap()),
    ] {
        let said = refused(passing_any(&config, tcp(), wrong));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("\"admin\" (descriptor 4) is not a listening TCP socket"), "{said:?}");
        assert!(said[0].contains("ListenStream=127.0.0.1:8080"), "{said:?}");
    }
}

#[test]
fn who_connects_while_nobody_serves_waits_for_the_next_process() {
    let (env, sockets) = (formats::env(), Sockets::open());
    let serve = sockets.serve(&env, &[]);
    let intake: SocketAddr = serve.intake;
    assert_eq!(serve.stop().code(), Some(0));
    let waiting = std::thread::spawn(move || {
        Request::post("/hooks/shop").body(SHOP.truth(1207)).try_send(intake).map(|answer| answer.status)
    });
    // Connected and sent, whether that thread is as far or not: nobody refuses it.
    let serve = sockets.serve(&env, &[]);
    assert_eq!(waiting.join().unwrap().unwrap(), 200);
    serve.settled(1);
}
