//! One mail as it is sent: no value in it can add a header or a recipient.

use std::time::Duration;

use lettre::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

use crate::domain::Timestamp;

/// Maximum length of a subject, in characters; a phone shows fewer.
const LONGEST_SUBJECT: usize = 200;

#[derive(Clone, Debug)]
pub struct Letter {
    /// The part of `Message-ID` before the @; the same on every try.
    pub id: String,
    /// Without control characters; line ends and encoded words in it are made harmless.
    pub subject: String,
    pub text: String,
    /// The same as HTML, for readers that can show it.
    pub html: Option<String>,
    /// When it was written.
    pub at: Timestamp,
}

impl Letter {
    /// The mail with its headers, from `from` to all of `to`.
    pub(super) fn compose(&self, from: &Address, to: &[Address]) -> Result<Vec<u8>, String> {
        let domain = from.domain();
        let at = std::time::UNIX_EPOCH + Duration::from_millis(u64::try_from(self.at.millis()).unwrap_or(0));
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut mail = lettre::Message::builder()
            .from(Mailbox::new(None, from.clone()))
            .subject(subject(&self.subject))
            .message_id(Some(format!("<{}@{domain}>", self.id)))
            .date(at)
            .raw_header(HeaderValue::new(name, "auto-generated".to_owned()));
        for address in to {
            mail = mail.to(Mailbox::new(None, address.clone()));
        }
        let mail = match &self.html {
            None => mail.header(ContentType::TEXT_PLAIN).body(self.text.clone()),
            Some(html) => mail.multipart(MultiPart::alternative_plain_html(self.text.clone(), html.clone())),
        };
        mail.map(|mail| mail.formatted()).map_err(|error| format!("the mail cannot be written: {error}"))
    }
}

/// A subject of one line that decodes to itself: anything that looks like an encoded word is broken up.
fn subject(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(LONGEST_SUBJECT).collect();
    text.replace("=?", "= ?")
}

#[cfg(test)]
mod tests {
    use super::super::address;
    use super::*;

    #[test]
    fn a_subject_is_one_header_of_one_line_whatever_is_in_it() {
        let (from, to) = (address("shop@example.com").unwrap(), [address("owner@example.com").unwrap()]);
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
            let mail = letter(hostile).compose(&from, &to).unwrap();
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
}
