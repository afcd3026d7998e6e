//! `countersign show`: show one notification and everything known about it.

use std::fmt::Display;
use std::path::Path;

use anyhow::anyhow;
use base64::Engine as _;
use serde::Serialize;
use serde_json::{Map, Value};

use super::terminal::Terminal;
use super::{CommandError, Exit, args, settings};
use crate::store::{AttemptRow, DeliveryRow, Notification, NotificationLine, Reader, VerificationRow};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  countersign show 17\n  countersign show 17 --json | jq .verifications")]
pub(super) struct Args {
    /// Id of a notification, as shown by list
    #[arg(value_name = "ID", value_parser = args::id())]
    id: i64,
    /// One JSON object: all columns, and the lists `verifications` and `deliveries`.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    notification: &'a Notification,
    verifications: &'a [VerificationRow],
    deliveries: Vec<ShownDelivery<'a>>,
}

#[derive(Serialize)]
struct ShownDelivery<'a> {
    #[serde(flatten)]
    delivery: &'a DeliveryRow,
    delivery_attempts: &'a [AttemptRow],
}

pub(super) async fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    let reader = Reader::open(&settings(config)?.store.path)?;
    let id = args.id;
    let Some((notification, verifications)) = reader.show(id).await? else {
        return Err(anyhow!("no notification {id}; run countersign list").into());
    };
    let deliveries = reader.deliveries_of(id).await?;
    let mut terminal = Terminal::new();
    if args.json {
        let deliveries =
            deliveries.iter().map(|(delivery, tries)| ShownDelivery { delivery, delivery_attempts: tries });
        let deliveries = deliveries.collect();
        terminal.json(&Shown { notification: &notification, verifications: &verifications, deliveries })?;
    } else {
        head(&mut terminal, &notification.line)?;
        claim(&mut terminal, &notification.line)?;
        request(&mut terminal, &notification)?;
        questions(&mut terminal, &notification.line, &verifications)?;
        print_deliveries(&mut terminal, &deliveries)?;
    }
    terminal.flush()?;
    Ok(Exit::Fine)
}

/// Prints `label value`, or nothing if there is no value.
fn field(terminal: &mut Terminal, label: &str, value: Option<impl Display>) -> Result<(), CommandError> {
    value.map_or(Ok(()), |value| terminal.line(&format!("  {label:<14}{value}")))
}

fn head(terminal: &mut Terminal, shown: &NotificationLine) -> Result<(), CommandError> {
    let from = shown.remote_addr.as_ref().map(|addr| format!(" from {addr}")).unwrap_or_default();
    let subject = match (&shown.subject_kind, &shown.subject_id) {
        (Some(kind), Some(id)) => Some(format!("{kind} {id}")),
        _ => None,
    };
    let resolved = shown.resolved_id.as_ref().filter(|id| Some(*id) != shown.subject_id.as_ref());
    let because = shown.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    terminal.line(&format!("notification {}", shown.id))?;
    field(terminal, "verdict", Some(format!("{}{because}", shown.state)))?;
    field(terminal, "detail", shown.detail.as_ref())?;
    field(terminal, "duplicate of", shown.duplicate_of)?;
    field(terminal, "news", (shown.news == 1).then_some("yes: it changed what is known about the subject"))?;
    field(terminal, "decided", shown.decided_at.as_ref())?;
    field(terminal, "next question", shown.next_attempt_at.as_ref())?;
    field(terminal, "questions", Some(shown.attempts))?;
    field(terminal, "source", Some(format!("{} ({})", shown.source, shown.provider)))?;
    field(terminal, "received", Some(format!("{}{from}", shown.received_at)))?;
    field(terminal, "origin", (shown.origin != "intake").then_some(&shown.origin))?;
    field(terminal, "event", shown.event.as_ref())?;
    field(terminal, "event time", shown.event_time.as_ref())?;
    field(terminal, "subject", subject)?;
    field(terminal, "the shop's id", resolved)
}

