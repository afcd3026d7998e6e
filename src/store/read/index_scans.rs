//! The index scans that a page of a list is gathered from, each backwards from the newest. None of them
//! sorts, or reads a row that is older than the page needs. Their parameters: ids above ?1 and below ?2,
//! received at or after ?3, at most ?4.

/// The same scan from the oldest.
pub(in crate::store) fn forwards(scan: &str) -> String {
    scan.replace(" DESC LIMIT ?4", " LIMIT ?4")
}

pub(in crate::store) const ALL: &str =
    "SELECT id FROM intake WHERE id >= ?1 AND id < ?2 AND received_at >= ?3 ORDER BY id DESC LIMIT ?4";

/// Unparsed notifications, of the source ?5.
pub(in crate::store) const UNPARSED: &str =
    "SELECT id FROM intake
     WHERE (?5 IS NULL OR source = ?5) AND id >= max(?1, (SELECT coalesce(max(notification_id), 0) + 1 FROM verdicts))
       AND id < ?2 AND received_at >= ?3
     ORDER BY id DESC LIMIT ?4";

/// The notifications with the state ?5, the reason ?6 and the source ?7.
pub(in crate::store) const RANGE: &str = "SELECT notification_id FROM verdicts v INDEXED BY verdicts_by_state
     WHERE state = ?5 AND reason IS ?6 AND source = ?7
       AND notification_id >= ?1 AND notification_id < ?2 AND received_at >= ?3
     ORDER BY notification_id DESC LIMIT ?4";

/// The same if some kinds of calls fail: a notification that waits for one of them has its cause, the others
/// their own.
pub(in crate::store) const RANGE_IN_OUTAGE: &str =
    "SELECT notification_id FROM verdicts v INDEXED BY verdicts_by_state
     WHERE state = ?5 AND reason IS ?6 AND source = ?7
       AND coalesce((SELECT o.cause FROM outages o WHERE o.source = v.source AND o.call_kind = v.call_kind), reason) = ?8
       AND notification_id >= ?1 AND notification_id < ?2 AND received_at >= ?3
     ORDER BY notification_id DESC LIMIT ?4";

/// The notifications about the subject ?5 as notified, of the source ?8 and the kind ?9, with the state ?6
/// and the reason ?7; the rows of one subject are read one by one.
pub(in crate::store) const OF_SUBJECT: &str =
    "SELECT notification_id FROM verdicts v INDEXED BY verdicts_by_subject
     WHERE subject_id = ?5 AND source = ?8 AND subject_kind = ?9
       AND (?6 IS NULL OR state = ?6)
       AND (?7 IS NULL OR ?7 = iif(state = 'pending',
         coalesce((SELECT o.cause FROM outages o WHERE o.source = v.source AND o.call_kind IN ('', v.call_kind)
           ORDER BY o.call_kind LIMIT 1), reason), reason))
       AND notification_id >= ?1 AND notification_id < ?2 AND received_at >= ?3
     ORDER BY notification_id DESC LIMIT ?4";

/// The same by the id from the answer, if it differs from the notified one, of the source ?8.
pub(in crate::store) const OF_OTHER_ID: &str =
    "SELECT notification_id FROM verdicts v INDEXED BY verdicts_by_other_id
     WHERE resolved_id = ?5 AND resolved_id <> subject_id AND (?8 IS NULL OR source = ?8)
       AND (?6 IS NULL OR state = ?6)
       AND (?7 IS NULL OR ?7 = iif(state = 'pending',
         coalesce((SELECT o.cause FROM outages o WHERE o.source = v.source AND o.call_kind IN ('', v.call_kind)
           ORDER BY o.call_kind LIMIT 1), reason), reason))
       AND notification_id >= ?1 AND notification_id < ?2 AND received_at >= ?3
     ORDER BY notification_id DESC LIMIT ?4";

/// The ignored notifications of the sender ?5.
pub(in crate::store) const IGNORED_OF_SENDER: &str =
    "SELECT notification_id FROM verdicts v INDEXED BY verdicts_ignored
     WHERE state = 'ignored' AND sender = ?5 AND notification_id >= ?1 AND notification_id < ?2 AND received_at >= ?3
     ORDER BY notification_id DESC LIMIT ?4";

/// The undecided notifications of the sender ?5.
pub(in crate::store) const UNDECIDED_OF_SENDER: &str =
    "SELECT notification_id FROM verdicts v INDEXED BY verdicts_given_up
     WHERE state = 'undecided' AND sender = ?5 AND notification_id >= ?1 AND notification_id < ?2 AND received_at >= ?3
     ORDER BY notification_id DESC LIMIT ?4";

/// The lowest id for a time: no notification received at ?1 or later has a lower one. Unparsed notifications
/// have higher ids than parsed ones.
pub(in crate::store) const FIRST_ID: &str =
    "SELECT coalesce(min(first_id), (SELECT coalesce(max(notification_id), 0) + 1 FROM verdicts))
     FROM hour_index WHERE hour >= substr(?1, 1, 13)";

/// The reasons of the state ?2, one at a time: the first after ?1.
pub(in crate::store) const NEXT_REASON: &str = "SELECT reason FROM verdicts INDEXED BY verdicts_by_state
                                      WHERE reason > ?1 AND state = ?2 ORDER BY reason LIMIT 1";

/// The sources of the state ?2 and the reason ?3, likewise.
pub(in crate::store) const NEXT_SOURCE: &str = "SELECT source FROM verdicts INDEXED BY verdicts_by_state
                                      WHERE source > ?1 AND state = ?2 AND reason IS ?3 ORDER BY source LIMIT 1";

/// The sources of all verdicts, one at a time: the first after ?1.
pub(in crate::store) const NEXT_OF_ALL_SOURCES: &str =
    "SELECT source FROM verdicts INDEXED BY verdicts_by_subject WHERE source > ?1 ORDER BY source LIMIT 1";
