//! Fuzzes the answers of a shop's API to each question of each format: no answer confirms what it does not say, none denies
//! what the API did not deny, and a failed call never judges.

use std::collections::BTreeMap;

use serde_json::Value;

use super::conversation::{Conversation, NOW, SEPARATOR, ScriptedReply};
use super::notifications::notification;
use super::{assert_fit_for_a_line, fuzz, plain, recording};
use crate::domain::{
    Answer, CallResult, Cause, Claim, Failure, Known, Outcome, Reading, StoredObject, SubjectKind, Timestamp,
    Truth,
};
use crate::providers::Provider;

mod ecwid;
mod kinguin;
mod midas;

/// The values that an object of the answers must have to confirm a claim, at JSON pointers, with `|` between two
/// places of which one suffices.
type Says = &'static [(&'static str, &'static str)];

/// A recorded notification's claim.
struct Asked {
    claim: Claim,
    says: Says,
}

/// Notifications that ask the same of the API; the first one's claim is asked.
type Questions = BTreeMap<String, Vec<Asked>>;

fn questions(provider: &dyn Provider, notifications: &[(&str, Says)]) -> Questions {
    let mut questions = Questions::new();
    for (file, says) in notifications {
        let claim = match provider.read(&notification(&recording(file))) {
            Reading::Claim(claim) => *claim,
            Reading::Unasked(unasked) => panic!("{file}: {unasked:?}"),
        };
        questions.entry(claim.question.clone()).or_default().push(Asked { claim, says });
    }
    questions
}

fn fuzz_answers(
    target: &str,
    reached: &[&str],
    provider: &dyn Provider,
    notifications: &[(&str, Says)],
    seeds: &[&[Vec<u8>]],
) {
    let questions = questions(provider, notifications);
    let conversation = Conversation::new();
    let seeds = seeds.iter().map(|replies| replies.join(SEPARATOR)).collect();
    fuzz(target, reached, seeds, |input| {
        conversation.take(input, |_| ());
        effects(provider, &questions, &conversation)
    });
}

/// Asks every question alone, and in list calls if it is listable.
fn effects(provider: &dyn Provider, questions: &Questions, conversation: &Conversation) -> String {
    let api = &conversation.api;
    let mut effects = String::new();
    for asked in questions.values() {
        let (heard, answer) = conversation.ask(provider.ask(api, &asked[0].claim));
        for asked in asked {
            effects += &judged(provider, asked, &answer, &heard);
        }
    }
    let listable: Vec<&Asked> =
        questions.values().flatten().filter(|asked| provider.is_listable(&asked.claim)).collect();
    if listable.is_empty() {
        return effects;
    }
    let claims: Vec<Claim> = listable.iter().map(|asked| asked.claim.clone()).collect();
    let (heard, answers) = conversation.ask(provider.ask_list(api, &claims));
    match answers {
        Err(failure) => effects += &failed(&failure, &heard),
        Ok(answers) => {
            assert!(!heard.iter().any(ScriptedReply::is_failure), "a list after a failed call");
            assert_eq!(answers.len(), claims.len(), "an answer for each claim");
            for (asked, answer) in listable.iter().zip(&answers) {
                let Some(answer) = answer else { continue };
                assert!(matches!(answer.result, CallResult::Found(_)), "a list denies nothing: {answer:?}");
                effects += &format!("listed {}", judged(provider, asked, answer, &heard));
            }
        }
    }
    effects
}

