//! `kinguin`: repeats, news, and what a later confirmed notification explains.

use countersign::simulator::kinguin::{KinguinAccount, Order};
use countersign::simulator::{Fault, Trouble};
use serde_json::json;

use super::kinguin::{AT, calls, keys, settled_as, status, webhook};
use crate::support::{Serve, TestEnv, assert_verdict};

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

fn say(serve: &Serve, order_id: &str, word: &str, at: &str) {
    serve.send(&webhook("order.status", &status(order_id, word, &format!("2025-03-04T10:15:{at}Z"))));
}

/// An environment whose account holds the order `A` in this status.
fn with_order(word: &str) -> (TestEnv, KinguinAccount) {
    let (env, account) = keys();
    account.put_order(Order::new("A").status(word));
    (env, account)
}

#[test]
fn two_true_notifications_about_one_completion_are_both_confirmed_and_one_is_news() {
    let (env, account) = with_order("completed");
    let serve = env.serve();
    serve.send(&webhook("order.complete", &json!({"orderId": "A", "updatedAt": AT})));
    serve.settled(1);
    serve.send(&webhook("order.status", &status("A", "completed", AT)));
    serve.settled(2);
    account.edit_order("A", |order| order.status("refunded"));
    serve.send(&webhook("order.status", &status("A", "refunded", AT)));
    serve.settled(3);
    let rows = env.rows();
    for row in &rows {
        assert_verdict(row, "confirmed", "match");
    }
    assert_eq!(rows.iter().map(|row| row.news).collect::<Vec<_>>(), [1, 0, 1]);
}

#[test]
fn the_same_claim_again_is_a_duplicate_and_is_not_asked_about() {
    let (env, _account) = with_order("completed");
    let serve = env.serve();
    let mut spelled = status("A", "completed", AT);
    serve.send(&webhook("order.status", &spelled));
    serve.settled(1);
    for (id, external) in [(2, json!("")), (3, json!(null))] {
        spelled["orderExternalId"] = external;
        spelled["unknown"] = id.into();
        serve.send(&webhook("order.status", &spelled));
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "ignored", "duplicate");
        assert_eq!((row.duplicate_of, row.news), (Some(1), 0));
    }
    assert_eq!(calls(&env).len(), 1);
    let later = webhook("order.status", &status("A", "completed", "2025-03-04T10:15:10+00:00"));
    serve.send(&later);
    serve.settled(4);
    assert_verdict(&env.row(4), "confirmed", "match");
    assert_eq!(env.row(4).news, 0, "another time is another claim, and no news");
}

#[test]
fn of_equal_waiting_claims_the_lowest_id_is_confirmed_whichever_was_answered() {
    let (env, _account) = with_order("completed");
    let shops = env.simulator.shops();
    let hold = shops.add_fault(Fault::new(Trouble::Hold).path("/v1/order/A").times(1));
    let serve = env.serve();
    say(&serve, "A", "completed", "09");
    assert!(shops.wait_for_calls(1, PATIENCE));
    say(&serve, "A", "completed", "09");
    // The first answer is still held back: this one was asked for the second notification, and judges both.
    for id in [1, 2] {
        serve.settled(id);
    }
    say(&serve, "A", "completed", "09");
    serve.settled(3);
    assert_verdict(&env.row(1), "confirmed", "match");
    assert_eq!((env.row(1).news, env.row(1).outcomes.len()), (1, 1));
    for id in [2, 3] {
        assert_verdict(&env.row(id), "ignored", "duplicate");
        assert_eq!(env.row(id).duplicate_of, Some(1));
    }
    shops.clear_fault(hold);
    assert!(shops.wait_for_answers(2, PATIENCE));
    say(&serve, "A", "refunded", "10");
    serve.settled(4);
    assert_verdict(&env.row(1), "confirmed", "match");
    assert_eq!(env.row(1).outcomes, ["match"], "the late answer changes nothing");
    assert_verdict(&env.row(4), "ignored", "mismatch");
}

