//! The notifications of the demo with their expected verdicts: the contract's table of verdicts in action.

use super::DemoSource::{self, Branch, Game, Keys, OldKeys, OldShop, Shop};
use super::recording::{Recording, recording};
use crate::domain::{Reason, State};

/// The verdict of a notification, or its refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is stored, with this state and reason.
    Stored(State, Option<Reason>),
    /// It was refused with this HTTP status, without a row.
    Refused(u16),
}

impl Verdict {
    /// The state and the reason, or `refused` and the HTTP status.
    #[must_use]
    pub fn words(self) -> (String, String) {
        match self {
            Self::Stored(state, reason) => {
                (state.as_str().to_owned(), reason.map_or("", Reason::as_str).to_owned())
            }
            Self::Refused(status) => ("refused".to_owned(), status.to_string()),
        }
    }
}

#[derive(Debug)]
pub struct Scene {
    pub source: DemoSource,
    pub words: &'static str,
    pub recording: Recording,
    /// Whether the sender knows the source's secret: the signing key, the shared secret or the path token.
    pub knows_secret: bool,
    /// A reason for which it must be pending before it is settled.
    pub waits_for: Option<Reason>,
    pub expected: Verdict,
}

const CONFIRMED: Verdict = Verdict::Stored(State::Confirmed, Some(Reason::Match));

const fn ignored(reason: Reason) -> Verdict {
    Verdict::Stored(State::Ignored, Some(reason))
}

const fn scene(source: DemoSource, words: &'static str, recording: Recording, expected: Verdict) -> Scene {
    let knows_secret = !matches!(expected, Verdict::Refused(_));
    Scene { source, words, recording, knows_secret, waits_for: None, expected }
}

const fn late(
    source: DemoSource,
    words: &'static str,
    recording: Recording,
    waits_for: Reason,
    expected: Verdict,
) -> Scene {
    Scene { source, words, recording, knows_secret: true, waits_for: Some(waits_for), expected }
}

const ION: Recording = recording!("ecwid/notifications/ion_order_status_change.form");
const ECWID: Recording = recording!("ecwid/notifications/order_updated.json");
const POSTBACK: Recording = recording!("kinguin/notifications/postback-order-complete.http");
const KINGUIN: Recording = recording!("kinguin/notifications/order-status.http");
const MIDAS: Recording = recording!("midas/notifications/paid.json");

