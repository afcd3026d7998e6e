//! Reads for people: lists, health, reports.

pub(super) mod backlog;
pub(super) mod fakes_by_sender;
pub(super) mod forwarders;
pub(super) mod health;
pub(super) mod index_scans;
pub(super) mod lines;
pub(super) mod list;
pub(super) mod pages;
pub(super) mod reports;
pub(super) mod subject;
