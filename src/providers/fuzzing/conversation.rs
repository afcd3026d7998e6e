//! A shop's API whose replies are an input: the first part of the input answers the first call, and so on; the last part
//! answers all later calls. A part is a head with `Status` and other headers, an empty line, and a body. Status 0 is a
//! connection that broke.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::{head_and_body, readable, recording};
use crate::domain::{Cause, Clock, Failure, Timestamp};
use crate::metrics::Metrics;
use crate::providers::Api;
use crate::providers::canned::CannedAnswers;
use crate::providers::http::{Client, OpenGate};

/// Between two replies of an input.
pub(super) const SEPARATOR: &[u8] = b"\n---\n";

/// 2026-01-02T03:00:00Z.
pub(super) const NOW: i64 = 1_767_322_800;

/// More calls than any question needs: a list of deletions is read for up to a thousand pages.
const MOST_CALLS: usize = 1_100;

/// The API's reply to one call.
#[derive(Clone, Debug)]
pub(super) struct ScriptedReply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl ScriptedReply {
    fn read(part: &[u8]) -> Self {
        let (head, body) = head_and_body(part);
        let mut headers = HeaderMap::new();
        for (name, value) in &head {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str()))
            {
                headers.append(name, value);
            }
        }
        let status = headers.remove("status").and_then(|status| status.to_str().ok()?.parse().ok());
        Self { status: status.unwrap_or(200), headers, body: body.to_vec() }
    }

    /// Whether it is a success by its status.
    pub(super) fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether it must not count as an answer: it never came, or its status says so.
    pub(super) fn is_failure(&self) -> bool {
        !self.is_good() && (!(400..500).contains(&self.status) || [408, 429].contains(&self.status))
    }

    pub(super) fn json(&self) -> Value {
        readable(&self.body)
    }

    /// The objects that it shows: itself, and the items if it is a list.
    pub(super) fn objects(&self) -> Vec<Value> {
        let body = self.json();
        let lists = ["items", "results"].map(|name| body[name].as_array().cloned().unwrap_or_default());
        lists.into_iter().flatten().chain([body]).collect()
    }
}

#[derive(Default)]
struct Talk {
    replies: Vec<ScriptedReply>,
    calls: usize,
}

/// The API, and the replies that the input makes it give.
pub(super) struct Conversation {
    pub(super) api: Api,
    talk: Arc<Mutex<Talk>>,
}

impl Conversation {
    pub(super) fn new() -> Self {
        let talk = Arc::new(Mutex::new(Talk::default()));
        let spoken = Arc::clone(&talk);
        let script = CannedAnswers::new(move |_path| {
            let mut talk = spoken.lock().unwrap_or_else(PoisonError::into_inner);
            let place = talk.calls.min(talk.replies.len() - 1);
            talk.calls += 1;
            assert!(talk.calls <= MOST_CALLS, "asked without end");
            let ScriptedReply { status, headers, body } = talk.replies[place].clone();
            match status {
                0 => Err(Failure::new(Cause::ApiUnreachable, "no answer in time")),
                _ => Ok((status, headers, body)),
            }
        });
        let clock = Clock::standing_at(Timestamp::from_seconds(NOW));
        let client = Client::new(Duration::from_secs(5), Metrics::new().unwrap(), clock).unwrap();
        let api = Api::new(client.scripted(script), "shop", "https://shop.example/api", Arc::new(OpenGate));
        Self { api, talk }
    }

    fn talk(&self) -> MutexGuard<'_, Talk> {
        self.talk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes another input; `change` may rewrite each reply of it.
    pub(super) fn take(&self, input: &[u8], change: impl Fn(&mut ScriptedReply)) {
        let mut replies = Vec::new();
        let mut rest = input;
        while let Some(at) = rest.windows(SEPARATOR.len()).position(|window| window == SEPARATOR) {
            replies.push(ScriptedReply::read(&rest[..at]));
            rest = &rest[at + SEPARATOR.len()..];
        }
        replies.push(ScriptedReply::read(rest));
        replies.iter_mut().for_each(change);
        self.talk().replies = replies;
    }

    /// Asks a question; returns the replies that it received, and its result.
    pub(super) fn ask<T>(&self, question: impl Future<Output = T>) -> (Vec<ScriptedReply>, T) {
        self.talk().calls = 0;
        let result = question.now_or_never().expect("nothing is waited for");
        let talk = self.talk();
        (talk.replies[..talk.calls.min(talk.replies.len())].to_vec(), result)
    }
}

/// The reply with a recorded body.
pub(super) fn one(status: u16, file: &str) -> Vec<u8> {
    said(status, &recording(file))
}

/// The reply with this body.
pub(super) fn said(status: u16, body: &[u8]) -> Vec<u8> {
    let head = format!("Status: {status}\nDate: Fri, 02 Jan 2026 03:00:00 GMT\n\n");
    [head.as_bytes(), body].concat()
}

/// A page of one of Ecwid's lists that has `total` objects.
pub(super) fn ecwid_page(total: usize, files: &[&str]) -> Vec<u8> {
    said(200, json!({"total": total, "items": objects(files)}).to_string().as_bytes())
}

/// A page of one of Kinguin's lists that has `count` objects.
pub(super) fn kinguin_page(count: usize, files: &[&str]) -> Vec<u8> {
    said(200, json!({"item_count": count, "results": objects(files)}).to_string().as_bytes())
}

fn objects(files: &[&str]) -> Vec<Value> {
    files.iter().map(|file| serde_json::from_slice(&recording(file)).unwrap()).collect()
}
