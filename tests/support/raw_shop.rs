//! A shop that answers with arbitrary bytes, which no HTTP library would send.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Writes to a caller after its request; it ends when the caller closes the connection.
pub(crate) type Script = fn(&mut TcpStream) -> std::io::Result<()>;

/// Starts a shop that answers every call to `/{n}/…` by the n-th script; it ends with the process.
pub(crate) fn start(scripts: &'static [(&'static str, Script)]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream, scripts));
        }
    });
    addr
}

fn answer(mut stream: TcpStream, scripts: &[(&str, Script)]) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let script = head.split('/').nth(1).and_then(|n| n.parse::<usize>().ok()).and_then(|n| scripts.get(n));
    if let Some((_, script)) = script {
        // The caller hangs up when it has read enough.
        drop(script(&mut stream));
    }
}

/// Writes these bytes repeatedly, until the caller closes the connection.
pub(crate) fn without_end(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    loop {
        stream.write_all(bytes)?;
    }
}

/// Writes a byte now and then, until nobody takes it or the caller has hung up.
pub(crate) fn drip(stream: &mut TcpStream, byte: u8) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_millis(20)))?;
    loop {
        stream.write_all(&[byte])?;
        if matches!(stream.read(&mut [0]), Ok(0)) {
            return Ok(());
        }
    }
}

/// Waits until the caller hangs up.
pub(crate) fn wait(stream: &mut TcpStream) -> std::io::Result<()> {
    while stream.read(&mut [0])? > 0 {}
    Ok(())
}
