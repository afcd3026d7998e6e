//! A minimal HTTP/1.1 client for notifications: one POST per connection.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::request::SceneRequest;

/// A time limit longer than the service ever takes.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct SceneResponse {
    pub(super) status: u16,
    pub(super) body: String,
}

impl SceneResponse {
    /// The message of a refusal.
    pub(super) fn message(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body.get("message").and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// Sends a request and reads the whole answer.
pub(super) async fn send(to: SocketAddr, request: &SceneRequest) -> io::Result<SceneResponse> {
    tokio::time::timeout(TIMEOUT, exchange(to, request)).await?
}

async fn exchange(to: SocketAddr, request: &SceneRequest) -> io::Result<SceneResponse> {
    let length = request.body.len();
    let mut text = format!(
        "POST {} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nContent-Length: {length}\r\n",
        request.target
    );
    for (name, value) in &request.headers {
        write!(text, "{name}: {value}\r\n").map_err(io::Error::other)?;
    }
    text += "\r\n";
    text += request.body;
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(text.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    read(&String::from_utf8_lossy(&answer)).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn read(answer: &str) -> Option<SceneResponse> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some(SceneResponse { status, body: body.to_owned() })
}
