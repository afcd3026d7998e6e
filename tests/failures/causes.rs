//! Each cause of a failure, from the shop to the row and back.

use std::time::Duration;

use countersign::simulator::{Fault, Trouble};

use crate::support::{House, assert_verdict, paid};

/// Every call of a store fails so; the reason that its notification then waits for.
fn causes() -> Vec<(&'static str, Fault, &'static str)> {
    let with_retry_after = |status| {
        let headers = vec![("retry-after".to_owned(), "1".to_owned())];
        Fault::new(Trouble::Answer { status, headers, body: b"{}".to_vec() })
    };
    let nine_mib = 9 * 1024 * 1024;
    vec![
        ("no answer in time", Fault::new(Trouble::Hold), "api_unreachable"),
        ("a body that never ends", Fault::new(Trouble::Dribble(Duration::from_millis(5))), "api_unreachable"),
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

#[test]
fn every_failure_to_ask_leaves_it_pending_with_its_cause_and_recovery_settles_it() {
    let mut house = House::new().verify("timeout = \"400ms\"\nconcurrency = 40");
    let causes = causes();
    for (store, (_, fault, _)) in (2000..).zip(&causes) {
        house = house.ion_shop(&format!("shop-{store}"), store, 1);
        house.simulator.shops().add_fault(fault.clone().store(store.to_string()));
    }
    let serve = house.serve();
    for (store, _) in (2000..).zip(&causes) {
        assert_eq!(serve.post(&format!("shop-{store}"), paid(store, "o.1")).status, 200);
    }
    for (id, (_, _, reason)) in (1..).zip(&causes) {
        serve.pending(id, reason);
    }
    for (id, (name, _, reason)) in (1..).zip(&causes) {
        let row = house.row(id);
        assert_eq!(
            (row.state.as_str(), row.reason.as_deref()),
            ("pending", Some(*reason)),
            "{name}: {row:#?}"
        );
        assert!(row.outcomes.iter().all(|outcome| outcome == reason), "{name}: {row:#?}");
        assert!(row.detail.is_some(), "{name}: {row:#?}");
    }
    house.simulator.shops().clear_faults();
    for (id, (name, _, reason)) in (1..).zip(&causes) {
        serve.settled(id);
        let row = house.row(id);
        assert_verdict(&row, "confirmed", "match");
        let (last, before) = row.outcomes.split_last().unwrap();
        assert_eq!(last, "match", "{name}");
        assert!(!before.is_empty() && before.iter().all(|outcome| outcome == reason), "{name}: {row:#?}");
    }
    let strayed = house.simulator.shops().calls_matching(|call| call.target.contains("elsewhere"));
    assert!(strayed.is_empty(), "no redirect is followed: {strayed:#?}");
}

#[test]
fn a_shop_that_takes_no_connection_is_unreachable_and_its_return_settles_everything() {
    let mut house = House::new().ion_shop("shop", 1003, 3);
    house.simulator.stop_listening().unwrap();
    let serve = house.serve();
    for order in ["o.1", "o.2", "o.3"] {
        assert_eq!(serve.post("shop", paid(1003, order)).status, 200);
    }
    serve.pending(1, "api_unreachable");
    house.simulator.listen_again().unwrap();
    for id in 1..=3 {
        serve.settled(id);
        assert_verdict(&house.row(id), "confirmed", "match");
    }
}

#[test]
fn a_retry_after_is_honoured_up_to_an_hour_and_a_missing_or_senseless_one_is_ten_seconds() {
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
    let mut house = House::new();
    for (store, (header, _)) in (3000..).zip(cases) {
        house = house.ion_shop(&format!("shop-{store}"), store, 1);
        house.simulator.shops().add_fault(Fault::too_many(header).store(store.to_string()));
    }
    let serve = house.serve();
    for (store, _) in (3000..).zip(cases) {
        serve.post(&format!("shop-{store}"), paid(store, "o.1"));
    }
    for (id, (header, seconds)) in (1..).zip(cases) {
        serve.pending(id, "api_rate_limited");
        let pause = house.value(&format!(
            "SELECT (julianday(n.next_attempt_at) - julianday(v.at)) * 86400
             FROM notifications n JOIN verifications v ON v.notification_id = n.id WHERE n.id = {id}"
        ));
        let pause: f64 = pause.unwrap().parse().unwrap();
        assert!((seconds - 0.1..seconds + 5.0).contains(&pause), "{header:?} gave a pause of {pause} s");
    }
    assert_eq!(house.simulator.shops().calls().len(), cases.len(), "nobody was asked a second time");
}
