//! What a shop's list of orders is held against: plain data, so that comparing stays pure.

use std::time::Duration;

use serde_json::{Map, Value};

use super::answer::{Held, Sighting};
use super::claim::Claim;
use super::window::Window;

/// Which orders a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListRequest {
    /// The window.
    pub window: Window,
    /// How much further back a list by creation date is read.
    pub recheck: Duration,
}

/// An order as a shop's list shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The values that are compared. A list may show less than an order's own call: nothing of it lands in the store.
    pub sighting: Sighting,
    /// Whether the window's own notifications should have told it: not where the list was read further back only to
    /// see again what was told before.
    pub is_expected: bool,
}

/// All orders of a shop's list, each once: those that are as documented, and the odd ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    /// The orders.
    pub orders: Vec<Listed>,
    /// What is wrong with each listed order that is not as documented, in plain words that name it by its id, or by its
    /// place in the list where it has none.
    pub odd: Vec<String>,
    /// Whether the list is one by creation date: later changes of orders from before it show nowhere but in their own
    /// calls.
    pub is_by_creation: bool,
}

/// What was last confirmed about an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The API's values at that time.
    pub compared: Map<String, Value>,
    /// The notification that told it; it may have been pruned since.
    pub notification_id: i64,
}

/// All that the store says about one order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OurOrder {
    /// What was last confirmed about it; `None`: it was never told.
    pub told: Option<Told>,
    /// What waiting notifications say about it.
    pub waiting: Vec<Claim>,
    /// The truth held about it.
    pub held: Option<Held>,
}
