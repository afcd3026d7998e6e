//! `midas`: an answer that is behind, repeats, news, and a cancellation after a payment.

use countersign::simulator::midas::{Transaction, UnknownId};
use countersign::simulator::{Fault, Trouble};
use serde_json::json;

use super::kinguin::settled_as;
use super::midas::{calls, cancelled, game, paid, post, with};
use crate::support::assert_verdict;

#[test]
fn pending_and_unknown_are_not_yet_until_the_api_has_caught_up() {
    let (env, merchant) = game();
    let serve = env.serve();
    for (id, status) in [(1, "Pending"), (2, "Unknown"), (3, "Pending"), (4, "")] {
        let external_id = format!("P-{id}");
        merchant.put_transaction(Transaction::new(&external_id).status(status));
        let (body, later) =
            if id == 3 { (cancelled(&external_id), "Cancelled") } else { (paid(&external_id), "Completed") };
        post(&serve, &body);
        serve.pending(id, "not_yet");
        merchant.edit_transaction(&external_id, |transaction| transaction.status(later));
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "confirmed", "match");
        assert_eq!((row.outcomes[0].as_str(), row.news), ("not_yet", 1));
    }
}

#[test]
fn a_wrong_id_is_a_mismatch_even_while_the_status_is_pending() {
    let (env, merchant) = game();
    merchant.put_transaction(Transaction::new("P-1").status("Pending"));
    let serve = env.serve();
    post(&serve, &with(paid("P-1"), "/billing/transaction/id", json!("TX-forged")));
    serve.settled(1);
    assert_verdict(&env.row(1), "ignored", "mismatch");
}

#[test]
fn what_never_catches_up_is_undecided() {
    let (env, merchant) = game();
    let env = env.verify("give_up_after = \"100ms\"");
    merchant.put_transaction(Transaction::new("P-1").status("Pending"));
    let serve = env.serve();
    post(&serve, &paid("P-1"));
    serve.settled(1);
    assert_verdict(&env.row(1), "undecided", "not_yet");
}

#[test]
fn a_claimed_time_to_come_is_waited_for_unless_the_transaction_carries_it() {
    let (env, merchant) = game();
    let (date, to_come) = ("/billing/transaction/payment_date", "2099-01-01T00:00:00Z");
    merchant.put_transaction(Transaction::new("F-1").status("Pending"));
    merchant.put_transaction(Transaction::new("F-2"));
    merchant.put_transaction(Transaction::new("F-3").field_at(&["transaction", "payment_date"], to_come));
    let serve = env.serve();
    for external_id in ["F-1", "F-2", "F-3"] {
        post(&serve, &with(paid(external_id), date, json!(to_come)));
    }
    serve.settled(3);
    assert_verdict(&env.row(3), "confirmed", "match");
    serve.pending(1, "not_yet");
    serve.pending(2, "not_yet");
}

#[test]
fn not_there_is_not_yet_until_any_query_of_the_source_has_found_a_transaction() {
    let (env, merchant) = game();
    let serve = env.serve();
    post(&serve, &paid("FORGED"));
    serve.pending(1, "not_yet");
    merchant.put_transaction(Transaction::new("TRUE"));
    post(&serve, &paid("TRUE"));
    serve.settled(2);
    assert_verdict(&env.row(2), "confirmed", "match");
    serve.settled(1);
    let row = env.row(1);
    assert_verdict(&row, "ignored", "not_found");
    assert_eq!((row.outcomes[0].as_str(), row.outcomes.last().unwrap().as_str()), ("not_yet", "not_found"));
}

#[test]
fn a_404_with_a_name_an_empty_object_and_another_transaction_are_not_there() {
    let (env, merchant) = game();
    merchant.put_transaction(Transaction::new("KNOWN"));
    let serve = env.serve();
    post(&serve, &paid("KNOWN"));
    serve.settled(1);
    post(&serve, &paid("N-2"));
    serve.settled(2);
    merchant.configure(|settings| settings.unknown_id = UnknownId::EmptyObject);
    post(&serve, &paid("N-3"));
    serve.settled(3);
    let other = serde_json::Value::Object(merchant.transactions()[0].fields().clone()).to_string();
    let trouble = Trouble::Answer { status: 200, headers: Vec::new(), body: other.into_bytes() };
    env.simulator.shops().add_fault(Fault::new(trouble).path("external_id=N-4"));
    post(&serve, &paid("N-4"));
    serve.settled(4);
    for id in [2, 3, 4] {
        let row = env.row(id);
        assert_verdict(&row, "ignored", "not_found");
        assert_eq!(row.resolved_id, None);
    }
    assert_eq!(env.value("SELECT group_concat(order_id) FROM orders").as_deref(), Some("KNOWN"));
}

