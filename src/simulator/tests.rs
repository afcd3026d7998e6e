use std::time::Duration;

use serde_json::json;
use tokio::task::spawn_blocking;

use super::ecwid::Order;
use super::testing::{ask, ask_json, start};
use super::{Fault, ProviderApi, Simulator, SimulatorOptions, Trouble, samples};

const TOKEN: (&str, &str) = ("authorization", "Bearer t");
const PATIENCE: Duration = Duration::from_secs(20);

/// A store with one order, and the order's address.
fn shop() -> (Simulator, String) {
    let simulator = start();
    simulator.shops().open_ecwid(1003, "t").put_order(Order::new("SALE-1", 7));
    let url = format!("{}/1003/orders/SALE-1", simulator.ecwid_base());
    (simulator, url)
}

#[tokio::test]
async fn a_fault_meets_only_the_calls_that_it_fits_and_only_so_often() {
    let (simulator, url) = shop();
    let fault = || Fault::status(503).times(1);
    simulator.shops().add_fault(fault().provider(ProviderApi::Kinguin));
    simulator.shops().add_fault(fault().store("77"));
    simulator.shops().add_fault(fault().path("/products"));
    assert_eq!(ask_json(&url, TOKEN).await.0, 200);
    simulator.shops().add_fault(fault().provider(ProviderApi::Ecwid).store("1003").path("/orders/SALE"));
    assert_eq!(ask_json(&url, TOKEN).await.0, 503);
    assert_eq!(ask_json(&url, TOKEN).await.0, 200);
    let id = simulator.shops().add_fault(Fault::too_many(Some("soon")));
    let refused = ask(&url, TOKEN).await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["retry-after"]),
        (429, &"soon".parse().unwrap())
    );
    simulator.shops().clear_fault(id);
    assert_eq!(ask_json(&url, TOKEN).await.0, 200);
}

#[tokio::test]
async fn connections_are_cut_before_and_inside_an_answer() {
    let (simulator, url) = shop();
    simulator.shops().add_fault(Fault::new(Trouble::Reset).times(1));
    assert!(ask(&url, TOKEN).await.is_err(), "no answer at all");
    simulator.shops().add_fault(Fault::new(Trouble::Truncate).times(1));
    let head = ask(&url, TOKEN).await.unwrap();
    assert_eq!(head.status(), 200);
    assert!(head.bytes().await.is_err(), "the body breaks off");
    let statuses: Vec<_> = simulator.shops().calls().iter().map(|call| call.status).collect();
    assert_eq!(statuses, [None, Some(200)]);
}

#[tokio::test]
async fn odd_answers_come_as_ordered() {
    let (simulator, url) = shop();
    let set = |trouble| simulator.shops().add_fault(Fault::new(trouble).times(1));
    set(Trouble::Huge(9 * 1024 * 1024));
    let (_, huge) = ask_json(&url, TOKEN).await;
    assert_eq!(huge["id"], "SALE-1", "still the right answer");
    assert_eq!(huge["padding"].as_str().unwrap().len(), 9 * 1024 * 1024);
    set(Trouble::Redirect("/ecwid/api/v3/1003/orders/last".to_owned()));
    let redirect = ask(&url, TOKEN).await.unwrap();
    assert_eq!(redirect.status(), 302);
    assert_eq!(redirect.headers()["location"], "/ecwid/api/v3/1003/orders/last");
    set(Trouble::NotJson);
    let page = ask(&url, TOKEN).await.unwrap();
    assert!(page.text().await.unwrap().starts_with("<!doctype html>"));
    set(Trouble::Gzip);
    let packed = ask(&url, TOKEN).await.unwrap();
    assert!(packed.text().await.unwrap().contains("SALE-1"), "the client unpacks it");
    set(Trouble::DateSkew(-3600));
    let skewed = ask(&url, TOKEN).await.unwrap();
    let date = chrono::DateTime::parse_from_rfc2822(skewed.headers()["date"].to_str().unwrap()).unwrap();
    let age = simulator.shops().now().signed_duration_since(date).num_seconds();
    assert!((3599..3700).contains(&age), "{age}");
}

