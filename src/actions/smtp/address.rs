//! The address of the mail server, and the e-mail addresses that a mail may use.

use std::net::IpAddr;

use lettre::Address;
use percent_encoding::percent_decode_str;
use reqwest::Url;

/// The parts of the server's URL.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) user: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// TLS from the first byte.
    Wrapped,
    /// STARTTLS; a server that does not offer it gets no mail.
    StartTls,
    /// No encryption: it stays on this machine.
    Loopback,
}

impl SmtpUrl {
    /// Parses `smtps://user@host:port` or `smtp://…`. Default ports: 465 and 587 (25 on loopback).
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

    /// Whether it names a user, who must log in.
    #[must_use]
    pub fn has_user(&self) -> bool {
        self.user.is_some()
    }
}

/// Parses an address `name@domain`, without a display name.
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
}
