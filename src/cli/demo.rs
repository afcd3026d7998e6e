//! `countersign demo`: run the service on simulated shops and check its verdicts against the contract.

use anyhow::{Context as _, anyhow};

use super::terminal::{Paint, Terminal};
use super::{CommandError, Exit, logging};
use crate::demo::{Demo, DemoEvent, DemoReport, DemoSource, SCENES, Verdict};
use crate::domain::State;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: countersign demo\nIt leaves a temporary folder with its SQLite file and its \
        configuration, and prints its path."
)]
pub(super) struct Args {}

/// Width of a detail if standard output is not a terminal, in characters.
const DETAIL_WIDTH: usize = 72;

pub(super) async fn run(_args: Args) -> Result<Exit, CommandError> {
    logging::start(log::LevelFilter::Error);
    let mut terminal = Terminal::new();
    let mut demo = Demo::start().await?;
    let played = tokio::select! {
        played = play(&mut demo, &mut terminal) => played,
        interrupt = tokio::signal::ctrl_c() => Err(match interrupt {
            Ok(()) => anyhow!("interrupted before the verdicts were checked; start it again").into(),
            Err(error) => anyhow!(error).context("cannot handle signals").into(),
        }),
    };
    let stopped = demo.stop().await;
    let report = played?;
    stopped?;
    print_report(&mut terminal, &report)?;
    Ok(if report.differences.is_empty() { Exit::Fine } else { Exit::Failed })
}

async fn play(demo: &mut Demo, terminal: &mut Terminal) -> Result<DemoReport, CommandError> {
    introduce(terminal)?;
    while let Some(event) = demo.next().await? {
        line(terminal, &event)?;
        terminal.flush()?;
    }
    Ok(demo.report().await.context("cannot read the demo's store")?)
}

fn introduce(terminal: &mut Terminal) -> Result<(), CommandError> {
    terminal.line("Simulated shops and the real service, on loopback ports of this machine. The shops' notifications go to:")?;
    terminal.line("")?;
    for source in DemoSource::ALL {
        terminal.line(&format!("  {:<8}  {:<16}  {}", source.name(), source.provider(), source.words()))?;
    }
    terminal.line("")?;
    let count = SCENES.len();
    terminal.line(&format!(
        "{count} notifications are sent, true and forged; each is shown when its verdict is known:"
    ))?;
    terminal.line("")?;
    let width = words_width();
    terminal.line(&format!(
        " id  {:<8}  {:<width$}  {:<9}  {:<15}  why",
        "source", "what was sent", "verdict", "reason"
    ))?;
    terminal.flush()
}

/// Prints the verdict of a notification.
fn line(terminal: &mut Terminal, event: &DemoEvent) -> Result<(), CommandError> {
    let id = event.id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    let width = words_width();
    let (state, reason) = event.verdict.words();
    let paint = match event.verdict {
        Verdict::Stored(State::Confirmed, _) => Paint::Green,
        Verdict::Stored(State::Ignored, _) => Paint::Yellow,
        Verdict::Stored(State::Pending, _) => Paint::Cyan,
        Verdict::Stored(State::Undecided, _) | Verdict::Refused(_) => Paint::Red,
    };
    let what = format!("{id:>3}  {:<8}  {:<width$}  ", event.scene.source.name(), event.scene.words);
    let verdict = format!("{state:<9}  {reason:<15}");
    let room = terminal.width().map_or(DETAIL_WIDTH, |columns| {
        usize::from(columns).saturating_sub(what.chars().count() + verdict.chars().count() + 2)
    });
    let detail = shortened(&event.detail, room);
    if detail.is_empty() {
        return terminal.painted(&[(Paint::Plain, &what), (paint, verdict.trim_end())]);
    }
    terminal.painted(&[(Paint::Plain, &what), (paint, &verdict), (Paint::Plain, &format!("  {detail}"))])
}

