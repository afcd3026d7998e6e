//! Keeps rows that the ledger does not have yet for a while, despite `prune` and `store.keep`.

use std::path::Path;
use std::time::Duration;

use crate::domain::Timestamp;
use crate::store::file::disk;

/// How long rows wait for the ledger.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// Later than any time: no row waits.
const NEVER: &str = "z";

/// Rows that changed after this time wait for the ledger. If the disk has little more than `min_free` bytes
/// left, none does, because removed rows make room in the file.
pub(in crate::store) fn held_since(path: &Path, min_free: u64, now: Timestamp) -> String {
    if is_short(path, min_free) { NEVER.to_owned() } else { now.minus(LONGEST).to_string() }
}

/// Whether the disk has little more than `min_free` bytes left.
pub(in crate::store) fn is_short(path: &Path, min_free: u64) -> bool {
    disk::free_disk(path).is_some_and(|free| free < min_free.saturating_mul(2))
}

/// Whether the ledger lacks the present state of a settled notification, its news, its deliveries or its
/// verifications, and that state is newer than the parameter `since`: a condition on `verdicts`.
pub(super) fn is_unshipped(since: &str) -> String {
    IS_UNSHIPPED.replace("?since", since)
}

const IS_UNSHIPPED: &str = "(EXISTS (SELECT 1 FROM ledger_state l
    WHERE l.is_on AND max(verdicts.received_at, coalesce(verdicts.decided_at, ''), l.filling_since) > ?since
      AND (verdicts.notification_id > l.notifications
        OR EXISTS (SELECT 1 FROM changes c WHERE c.kind = 'notifications' AND c.id = verdicts.notification_id
                     AND c.position > l.log)
        OR EXISTS (SELECT 1 FROM news n WHERE n.notification_id = verdicts.notification_id AND n.seq > l.news)
        OR EXISTS (SELECT 1 FROM verifications v WHERE v.notification_id = verdicts.notification_id
                     AND v.id > l.verifications)))
  OR EXISTS (SELECT 1 FROM ledger_state l CROSS JOIN news n CROSS JOIN deliveries d
    WHERE l.is_on AND n.notification_id = verdicts.notification_id AND d.seq = n.seq
      AND max(d.since, coalesce(d.decided_at, ''), l.filling_since) > ?since
      AND (d.id > l.deliveries
        OR EXISTS (SELECT 1 FROM changes c WHERE c.kind = 'deliveries' AND c.id = d.id AND c.position > l.log))))";
