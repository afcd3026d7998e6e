//! `countersign config`: show the settings in force, or what is wrong with the file.

use std::path::Path;

use serde_json::json;

use super::terminal::Terminal;
use super::{CommandError, Exit, settings};
use crate::config::{Entry, ShownValue, ValueOrigin};
use crate::domain::format::pluralize;

#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code 2: the configuration has mistakes, listed one per line.\n\n\
                        Example: countersign config show\n         \
                        countersign config check && systemctl reload countersign")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Show every setting in force and where its value comes from; secrets appear as ********
    #[command(after_help = "Example: countersign config show --json")]
    Show {
        /// Print JSON Lines with key, value, secret, origin, place and line
        #[arg(long)]
        json: bool,
    },
    /// Check the configuration alone (doctor also checks the store and the shops)
    #[command(after_help = "Example: countersign --config new.toml config check")]
    Check,
}

pub(super) fn run(args: &Args, config: &Path) -> Result<Exit, CommandError> {
    let settings = settings(config)?;
    let mut terminal = Terminal::new();
    match args.what {
        What::Show { json: true } => {
            for entry in &settings.entries {
                terminal.json(&as_json(entry, config))?;
            }
        }
        What::Show { json: false } => {
            let shown: Vec<String> = settings.entries.iter().map(|entry| entry.value.to_string()).collect();
            let key_width = settings.entries.iter().map(|entry| entry.key.len()).max().unwrap_or(0);
            let value_width =
                shown.iter().map(|value| value.chars().count()).filter(|w| *w <= WIDEST).max().unwrap_or(0);
            for (entry, value) in settings.entries.iter().zip(shown) {
                let origin = describe_origin(&entry.origin, config);
                terminal.line(&format!("{:key_width$}  {value:value_width$}  {origin}", entry.key))?;
            }
        }
        What::Check => {
            let sources = pluralize(settings.sources.len(), "source");
            terminal.line(&format!("{}: valid, {sources}", config.display()))?;
        }
    }
    terminal.flush()?;
    Ok(Exit::Fine)
}

/// A longer value shifts only its own line.
const WIDEST: usize = 44;

fn describe_origin(origin: &ValueOrigin, config: &Path) -> String {
    let at = |line: &Option<usize>| {
        let line = line.map_or_else(String::new, |line| format!(":{line}"));
        format!("{}{line}", config.display())
    };
    match origin {
        ValueOrigin::File { line } => at(line),
        ValueOrigin::SecretFile { path, line } => format!("file {} ({})", path.display(), at(line)),
        ValueOrigin::Environment(variable) => format!("environment {variable}"),
        ValueOrigin::Credential(path) => format!("credential {}", path.display()),
        ValueOrigin::Default => "default".to_owned(),
    }
}

fn as_json(entry: &Entry, config: &Path) -> serde_json::Value {
    let (place, line) = match &entry.origin {
        ValueOrigin::File { line } => (Some(config.display().to_string()), *line),
        ValueOrigin::SecretFile { path, line } => (Some(path.display().to_string()), *line),
        ValueOrigin::Environment(variable) => (Some(variable.clone()), None),
        ValueOrigin::Credential(path) => (Some(path.display().to_string()), None),
        ValueOrigin::Default => (None, None),
    };
    let value = match &entry.value {
        ShownValue::Value(value) => Some(value),
        ShownValue::Secret | ShownValue::Off => None,
    };
    json!({
        "key": entry.key,
        "value": value,
        "secret": entry.value == ShownValue::Secret,
        "origin": entry.origin.word(),
        "place": place,
        "line": line,
    })
}