fn words_width() -> usize {
    SCENES.iter().map(|scene| scene.words.chars().count()).max().unwrap_or(0)
}

/// The text cut to at most `room` characters; empty if not even a useful part fits.
fn shortened(text: &str, room: usize) -> String {
    const LEAST: usize = 12;
    if text.chars().count() <= room {
        text.to_owned()
    } else if room < LEAST {
        String::new()
    } else {
        text.chars().take(room - 1).chain(['…']).collect()
    }
}

fn print_report(terminal: &mut Terminal, report: &DemoReport) -> Result<(), CommandError> {
    let stored: usize = report.verdicts.iter().map(|(_, count)| count).sum();
    let refused: usize = report.refused.iter().map(|(_, count)| count).sum();
    let calls: usize = report.calls.iter().map(|(_, count)| count).sum();
    terminal.line("")?;
    terminal.line(&format!(
        "{} sent, {stored} stored, {refused} refused; all settled {:.1} s after the first was sent",
        stored + refused,
        report.took.as_secs_f64()
    ))?;
    for ((state, reason), count) in &report.verdicts {
        terminal.line(&format!("  {count:>3}  {state:<9}  {reason}"))?;
    }
    for (status, count) in &report.refused {
        let why = if *status == 404 { "unknown URL" } else { "wrong secret or signature" };
        terminal.line(&format!("  {count:>3}  refused    {status} {why}"))?;
    }
    let by_shop: Vec<String> = report.calls.iter().map(|(shop, count)| format!("{shop} {count}")).collect();
    terminal.line(&format!("The shops' APIs were called {calls} times: {}.", by_shop.join(", ")))?;
    let is_right = report.differences.is_empty();
    let what = if is_right { " every confirmed change once, and no fake" } else { "" };
    terminal.line(&format!("The owner's actions received{what}:"))?;
    for received in &report.received {
        let subject = report.a_subject.as_deref().filter(|_| received.kind == "mail");
        let subject = subject.map(|subject| format!("; one of them: {subject}")).unwrap_or_default();
        terminal.line(&format!(
            "  {:<4}  {:<7}  {} times{subject}",
            received.action, received.kind, received.times
        ))?;
    }
    terminal.line("")?;
    let store = quoted(&report.store.display().to_string());
    terminal.line("Everything is in one SQLite file, which is kept:")?;
    terminal.line(&format!("  {}", report.store.display()))?;
    terminal.line("To try, if you have sqlite3:")?;
    for (what, sql) in report.queries {
        terminal.line(&format!("  # {what}"))?;
        terminal.line(&format!("  sqlite3 -header -column {store} \"{sql}\""))?;
    }
    let config = quoted(&report.config.display().to_string());
    terminal.line("Or without it:")?;
    terminal.line(&format!("  countersign --config {config} list"))?;
    terminal.line(&format!("  countersign --config {config} show 1"))?;
    terminal.line("")?;
    if is_right {
        terminal.painted(&[(Paint::Green, "Every verdict is what the contract says.")])?;
    } else {
        let count = report.differences.len();
        terminal.painted(&[(Paint::Red, &format!("Not as the contract says, {count}:"))])?;
        for difference in &report.differences {
            terminal.line(&format!("  {difference}"))?;
        }
    }
    terminal.flush()
}

/// Quotes a path for a shell.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if path.chars().all(is_plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_cut_where_it_does_not_fit_and_left_out_where_nothing_does() {
        assert_eq!(shortened("order 1666", 10), "order 1666");
        assert_eq!(shortened("the shop has no order", 14), "the shop has …");
        assert_eq!(shortened("the shop has no order", 5), "");
    }

    #[test]
    fn a_path_can_be_pasted() {
        assert_eq!(quoted("/tmp/countersign-demo-7/a.db"), "/tmp/countersign-demo-7/a.db");
        assert_eq!(quoted("/tmp/it's mine"), r"'/tmp/it'\''s mine'");
    }
}
