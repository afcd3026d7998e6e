//! Priority between writes: intake goes first, because senders wait for it; other work can wait. While
//! notifications keep coming, other work gets a share of the writer's time. This must not depend on whether a
//! notification waits at that moment: senders that wait for their answer before they send again leave the
//! queue empty for a moment after each transaction, and that moment belongs to them, too.

use std::time::{Duration, Instant};

/// While notifications come, other work pauses for this many times as long as it took: it gets a fifteenth of
/// the writer's time.
const REST: u32 = 14;

/// The time limit for other work in one transaction, because a new notification waits for its end.
const AT_ONCE: Duration = Duration::from_millis(2);

/// The same while no notification comes: longer transactions write fewer pages and sync less often.
const AT_ONCE_IN_SILENCE: Duration = Duration::from_millis(4);

/// The time after the last acknowledgement without a new notification from which on notifications count as no
/// longer coming.
const SILENCE: Duration = Duration::from_millis(1);

/// When notifications came, and how much time other work got meanwhile.
#[derive(Debug, Default)]
pub(super) struct IntakePriority {
    acknowledged_at: Option<Instant>,
    rests_until: Option<Instant>,
}

impl IntakePriority {
    /// Records that notifications were acknowledged.
    pub(super) fn acknowledged(&mut self, now: Instant) {
        self.acknowledged_at = Some(now);
    }

    /// Whether other work may begin although notifications wait.
    pub(super) fn lets_work(&self, now: Instant) -> bool {
        self.rests_until.is_none_or(|until| until <= now)
    }

    /// How long other work must wait for notifications, if none is queued; `None`: it may begin.
    pub(in crate::store) fn waits(&self, now: Instant) -> Option<Duration> {
        let until = self.rests_until?.min(self.acknowledged_at? + SILENCE);
        until.checked_duration_since(now).filter(|wait| !wait.is_zero())
    }

    /// How long other work that begins at this time may last; `has_intake`: in a transaction with notifications.
    pub(super) fn share(&self, has_intake: bool, began: Instant) -> Duration {
        if has_intake || self.is_coming(began) { AT_ONCE } else { AT_ONCE_IN_SILENCE }
    }

    /// Records that other work was done. It pauses only if notifications come.
    pub(super) fn worked(&mut self, began: Instant, ended: Instant) {
        self.rests_until = self.is_coming(began).then(|| ended + ended.duration_since(began) * REST);
    }

    fn is_coming(&self, then: Instant) -> bool {
        self.acknowledged_at.is_some_and(|at| at + SILENCE >= then)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_work_has_a_fifteenth_of_the_time_while_notifications_come() {
        let began = Instant::now();
        let ms = |ms| began + Duration::from_millis(ms);
        let mut priority = IntakePriority::default();
        assert!(priority.lets_work(began));
        priority.acknowledged(began);
        priority.worked(began, ms(3));
        assert!(!priority.lets_work(ms(3)));
        assert!(!priority.lets_work(ms(44)));
        assert!(priority.lets_work(ms(45)));
    }

    #[test]
    fn other_work_waits_for_notifications_but_no_longer_than_it_rests() {
        let began = Instant::now();
        let us = |us| began + Duration::from_micros(us);
        let mut priority = IntakePriority::default();
        priority.acknowledged(began);
        assert_eq!(priority.waits(us(1)), None, "nothing was done yet");
        priority.worked(began, us(1000));
        priority.acknowledged(us(2000));
        assert_eq!(priority.waits(us(2200)), Some(Duration::from_micros(800)));
        assert_eq!(priority.waits(us(3000)), None, "none has come for a millisecond");
        priority.acknowledged(us(14_500));
        assert_eq!(priority.waits(us(14_600)), Some(Duration::from_micros(400)));
        assert_eq!(priority.waits(us(15_000)), None, "it has rested");
    }

    #[test]
    fn where_no_notification_comes_it_never_rests() {
        let began = Instant::now();
        let ms = |ms| began + Duration::from_millis(ms);
        let mut priority = IntakePriority::default();
        priority.worked(began, ms(100));
        assert!(priority.lets_work(ms(100)) && priority.waits(ms(100)).is_none());
        priority.acknowledged(ms(100));
        priority.worked(ms(110), ms(200));
        assert!(priority.lets_work(ms(200)));
    }

    #[test]
    fn a_transaction_has_less_of_other_work_while_notifications_come() {
        let began = Instant::now();
        let mut priority = IntakePriority::default();
        assert_eq!(priority.share(true, began), AT_ONCE);
        assert_eq!(priority.share(false, began), AT_ONCE_IN_SILENCE);
        priority.acknowledged(began);
        assert_eq!(priority.share(false, began + SILENCE), AT_ONCE);
        assert_eq!(priority.share(false, began + SILENCE * 2), AT_ONCE_IN_SILENCE);
    }
}
