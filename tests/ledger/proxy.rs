//! A door before PostgreSQL that a test holds shut, slows down or slams.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of the bytes that come through.
#[derive(Default)]
struct Door {
    /// Nothing passes; connections stay open.
    is_shut: AtomicBool,
    /// No answer of the engine passes any more: after the next so many bytes of the program, plus one; 0: all pass.
    answers_end: AtomicUsize,
    connections: Mutex<Vec<TcpStream>>,
}

/// The proxy; its threads end with its connections.
pub(super) struct Proxy {
    pub(super) addr: SocketAddr,
    door: Arc<Door>,
}

const LOOK: Duration = Duration::from_millis(5);

impl Proxy {
    /// Before the engine at `to`.
    pub(super) fn new(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = listener.local_addr().expect("its address");
        let door = Arc::new(Door::default());
        let inside = Arc::clone(&door);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(to) else { continue };
                let both = [client.try_clone().expect("a socket"), server.try_clone().expect("a socket")];
                inside.connections.lock().expect("connections").extend(both);
                let pairs = [
                    (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"), true),
                    (server, client, false),
                ];
                for (from, to, is_program) in pairs {
                    let door = Arc::clone(&inside);
                    std::thread::spawn(move || pass(&door, from, to, is_program));
                }
            }
        });
        Self { addr, door }
    }

    /// Lets nothing pass, and closes nothing.
    pub(super) fn shut(&self) {
        self.door.is_shut.store(true, Ordering::SeqCst);
    }

    /// Lets everything pass again.
    pub(super) fn open(&self) {
        self.door.is_shut.store(false, Ordering::SeqCst);
    }

    /// Cuts all connections.
    pub(super) fn cut(&self) {
        for connection in self.door.connections.lock().expect("connections").drain(..) {
            drop(connection.shutdown(Shutdown::Both));
        }
    }

    /// Cuts the connection once the program has sent so many more bytes, before the engine's answer to them comes back.
    pub(super) fn lose_an_answer_after(&self, bytes: usize) {
        self.door.answers_end.store(bytes + 1, Ordering::SeqCst);
    }
}

fn pass(door: &Door, mut from: TcpStream, mut to: TcpStream, is_program: bool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 {
            break;
        }
        while door.is_shut.load(Ordering::SeqCst) {
            std::thread::sleep(LOOK);
        }
        let left = door.answers_end.load(Ordering::SeqCst);
        if is_program && left > 0 {
            let rest = left.saturating_sub(count).max(1);
            door.answers_end.store(rest, Ordering::SeqCst);
        }
        if !is_program && left == 1 {
            door.answers_end.store(0, Ordering::SeqCst);
            break;
        }
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}
