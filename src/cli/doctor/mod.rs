//! `countersign doctor`: check everything that must work before a notification can be confirmed.

use std::fmt::Display;
use std::path::Path;

use super::terminal::Terminal;
use super::{CommandError, Exit, settings};
use crate::config::Settings;
use crate::domain::Clock;
use crate::domain::format::pluralize;
use crate::metrics::Metrics;
use crate::providers::http::Client;
use store::Examined;

mod actions;
mod ledger;
mod source;
mod store;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Each line begins with ok, WARN or WRONG. Exit code 1: at least one line is WRONG.\n\nExample:\n  \
                        countersign --config /etc/countersign/countersign.toml doctor"
)]
pub(super) struct Args {}

pub(super) async fn run(_: Args, config: &Path) -> Result<Exit, CommandError> {
    let settings = settings(config)?;
    let clock = Clock::system();
    let mut findings = Findings { terminal: Terminal::new(), wrong: 0, warnings: 0 };
    let sources = pluralize(settings.sources.len(), "source");
    findings.good(format!("configuration {}: {sources}", config.display()))?;
    check_page(&mut findings, &settings)?;
    let store = match store::check(&mut findings, &settings, &clock).await? {
        Examined::Usable(store) => Some(store),
        Examined::Unusable => None,
        Examined::Locked => {
            findings
                .warn("no API was asked: calls count against rate limits in the store, which is locked")?;
            return findings.conclude();
        }
    };
    findings.terminal.flush()?;
    let client = Client::new(settings.verify.timeout, Metrics::new()?, clock.clone())?;
    let examined = source::examine_all(&settings.sources, &client, store.as_ref(), &clock).await;
    for (source, examination) in settings.sources.iter().zip(&examined) {
        source::check(&mut findings, source, examination)?;
        if let Some(store) = &store {
            source::check_standing(&mut findings, source, examination, store, &clock).await?;
        }
    }
    actions::check(&mut findings, &settings, store.as_ref(), &clock).await?;
    ledger::check(&mut findings, &settings, store.as_ref()).await?;
    if let Some(store) = store {
        store.close();
    }
    let exit = findings.conclude()?;
    Ok(exit)
}

/// A browser sends the password with each request.
fn check_page(findings: &mut Findings, settings: &Settings) -> Result<(), CommandError> {
    let address = settings.server.admin_listen;
    if settings.admin.password.is_some() && !address.ip().is_loopback() {
        findings.warn(format!(
            "server.admin_listen is {address}: the password of [admin] crosses the network over plain HTTP; bind it to \
             loopback and put a TLS proxy in front, or open it through ssh -L (docs/page.md)"
        ))?;
    }
    Ok(())
}

/// Prints each finding, and counts the bad ones.
struct Findings {
    terminal: Terminal,
    wrong: u32,
    warnings: u32,
}

impl Findings {
    /// Reports a check that passed.
    fn good(&mut self, words: impl Display) -> Result<(), CommandError> {
        self.terminal.line(&format!("ok     {words}"))
    }

    /// Reports a check that failed; the text says what to do.
    fn bad(&mut self, words: impl Display) -> Result<(), CommandError> {
        self.wrong += 1;
        self.terminal.line(&format!("WRONG  {words}"))
    }

    /// Reports something that works but should be improved; the text says what to do.
    fn warn(&mut self, words: impl Display) -> Result<(), CommandError> {
        self.warnings += 1;
        self.terminal.line(&format!("WARN   {words}"))
    }

    fn conclude(mut self) -> Result<Exit, CommandError> {
        self.terminal.line(&match self.wrong {
            0 if self.warnings > 0 => "nothing is wrong, but see the warnings".to_owned(),
            0 => "everything is as it should be".to_owned(),
            1 => "1 thing is wrong".to_owned(),
            more => format!("{more} things are wrong"),
        })?;
        self.terminal.flush()?;
        Ok(if self.wrong == 0 { Exit::Fine } else { Exit::Failed })
    }
}
