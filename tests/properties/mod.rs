//! Histories at random.
