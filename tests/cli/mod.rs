//! The command line from outside: what it prints, where, and how it ends.

mod deciding;
mod doctor;
mod installed;
mod listing;
mod showing;
mod simulating;
mod usage;

use std::process::Output;
use std::time::Duration;

use countersign::config::{Settings, Source};
use countersign::domain::settlement::{Move, Ruling, Settlement, SourceStatus, TruthChange, Verification};
use countersign::domain::{Cause, Clock, Course, Headers, Outcome, RawNotification, Reason, State};
use countersign::store::{LeaseRequest, ParsedNotification, Store, VerificationCall};
use serde_json::json;

use crate::support::{TestEnv, create_or_open};

/// What must never be printed.
const TOKEN: &str = "secret_open_sesame";
const PATH_TOKEN: &str = "hidden-end-of-the-url";

/// An environment with one source, `shop`, and a store that a test fills by hand.
struct Stage {
    env: TestEnv,
    store: Store,
    shop: Source,
    runtime: tokio::runtime::Runtime,
}

impl Stage {
    fn new() -> Self {
        let env = TestEnv::new();
        env.simulator.shops().open_ecwid(1003, TOKEN);
        let base = env.simulator.ecwid_base();
        let env = env.source(
            "shop",
            &format!(
                "provider = \"ecwid-ion\"\nstore_id = 1003\ntoken = \"{TOKEN}\"\npath_token = \"{PATH_TOKEN}\"\n\
                 api_base = \"{base}\"\n"
            ),
        );
        // A pause has to last until a command ends it, however slow the machine is.
        let env = env.verify("denied_pause = \"5m\"");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let settings = Settings::load(&env.write_config(), |_| None).unwrap();
        let store = create_or_open(&env.store_path());
        let shop = settings.sources.into_iter().next().unwrap();
        let stage = Self { env, store, shop, runtime };
        stage.introduce("shop", "ecwid-ion");
        stage
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.env.run(arguments)
    }

    fn introduce(&self, source: &str, provider: &'static str) {
        let sources = vec![(source.to_owned(), provider)];
        let introduced = self.store.introduce_sources(sources, Clock::system().now());
        assert_eq!(self.runtime.block_on(introduced).unwrap(), []);
    }

    /// Stores and files a notification with this body.
    fn receive(&self, body: impl Into<Vec<u8>>) -> i64 {
        self.receive_for("shop", body)
    }

    fn receive_for(&self, source: &str, body: impl Into<Vec<u8>>) -> i64 {
        let notification = RawNotification {
            source: source.to_owned(),
            provider: "ecwid-ion".to_owned(),
            received_at: Clock::system().now(),
            remote_addr: "203.0.113.9".to_owned(),
            content_type: Some("application/x-www-form-urlencoded".to_owned()),
            headers: Headers::new([("User-Agent", "a\u{1b}[31mgent"), ("Authorization", TOKEN)]),
            body: body.into(),
        };
        self.runtime.block_on(async {
            let id = self.store.append(notification.clone()).await.unwrap();
            let reading = Some(self.shop.provider.read(&notification));
            let parsed = ParsedNotification {
                id,
                notification,
                reading,
                is_listable: false,
                course: Course::default(),
            };
            self.store.record(vec![parsed], Clock::system().now()).await.unwrap();
            id
        })
    }

    /// Settles the one notification that waits.
    fn settle(&self, id: i64, state: State, reason: Reason, outcome: Outcome) {
        let to = Move::Settle { state, reason, duplicate_of: None, news: state == State::Confirmed };
        self.rule(id, to, outcome, SourceStatus::Well);
    }

    /// Gives up on the one notification that waits.
    fn give_up(&self, id: i64) {
        self.rule(id, Move::GiveUp { reason: Reason::ApiError }, Outcome::ApiError, SourceStatus::Well);
    }

    /// Lets the whole source fail with the question of the one notification that waits.
    fn deny(&self, id: i64) {
        let wait = Move::Wait { reason: Reason::ApiDenied, next_attempt_at: Clock::system().now() };
        let detail = "the token is not taken".to_owned();
        let failing =
            SourceStatus::Failing { call_kind: None, cause: Cause::ApiDenied, detail, retry_after: None };
        self.rule(id, wait, Outcome::ApiDenied, failing);
    }

    fn rule(&self, id: i64, to: Move, outcome: Outcome, source_status: SourceStatus) {
        let now = Clock::system().now();
        let request = LeaseRequest {
            source: "shop".to_owned(),
            owner: "test".to_owned(),
            rate: self.shop.rate_limit,
            begun: 0,
            last_begun_at: None,
            most_in_list: 1,
        };
        let answer = Some(json!({"paymentStatus": "PAID"}));
        let verification = Verification { outcome, detail: Some("as the API said".to_owned()), answer };
        let detail = Some("in plain words".to_owned());
        let ruling = Ruling { id, to, detail, verification: Some(verification), own_refusal: false };
        let settlement = Settlement {
            rulings: vec![ruling],
            confirmed_before: Vec::new(),
            truth: TruthChange::Keep,
            resolved_id: None,
            confirmed_values: None,
            found: true,
            source_status,
        };
        let policy = Settings::load(&self.env.write_config(), |_| None).unwrap().verify.policy;
        self.runtime.block_on(async {
            let (_, leased, _) = self.store.lease(vec![request], |_| vec![()], now).await.unwrap().remove(0);
            let lease = leased.unwrap().calls.remove(0).remove(0);
            let call = VerificationCall {
                lease: lease.name,
                source: lease.source,
                claim: lease.claim,
                permit: lease.permit,
                asked_at: now.plus(Duration::from_millis(1)),
                http_status: Some(200),
                latency_ms: 12,
                truth_id: None,
            };
            let clock = Clock::standing_at(now);
            let moved =
                self.store.settle(call, policy, 1.0, &clock, move |_| settlement.clone()).await.unwrap();
            assert_eq!(moved.first().map(|moved| moved.id), Some(id));
        });
    }

    /// State and reason of a notification.
    fn verdict(&self, id: i64) -> (String, Option<String>) {
        let row = self.env.row(id);
        (row.state, row.reason)
    }
}

/// The body of a true-looking Instant Order Notification about this order.
fn order(id: &str) -> String {
    format!(
        "owner_id=1003&event_type=new_order&order_id={id}&payment_status=ACCEPTED&fulfillment_status=NEW\
         &old_payment_status=QUEUED"
    )
}

/// Standard output, after the exit code was checked and secrets were looked for.
#[track_caller]
fn printed(output: &Output, code: i32) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let errors = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{text}\n{errors}");
    for secret in [TOKEN, PATH_TOKEN] {
        assert!(!text.contains(secret) && !errors.contains(secret), "{text}\n{errors}");
    }
    assert!(!text.contains('\u{1b}') && !errors.contains('\u{1b}'), "{text}\n{errors}");
    text
}

/// The lines of standard error, after the same checks.
#[track_caller]
fn complaints(output: &Output, code: i32) -> Vec<String> {
    printed(output, code);
    let errors = String::from_utf8(output.stderr.clone()).unwrap();
    let lines: Vec<String> = errors.lines().map(str::to_owned).collect();
    assert!(lines.iter().all(|line| line.starts_with("countersign: ")), "{errors}");
    lines
}
