//! Memory for bodies that are in flight or queued for the writer: all connections together use no more than
//! [`BodyMemory::new`] allows, however many there are and however slowly they send.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::refusal::Refusal;

/// The limit in bytes, unless [`LARGEST_BODIES`] bodies of maximum size need more.
const BYTES: usize = 64 * 1024 * 1024;

/// The number of bodies of maximum size that always fit.
const LARGEST_BODIES: usize = 4;

/// The first bytes of each body have a limit of their own, so that clients that hold back the end of large
/// bodies cannot keep out true notifications, which are small.
const FIRST: usize = 2 * 1024;

/// One for each intake connection.
const FIRST_BYTES: usize = 4096 * FIRST;

/// How long a sender waits for memory of others.
const PATIENCE: Duration = Duration::from_secs(1);

/// The number of senders that may wait: for each, the server may have read up to 128 KiB ahead.
const MOST_WAITING: usize = 64;

/// The memory left for bodies.
pub(super) struct BodyMemory {
    first: Arc<Semaphore>,
    rest: Arc<Semaphore>,
    waiting: Semaphore,
    patience: Duration,
}

/// The bytes of one body; returned when this is dropped.
#[derive(Default)]
pub(super) struct BodyPermit {
    bytes: usize,
    first: Option<OwnedSemaphorePermit>,
    rest: Option<OwnedSemaphorePermit>,
}

impl BodyMemory {
    /// Memory for bodies of at most `max_body` bytes each.
    pub(super) fn new(max_body: usize) -> Self {
        let bytes = BYTES.max(max_body.saturating_mul(LARGEST_BODIES)).min(Semaphore::MAX_PERMITS);
        Self {
            first: Arc::new(Semaphore::new(FIRST_BYTES)),
            rest: Arc::new(Semaphore::new(bytes - FIRST_BYTES)),
            waiting: Semaphore::new(MOST_WAITING),
            patience: PATIENCE,
        }
    }

    /// Takes the next `bytes` of the body that `permit` belongs to.
    ///
    /// # Errors
    /// Other bodies used all memory for [`PATIENCE`], or too many senders wait already.
    pub(super) async fn take(&self, permit: &mut BodyPermit, bytes: usize) -> Result<(), Refusal> {
        let first = bytes.min(FIRST.saturating_sub(permit.bytes));
        for (from, permit, bytes) in
            [(&self.first, &mut permit.first, first), (&self.rest, &mut permit.rest, bytes - first)]
        {
            let taken = self.part_of(from, bytes).await?;
            match permit {
                Some(permit) => permit.merge(taken),
                None => *permit = Some(taken),
            }
        }
        permit.bytes += bytes;
        Ok(())
    }

    async fn part_of(&self, from: &Arc<Semaphore>, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        let bytes = u32::try_from(bytes).map_err(|_| Refusal::BodiesFull)?;
        if let Ok(taken) = Arc::clone(from).try_acquire_many_owned(bytes) {
            return Ok(taken);
        }
        let _waiting = self.waiting.try_acquire().map_err(|_| Refusal::BodiesFull)?;
        let taken = actix_web::rt::time::timeout(self.patience, Arc::clone(from).acquire_many_owned(bytes));
        taken.await.ok().and_then(Result::ok).ok_or(Refusal::BodiesFull)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    fn impatient(max_body: usize) -> BodyMemory {
        BodyMemory { patience: Duration::from_millis(1), ..BodyMemory::new(max_body) }
    }

    async fn holding(memory: &BodyMemory, parts: &[usize]) -> Result<BodyPermit, Refusal> {
        let mut permit = BodyPermit::default();
        for bytes in parts {
            memory.take(&mut permit, *bytes).await?;
        }
        Ok(permit)
    }

    #[actix_web::test]
    async fn all_bodies_together_take_so_much_and_the_small_ones_still_fit() {
        let memory = impatient(256 * 1024);
        let mut large = Vec::new();
        while let Ok(permit) = holding(&memory, &[FIRST / 2, 256 * 1024 - FIRST / 2]).await {
            large.push(permit);
            assert!(large.len() * 256 * 1024 <= BYTES, "{} bodies", large.len());
        }
        assert!(large.len() * 256 * 1024 >= BYTES - FIRST_BYTES, "{} bodies", large.len());
        assert!(holding(&memory, &[100, FIRST - 100]).await.is_ok());
        assert!(matches!(holding(&memory, &[FIRST, 256 * 1024]).await, Err(Refusal::BodiesFull)));
        large.pop();
        assert!(holding(&memory, &[256 * 1024]).await.is_ok(), "what a body took is given back");
    }

    #[actix_web::test]
    async fn four_bodies_of_the_greatest_length_always_fit() {
        let memory = impatient(40 * MIB);
        let permit: Vec<_> = [
            holding(&memory, &[40 * MIB]).await,
            holding(&memory, &[40 * MIB]).await,
            holding(&memory, &[40 * MIB]).await,
        ]
        .into_iter()
        .collect::<Result<_, _>>()
        .unwrap();
        assert!(holding(&memory, &[32 * MIB]).await.is_ok());
        drop(permit);
    }
}
