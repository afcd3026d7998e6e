//! Each cause of a failure, from the shop to the row and back.

use std::time::Duration;

use countersign::simulator::{Fault, Trouble};

use super::times;
use crate::support::{TestEnv, assert_verdict, paid};

/// A name, what fails every call of a store so, and the reason that its notification then waits for.
type Failing = (&'static str, Fault, &'static str);

/// What ends with the time of a question.
fn without_an_end() -> Vec<Failing> {
    vec![
        ("no answer in time", Fault::new(Trouble::Hold), "api_unreachable"),
        ("a body that never ends", Fault::new(Trouble::Dribble(Duration::from_millis(5))), "api_unreachable"),
    ]
}

fn answered() -> Vec<Failing> {
    let with_retry_after = |status| {
        let headers = vec![("retry-after".to_owned(), "1".to_owned())];
        Fault::new(Trouble::Answer { status, headers, body: b"{}".to_vec() })
    };
    let nine_mib = 9 * 1024 * 1024;
    vec![
        ("a cut connection", Fault::new(Trouble::Reset), "api_unreachable"),
        ("408", Fault::status(408), "api_unreachable"),
        ("429 with Retry-After", Fault::too_many(Some("1")), "api_rate_limited"),
        ("503 with Retry-After", with_retry_after(503), "api_rate_limited"),
        ("503 without", Fault::status(503), "api_error"),
        ("500", Fault::status(500), "api_error"),
        ("502 with Retry-After", with_retry_after(502), "api_error"),
        ("599", Fault::status(599), "api_error"),
        ("a redirect", Fault::new(Trouble::Redirect("/ecwid/api/v3/elsewhere".to_owned())), "api_error"),
        ("304", Fault::status(304), "api_error"),
        ("no JSON", Fault::new(Trouble::NotJson), "api_error"),
        ("a truncated answer", Fault::new(Trouble::Truncate), "api_error"),
        ("an answer over 8 MiB", Fault::new(Trouble::Huge(nine_mib)), "api_error"),
        ("401", Fault::status(401), "api_denied"),
        ("402", Fault::status(402), "api_denied"),
        ("403", Fault::status(403), "api_denied"),
        ("400", Fault::status(400), "api_denied"),
        ("418", Fault::status(418), "api_denied"),
    ]
}

/// One shop for each of them: its notification waits for that reason, and is confirmed once the shop has recovered.
fn wait_and_recover(timeout: &str, causes: &[Failing]) {
    let keys = format!("timeout = \"{timeout}\"\nconcurrency = 40\ndenied_pause = \"1h\"");
    let mut env = TestEnv::new().verify(&keys);
    for (store, (_, fault, _)) in (2000..).zip(causes) {
        env = env.ion_shop(&format!("shop-{store}"), store, 1);
        env.simulator.shops().add_fault(fault.clone().store(store.to_string()));
    }
    let serve = env.serve();
    for (store, _) in (2000..).zip(causes) {
        assert_eq!(serve.post(&format!("shop-{store}"), paid(store, "o.1")).status, 200);
    }
    for (id, (name, _, reason)) in (1..).zip(causes) {
        serve.pending(id, reason);
        let row = env.row(id);
        assert_eq!(
            (row.state.as_str(), row.reason.as_deref()),
            ("pending", Some(*reason)),
            "{name}: {row:#?}"
        );
        assert!(row.detail.is_some(), "{name}: {row:#?}");
    }
    env.simulator.shops().clear_faults();
    // Those that were denied are asked again only now: not between a question and its control question.
    serve.signal("HUP");
    for (id, (name, _, reason)) in (1..).zip(causes) {
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "confirmed", "match");
        let (last, before) = row.outcomes.split_last().unwrap();
        assert_eq!(last, "match", "{name}");
        assert!(!before.is_empty() && before.iter().all(|outcome| outcome == reason), "{name}: {row:#?}");
    }
    let strayed = env.simulator.shops().calls_matching(|call| call.target.contains("elsewhere"));
    assert!(strayed.is_empty(), "no redirect is followed: {strayed:#?}");
}

#[test]
fn every_failing_answer_leaves_it_pending_with_its_cause_until_the_shop_recovers() {
    // An answer that a busy machine delays must not look like none.
    wait_and_recover("60s", &answered());
}

#[test]
fn a_question_that_takes_too_long_leaves_it_pending_until_the_shop_recovers() {
    wait_and_recover("400ms", &without_an_end());
}

#[test]
fn a_shop_that_takes_no_connection_is_unreachable_and_its_return_settles_everything() {
    let mut env = TestEnv::new().ion_shop("shop", 1003, 3);
    env.simulator.stop_listening().unwrap();
    let serve = env.serve();
    for order in ["o.1", "o.2", "o.3"] {
        assert_eq!(serve.post("shop", paid(1003, order)).status, 200);
    }
    serve.pending(1, "api_unreachable");
    env.simulator.listen_again().unwrap();
    for id in 1..=3 {
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
}

#[test]
fn a_retry_after_counts_up_to_an_hour_and_a_senseless_one_as_ten_seconds() {
    let cases = [
        (Some("30"), 30.0),
        (None, 10.0),
        (Some("soon"), 10.0),
        (Some("-3"), 10.0),
        (Some("0"), 10.0),
        (Some("1.5"), 10.0),
        (Some("Thu, 01 Jan 2015 00:00:00 GMT"), 10.0),
        (Some("86400"), 3600.0),
        (Some("99999999999999999999999"), 3600.0),
        (Some("Fri, 31 Dec 9999 23:59:59 GMT"), 3600.0),
    ];
    let mut env = TestEnv::new();
    for (store, (header, _)) in (3000..).zip(cases) {
        env = env.ion_shop(&format!("shop-{store}"), store, 1);
        env.simulator.shops().add_fault(Fault::too_many(header).store(store.to_string()));
    }
    let serve = env.serve();
    for (store, _) in (3000..).zip(cases) {
        serve.post(&format!("shop-{store}"), paid(store, "o.1"));
    }
    for ((id, store), (header, seconds)) in (1..).zip(3000..).zip(cases) {
        serve.pending(id, "api_rate_limited");
        let pause = env.value(&format!(
            "SELECT (julianday(n.next_attempt_at) - julianday(max(v.at))) * 86400
             FROM notifications n JOIN verifications v ON v.notification_id = n.id WHERE n.id = {id}"
        ));
        let pause: f64 = pause.unwrap().parse().unwrap();
        assert!((seconds - 0.1..seconds + 19.0).contains(&pause), "{header:?} gave a pause of {pause} s");
        let asked = times(env.simulator.shops(), &format!("/{store}/"));
        for pair in asked.windows(2) {
            let apart = (pair[1] - pair[0]).as_seconds_f64();
            assert!(apart >= seconds, "{header:?}: asked again after {apart} s");
        }
    }
}
