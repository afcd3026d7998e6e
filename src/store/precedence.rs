//! Who writes first when much is to be written: a notification's sender waits for it, a question to a shop can wait. Only
//! what waits already when a transaction begins counts: where every sender waits for its answer before it sends again the
//! queue is empty just then, and other work begins.

use std::time::{Duration, Instant};

/// While notifications wait, other work rests for so many times as long as it took: it has a fifth of the writer's time.
const REST: u32 = 4;

/// Other work in one transaction takes about so long at most while notifications wait.
const AT_ONCE: Duration = Duration::from_millis(5);

/// The time that was given to other work while notifications waited.
#[derive(Debug, Default)]
pub(super) struct Precedence {
    rests_until: Option<Instant>,
}

impl Precedence {
    /// Whether other work may begin although notifications wait.
    pub(super) fn lets_work(&self, now: Instant) -> bool {
        self.rests_until.is_none_or(|until| until <= now)
    }

    /// Whether work that began then has had its share of this transaction.
    pub(super) fn is_enough(began: Instant, now: Instant) -> bool {
        now.duration_since(began) >= AT_ONCE
    }

    /// Other work was done while notifications waited.
    pub(super) fn worked(&mut self, began: Instant, ended: Instant) {
        self.rests_until = Some(ended + ended.duration_since(began) * REST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_work_has_a_fifth_of_the_time_while_notifications_wait() {
        let began = Instant::now();
        let ms = |ms| began + Duration::from_millis(ms);
        let mut precedence = Precedence::default();
        assert!(precedence.lets_work(began));
        precedence.worked(began, ms(3));
        assert!(!precedence.lets_work(ms(3)));
        assert!(!precedence.lets_work(ms(14)));
        assert!(precedence.lets_work(ms(15)));
    }

    #[test]
    fn a_transaction_with_notifications_soon_has_enough_of_other_work() {
        let began = Instant::now();
        assert!(!Precedence::is_enough(began, began + Duration::from_millis(4)));
        assert!(Precedence::is_enough(began, began + Duration::from_millis(5)));
    }
}
