//! countersign stores each shop notification as received, acknowledges it at once, and believes none of them until
//! the shop's own API countersigns it.
//!
//! # The rooms
//!
//! Rooms import downwards only, which `tests/tidy` checks; `docs/architecture.md` draws the map.
//!
//! | room | its one job |
//! |---|---|
//! | [`domain`] | the shared types: notification, claim, answer, verdict, news; the only clock |
//! | [`rules`] | pure functions that judge an answer by what is known; draws the state machine |
//! | [`store`] | one SQLite file behind verbs of the domain; one writer, readers that cannot write |
//! | [`providers`] | the notifications and the API of each kind of shop; the one HTTP client |
//! | [`config`] | one TOML file, accepted as a whole or not at all |
//! | [`receiver`] | the intake listener: check, store, acknowledge |
//! | [`worker`] | parse, lease, ask, record; rate limits and slots for API calls |
//! | [`deliverer`] | lease, send, record: the news on its way to the actions |
//! | [`actions`] | the kinds of actions, one file each; their HTTP clients are separate from the shops' |
//! | [`ledger`] | ships the store's rows to the owner's PostgreSQL; the one client of it |
//! | [`admin`] | health, readiness, metrics, the feed of news, the page for people |
//! | [`decisions`] | a person's decisions about notifications, for the command line and the page |
//! | [`reconcile`] | asks the shops what happened and compares it with the notifications received |
//! | [`report`] | the formats of a report: text, JSON, CSV, HTML; pure functions |
//! | [`service`] | builds one running service from these |
//! | [`cli`] | one file per command; the only room that prints |
//! | [`demo`] | the service on simulated shops, with its verdicts checked |
//! | [`simulator`] | shops that keep state and misbehave on demand; imports no other room |
//! | [`metrics`] | counters that the rooms share |
//!
//! # A notification's walk
//!
//! 1. [`receiver`] reads the whole request, lets the source's provider check its secret or signature (`admit`), and
//!    hands it to [`store`], whose writer takes it into the next transaction with everything else that has queued.
//!    The sender gets its acknowledgement when that transaction is on disk, and not before.
//! 2. [`worker`] is rung. It *parses* new notifications: the provider reads the body into a claim (`read`), which is
//!    written beside the notification. Malformed, unsupported and another store's notifications are settled here, and
//!    so are repeats of confirmed ones.
//! 3. It *leases* the next questions of each source: new ones before retries, senders in turn, within the source's
//!    rate limit. All notifications with the same question are under one lease.
//! 4. It *asks*: the provider calls the shop's API through the gate and returns an answer as a type of the domain.
//!    After a failure, the control question decides its scope.
//! 5. It *settles*: inside one transaction the store loads what is known about the subject, [`rules`] decide, and the
//!    verdicts, verification rows, the truth, the source's status and the end of the lease are written, if the lease
//!    still holds.
//!
//! `docs/architecture.md` lists what must never happen, and has the other walks.

pub mod actions;
pub mod admin;
pub mod cli;
pub mod config;
pub mod decisions;
pub mod deliverer;
pub mod demo;
pub mod domain;
pub mod ledger;
pub mod metrics;
pub mod providers;
pub mod receiver;
pub mod reconcile;
pub mod report;
pub mod rules;
pub mod service;
pub mod simulator;
pub mod store;
pub mod worker;