/// All scenes, in the order of sending. The forged webhooks of `shop` have a valid signature: it covers only the
/// event's id and time, so it can be copied from any request. A Kinguin notification names no store, so another
/// store's order is one that the API key does not find.
#[rustfmt::skip]
pub const SCENES: &[Scene] = &[
    scene(OldShop, "true: order 1207 is paid", ION, CONFIRMED),
    scene(OldShop, "fake: order 1666 does not exist", recording!("demo/ecwid-ion/no-such-order.form"), ignored(Reason::NotFound)),
    scene(OldShop, "order 1207 refunded; the shop says paid", recording!("demo/ecwid-ion/another-status.form"), ignored(Reason::Mismatch)),
    scene(OldShop, "the true one once more", ION, ignored(Reason::Duplicate)),
    scene(OldShop, "another store's order", recording!("demo/ecwid-ion/another-store.form"), ignored(Reason::WrongStore)),
    scene(OldShop, "malformed: \"last\" as the order's id", recording!("demo/ecwid-ion/malformed.form"), ignored(Reason::Malformed)),
    scene(OldShop, "the true one with a wrong token in the URL", ION, Verdict::Refused(404)),

    scene(Shop, "true: order SALE-H4K9P is paid", ECWID, CONFIRMED),
    scene(Shop, "fake: order SALE-F4K3D, rightly signed", recording!("demo/ecwid/no-such-order.json"), ignored(Reason::NotFound)),
    scene(Shop, "SALE-H4K9P refunded; the shop says paid", recording!("demo/ecwid/another-status.json"), ignored(Reason::Mismatch)),
    scene(Shop, "the true one once more", ECWID, ignored(Reason::Duplicate)),
    scene(Shop, "another store's order", recording!("demo/ecwid/another-store.json"), ignored(Reason::WrongStore)),
    scene(Shop, "malformed: no entityId", recording!("demo/ecwid/malformed.json"), ignored(Reason::Malformed)),
    scene(Shop, "the true one, signed with another secret", ECWID, Verdict::Refused(401)),

    scene(OldKeys, "true: order QZ7T2RMN4WB is complete", POSTBACK, CONFIRMED),
    scene(OldKeys, "fake: order FAKE0RDER01", recording!("demo/kinguin-postback/no-such-order.http"), ignored(Reason::NotFound)),
    scene(OldKeys, "K5REFUND3D9 complete; the shop: refunded", recording!("demo/kinguin-postback/another-status.http"), ignored(Reason::Mismatch)),
    scene(OldKeys, "the true one once more", POSTBACK, ignored(Reason::Duplicate)),
    scene(OldKeys, "another store's order; it names no store", recording!("demo/kinguin-postback/another-store.http"), ignored(Reason::NotFound)),
    scene(OldKeys, "malformed: half of a body", recording!("demo/kinguin-postback/malformed.http"), ignored(Reason::Malformed)),
    scene(OldKeys, "the true one with a wrong token in the URL", POSTBACK, Verdict::Refused(404)),

    scene(Keys, "true: order QZ7T2RMN4WB is completed", KINGUIN, CONFIRMED),
    scene(Keys, "true: product 70123 has changed", recording!("kinguin/notifications/product-update.http"), CONFIRMED),
    scene(Keys, "fake: order FAKE0RDER01", recording!("demo/kinguin/no-such-order.http"), ignored(Reason::NotFound)),
    scene(Keys, "QZ7T2RMN4WB refunded; the shop: completed", recording!("demo/kinguin/another-status.http"), ignored(Reason::Mismatch)),
    scene(Keys, "the true one once more", KINGUIN, ignored(Reason::Duplicate)),
    scene(Keys, "another store's order; it names no store", recording!("demo/kinguin/another-store.http"), ignored(Reason::NotFound)),
    scene(Keys, "malformed: no X-Event-Name", recording!("demo/kinguin/malformed.http"), ignored(Reason::Malformed)),
    scene(Keys, "the true one with another secret", KINGUIN, Verdict::Refused(401)),

    scene(Game, "true: shop-order-9 is paid, 8.98 EUR", MIDAS, CONFIRMED),
    scene(Game, "fake: shop-order-666, 99.00 EUR", recording!("demo/midas/no-such-order.json"), ignored(Reason::NotFound)),
    scene(Game, "shop-order-9 cancelled; Midas: completed", recording!("midas/notifications/cancelled.json"), ignored(Reason::Mismatch)),
    scene(Game, "the true one once more", MIDAS, ignored(Reason::Duplicate)),
    scene(Game, "another project's payment", recording!("demo/midas/another-store.json"), ignored(Reason::WrongStore)),
    scene(Game, "malformed: paid and cancelled at once", recording!("demo/midas/malformed.json"), ignored(Reason::Malformed)),
    scene(Game, "the true one with another body's signature", MIDAS, Verdict::Refused(401)),

    late(Shop, "true, but earlier than the shop's API shows it", recording!("demo/ecwid/before-the-api-shows-it.json"), Reason::NotYet, CONFIRMED),
    late(Branch, "true, while the shop's API is down", recording!("demo/ecwid/while-the-api-is-down.json"), Reason::ApiUnreachable, CONFIRMED),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_meets_every_verdict_of_the_contract() {
        for source in [OldShop, Shop, OldKeys, Keys, Game] {
            let scenes: Vec<&Scene> = SCENES.iter().filter(|scene| scene.source == source).collect();
            let has = |verdict| scenes.iter().any(|scene| scene.expected == verdict);
            let of_another_store =
                if matches!(source, OldKeys | Keys) { Reason::NotFound } else { Reason::WrongStore };
            let reasons = [Reason::NotFound, Reason::Mismatch, Reason::Duplicate, Reason::Malformed];
            assert!(has(CONFIRMED), "{source:?}");
            for reason in reasons.into_iter().chain([of_another_store]) {
                assert!(has(ignored(reason)), "{source:?}: {reason}");
            }
            assert!(scenes.iter().any(|scene| !scene.knows_secret), "{source:?}");
        }
    }
}
