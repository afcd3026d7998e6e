//! Store operations of the alerts. Their state is small, and is written as a whole.

use rusqlite::{Connection, Row, params};

use super::Store;
use super::error::{Result, StoreError};
use super::reader::Reader;
use super::rows;
use crate::domain::Timestamp;
use crate::domain::alerts::{AlertMemory, AlertMessage, Channel, FailingChannel, Problem};
use crate::domain::health::WarningKind;

impl Store {
    /// Replaces the stored state of the alerts.
    pub async fn save_alerts(&self, memory: AlertMemory) -> Result<()> {
        self.writer.run(move |conn| save(conn, &memory)).await
    }

    /// Writes a row of its own, so that a heartbeat always follows a commit, even if nothing else is written.
    pub async fn write_liveness(&self, now: Timestamp) -> Result<()> {
        let work = move |conn: &Connection| {
            conn.prepare_cached(
                "INSERT INTO liveness (id, at) VALUES (1, ?1) ON CONFLICT DO UPDATE SET at = excluded.at",
            )?
            .execute([now.to_string()])?;
            Ok(())
        };
        self.writer.run(work).await
    }
}

impl Reader {
    /// The stored state of the alerts.
    pub async fn alerts(&self) -> Result<AlertMemory> {
        self.read(load).await
    }

    /// The channels on which alerts fail.
    pub async fn failing_channels(&self) -> Result<Vec<FailingChannel>> {
        self.read(failing).await
    }
}

fn save(conn: &Connection, memory: &AlertMemory) -> Result<()> {
    let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
    conn.execute_batch("DELETE FROM alert_problems; DELETE FROM alert_messages; DELETE FROM alert_channels")?;
    for problem in &memory.problems {
        let Problem { kind, source, action, since, gone_at, told_at } = problem;
        conn.prepare_cached(
            "INSERT INTO alert_problems (kind, source, action, since, gone_at, told_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![kind.as_str(), source, action, since.to_string(), text(*gone_at), text(*told_at)])?;
    }
    for message in &memory.messages {
        let AlertMessage { id, channel, at, text: content, attempts, next_attempt_at } = message;
        let content =
            serde_json::to_string(content).map_err(|error| StoreError::Failed(error.to_string()))?;
        conn.prepare_cached(
            "INSERT INTO alert_messages (id, channel, at, content, attempts, next_attempt_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            id,
            channel.as_str(),
            at.to_string(),
            content,
            attempts,
            text(*next_attempt_at)
        ])?;
    }
    for FailingChannel { channel, since, cause } in &memory.failing {
        conn.prepare_cached("INSERT INTO alert_channels (channel, since, cause) VALUES (?1, ?2, ?3)")?
            .execute(params![channel.as_str(), since.to_string(), cause])?;
    }
    Ok(())
}

fn load(conn: &Connection) -> Result<AlertMemory> {
    let problems = all(conn, "alert_problems", "kind, source, action, since, gone_at, told_at", |row| {
        Ok(Problem {
            kind: known(row, "kind", WarningKind::parse)?,
            source: row.get("source")?,
            action: row.get("action")?,
            since: rows::known_instant(row, "since")?,
            gone_at: rows::instant(row, "gone_at")?,
            told_at: rows::instant(row, "told_at")?,
        })
    })?;
    let columns = "id, channel, at, content, attempts, next_attempt_at";
    let messages = all(conn, "alert_messages", columns, |row| {
        Ok(AlertMessage {
            id: row.get("id")?,
            channel: known(row, "channel", Channel::parse)?,
            at: rows::known_instant(row, "at")?,
            text: known(row, "content", |text| serde_json::from_str(text).ok())?,
            attempts: row.get("attempts")?,
            next_attempt_at: rows::instant(row, "next_attempt_at")?,
        })
    })?;
    Ok(AlertMemory { problems, messages, failing: failing(conn)? })
}

fn failing(conn: &Connection) -> Result<Vec<FailingChannel>> {
    all(conn, "alert_channels", "channel, since, cause", |row| {
        Ok(FailingChannel {
            channel: known(row, "channel", Channel::parse)?,
            since: rows::known_instant(row, "since")?,
            cause: row.get("cause")?,
        })
    })
}

fn all<T>(
    conn: &Connection,
    table: &str,
    columns: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let mut statement = conn.prepare_cached(&format!("SELECT {columns} FROM {table}"))?;
    let found = rows::all(statement.query_map([], read)?)?;
    Ok(found)
}

/// A text that `parse` accepts; any other is damage.
fn known<T>(row: &Row<'_>, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text: String = row.get(name)?;
    parse(&text).ok_or_else(|| rows::unreadable(row, name))
}