fn claim(terminal: &mut Terminal, shown: &NotificationLine) -> Result<(), CommandError> {
    let Some(Value::Object(claim)) = &shown.claim else { return Ok(()) };
    let mut asserted = claim.clone();
    let before = asserted.shift_remove("before");
    terminal.line("")?;
    terminal.line("claim, compared with the shop's answer")?;
    values(terminal, &asserted)?;
    match before {
        Some(Value::Object(before)) if !before.is_empty() => {
            terminal.line("values before, as the sender states them; not compared")?;
            values(terminal, &before)
        }
        _ => Ok(()),
    }
}

fn values(terminal: &mut Terminal, object: &Map<String, Value>) -> Result<(), CommandError> {
    object.iter().try_for_each(|(name, value)| match value {
        Value::String(text) => terminal.line(&format!("  {name}: {text}")),
        other => terminal.line(&format!("  {name}: {other}")),
    })
}

fn request(terminal: &mut Terminal, shown: &Notification) -> Result<(), CommandError> {
    terminal.line("")?;
    let Some(Value::Object(headers)) = &shown.headers else {
        return terminal.line("request: none, or emptied since");
    };
    terminal.line("request, as received")?;
    for (name, value) in headers {
        let several = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in several {
            terminal.line(&format!("  {name}: {}", value.as_str().unwrap_or_default()))?;
        }
    }
    terminal.line("")?;
    match (&shown.body, &shown.body_base64) {
        (Some(text), _) if text.is_empty() => terminal.line("  (no body)"),
        (Some(text), _) => text.split('\n').try_for_each(|line| terminal.line(&format!("  {line}"))),
        (None, Some(base64)) => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(base64).unwrap_or_default();
            let mut lines = bytes.chunks(16).enumerate();
            lines.try_for_each(|(index, bytes)| terminal.line(&dumped(index * 16, bytes)))
        }
        (None, None) => terminal.line("  (emptied)"),
    }
}

/// One line of a hex dump, of at most 16 bytes.
fn dumped(offset: usize, bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x} ")).collect();
    let text: String = bytes
        .iter()
        .map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' })
        .collect();
    format!("  {offset:08x}  {hex:<48} {text}")
}

fn questions(
    terminal: &mut Terminal,
    shown: &NotificationLine,
    verifications: &[VerificationRow],
) -> Result<(), CommandError> {
    terminal.line("")?;
    if verifications.is_empty() {
        let waits = shown.state == "pending";
        return terminal.line(if waits { "not verified yet" } else { "not verified: no call was made" });
    }
    terminal.line("verifications")?;
    for asked in verifications {
        let status = asked.http_status.map_or("no answer".to_owned(), |status| format!("HTTP {status}"));
        terminal.line(&format!("  {}  {}  {status}, {} ms", asked.at, asked.outcome, asked.latency_ms))?;
        field(terminal, "  detail", asked.detail.as_ref())?;
        field(terminal, "  answer", asked.answer.as_ref())?;
    }
    Ok(())
}

fn print_deliveries(
    terminal: &mut Terminal,
    deliveries: &[(DeliveryRow, Vec<AttemptRow>)],
) -> Result<(), CommandError> {
    if deliveries.is_empty() {
        return Ok(());
    }
    terminal.line("")?;
    terminal.line("deliveries of its news")?;
    for (delivery, attempts) in deliveries {
        let detail = delivery.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
        terminal.line(&format!(
            "  delivery {} to {}  {}{detail}",
            delivery.id, delivery.action, delivery.state
        ))?;
        for tried in attempts {
            let status = tried.http_status.map(|status| format!("  HTTP {status}"));
            let code = tried.exit_code.map(|code| format!("  exit code {code}"));
            let came = status.or(code).unwrap_or_default();
            terminal.line(&format!("    {}  {}{came}, {} ms", tried.at, tried.outcome, tried.latency_ms))?;
            field(terminal, "    answer", tried.answer.as_ref())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_dumped_in_columns() {
        assert_eq!(dumped(16, b"\x00\xffab "), format!("  00000010  {:<48} ..ab ", "00 ff 61 62 20 "));
    }
}
