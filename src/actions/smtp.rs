//! The owner's mail server: one connection for each mail, encrypted unless it stays on this machine.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use percent_encoding::percent_decode_str;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Told, kept};
use crate::domain::{AttemptOutcome, Effect, Timestamp};

/// How long the server has for its farewell, which decides nothing.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long a check waits for the server.
const CHECK: Duration = Duration::from_secs(10);

/// Longest subject in characters; a phone shows fewer.
const LONGEST_SUBJECT: usize = 200;

/// Where the server is, as the URL says.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    host: String,
    port: u16,
    security: Security,
    user: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Security {
    /// TLS from the first byte.
    Wrapped,
    /// STARTTLS, and nothing without it.
    StartTls,
    /// None: it does not leave this machine.
    Loopback,
}

impl SmtpUrl {
    /// Reads `smtps://user@host:port` or `smtp://…`. Ports: 465, and 587 (on this machine 25).
    ///
    /// # Errors
    /// What is wrong with it, in plain words that do not repeat it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "is not the URL of a mail server; write smtps://user@host".to_owned();
        let url = Url::parse(text).map_err(|_| wrong())?;
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let is_host = !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:_".contains(&byte));
        if !is_host || !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong());
        }
        if url.password().is_some() {
            return Err("holds a password; move it to password or password_file".to_owned());
        }
        let user = match url.username() {
            "" => None,
            user => Some(percent_decode_str(user).decode_utf8().map_err(|_| wrong())?.into_owned()),
        };
        let is_here = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        let (security, port) = match (url.scheme(), is_here) {
            ("smtps", _) => (Security::Wrapped, 465),
            ("smtp", true) => (Security::Loopback, 25),
            ("smtp", false) => (Security::StartTls, 587),
            _ => return Err("must begin with smtps:// (or smtp://, which then requires STARTTLS)".to_owned()),
        };
        Ok(Self { host: host.to_owned(), port: url.port().unwrap_or(port), security, user })
    }

    /// Whether it names a user, who has to log in.
    #[must_use]
    pub fn has_user(&self) -> bool {
        self.user.is_some()
    }
}

/// Reads an address `name@domain`, without a display name.
///
/// # Errors
/// What is wrong with it, in plain words.
pub fn address(text: &str) -> Result<Address, String> {
    if !text.is_ascii() {
        return Err("holds letters beyond ASCII; write the domain as xn--…".to_owned());
    }
    let is_plain = !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;\"\\".contains(c));
    text.parse().ok().filter(|_| is_plain).ok_or_else(|| "is not an e-mail address".to_owned())
}

/// The owner's mail server, and the address that mails come from.
#[derive(Clone)]
pub struct MailServer(Arc<Inner>);

struct Inner {
    url: SmtpUrl,
    credentials: Option<Credentials>,
    from: Address,
    /// Made for the first connection: it reads the system's root certificates.
    tls: OnceLock<Result<TlsParameters, String>>,
}

impl fmt::Debug for MailServer {
    /// Without the user and the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailServer").field("place", &self.place()).finish_non_exhaustive()
    }
}

/// One mail.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The part of `Message-ID` before the @; the same on every try.
    pub id: String,
    /// In characters that no reader of mail obeys; line ends and encoded words in it stay text.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as a page, for those who can show it.
    pub html: Option<String>,
    /// When it was written.
    pub at: Timestamp,
}

/// Why there is no connection, or no answer to a step.
enum Trouble {
    Refused { code: Option<u16>, is_permanent: bool, said: String },
    Unreachable(String),
}

impl MailServer {
    /// A server to which the user of `url` logs in with `password`.
    #[must_use]
    pub fn new(url: SmtpUrl, password: Option<&SecretString>, from: Address) -> Self {
        let credentials = url
            .user
            .clone()
            .zip(password)
            .map(|(user, password)| Credentials::new(user, password.expose_secret().to_owned()));
        Self(Arc::new(Inner { url, credentials, from, tls: OnceLock::new() }))
    }