#[test]
fn a_404_without_a_name_is_api_error() {
    let (env, merchant) = game();
    merchant.put_transaction(Transaction::new("KNOWN"));
    let serve = env.serve();
    post(&serve, &paid("KNOWN"));
    serve.settled(1);
    let trouble = |body: &str| Trouble::Answer { status: 404, headers: Vec::new(), body: body.into() };
    for (id, body) in (2..).zip([r#"{"message":"no route"}"#, "{}", "", "<h1>404</h1>", r#"{"name":""}"#]) {
        let external_id = format!("E-{id}");
        let fault = Fault::new(trouble(body)).path(format!("external_id={external_id}"));
        let fault = env.simulator.shops().add_fault(fault);
        merchant.put_transaction(Transaction::new(&external_id));
        post(&serve, &paid(&external_id));
        serve.pending(id, "api_error");
        env.simulator.shops().clear_fault(fault);
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
        assert_eq!(env.row(id).outcomes[0], "api_error", "{body}");
    }
}

#[test]
fn a_payment_notified_late_is_superseded_once_its_cancellation_is_confirmed() {
    let (env, merchant) = game();
    merchant.put_transaction(Transaction::new("T-1").status("Cancelled"));
    let serve = env.serve();
    post(&serve, &paid("T-1"));
    serve.settled(1);
    assert_verdict(&env.row(1), "ignored", "mismatch");
    post(&serve, &cancelled("T-1"));
    settled_as(&serve, 1, "superseded");
    assert_verdict(&env.row(2), "confirmed", "match");
    assert_eq!(env.value("SELECT count(*) FROM fakes").as_deref(), Some("0"));
}

#[test]
fn a_payment_that_settles_after_its_confirmed_cancellation_is_superseded_at_once() {
    let (env, merchant) = game();
    merchant.put_transaction(Transaction::new("T-1").status("Cancelled"));
    let env = env.verify("grace = \"1500ms\"");
    let serve = env.serve();
    post(&serve, &paid("T-1"));
    serve.pending(1, "not_yet");
    post(&serve, &cancelled("T-1"));
    serve.settled(2);
    assert_verdict(&env.row(2), "confirmed", "match");
    serve.settled(1);
    let row = env.row(1);
    assert_verdict(&row, "ignored", "superseded");
    assert_eq!(row.outcomes.last().unwrap(), "mismatch");
}

#[test]
fn a_cancellation_is_never_explained_by_a_payment() {
    let (env, merchant) = game();
    merchant.put_transaction(Transaction::new("T-1"));
    let serve = env.serve();
    post(&serve, &cancelled("T-1"));
    serve.settled(1);
    post(&serve, &paid("T-1"));
    serve.settled(2);
    assert_verdict(&env.row(1), "ignored", "mismatch");
    assert_verdict(&env.row(2), "confirmed", "match");
}

#[test]
fn payment_and_cancellation_are_news_and_a_repeat_in_other_bytes_a_duplicate() {
    let (env, merchant) = game();
    merchant.put_transaction(Transaction::new("T-1"));
    let serve = env.serve();
    post(&serve, &paid("T-1"));
    serve.settled(1);
    let mut repeat = with(paid("T-1"), "/custom_parameters/region", json!("eu-2"));
    repeat["items"] = json!([]);
    post(&serve, &repeat);
    serve.settled(2);
    assert_verdict(&env.row(2), "ignored", "duplicate");
    // Less is asserted: another claim, the same truth.
    post(&serve, &with(paid("T-1"), "/billing/payment_details", json!(null)));
    serve.settled(3);
    merchant.edit_transaction("T-1", |transaction| transaction.status("Cancelled"));
    post(&serve, &cancelled("T-1"));
    serve.settled(4);
    let confirmed: Vec<_> = env.rows().into_iter().filter(|row| row.state == "confirmed").collect();
    let news: Vec<_> = confirmed.iter().map(|row| (row.id, row.news)).collect();
    assert_eq!(news, [(1, 1), (3, 0), (4, 1)]);
    assert_eq!(calls(&env).len(), 3);
}
