//! What a failure to ask means, and how shops are asked: contract, section 4.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use countersign::simulator::{Call, Shops};

mod causes;
mod control;
mod pacing;
mod patience;
mod pauses;
mod turns;

/// How long a simulated shop waits for a call that has to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// When the calls whose target contains `part` arrived.
fn times(shops: &Shops, part: &str) -> Vec<DateTime<Utc>> {
    shops.calls_matching(|call| call.target.contains(part)).iter().map(|call| call.at).collect()
}

/// The last path segments of the calls for single orders, in order of arrival.
fn orders_asked(shops: &Shops) -> Vec<String> {
    let order = |call: &Call| call.target.split_once("/orders/").map(|(_, order)| order.to_owned());
    shops.calls().iter().filter_map(order).collect()
}

/// Asserts that no window of this length saw more than `limit` calls.
#[track_caller]
fn assert_rate(shops: &Shops, limit: usize, window: TimeDelta) {
    let times = times(shops, "");
    for pair in times.windows(limit + 1) {
        let apart = pair[limit] - pair[0];
        assert!(apart >= window, "{} calls within {apart}: {times:#?}", limit + 1);
    }
}