    /// Its host and port.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.0.url.host, self.0.url.port)
    }

    /// Sends a mail to all of `to`; `timeout` covers everything. Delivered when the server takes it for one address or
    /// more; refused for good when it refuses every address for good.
    pub async fn send(&self, letter: &Letter, to: &[Address], timeout: Duration) -> Told {
        let mail = match self.compose(letter, to) {
            Ok(mail) => mail,
            Err(why) => return Told::failed(AttemptOutcome::Failed, why),
        };
        match tokio::time::timeout(timeout, self.exchange(&mail, to)).await {
            Err(_) => Told::failed(AttemptOutcome::Timeout, "the mail server did not answer in time"),
            Ok(Err(trouble)) => trouble.told(),
            Ok(Ok((told, mut connection))) => {
                // What it says now changes nothing.
                let _ = tokio::time::timeout(FAREWELL, connection.quit()).await;
                told
            }
        }
    }

    /// Resolves, connects and logs in; sends nothing.
    ///
    /// # Errors
    /// What went wrong, in plain words.
    pub async fn check(&self) -> Result<(), String> {
        match tokio::time::timeout(CHECK, self.connect()).await {
            Err(_) => {
                Err(format!("the mail server {} did not answer within {} s", self.place(), CHECK.as_secs()))
            }
            Ok(Err(trouble)) => Err(format!("the mail server {}: {}", self.place(), trouble.in_words())),
            Ok(Ok(mut connection)) => {
                // It let us in; how it says good-bye changes nothing.
                let _ = tokio::time::timeout(FAREWELL, connection.quit()).await;
                Ok(())
            }
        }
    }

    fn compose(&self, letter: &Letter, to: &[Address]) -> Result<Vec<u8>, String> {
        let domain = self.0.from.domain();
        let at =
            std::time::UNIX_EPOCH + Duration::from_millis(u64::try_from(letter.at.millis()).unwrap_or(0));
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut mail = lettre::Message::builder()
            .from(Mailbox::new(None, self.0.from.clone()))
            .subject(subject(&letter.subject))
            .message_id(Some(format!("<{}@{domain}>", letter.id)))
            .date(at)
            .raw_header(HeaderValue::new(name, "auto-generated".to_owned()));
        for address in to {
            mail = mail.to(Mailbox::new(None, address.clone()));
        }
        let mail = match &letter.html {
            None => mail.header(lettre::message::header::ContentType::TEXT_PLAIN).body(letter.text.clone()),
            Some(html) => {
                mail.multipart(MultiPart::alternative_plain_html(letter.text.clone(), html.clone()))
            }
        };
        mail.map(|mail| mail.formatted()).map_err(|error| format!("the mail cannot be written: {error}"))
    }

    async fn exchange(&self, mail: &[u8], to: &[Address]) -> Result<(Told, AsyncSmtpConnection), Trouble> {
        let mut connection = self.connect().await?;
        connection.command(Mail::new(Some(self.0.from.clone()), Vec::new())).await?;
        let mut refused = Vec::new();
        for address in to {
            match connection.command(Rcpt::new(address.clone(), Vec::new())).await {
                Ok(_) => {}
                Err(error) => match Trouble::from(error) {
                    Trouble::Refused { code, is_permanent, said } => refused.push((code, is_permanent, said)),
                    trouble @ Trouble::Unreachable(_) => return Err(trouble),
                },
            }
        }
        let said = refused.last().map(|(_, _, said)| said.clone()).unwrap_or_default();
        if refused.len() == to.len() {
            let is_permanent = refused.iter().all(|(_, is_permanent, _)| *is_permanent);
            let code = refused.last().and_then(|(code, _, _)| *code);
            let told = Trouble::Refused { code, is_permanent, said }.told();
            let effect = if is_permanent { Effect::Rejected } else { Effect::Failed };
            let detail = format!("every address was refused: {}", told.detail);
            return Ok((Told { effect, detail, ..told }, connection));
        }
        connection.command(Data).await?;
        let mut answer = in_words(&connection.message(mail).await?);
        if !refused.is_empty() {
            answer = format!("{answer}; refused for {} of {} addresses: {said}", refused.len(), to.len());
        }
        Ok((Told::delivered(kept(answer.as_bytes())), connection))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Trouble> {
        let (url, hello) = (&self.0.url, ClientId::default());
        let addresses = self.resolve().await.map_err(Trouble::Unreachable)?;
        let tls = match url.security {
            Security::Loopback => None,
            Security::Wrapped | Security::StartTls => Some(self.tls().map_err(Trouble::Unreachable)?),
        };
        let is_wrapped = url.security == Security::Wrapped;
        let wrapper = tls.clone().filter(|_| is_wrapped);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(&addresses[..], None, &hello, wrapper, None).await?;
        if let Some(tls) = tls.filter(|_| !is_wrapped) {
            connection.starttls(tls, &hello).await?;
        }
        if let Some(credentials) = &self.0.credentials {
            connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await?;
        }
        Ok(connection)
    }

    /// The addresses of the host; what is not encrypted stays on this machine.
    async fn resolve(&self) -> Result<Vec<SocketAddr>, String> {
        let SmtpUrl { host, port, security, .. } = &self.0.url;
        let found = tokio::net::lookup_host((host.as_str(), *port)).await;
        let found = found.map_err(|error| format!("{host} cannot be resolved: {error}"))?;
        let found: Vec<SocketAddr> =
            found.filter(|address| *security != Security::Loopback || address.ip().is_loopback()).collect();
        if found.is_empty() { Err(format!("{host} does not lead to this machine")) } else { Ok(found) }
    }

    fn tls(&self) -> Result<TlsParameters, String> {
        let make = || {
            TlsParameters::new(self.0.url.host.clone())
                .map_err(|error| format!("TLS cannot be set up: {error}"))
        };
        self.0.tls.get_or_init(make).clone()
    }
}

