//! What nobody should send, for every format: each gets a stored and explained row, no other path of the shop's API is
//! ever asked, nothing breaks, and a true notification is confirmed afterwards.

mod documents;
mod ecwid;
mod foreign;
mod ids;
mod kinguin;
mod memory;
mod midas;
mod paths;

use serde_json::Value;

use crate::support::formats::{self, Format};
use crate::support::{Request, Serve, TestEnv};

/// A hostile notification and the reasons that explain it.
struct Case {
    request: Request,
    sent: Vec<u8>,
    reasons: &'static [&'static str],
}

impl Case {
    fn new(format: Format, body: impl Into<Vec<u8>>, reasons: &'static [&'static str]) -> Self {
        let sent = body.into();
        Self { request: format.request(sent.clone()), sent, reasons }
    }

    /// Enough of the body to know which one it is.
    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.sent[..self.sent.len().min(300)]).into_owned()
    }
}

/// Sends all cases of a format and holds it to every promise.
#[track_caller]
fn withstand(format: Format, cases: &[Case]) {
    let env = formats::env().verify("give_up_after = \"1ms\"");
    let serve = env.serve();
    // A Midas source believes "no such transaction" only once it has seen one.
    serve.send(&format.request(format.truth(1208)));
    serve.settled(1);
    for case in cases {
        let answer = serve.send(&case.request);
        assert_eq!((answer.status, answer.text().as_str()), format.acknowledgement, "{}", case.shown());
    }
    for (id, case) in (2..).zip(cases) {
        serve.settled(id);
        assert_explained(&env, id, case);
    }
    let last = i64::try_from(cases.len()).unwrap() + 2;
    serve.send(&format.request(format.truth(1209)));
    serve.settled(last);
    assert_eq!(env.row(last).reason.as_deref(), Some("match"), "a true one still is confirmed");
    paths::assert_only_its_own(&env);
    assert_unharmed(&serve);
}

#[track_caller]
fn assert_explained(env: &TestEnv, id: i64, case: &Case) {
    let (row, shown) = (env.row(id), case.shown());
    let reason = row.reason.as_deref().unwrap_or("none");
    assert!(case.reasons.contains(&reason), "{reason}, not {:?}: {shown}\n{row:#?}", case.reasons);
    let state = match reason {
        "match" => "confirmed",
        "api_error" | "not_yet" => "undecided",
        _ => "ignored",
    };
    assert_eq!(row.state, state, "{shown}");
    let detail = row.detail.unwrap_or_default();
    assert!(reason == "match" || !detail.is_empty(), "nothing explains {shown}");
    assert!(!detail.chars().any(char::is_control) && detail.len() < 1000, "{detail:?}");
    assert!(env.body(id) == case.sent, "not kept as received: {shown}");
}

#[track_caller]
fn assert_unharmed(serve: &Serve) {
    let log = serve.log();
    for word in ["panicked", "ERROR"] {
        assert!(!log.contains(word), "{log}");
    }
    assert_eq!(serve.admin_page("/readyz").status, 200);
}

/// The true notification of a JSON format as a value to spoil.
fn document(format: Format) -> Value {
    serde_json::from_str(&format.truth(1207)).unwrap()
}

/// The true notification of a JSON format with another value at this place.
fn with(format: Format, place: &str, value: impl Into<Value>) -> String {
    let mut whole = document(format);
    let (parent, name) = place.rsplit_once('/').unwrap();
    let parent = whole.pointer_mut(parent).unwrap();
    parent.as_object_mut().unwrap().insert(name.to_owned(), value.into());
    whole.to_string()
}

/// The true notification of a JSON format with this JSON text at a place, digits and all.
fn with_json(format: Format, place: &str, json: &str) -> String {
    with(format, place, "@here@").replace("\"@here@\"", json)
}