#[test]
fn notifications_that_wait_on_one_order_are_settled_by_one_call() {
    let (env, account) = with_order("completed");
    account.configure(|settings| settings.address_refused = true);
    let serve = env.serve();
    say(&serve, "A", "completed", "01");
    serve.pending(1, "api_denied");
    for (word, at) in [("completed", "01"), ("completed", "02"), ("refunded", "03")] {
        say(&serve, "A", word, at);
    }
    account.configure(|settings| settings.address_refused = false);
    for id in 1..=4 {
        serve.settled(id);
    }
    let reasons: Vec<_> = env.rows().into_iter().filter_map(|row| row.reason).collect();
    assert_eq!(reasons, ["match", "duplicate", "match", "mismatch"]);
    let good =
        "SELECT count(DISTINCT call_id) || ' ' || count(*) FROM verifications WHERE outcome <> 'api_denied'";
    assert_eq!(env.value(good).as_deref(), Some("1 4"), "rows settled by one call share its id");
}

#[test]
fn an_answer_judges_only_what_was_stored_before_the_question() {
    let (env, account) = with_order("completed");
    let shops = env.simulator.shops();
    let hold = shops.add_fault(Fault::new(Trouble::Hold).path("/v1/order/A").times(1));
    let serve = env.serve();
    say(&serve, "A", "completed", "09");
    assert!(shops.wait_for_call(|call| call.target.ends_with("/v1/order/A"), PATIENCE));
    account.edit_order("A", |order| order.status("refunded"));
    // The second call waits, too: were it settled first, the first answer would be older than the stored truth.
    let hold_second = shops.add_fault(Fault::new(Trouble::Hold).path("/v1/order/A").times(1));
    say(&serve, "A", "refunded", "10");
    shops.clear_fault(hold);
    serve.settled(1);
    shops.clear_fault(hold_second);
    serve.settled(2);
    assert_verdict(&env.row(1), "confirmed", "match");
    assert_verdict(&env.row(2), "confirmed", "match");
    assert_eq!(env.row(2).outcomes, ["match"]);
    assert_eq!(calls(&env).len(), 2);
}

#[test]
fn a_forged_early_copy_with_another_status_never_silences_the_true_one() {
    let (env, _account) = with_order("completed");
    let serve = env.serve();
    say(&serve, "A", "refunded", "09");
    say(&serve, "A", "completed", "09");
    serve.settled(1);
    serve.settled(2);
    assert_verdict(&env.row(1), "ignored", "mismatch");
    assert_verdict(&env.row(2), "confirmed", "match");
    assert_eq!(env.value("SELECT group_concat(id) FROM fakes").as_deref(), Some("1"));
}

#[test]
fn an_overtaken_status_is_superseded_once_the_later_one_is_confirmed() {
    let (env, account) = keys();
    let serve = env.serve();
    for (first, (now, before)) in (1..).step_by(3).zip([
        ("completed", "processing"),
        ("refunded", "processing"),
        ("canceled", "processing"),
        ("refunded", "completed"),
        ("canceled", "completed"),
    ]) {
        let order = format!("A-{first}");
        account.put_order(Order::new(&order).status(now));
        say(&serve, &order, before, "01");
        serve.settled(first);
        assert_verdict(&env.row(first), "ignored", "mismatch");
        say(&serve, &order, now, "02");
        serve.settled(first + 1);
        settled_as(&serve, first, "superseded");
        assert_verdict(&env.row(first + 1), "confirmed", "match");
        // And the other way round: what comes late is explained by what is confirmed already.
        let at_first = status(&order, before, "2025-03-04T10:15:00Z");
        serve.send(&webhook("order.status", &at_first));
        serve.settled(first + 2);
        let row = env.row(first + 2);
        assert_verdict(&row, "ignored", "superseded");
        assert_eq!(row.outcomes, ["mismatch"]);
        assert_verdict(&env.row(first), "ignored", "superseded");
        assert_eq!(env.value("SELECT count(*) FROM fakes").as_deref(), Some("0"), "{before} before {now}");
    }
}

