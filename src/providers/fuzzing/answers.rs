//! Any answer of a shop's API to each question of each format: no answer confirms what it does not say.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::notifications::{delivery, midas_source, source};
use super::{fuzz, head_and_body, plain, recording};
use crate::domain::{Answer, Claim, Clock, Known, Outcome, Reading, Said, Timestamp};
use crate::metrics::Metrics;
use crate::providers::http::{Client, OpenGate};
use crate::providers::script::Script;
use crate::providers::{Api, Provider, ecwid, kinguin};

/// More calls than any question needs: near matches take ten pages, and a list is read afresh a few times.
const MOST_CALLS: usize = 120;

/// What the API says to every call, and how often it was asked since.
#[derive(Default)]
struct Spoken {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    calls: usize,
}

/// A way to an API that gives the same answer to everything.
fn scripted() -> (Api, Arc<Mutex<Spoken>>) {
    let says = Arc::new(Mutex::new(Spoken::default()));
    let heard = Arc::clone(&says);
    let script = Script::new(move |_path| {
        let mut says = heard.lock().unwrap_or_else(PoisonError::into_inner);
        says.calls += 1;
        assert!(says.calls <= MOST_CALLS, "asked without end");
        (says.status, says.headers.clone(), says.body.clone())
    });
    let clock = Clock::standing_at(Timestamp::from_seconds(1_767_322_800));
    let client =
        Client::new(Duration::from_secs(5), Metrics::new().unwrap(), clock).unwrap().scripted(script);
    (Api::new(client, "shop", "https://shop.example/api", Arc::new(OpenGate)), says)
}

/// `notifications` stand beside the words that an answer has to say before it may confirm them.
fn fuzz_answers(
    target: &str,
    provider: &dyn Provider,
    notifications: &[(&str, &[&str])],
    answers: &[(u16, &str)],
) {
    let claims = notifications.iter().map(|(file, must_say)| (claim(provider, file), *must_say));
    let claims: Vec<(Claim, &[&str])> = claims.collect();
    let seeds = answers.iter().map(|(status, file)| {
        let head = format!("Status: {status}\nDate: Fri, 02 Jan 2026 03:00:00 GMT\n\n");
        [head.as_bytes(), &recording(file)].concat()
    });
    let (api, says) = scripted();
    fuzz(target, seeds.collect(), |input| {
        let (head, body) = head_and_body(input);
        let mut effects = String::new();
        for (claim, must_say) in &claims {
            set(&mut says.lock().unwrap_or_else(PoisonError::into_inner), &head, body);
            let answer = provider.ask(&api, claim).now_or_never().expect("nothing is waited for");
            effects += &judged(provider, claim, must_say, &answer, body);
            if provider.is_listable(claim) {
                says.lock().unwrap_or_else(PoisonError::into_inner).calls = 0;
                let listed = provider.ask_list(&api, std::slice::from_ref(claim)).now_or_never();
                if let Ok(answers) = listed.expect("nothing is waited for") {
                    assert_eq!(answers.len(), 1, "an answer for each claim");
                    let answers = answers.iter().flatten();
                    effects.extend(answers.map(|answer| judged(provider, claim, must_say, answer, body)));
                }
            }
        }
        effects
    });
}

fn claim(provider: &dyn Provider, file: &str) -> Claim {
    match provider.read(&delivery(&recording(file))) {
        Reading::Claim(claim) => *claim,
        Reading::Unasked(unasked) => panic!("{file}: {unasked:?}"),
    }
}

fn set(says: &mut Spoken, head: &[(String, String)], body: &[u8]) {
    let mut headers = HeaderMap::new();
    for (name, value) in head {
        if let (Ok(name), Ok(value)) =
            (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str()))
        {
            headers.append(name, value);
        }
    }
    let status =
        headers.remove("status").and_then(|status| status.to_str().ok()?.parse().ok()).unwrap_or(200);
    *says = Spoken { status, headers, body: body.to_vec(), calls: 0 };
}

