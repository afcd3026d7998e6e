//! One HTTP request to an intake URL, as received.

use serde_json::Value;

use super::time::Timestamp;

/// Headers whose values are secrets and never stored.
pub const REDACTED_HEADERS: [&str; 3] = ["x-event-secret", "authorization", "cookie"];

/// The replacement for a secret value.
pub const REDACTED: &str = "[redacted]";

/// The origin of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A request to the intake URL.
    Intake,
    /// Created by `reconcile --recover`.
    Reconcile,
}

impl Origin {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Reconcile => "reconcile",
        }
    }
}

/// Header names in lower case with their values, in the order of arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Builds headers from pairs, with names in lower case.
    pub fn new<N: AsRef<str>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        Self(pairs.into_iter().map(|(n, v)| (n.as_ref().to_ascii_lowercase(), v.into())).collect())
    }

    /// The first value of `name` (lower case), if the header is present.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Whether `name` is sent more than once, so that its value is ambiguous.
    #[must_use]
    pub fn repeats(&self, name: &str) -> bool {
        self.0.iter().filter(|(n, _)| n == name).count() > 1
    }

    /// The JSON object to store: a list if a name repeats, with secrets redacted.
    #[must_use]
    pub fn to_stored_json(&self) -> String {
        let mut json = Vec::with_capacity(256);
        for (place, (name, _)) in self.0.iter().enumerate() {
            let (before, rest) = self.0.split_at(place);
            if before.iter().any(|(earlier, _)| earlier == name) {
                continue;
            }
            let is_secret = REDACTED_HEADERS.contains(&name.as_str());
            let mut values = rest
                .iter()
                .filter(|(other, _)| other == name)
                .map(|(_, value)| if is_secret { REDACTED } else { value.as_str() });
            json.push(if json.is_empty() { b'{' } else { b',' });
            write_json(&mut json, name);
            json.push(b':');
            match (values.next(), values.next()) {
                (Some(first), Some(second)) => {
                    let all: Vec<&str> = [first, second].into_iter().chain(values).collect();
                    write_json(&mut json, &all);
                }
                (only, _) => write_json(&mut json, only.unwrap_or_default()),
            }
        }
        if json.is_empty() {
            json.push(b'{');
        }
        json.push(b'}');
        String::from_utf8(json).unwrap_or_default()
    }

    /// Parses the text of [`Headers::to_stored_json`]; `None` if it is not valid.
    #[must_use]
    pub fn from_stored_json(json: &str) -> Option<Self> {
        let Ok(Value::Object(object)) = serde_json::from_str(json) else { return None };
        let mut pairs = Vec::new();
        for (name, value) in object {
            match value {
                Value::String(value) => pairs.push((name, value)),
                Value::Array(values) => {
                    for value in values {
                        pairs.push((name.clone(), value.as_str()?.to_owned()));
                    }
                }
                _ => return None,
            }
        }
        Some(Self(pairs))
    }
}

/// Writing texts and lists to memory cannot fail.
fn write_json<T: serde::Serialize + ?Sized>(json: &mut Vec<u8>, value: &T) {
    drop(serde_json::to_writer(json, value));
}

/// One HTTP request to an intake URL, before verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawNotification {
    /// The source whose intake URL was called.
    pub source: String,
    pub provider: String,
    /// When the request had been read completely.
    pub received_at: Timestamp,
    /// The sender's address: the rightmost in the chain that is not a trusted proxy.
    pub remote_addr: String,
    /// The Content-Type header as sent; it decides nothing.
    pub content_type: Option<String>,
    /// All headers, including secrets; they are redacted when stored.
    pub headers: Headers,
    /// The exact bytes of the body.
    pub body: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_headers_are_lower_case_listed_where_repeated_and_without_secrets() {
        let headers = Headers::new([
            ("X-Event-Secret", "s3cret"),
            ("Via", "a"),
            ("VIA", "b"),
            ("Cookie", "c"),
            ("Via", "d"),
        ]);
        let json = headers.to_stored_json();
        assert_eq!(json, r#"{"x-event-secret":"[redacted]","via":["a","b","d"],"cookie":"[redacted]"}"#);
        let back = Headers::from_stored_json(&json).unwrap();
        assert_eq!(back.get("via"), Some("a"));
        assert!(back.repeats("via"));
    }
}