/// A subject of one line that decodes to itself: what looks like an encoded word is taken apart.
fn subject(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(LONGEST_SUBJECT).collect();
    text.replace("=?", "= ?")
}

fn in_words(response: &Response) -> String {
    let said: Vec<&str> = response.message().collect();
    format!("{} {}", response.code(), said.join(" "))
}

impl From<lettre::transport::smtp::Error> for Trouble {
    fn from(error: lettre::transport::smtp::Error) -> Self {
        let mut innermost: &dyn std::error::Error = &error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        match error.status() {
            Some(code) => Self::Refused {
                code: code.to_string().parse().ok(),
                is_permanent: error.is_permanent(),
                said: format!("{code} {innermost}"),
            },
            None => Self::Unreachable(innermost.to_string()),
        }
    }
}

impl Trouble {
    fn in_words(self) -> String {
        let (Self::Refused { said: text, .. } | Self::Unreachable(text)) = self;
        kept(text.as_bytes()).unwrap_or_default()
    }

    fn told(self) -> Told {
        match self {
            Self::Refused { code, said, .. } => {
                let code = code.map(|code| format!("SMTP {code}")).unwrap_or_default();
                Told { answer: kept(said.as_bytes()), ..Told::failed(AttemptOutcome::Refused, code) }
            }
            Self::Unreachable(why) => {
                Told::failed(AttemptOutcome::Unreachable, kept(why.as_bytes()).unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_server_is_smtps_or_smtp_without_password() {
        for (text, expected) in [
            ("smtps://user@mail.example.com", Some(("mail.example.com", 465, Security::Wrapped))),
            ("smtps://mail.example.com:8465/", Some(("mail.example.com", 8465, Security::Wrapped))),
            ("smtps://127.0.0.1", Some(("127.0.0.1", 465, Security::Wrapped))),
            (
                "smtp://user%40example.com@mail.example.com",
                Some(("mail.example.com", 587, Security::StartTls)),
            ),
            ("smtp://10.0.0.5", Some(("10.0.0.5", 587, Security::StartTls))),
            ("smtp://localhost.example.com", Some(("localhost.example.com", 587, Security::StartTls))),
            ("smtp://localhost", Some(("localhost", 25, Security::Loopback))),
            ("smtp://[::1]:2525", Some(("::1", 2525, Security::Loopback))),
            ("smtps://user:word@mail.example.com", None),
            ("smtps://mail.example.com/path", None),
            ("smtps://mail.example.com?tls=none", None),
            ("https://mail.example.com", None),
            ("smtps://", None),
            ("mail.example.com", None),
        ] {
            let found = SmtpUrl::parse(text).ok();
            let found = found.as_ref().map(|url| (url.host.as_str(), url.port, url.security));
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(
            SmtpUrl::parse("smtp://user%40example.com@localhost").unwrap().user.unwrap(),
            "user@example.com"
        );
    }

    #[test]
    fn an_address_is_one_address_and_nothing_else() {
        for (text, is_right) in [
            ("owner@example.com", true),
            ("owner+shop@example.com", true),
            ("owner@example.com, other@example.com", false),
            ("Owner <owner@example.com>", false),
            ("owner@example.com\r\nBcc: x@example.com", false),
            ("\"a b\"@example.com", false),
            ("owner", false),
            ("owner@exämple.com", false),
        ] {
            assert_eq!(address(text).is_ok(), is_right, "{text:?}");
        }
    }

    #[test]
    fn a_subject_is_one_header_of_one_line_whatever_is_in_it() {
        let url = SmtpUrl::parse("smtp://localhost").unwrap();
        let server = MailServer::new(url, None, address("shop@example.com").unwrap());
        let letter = |subject: &str| Letter {
            id: "news_1".to_owned(),
            subject: subject.to_owned(),
            text: "text\r\n.\r\nRCPT TO:<x@example.com>".to_owned(),
            html: None,
            at: Timestamp::from_seconds(0),
        };
        let long = "x".repeat(5000);
        for hostile in [
            "a\r\nBcc: x@example.com",
            "=?utf-8?Q?a=0D=0ABcc:_x@example.com?=",
            "ä\nBcc: x@example.com",
            &long,
        ] {
            let mail = server.compose(&letter(hostile), &[address("owner@example.com").unwrap()]).unwrap();
            let mail = String::from_utf8(mail).unwrap();
            let (head, _) = mail.split_once("\r\n\r\n").unwrap();
            let names: Vec<&str> = head
                .split("\r\n")
                .filter(|line| !line.starts_with([' ', '\t']))
                .map(|line| line.split_once(':').unwrap().0)
                .collect();
            let expected = [
                "From",
                "Subject",
                "Message-ID",
                "Date",
                "Auto-Submitted",
                "To",
                "Content-Type",
                "Content-Transfer-Encoding",
            ];
            assert_eq!(names, expected, "{head}");
            assert!(!head.contains("=?utf-8?Q?"), "{head}");
            assert!(mail.lines().all(|line| line.len() < 998));
        }
    }

    #[tokio::test]
    async fn a_server_without_starttls_is_told_nothing() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = std::thread::spawn(move || {
            use std::io::{Read as _, Write as _};
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"220 here\r\n").unwrap();
            let mut part = [0; 512];
            let count = stream.read(&mut part).unwrap();
            stream.write_all(b"250-here\r\n250 AUTH PLAIN LOGIN\r\n").unwrap();
            let mut heard = part[..count].to_vec();
            stream.read_to_end(&mut heard).unwrap();
            String::from_utf8(heard).unwrap()
        });
        let user = Some("user".to_owned());
        let url = SmtpUrl { host: "127.0.0.1".to_owned(), port, security: Security::StartTls, user };
        let server = MailServer::new(url, Some(&"hush".into()), address("shop@example.com").unwrap());
        let letter = Letter {
            id: "news_1".to_owned(),
            subject: "secret".to_owned(),
            text: String::new(),
            html: None,
            at: Timestamp::from_seconds(0),
        };
        let told =
            server.send(&letter, &[address("owner@example.com").unwrap()], Duration::from_secs(60)).await;
        assert_eq!(told.outcome, AttemptOutcome::Unreachable);
        assert!(told.detail.contains("STARTTLS"), "{told:?}");
        let heard = heard.join().unwrap();
        assert!(heard.starts_with("EHLO") && !heard.contains("AUTH") && !heard.contains("MAIL"), "{heard}");
    }
}
