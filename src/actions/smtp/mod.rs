//! The owner's mail server: one connection per mail, encrypted unless it stays on this machine.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::response::Response;
use secrecy::{ExposeSecret as _, SecretString};

use super::{SendResult, excerpt};
use crate::domain::error_chain::innermost;
use crate::domain::{AttemptOutcome, Effect};

mod address;
mod connection;
mod letter;

pub use address::{SmtpUrl, address};
use connection::Tls;
pub use letter::Letter;

/// Timeout of QUIT, which decides nothing.
const QUIT_TIMEOUT: Duration = Duration::from_secs(1);

/// Timeout of a check.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);

/// The owner's mail server, and the sender address of its mails.
#[derive(Clone)]
pub struct MailServer(Arc<Inner>);

struct Inner {
    url: SmtpUrl,
    credentials: Option<Credentials>,
    from: Address,
    /// Built for the first connection, because that reads the system's root certificates.
    tls: OnceLock<Result<Tls, String>>,
}

impl fmt::Debug for MailServer {
    /// Without the user name and the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailServer").field("server", &self.host_and_port()).finish_non_exhaustive()
    }
}

/// Why there is no connection, or no answer to a step.
enum SmtpError {
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
    pub fn host_and_port(&self) -> String {
        format!("{}:{}", self.0.url.host, self.0.url.port)
    }

    /// Sends a mail to all of `to`; `timeout` covers everything. It is delivered if the server accepts it for
    /// at least one address, and refused for good if the server permanently refuses every address.
    pub async fn send(&self, letter: &Letter, to: &[Address], timeout: Duration) -> SendResult {
        let mail = match letter.compose(&self.0.from, to) {
            Ok(mail) => mail,
            Err(why) => return SendResult::failed(AttemptOutcome::Failed, why),
        };
        match tokio::time::timeout(timeout, self.exchange(&mail, to)).await {
            Err(_) => SendResult::failed(AttemptOutcome::Timeout, "the mail server did not answer in time"),
            Ok(Err(error)) => error.result(),
            Ok(Ok((result, mut connection))) => {
                // The answer to QUIT no longer matters.
                let _ = tokio::time::timeout(QUIT_TIMEOUT, connection.quit()).await;
                result
            }
        }
    }

    /// Resolves, connects and logs in, but sends nothing.
    ///
    /// # Errors
    /// Why it failed, in plain words.
    pub async fn check(&self) -> Result<(), String> {
        match tokio::time::timeout(CHECK_TIMEOUT, self.connect()).await {
            Err(_) => Err(format!(
                "the mail server {} did not answer within {} s",
                self.host_and_port(),
                CHECK_TIMEOUT.as_secs()
            )),
            Ok(Err(error)) => Err(format!("the mail server {}: {}", self.host_and_port(), error.in_words())),
            Ok(Ok(mut connection)) => {
                // The login succeeded; the answer to QUIT does not matter.
                let _ = tokio::time::timeout(QUIT_TIMEOUT, connection.quit()).await;
                Ok(())
            }
        }
    }

    async fn exchange(
        &self,
        mail: &[u8],
        to: &[Address],
    ) -> Result<(SendResult, AsyncSmtpConnection), SmtpError> {
        let mut connection = self.connect().await?;
        connection.command(Mail::new(Some(self.0.from.clone()), Vec::new())).await?;
        let mut refused = Vec::new();
        for address in to {
            match connection.command(Rcpt::new(address.clone(), Vec::new())).await {
                Ok(_) => {}
                Err(error) => match SmtpError::from(error) {
                    SmtpError::Refused { code, is_permanent, said } => {
                        refused.push((code, is_permanent, said));
                    }
                    error @ SmtpError::Unreachable(_) => return Err(error),
                },
            }
        }
        let said = refused.last().map(|(_, _, said)| said.clone()).unwrap_or_default();
        if refused.len() == to.len() {
            let is_permanent = refused.iter().all(|(_, is_permanent, _)| *is_permanent);
            let code = refused.last().and_then(|(code, _, _)| *code);
            let result = SmtpError::Refused { code, is_permanent, said }.result();
            let effect = if is_permanent { Effect::Rejected } else { Effect::Failed };
            let detail = format!("every address was refused: {}", result.detail);
            return Ok((SendResult { effect, detail, ..result }, connection));
        }
        connection.command(Data).await?;
        let mut answer = in_words(&connection.message(mail).await?);
        if !refused.is_empty() {
            answer = format!("{answer}; refused for {} of {} addresses: {said}", refused.len(), to.len());
        }
        Ok((SendResult::delivered(excerpt(answer.as_bytes())), connection))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let tls = self.0.tls.get_or_init(|| Tls::for_server(&self.0.url));
        let tls = tls.as_ref().map_err(|why| SmtpError::Unreachable(why.clone()))?;
        let mut connection = connection::open(&self.0.url, tls).await?;
        if let Some(credentials) = &self.0.credentials {
            connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await?;
        }
        Ok(connection)
    }
}

fn in_words(response: &Response) -> String {
    let said: Vec<&str> = response.message().collect();
    format!("{} {}", response.code(), said.join(" "))
}

impl From<lettre::transport::smtp::Error> for SmtpError {
    fn from(error: lettre::transport::smtp::Error) -> Self {
        let innermost = innermost(&error);
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

impl SmtpError {
    fn in_words(self) -> String {
        let (Self::Refused { said: text, .. } | Self::Unreachable(text)) = self;
        excerpt(text.as_bytes()).unwrap_or_default()
    }

    fn result(self) -> SendResult {
        match self {
            Self::Refused { code, said, .. } => {
                let code = code.map(|code| format!("SMTP {code}")).unwrap_or_default();
                SendResult {
                    answer: excerpt(said.as_bytes()),
                    ..SendResult::failed(AttemptOutcome::Refused, code)
                }
            }
            Self::Unreachable(why) => {
                SendResult::failed(AttemptOutcome::Unreachable, excerpt(why.as_bytes()).unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::address::Security;
    use super::*;
    use crate::domain::Timestamp;

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
        let result =
            server.send(&letter, &[address("owner@example.com").unwrap()], Duration::from_secs(60)).await;
        assert_eq!(result.outcome, AttemptOutcome::Unreachable);
        assert!(result.detail.contains("STARTTLS"), "{result:?}");
        let heard = heard.join().unwrap();
        assert!(heard.starts_with("EHLO") && !heard.contains("AUTH") && !heard.contains("MAIL"), "{heard}");
    }
}
