//! A request to a simulated API and its answer, independent of the web framework.

use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// A request as it was received: nothing is normalised.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    /// Path and query exactly as received.
    pub(super) target: &'a str,
    /// The part of the path below the provider's base, still encoded, without a leading `/`.
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    /// Lower-case names.
    pub(super) headers: &'a [(String, String)],
    pub(super) body: &'a [u8],
    pub(super) now: DateTime<Utc>,
}

impl Request<'_> {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The path's segments, each decoded by itself: an encoded `/` does not split.
    pub(super) fn segments(&self) -> Vec<String> {
        self.path.split('/').map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect()
    }

    pub(super) fn params(&self) -> Params {
        Params(form_urlencoded::parse(self.query.as_bytes()).into_owned().collect())
    }
}

/// The query parameters, decoded; an empty value counts as not given.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// A comma-separated list; empty if the parameter is not given.
    pub(super) fn list(&self, name: &str) -> Option<Vec<String>> {
        let text = self.get(name)?;
        Some(text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect())
    }

    /// Whether `value` is in the comma-separated list `name`, or no such list is given.
    pub(super) fn allows(&self, name: &str, value: &str) -> bool {
        self.list(name).is_none_or(|list| list.iter().any(|item| item == value))
    }

    /// A whole number. The error is the name of the wrong parameter.
    pub(super) fn whole(&self, name: &str) -> Result<Option<usize>, String> {
        self.get(name).map(|text| text.parse().map_err(|_| name.to_owned())).transpose()
    }
}

/// The answer, before faults and signatures.
#[derive(Clone, Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Response {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json;charset=utf-8", &body.to_string())
    }

    pub(super) fn text(status: u16, content_type: &str, body: &str) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.as_bytes().to_vec() }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}
