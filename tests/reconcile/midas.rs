//! Midas: no list, so every transaction of ours in the window is asked about.

use countersign::simulator::midas::{MidasMerchant, Transaction};

use super::reconcile;
use crate::support::{Serve, TestEnv};

pub(super) fn merchant_lines(env: &TestEnv, merchant: &MidasMerchant) -> String {
    std::fs::write(env.folder().join("merchant.pem"), merchant.private_key_pem().unwrap()).unwrap();
    format!(
        "provider = \"midas\"\nmerchant_id = \"m-1001\"\nproject_id = \"pr-77\"\nprivate_key_file = \"merchant.pem\"\n\
         serial_no = \"{}\"\nrate_limit = \"10000/s\"\napi_base = \"{}\"\n",
        merchant.serial_no(),
        env.simulator.midas_base()
    )
}

fn merchant() -> (TestEnv, MidasMerchant) {
    let env = TestEnv::new();
    let merchant = env.simulator.shops().open_midas("m-1001", "pr-77").unwrap();
    let lines = merchant_lines(&env, &merchant);
    (env.source("game", &lines), merchant)
}

pub(super) fn paid(external_id: &str) -> String {
    format!(
        r#"{{"notification_type":"OrderPaid","transaction":{{"external_id":"{external_id}"}},
           "payment_details":{{"payment":{{"amount":"8.98","currency":"EUR"}}}}}}"#
    )
}

fn pay_and_tell(merchant: &MidasMerchant, serve: &Serve, id: i64, external_id: &str) {
    merchant.put_transaction(Transaction::new(external_id));
    serve.post("game", paid(external_id));
    serve.settled(id);
}

#[test]
fn every_transaction_of_ours_is_asked_about_and_no_other() {
    let (env, merchant) = merchant();
    let serve = env.serve();
    for (id, external_id) in (1..).zip(["same", "drift", "pending", "gone"]) {
        pay_and_tell(&merchant, &serve, id, external_id);
    }
    merchant.put_transaction(Transaction::new("never-told"));
    merchant.edit_transaction("drift", |transaction| transaction.status("Cancelled"));
    merchant.edit_transaction("pending", |transaction| transaction.status("Pending"));
    merchant.vanish_transaction("gone");
    env.simulator.shops().clear_calls();
    let run = reconcile(&env, &[]);
    assert_eq!(run.code, Some(3), "{run:#?}");
    assert_eq!(run.findings("game"), ["drift drift Completed Cancelled", "vanished gone Completed -"]);
    assert_eq!(run.source("game")["listed"], 3);
    let calls = env.simulator.shops().calls();
    assert_eq!(calls.len(), 4, "{calls:#?}");
    assert!(calls.iter().all(|call| call.target.contains("/v1/mor/transaction/query?external_id=")));
}

#[test]
fn a_recovered_cancellation_explains_the_payment_that_came_too_late() {
    let (env, merchant) = merchant();
    let serve = env.serve();
    pay_and_tell(&merchant, &serve, 1, "shop-order-9");
    merchant.edit_transaction("shop-order-9", |transaction| transaction.status("Cancelled"));
    let other = paid("shop-order-9")
        .replace("8.98", "8.980")
        .replace("external_id", "id\":\"TX-shop-order-9\",\"external_id");
    serve.post("game", other);
    serve.settled(2);
    assert_eq!(env.row(2).reason.as_deref(), Some("mismatch"));
    assert_eq!(reconcile(&env, &["--recover"]).code, Some(3));
    // Later than the recovery's own receipt it would not be explained; it came before.
    assert_eq!(env.row(2).reason.as_deref(), Some("superseded"), "{:#?}", env.rows());
    assert_eq!(reconcile(&env, &["--recover"]).code, Some(0));
}
