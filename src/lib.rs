//! countersign stores each shop notification as it came, answers at once, and believes none of them until
//! the shop's own API countersigns it.
//!
//! # The house
//!
//! Rooms import downwards only; `tests/tidy` fails where one does not.
//!
//! ```text
//! main → cli → demo → service → receiver | worker | deliverer | admin → providers | store → rules → domain
//!                               deliverer → actions      admin → report | decisions
//!            → report → domain      reconcile → config | worker | providers | store
//!                     config → providers (their keys)          simulator → nothing
//! ```
//!
//! | room | its one job |
//! |---|---|
//! | [`domain`] | the words: delivery, claim, answer, verdict, ledger; the only clock |
//! | [`rules`] | judging: pure functions of a ledger, an answer and the time; draws the state machine |
//! | [`store`] | one SQLite file behind verbs of the domain; one writer, readers that cannot write |
//! | [`providers`] | what each kind of shop sends and how its API is asked; the one HTTP client |
//! | [`config`] | one TOML file, right as a whole or not at all |
//! | [`receiver`] | the intake listener: check, store, acknowledge |
//! | [`worker`] | file, lease, ask, record; budgets and places for API calls |
//! | [`deliverer`] | lease, tell, record: the news on its way to the actions |
//! | [`actions`] | what an action is and how it is told; one file a kind, clients apart from the shops' |
//! | [`admin`] | health, readiness, metrics, the feed of news, the page for people |
//! | [`decisions`] | what a person decides about notifications, for the command line and the page |
//! | [`reconcile`] | asks the shops what happened and compares it with what they told us |
//! | [`report`] | how a report looks: text, JSON, CSV, HTML; functions of a value |
//! | [`service`] | builds one running service out of these |
//! | [`cli`] | one file a command; the only room that prints |
//! | [`demo`] | the whole thing on simulated shops, checking itself |
//! | [`simulator`] | shops that keep state and misbehave on demand; knows no other room |
//! | [`metrics`] | counters that the rooms share |
//!
//! # A notification's walk
//!
//! 1. [`receiver`] reads the request whole, lets the source's provider check its secret or signature (`admit`), and hands
//!    it to [`store`], whose writer takes it into the next transaction with whatever else has queued. When that is on
//!    disk, and not before, the sender gets its acknowledgement.
//! 2. [`worker`] is rung. It *files* what is new: the provider reads the body into a claim (`read`), which is written
//!    beside the notification. Malformed, unsupported and another store's notifications are settled here, and so are
//!    repeats of what is confirmed already.
//! 3. It *leases* the next questions of each source: first questions before repeated ones, senders in turn, within the
//!    source's budget of calls. All notifications with the same question are under one lease.
//! 4. It *asks*: the provider calls the shop's API through the gate and gives an answer in words of the domain. After a
//!    failure the control question tells whose trouble it is.
//! 5. It *settles*: inside one transaction the store loads what is known about the subject, [`rules`] decide, and the
//!    verdicts, verification rows, the truth, the source's standing and the end of the lease are written, if the lease
//!    still holds.
//!
//! # What is never there
//!
//! - A verdict out of a failure to ask. A failure leads to another question, or to `undecided`.
//! - A transaction held across the network, or a blocking call on an asynchronous thread.
//! - SQL outside [`store`], an HTTP client outside [`providers`], a clock or I/O in [`rules`].
//! - Anything out of a notification that chooses a host, a path or a store; a secret in a log, a row or an error.

pub mod actions;
pub mod admin;
pub mod cli;
pub mod config;
pub mod decisions;
pub mod deliverer;
pub mod demo;
pub mod domain;
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
