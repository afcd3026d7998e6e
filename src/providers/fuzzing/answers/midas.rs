//! Midas' answers, signed and unsigned.

use super::super::conversation::{Conversation, one};
use super::super::notifications::midas_source;
use super::super::signatures::lines_and_signature;
use super::super::{fuzz, recording};
use super::{Says, fuzz_answers, judged, questions};
use crate::domain::CallResult;
use crate::providers::keys::KeyValue;
use crate::providers::midas::tests::{PLATFORM, certificate, stamp};

const NOTIFICATIONS: [(&str, Says); 2] = [
    (
        "midas/notifications/paid.json",
        &[
            ("/transaction/external_id", "shop-order-9"),
            ("/transaction/project/id", "pr-77"),
            ("/transaction/status", "Completed"),
            ("/payment_details/payment/amount", "8.98"),
            ("/payment_details/payment/currency", "EUR"),
        ],
    ),
    (
        "midas/notifications/cancelled.json",
        &[
            ("/transaction/external_id", "shop-order-9"),
            ("/transaction/project/id", "pr-77"),
            ("/transaction/status", "Cancelled"),
        ],
    ),
];

fn seeds() -> Vec<Vec<u8>> {
    vec![
        one(200, "midas/answers/completed.json"),
        one(404, "midas/answers/not_found.json"),
        one(401, "midas/answers/unauthenticated.json"),
        one(400, "midas/answers/invalid_argument.json"),
    ]
}

#[test]
fn no_answer_of_midas_confirms_what_it_does_not_say() {
    let seeds = seeds();
    let seeds: Vec<&[Vec<u8>]> = seeds.iter().map(std::slice::from_ref).collect();
    fuzz_answers(
        "answers-midas",
        &["Match", "NotFound", "NotYet", "Mismatch", "ApiDenied", "ApiError"],
        &*midas_source(&[]),
        &NOTIFICATIONS,
        &seeds,
    );
}

/// The platform's keys are new in each run, so that inputs have the word `SIGNED` instead of a signature; it stands
/// for the one over the recorded answer.
#[test]
fn no_answer_of_midas_counts_but_as_the_platform_signed_it() {
    let certificate = certificate(PLATFORM, &[0x0c, 0x2d]);
    let file = ("platform.pem".into(), certificate.into_bytes());
    let provider = midas_source(&[("platform_cert_files", KeyValue::Files(vec![file]))]);
    let recorded = recording("midas/answers/completed.json");
    let stamp = stamp(PLATFORM, "0C2D", &recorded);
    let (lines, signature) = lines_and_signature(&stamp);
    let seeds = seeds().into_iter().map(|reply| [lines.as_bytes(), b"\n", &reply].concat()).collect();
    let questions = questions(&*provider, &NOTIFICATIONS);
    let conversation = Conversation::new();
    fuzz("answers-midas-signed", &["Match", "ApiError", "ApiDenied"], seeds, |input| {
        conversation.take(input, |reply| {
            for value in reply.headers.iter_mut().map(|(_, value)| value).filter(|value| *value == "SIGNED") {
                *value = signature.parse().unwrap();
            }
        });
        let asked = &questions.values().next().unwrap()[0];
        let (heard, answer) = conversation.ask(provider.ask(&conversation.api, &asked.claim));
        if !matches!(answer.result, CallResult::Failed(_)) {
            assert_eq!(heard[0].body, recorded, "an unsigned answer");
            assert_eq!(heard[0].headers.get_all("txgw-signature").iter().count(), 1);
        }
        judged(&*provider, asked, &answer, &heard)
    });
}
