//! Random histories of orders, deliveries, faults, crashes and clocks, on the real store and the real rules.

mod histories;
mod queue;
mod world;