/// Checks the promises about every judgement; returns its effect in words.
fn judged(provider: &dyn Provider, asked: &Asked, answer: &Answer, heard: &[ScriptedReply]) -> String {
    let Asked { claim, says } = asked;
    let shown = match &answer.result {
        CallResult::Failed(failure) => return failed(failure, heard),
        CallResult::Found(shown) => Some(shown),
        CallResult::NotFound(absence) => {
            assert_fit_for_a_line(&absence.detail);
            None
        }
    };
    assert!(!heard.iter().any(ScriptedReply::is_failure), "an answer after a failed call: {answer:?}");
    if let Some(shown) = shown {
        provider.statuses(&shown.compared);
        let kind = shown.truth.as_ref().map(Truth::kind);
        assert!(kind.is_none_or(|kind| kind == claim.subject.kind), "{answer:?}");
    }
    let mut effects = String::new();
    for known in [Known::default(), known(claim)] {
        let comparison = provider.compare(claim, answer, &known);
        assert_fit_for_a_line(comparison.detail.as_deref().unwrap_or_default());
        match comparison.outcome {
            Outcome::Match | Outcome::Deleted => {
                let mut good = heard.iter().filter(|reply| reply.is_good());
                assert!(good.any(|reply| says_all(reply, says)), "confirmed without {says:?}: {answer:?}");
                let is_deletion = comparison.outcome == Outcome::Deleted;
                assert_eq!(is_deletion, claim.event.ends_with(".deleted"), "{answer:?}");
            }
            Outcome::NotFound | Outcome::Unavailable => {
                assert!(heard.iter().any(|reply| denies(reply, claim)), "denied by no reply: {answer:?}");
            }
            _ => {}
        }
        let detail = plain(comparison.detail.as_deref().unwrap_or_default());
        effects += &format!("{:?} {detail} {};", comparison.outcome, comparison.stored_before);
    }
    effects
}

fn failed(failure: &Failure, heard: &[ScriptedReply]) -> String {
    assert_fit_for_a_line(&failure.detail);
    assert!(failure.retry_after.is_none_or(|pause| (1..=3600).contains(&pause.as_secs())), "{failure:?}");
    let is_limited = heard.last().is_some_and(|reply| reply.status == 429);
    assert!(!is_limited || failure.cause == Cause::ApiRateLimited, "{failure:?}");
    format!("{:?} {} {:?};", failure.cause, plain(&failure.detail), failure.http_status)
}

/// That the claim's object was seen before, under the ids of the claim.
fn known(claim: &Claim) -> Known {
    let stored = StoredObject {
        resolved_id: claim.subject.id.clone(),
        internal_id: claim.asserted_text(&["productId"]).map(str::to_owned),
        updated_at: None,
        fetched_at: Timestamp::from_seconds(NOW - 60),
        by_internal_id: false,
    };
    Known { stored: Some(stored), source_found_any: true }
}

/// Whether one object of a reply has all these values, determined without the code under test. Amounts may be spelled differently.
fn says_all(reply: &ScriptedReply, says: Says) -> bool {
    let amount = |text: &str| text.parse::<f64>().ok().filter(|_| text.contains('.'));
    let is = |found: &Value, value: &str| {
        let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
        text == value || amount(value).is_some_and(|value| amount(&text) == Some(value))
    };
    let has = |object: &Value, (pointers, value): &(&str, &str)| {
        pointers.split('|').filter_map(|pointer| object.pointer(pointer)).any(|found| is(found, value))
    };
    reply.objects().iter().any(|object| says.iter().all(|said| has(object, said)))
}

/// Whether a reply says that an object is not there, in the words that the provider documents.
fn denies(reply: &ScriptedReply, claim: &Claim) -> bool {
    let body = reply.json();
    let is_refusal = (400..500).contains(&reply.status);
    let is_kinguin = |kind: &str| match claim.subject.kind {
        SubjectKind::Order => is_refusal && kind == "OrderNotFound",
        SubjectKind::Product => reply.status == 404 && !["", "Http"].contains(&kind),
    };
    match claim.asserted.keys().next().map(String::as_str) {
        Some("storeId" | "entityId" | "owner_id") => {
            reply.status == 404 || (reply.is_good() && body["items"].is_array())
        }
        Some("orderId" | "orderExternalId" | "kinguinId") => body["kind"].as_str().is_some_and(is_kinguin),
        _ if reply.status == 404 => body["name"].as_str().is_some_and(|name| !name.is_empty()),
        _ => {
            let shown = body.pointer("/transaction/external_id").and_then(Value::as_str);
            reply.is_good() && body.is_object() && shown != Some(claim.subject.id.as_str())
        }
    }
}