#[test]
fn order_complete_takes_its_place_in_the_course() {
    let (env, account) = with_order("completed");
    let serve = env.serve();
    say(&serve, "A", "processing", "01");
    serve.settled(1);
    serve.send(&webhook("order.complete", &json!({"orderId": "A", "updatedAt": "2025-03-04T10:15:02Z"})));
    settled_as(&serve, 1, "superseded");
    account.put_order(Order::new("B").status("refunded"));
    serve.send(&webhook("order.complete", &json!({"orderId": "B", "updatedAt": "2025-03-04T10:15:02Z"})));
    serve.settled(3);
    assert_verdict(&env.row(3), "ignored", "mismatch");
    say(&serve, "B", "refunded", "03");
    settled_as(&serve, 3, "superseded");
}

#[test]
fn without_a_later_time_or_an_earlier_place_nothing_is_superseded() {
    let (env, account) = with_order("completed");
    let serve = env.serve();
    say(&serve, "A", "completed", "05");
    serve.settled(1);
    // Later by the provider's time; no place in the course.
    for (id, word, at) in [(2, "processing", "06"), (3, "pending", "01")] {
        say(&serve, "A", word, at);
        serve.settled(id);
        assert_verdict(&env.row(id), "ignored", "mismatch");
    }
    account.put_order(Order::new("B").status("refunded"));
    say(&serve, "B", "canceled", "01");
    say(&serve, "B", "refunded", "02");
    serve.settled(4);
    serve.settled(5);
    assert_verdict(&env.row(4), "ignored", "mismatch");
    assert_verdict(&env.row(5), "confirmed", "match");
}

#[test]
fn of_equal_times_either_explains_whichever_was_received_first() {
    let (env, account) = keys();
    let serve = env.serve();
    for (first, words) in [(1, ["processing", "completed"]), (3, ["completed", "processing"])] {
        let order = format!("A-{first}");
        account.put_order(Order::new(&order).completed());
        for (id, word) in (first..).zip(words) {
            say(&serve, &order, word, "05");
            serve.settled(id);
        }
        for (id, word) in (first..).zip(words) {
            match word {
                "processing" => settled_as(&serve, id, "superseded"),
                _ => assert_verdict(&env.row(id), "confirmed", "match"),
            }
        }
    }
}

#[test]
fn a_not_found_is_superseded_by_what_is_confirmed_later() {
    let (env, account) = keys();
    let serve = env.serve();
    say(&serve, "A", "processing", "01");
    serve.settled(1);
    assert_verdict(&env.row(1), "ignored", "not_found");
    account.put_order(Order::new("A").completed());
    say(&serve, "A", "completed", "02");
    settled_as(&serve, 1, "superseded");
    assert_verdict(&env.row(2), "confirmed", "match");
}

#[test]
fn a_whole_course_that_arrives_late_is_superseded_in_a_chain() {
    let (env, _account) = with_order("refunded");
    let serve = env.serve();
    say(&serve, "A", "processing", "01");
    say(&serve, "A", "completed", "02");
    serve.settled(1);
    serve.settled(2);
    say(&serve, "A", "refunded", "03");
    settled_as(&serve, 1, "superseded");
    settled_as(&serve, 2, "superseded");
    assert_verdict(&env.row(3), "confirmed", "match");
}

#[test]
fn an_undecided_equal_becomes_the_duplicate_of_the_one_that_is_confirmed() {
    let (env, account) = with_order("processing");
    let env = env.verify("give_up_after = \"50ms\"");
    let serve = env.serve();
    say(&serve, "A", "completed", "01");
    serve.settled(1);
    assert_verdict(&env.row(1), "undecided", "not_yet");
    account.edit_order("A", Order::completed);
    say(&serve, "A", "completed", "01");
    settled_as(&serve, 1, "duplicate");
    assert_verdict(&env.row(2), "confirmed", "match");
    assert_eq!(env.row(1).duplicate_of, Some(2));
}
