//! The data for comparing a shop's list of orders with the store: plain data, so that comparing stays pure.

use std::time::Duration;

use serde_json::{Map, Value};

use super::answer::{FoundObject, StoredObject};
use super::claim::Claim;
use super::verdict::{Reason, State};
use super::window::Window;

/// The orders to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListRequest {
    pub window: Window,
    /// How far before the window a list by creation date is read.
    pub recheck: Duration,
}

/// An order in a shop's list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The values to compare. A list may show less than an order's own call, so nothing of it is stored.
    pub object: FoundObject,
    /// Whether a notification in the window should exist for it. False for orders before the window, which are only
    /// checked for changes.
    pub is_expected: bool,
}

/// All orders of a shop's list, each once: the documented ones and the odd ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    pub orders: Vec<Listed>,
    /// An explanation for each listed order that is not as documented, with its id, or its position if it has none.
    pub odd: Vec<String>,
    /// Whether the list goes by creation date. Then changes of older orders show only in their own calls.
    pub is_by_creation: bool,
}

/// The last confirmation of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct LastConfirmed {
    /// The API's values then.
    pub compared: Map<String, Value>,
    /// The confirmed notification; it may have been pruned since.
    pub notification_id: i64,
}

/// A notification about an order that was not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unconfirmed {
    pub notification_id: i64,
    /// Any state but confirmed.
    pub state: State,
    /// Why; `None` only while pending and never asked about.
    pub reason: Option<Reason>,
}

/// All that the store knows about one order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OurOrder {
    /// Its last confirmation, if there is one.
    pub last_confirmed: Option<LastConfirmed>,
    /// Of an order that was never confirmed, the newest notification about it.
    pub unconfirmed: Option<Unconfirmed>,
    /// The claims of pending notifications about it.
    pub waiting: Vec<Claim>,
    /// The stored truth about it.
    pub stored: Option<StoredObject>,
}
