//! Reads for people: lists, health, reports.

pub(super) mod backlog;
pub(super) mod fakes_by_sender;
pub(super) mod health;
pub(super) mod index_scans;
pub(super) mod lines;
pub(super) mod matching_ids;
pub(super) mod notifications;
pub(super) mod reports;
pub(super) mod subject;
pub(super) mod untrusted_proxies;