/// Holds what is promised of every judgement; says what came of it.
fn judged(provider: &dyn Provider, claim: &Claim, must_say: &[&str], answer: &Answer, body: &[u8]) -> String {
    if let Said::Failed(failure) = &answer.said {
        assert!(
            failure.detail.len() < 1000 && !failure.detail.contains(char::is_control),
            "{:?}",
            failure.detail
        );
        return format!("{:?} {} {:?};", failure.cause, plain(&failure.detail), failure.http_status);
    }
    let comparison = provider.compare(claim, answer, &Known::default());
    if comparison.outcome == Outcome::Match {
        assert!(answer.http_status.is_some_and(|status| (200..300).contains(&status)), "{answer:?}");
        let said = unescaped(body);
        for value in must_say {
            assert!(said.contains(value), "a match without {value}");
        }
    }
    format!("{:?} {};", comparison.outcome, plain(comparison.detail.as_deref().unwrap_or_default()))
}

/// The text of an answer with the escapes of its strings resolved.
fn unescaped(body: &[u8]) -> String {
    serde_json::from_slice::<serde_json::Value>(body).map(|value| value.to_string()).unwrap_or_default()
}

#[test]
fn no_answer_of_ecwid_confirms_what_it_does_not_say() {
    let notifications: [(&str, &[&str]); 4] = [
        ("ecwid/notifications/order_updated.json", &["SALE-H4K9P", "PAID", "AWAITING_PROCESSING"]),
        ("ecwid/notifications/order_deleted.json", &[]),
        ("ecwid/notifications/product_updated.json", &["9001"]),
        ("ecwid/notifications/product_deleted.json", &[]),
    ];
    let answers = [
        (200, "ecwid/answers/order.json"),
        (200, "ecwid/answers/orders_deleted.json"),
        (200, "ecwid/answers/product.json"),
        (404, "ecwid/answers/orders_deleted.json"),
        (404, "midas/answers/not_found.json"),
    ];
    fuzz_answers("answers-ecwid", &*source(&ecwid::WEBHOOK, &[]), &notifications, &answers);
}

#[test]
fn no_answer_of_ecwid_confirms_an_ion_that_it_does_not_say() {
    let answers = [(200, "ecwid/answers/old_order.json"), (200, "ecwid/answers/order.json")];
    let notifications: [(&str, &[&str]); 1] =
        [("ecwid/notifications/ion_order_status_change.form", &["1207", "PAID", "AWAITING_PROCESSING"])];
    fuzz_answers("answers-ecwid-ion", &*source(&ecwid::ION, &[]), &notifications, &answers);
}

#[test]
fn no_answer_of_kinguin_confirms_what_it_does_not_say() {
    let notifications: [(&str, &[&str]); 3] = [
        ("kinguin/notifications/order-status.http", &["QZ7T2RMN4WB", "shop-000451", "completed"]),
        ("kinguin/notifications/order-complete.http", &["QZ7T2RMN4WB", "shop-000451", "completed"]),
        ("kinguin/notifications/product-update.http", &["70123", "5f00aa11bb22cc33dd44ee55"]),
    ];
    let answers = [
        (200, "kinguin/answers/order.json"),
        (200, "kinguin/answers/product.json"),
        (404, "kinguin/answers/order-not-found.json"),
        (401, "kinguin/answers/unauthorized.json"),
    ];
    fuzz_answers("answers-kinguin", &*source(&kinguin::KINGUIN, &[]), &notifications, &answers);
}

#[test]
fn no_answer_of_midas_confirms_what_it_does_not_say() {
    let notifications: [(&str, &[&str]); 2] = [
        ("midas/notifications/paid.json", &["shop-order-9", "Completed", "8.98", "EUR", "pr-77"]),
        ("midas/notifications/cancelled.json", &["shop-order-9", "Cancelled", "pr-77"]),
    ];
    let answers = [
        (200, "midas/answers/completed.json"),
        (404, "midas/answers/not_found.json"),
        (401, "midas/answers/unauthenticated.json"),
        (400, "midas/answers/invalid_argument.json"),
    ];
    fuzz_answers("answers-midas", &*midas_source(&[]), &notifications, &answers);
}
