//! Simulated shops.
