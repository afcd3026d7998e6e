//! Random histories of orders, notifications, faults, crashes and clocks, on the real store and the real rules.

mod histories;
mod outbox;
mod queue;
mod shop;
mod world;