#[tokio::test]
async fn a_dribbling_answer_has_a_head_and_never_ends() {
    let (simulator, url) = shop();
    simulator.shops().add_fault(Fault::new(Trouble::Dribble(Duration::from_millis(1))));
    let mut response = ask(&url, TOKEN).await.unwrap();
    for _ in 0..5 {
        assert!(response.chunk().await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_held_answer_tells_what_was_true_when_it_was_asked() {
    let (simulator, url) = shop();
    let shops = simulator.shops().clone();
    let held = shops.add_fault(Fault::new(Trouble::Hold));
    let first = tokio::spawn({
        let url = url.clone();
        async move { ask_json(&url, TOKEN).await }
    });
    let second = tokio::spawn(async move { ask_json(&url, TOKEN).await });
    let waiting = shops.clone();
    assert!(spawn_blocking(move || waiting.wait_for_calls(2, PATIENCE)).await.unwrap());
    assert_eq!(shops.max_in_flight(), 2);
    shops.open_ecwid(1003, "t").edit_order("SALE-1", Order::paid);
    shops.clear_fault(held);
    assert_eq!(first.await.unwrap().1["paymentStatus"], "AWAITING_PAYMENT");
    assert_eq!(second.await.unwrap().1["paymentStatus"], "AWAITING_PAYMENT");
    assert!(shops.wait_for_answers(2, PATIENCE));
    assert!(shops.calls().iter().all(|call| call.status == Some(200)));
    assert!(!shops.wait_for_calls(3, Duration::ZERO));
}

#[tokio::test]
async fn a_caller_that_gives_up_ends_its_call_without_a_status() {
    let (simulator, url) = shop();
    let shops = simulator.shops().clone();
    shops.add_fault(Fault::new(Trouble::Hold));
    let caller = tokio::spawn(async move { ask(&url, TOKEN).await.map(|_| ()) });
    let waiting = shops.clone();
    assert!(spawn_blocking(move || waiting.wait_for_calls(1, PATIENCE)).await.unwrap());
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    let waiting = shops.clone();
    assert!(spawn_blocking(move || waiting.wait_for_answers(1, PATIENCE)).await.unwrap());
    assert_eq!(shops.calls()[0].status, None);
}

#[tokio::test]
async fn stopping_does_not_wait_for_a_held_answer() {
    let (simulator, url) = shop();
    let shops = simulator.shops().clone();
    shops.add_fault(Fault::new(Trouble::Hold));
    let caller = tokio::spawn(async move { ask(&url, TOKEN).await.map(|_| ()) });
    let waiting = shops.clone();
    assert!(spawn_blocking(move || waiting.wait_for_calls(1, PATIENCE)).await.unwrap());
    simulator.stop().unwrap();
    assert!(caller.await.unwrap().is_err());
}

#[tokio::test]
async fn the_sample_shops_answer() {
    let simulator = start();
    let samples = simulator.shops().open_samples().unwrap();
    let url = format!("{}/{}/orders/SALE-H4K9P", simulator.ecwid_base(), samples::ECWID_STORE);
    let token = format!("Bearer {}", samples::ECWID_TOKEN);
    assert_eq!(ask_json(&url, ("authorization", &token)).await.1["paymentStatus"], "PAID");
    let url = format!("{}/v1/products/70123", simulator.kinguin_base());
    assert_eq!(ask_json(&url, ("x-api-key", samples::KINGUIN_KEY)).await.0, 200);
    assert_eq!(samples.midas.transactions().len(), 1);
}

#[tokio::test]
async fn latency_shows_in_the_log() {
    let (simulator, url) = shop();
    simulator.shops().add_fault(Fault::new(Trouble::Latency(Duration::from_millis(30))));
    assert_eq!(ask_json(&url, TOKEN).await.0, 200);
    assert!(simulator.shops().calls()[0].took.unwrap() >= Duration::from_millis(30));
    simulator.shops().clear_calls();
    assert!(simulator.shops().calls().is_empty());
}

#[tokio::test]
async fn a_stopped_shop_refuses_connections_and_comes_back_on_the_same_port() {
    let (mut simulator, url) = shop();
    assert_eq!(ask_json(&url, TOKEN).await.0, 200);
    simulator.stop_listening().unwrap();
    assert!(ask(&url, TOKEN).await.unwrap_err().is_connect());
    simulator.listen_again().unwrap();
    assert_eq!(ask_json(&url, TOKEN).await.1["id"], "SALE-1", "the state stayed");
    simulator.stop().unwrap();
    assert!(ask(&url, TOKEN).await.unwrap_err().is_connect());
}

#[tokio::test]
async fn the_log_keeps_the_target_as_it_was_received() {
    let (simulator, _) = shop();
    let url = format!("{}/1003/orders/a%2Fb%3f?x=%25&y=1+2", simulator.ecwid_base());
    assert_eq!(ask_json(&url, TOKEN).await.1["errorMessage"], json!("Order #a/b? not found"));
    let calls = simulator.shops().calls_matching(|call| call.provider == ProviderApi::Ecwid);
    assert_eq!(calls[0].target, "/ecwid/api/v3/1003/orders/a%2Fb%3f?x=%25&y=1+2");
    assert_eq!((calls[0].store.as_str(), calls[0].method.as_str()), ("1003", "GET"));
}

#[test]
fn only_a_loopback_address_is_listened_on() {
    let options = SimulatorOptions { listen: "0.0.0.0:0".parse().unwrap(), ..SimulatorOptions::default() };
    assert!(Simulator::start(options).is_err());
}
