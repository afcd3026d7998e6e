//! The owner's side of the demo: an endpoint, a program and a mailbox that receive the news and remember it.
//! All of it is on loopback or in the demo's folder.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The actions, by name and kind.
pub(super) const ACTIONS: [(&str, &str); 3] = [("erp", "url"), ("ship", "command"), ("tell", "mail")];

/// Maximum number of bytes read of one request or mail; the service's own are far smaller.
const MOST: u64 = 64 * 1024;

/// The running targets; they end when this is dropped.
pub(super) struct Targets {
    endpoint: SocketAddr,
    mail_server: SocketAddr,
    /// The file that the program writes to, one line of JSON per news.
    lines: PathBuf,
    requests: Remembered,
    mails: Remembered,
    serving: JoinSet<()>,
}

type Remembered = Arc<Mutex<Vec<String>>>;

impl Targets {
    pub(super) async fn open() -> io::Result<Self> {
        let (endpoint, mail_server) =
            (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        let (requests, mails) = (Remembered::default(), Remembered::default());
        let mut targets = Self {
            endpoint: endpoint.local_addr()?,
            mail_server: mail_server.local_addr()?,
            lines: PathBuf::new(),
            requests: Arc::clone(&requests),
            mails: Arc::clone(&mails),
            serving: JoinSet::new(),
        };
        targets.serving.spawn(serve(endpoint, requests, take_request));
        targets.serving.spawn(serve(mail_server, mails, take_mail));
        Ok(targets)
    }

    /// The tables of the configuration, for a program that writes into this folder.
    pub(super) fn configuration(&mut self, folder: &Path) -> String {
        self.lines = folder.join("told.jsonl");
        let Self { endpoint, mail_server, .. } = self;
        let lines = Value::from(self.lines.to_string_lossy());
        format!(
            "\n[actions.erp]\nurl = \"http://{endpoint}/orders\"\nsecret = \"whsec_ZGVtb19kZW1vX2RlbW9fZGVtb19kZW1v\"\n\
             \n[actions.ship]\ncommand = [\"/bin/sh\", \"-c\", 'cat >> \"$0\" && echo >> \"$0\"', {lines}]\n\
             \n[actions.tell]\nmail = [\"owner@example.com\"]\n\
             \n[mail]\nsmtp = \"smtp://{mail_server}\"\nfrom = \"countersign@example.com\"\n"
        )
    }

    /// The `seq` of the news that each of [`ACTIONS`] received; `None` for a message that is no news.
    pub(super) fn received(&self) -> io::Result<[Vec<Option<i64>>; 3]> {
        let of_json = |text: &str| serde_json::from_str::<Value>(text).ok()?["data"]["seq"].as_i64();
        let ran = match std::fs::read_to_string(&self.lines) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read?,
        };
        Ok([
            locked(&self.requests).iter().map(|body| of_json(body)).collect(),
            ran.lines().map(of_json).collect(),
            locked(&self.mails).iter().map(|mail| of_mail(mail)).collect(),
        ])
    }

    /// The subject of a mail: the first in alphabetical order, so that every demo shows the same.
    pub(super) fn a_subject(&self) -> Option<String> {
        locked(&self.mails).iter().filter_map(|mail| header(mail, "Subject: ")).min().map(str::to_owned)
    }
}

fn locked(remembered: &Remembered) -> std::sync::MutexGuard<'_, Vec<String>> {
    remembered.lock().unwrap_or_else(PoisonError::into_inner)
}

fn header<'a>(mail: &'a str, name: &str) -> Option<&'a str> {
    mail.lines().take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix(name))
}

/// The seq of the news in a mail, from `Message-ID: <news_{store}_{seq}.{action}@…>`.
fn of_mail(mail: &str) -> Option<i64> {
    let id = header(mail, "Message-ID: <news_")?;
    id.split_once('_')?.1.split_once('.')?.0.parse().ok()
}

/// Accepts one message per connection, until it is aborted.
async fn serve<F>(
    listener: TcpListener,
    remembered: Remembered,
    take: impl Fn(TcpStream, Remembered) -> F + Send,
) where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let mut taking = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        taking.spawn(take(stream, Arc::clone(&remembered)));
    }
}

/// Remembers the body of a request, and answers with 204.
async fn take_request(mut stream: TcpStream, remembered: Remembered) -> io::Result<()> {
    let (read, mut write) = stream.split();
    let mut read = BufReader::new(read.take(MOST));
    let mut length = 0;
    loop {
        let mut line = String::new();
        read.read_line(&mut line).await?;
        match line.to_ascii_lowercase().trim_end().split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().map_err(io::Error::other)?,
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = String::new();
    read.take(length).read_to_string(&mut body).await?;
    locked(&remembered).push(body);
    write.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await
}

/// Accepts a mail as a mail server does, and remembers its headers and its text.
async fn take_mail(mut stream: TcpStream, remembered: Remembered) -> io::Result<()> {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read.take(MOST)).lines();
    write.write_all(b"220 demo\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let answer = match line.get(..4).unwrap_or_default() {
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let mut mail = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    mail += &line;
                    mail.push('\n');
                }
                locked(&remembered).push(mail);
                "250 taken"
            }
            "QUIT" => break,
            _ => "250 demo",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_names_the_news_that_it_is_about() {
        let mail = "From: a@example.com\nMessage-ID: <news_1e672a1b_17.tell@example.com>\n\nMessage-ID: <news_x_9.y@z>\n";
        assert_eq!(of_mail(mail), Some(17));
        assert_eq!(of_mail("Message-ID: <test_1@example.com>\n\n"), None);
    }
}
