//! One transaction: notifications are inserted many at a time; other work runs together or isolated.

use rusqlite::Connection;

use super::job::{Appended, Job, ResultSender, Runnable, Work};
use super::rows::{self, Row};
use crate::domain::panics::contained;
use crate::store::error::{Result, StoreError};

/// The work of one transaction until its commit.
#[derive(Default)]
pub(super) struct WriteTransaction {
    /// Taken, but not inserted yet.
    rows: Vec<(Row, ResultSender<Appended>)>,
    pub(in crate::store) appended: Vec<(ResultSender<Appended>, Result<Appended>)>,
    /// Done together, in a savepoint that is open while there is any.
    group: Vec<Box<dyn Runnable>>,
    pub(super) worked: Vec<Box<dyn Runnable>>,
}

impl WriteTransaction {
    /// Does a job; a notification's row is only kept for [`WriteTransaction::append`].
    pub(in crate::store) fn take(&mut self, job: Job, conn: &Connection) {
        if !job.is_taken() {
            return;
        }
        drop(job.permit);
        match job.what {
            Work::Insert(row, reply) => self.rows.push((row, reply)),
            Work::Isolated(mut work) => {
                self.close_group(conn);
                work.run(in_transaction(conn));
                self.worked.push(work);
            }
            Work::Batched(work) => self.join_group(work, conn),
        }
    }

    fn join_group(&mut self, mut work: Box<dyn Runnable>, conn: &Connection) {
        let opened = if self.group.is_empty() { savepoint(conn, "SAVEPOINT together") } else { Ok(()) };
        let is_done = work.run(opened.and_then(|()| in_transaction(conn)));
        self.group.push(work);
        if is_done || conn.is_autocommit() {
            return;
        }
        let undone = savepoint(conn, "ROLLBACK TO together");
        let mut group = std::mem::take(&mut self.group);
        for work in &mut group {
            match &undone {
                Ok(()) => alone(work.as_mut(), conn),
                Err(error) => drop(work.run(Err(error.clone()))),
            }
        }
        self.group = group;
        self.close_group(conn);
    }

    /// From here on, none of the work done together is undone.
    pub(super) fn close_group(&mut self, conn: &Connection) {
        if self.group.is_empty() {
            return;
        }
        if let Err(error) = savepoint(conn, "RELEASE together") {
            log::debug!("the savepoint stays open until the commit: {error:#}");
        }
        self.worked.append(&mut self.group);
    }

    /// Inserts the collected notifications, in few statements.
    pub(in crate::store) fn append(&mut self, conn: &Connection) {
        if self.rows.is_empty() {
            return;
        }
        let (taken, replies): (Vec<Row>, Vec<_>) = self.rows.drain(..).unzip();
        let mut ids = Vec::with_capacity(taken.len());
        for part in rows::parts(&taken) {
            match in_transaction(conn).and_then(|conn| rows::insert(conn, part)) {
                Ok(first) => ids.extend((first..).take(part.len()).map(Ok)),
                // Perhaps only one of them fails: the others must not fail with it.
                Err(_) => ids.extend(part.iter().map(|row| {
                    in_transaction(conn).and_then(|conn| rows::insert(conn, std::slice::from_ref(row)))
                })),
            }
        }
        let appended = ids.into_iter().zip(taken).map(|(id, row): (Result<i64>, Row)| Ok((id?, row)));
        self.appended.extend(replies.into_iter().zip(appended));
    }
}

/// Runs `work`, and undoes it alone if it fails or panics.
pub(in crate::store) fn in_savepoint<T>(
    conn: &Connection,
    work: impl FnOnce(&Connection) -> Result<T>,
) -> Result<T> {
    conn.prepare_cached("SAVEPOINT job")?.execute([])?;
    let done = contained(|| work(conn)).unwrap_or_else(|panicked| Err(panicked.into()));
    if done.is_err() && !conn.is_autocommit() {
        conn.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    if !conn.is_autocommit() {
        conn.prepare_cached("RELEASE job")?.execute([])?;
    }
    done
}

/// Runs work that is undone alone if it fails; it reports its own error.
fn alone(work: &mut dyn Runnable, conn: &Connection) {
    let mut has_run = false;
    let done = in_savepoint(conn, |conn| {
        has_run = true;
        if work.run(Ok(conn)) { Ok(()) } else { Err(StoreError::Closed) }
    });
    if let Err(error) = done
        && !has_run
    {
        work.run(Err(error));
    }
}

/// SQLite rolls back by itself when the disk is full; later work must not run outside the transaction.
pub(super) fn in_transaction(conn: &Connection) -> Result<&Connection> {
    if conn.is_autocommit() {
        return Err(StoreError::Failed("the transaction was rolled back; is the disk full?".to_owned()));
    }
    Ok(conn)
}

fn savepoint(conn: &Connection, sql: &str) -> Result<()> {
    Ok(execute(in_transaction(conn)?, sql)?)
}

/// Runs a statement that gives no rows.
pub(super) fn execute(conn: &Connection, sql: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql)?.execute([]).map(drop)
}
