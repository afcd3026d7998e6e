//! The walks along indexes that a page of a list is gathered from, each backwards from the newest. Not one of them sorts, or
//! reads a row that is older than the page needs.

/// What every walk takes: from which id on (?1), below which (?2), received when at the earliest (?3), how many (?4).
macro_rules! walk {
    ($id:literal, $from:expr) => {
        walk!($id, $from, "?1")
    };
    ($id:literal, $from:expr, $least:literal) => {
        concat!(
            "SELECT ",
            $id,
            " FROM ",
            $from,
            " AND ",
            $id,
            " >= ",
            $least,
            " AND ",
            $id,
            " < ?2",
            " AND received_at >= ?3 ORDER BY ",
            $id,
            " DESC LIMIT ?4"
        )
    };
}

/// Everything.
pub(in crate::store) const ALL: &str = walk!("id", "intake WHERE true");

/// What has just come in, of the source ?5.
pub(in crate::store) const UNFILED: &str = walk!(
    "id",
    "intake WHERE (?5 IS NULL OR source = ?5)",
    "max(?1, (SELECT coalesce(max(notification_id), 0) + 1 FROM verdicts))"
);

/// What shares the state ?5, the reason ?6 and the source ?7.
pub(in crate::store) const STRETCH: &str = walk!(
    "notification_id",
    "verdicts v INDEXED BY verdicts_by_state WHERE state = ?5 AND reason IS ?6 AND source = ?7"
);

/// The same where some kinds of calls fail: what waits for one of them has its cause, and the others their own.
pub(in crate::store) const STRETCH_IN_TROUBLE: &str = walk!(
    "notification_id",
    "verdicts v INDEXED BY verdicts_by_state WHERE state = ?5 AND reason IS ?6 AND source = ?7
       AND coalesce((SELECT t.cause FROM outages t WHERE t.source = v.source AND t.lane = v.lane), reason) = ?8"
);

/// What is about the subject ?5, has the state ?6 and the reason ?7: one subject's rows are looked at one by one.
macro_rules! subject {
    ($from:literal) => {
        walk!(
            "notification_id",
            concat!(
                $from,
                " AND (?6 IS NULL OR state = ?6)
                  AND (?7 IS NULL OR ?7 = iif(state = 'pending', coalesce((SELECT t.cause FROM outages t
                    WHERE t.source = v.source AND t.lane IN ('', v.lane) ORDER BY t.lane LIMIT 1), reason), reason))"
            )
        )
    };
}

/// As notified: of the source ?8 and the kind ?9.
pub(in crate::store) const OF_SUBJECT: &str = subject!(
    "verdicts v INDEXED BY verdicts_by_subject WHERE subject_id = ?5 AND source = ?8 AND subject_kind = ?9"
);

/// As the answer had it, where that is not as notified: of the source ?8.
pub(in crate::store) const OF_OTHER_ID: &str = subject!(
    "verdicts v INDEXED BY verdicts_by_other_id WHERE resolved_id = ?5 AND resolved_id <> subject_id
       AND (?8 IS NULL OR source = ?8)"
);

/// Nothing that came in at ?1 or later has a lower id; what is not filed yet has none of the filed ones'.
pub(in crate::store) const FIRST_ID: &str =
    "SELECT coalesce(min(first_id), (SELECT coalesce(max(notification_id), 0) + 1 FROM verdicts))
     FROM hour_index WHERE hour >= substr(?1, 1, 13)";

/// The reasons of the state ?2, one at a time: the first after ?1.
pub(in crate::store) const NEXT_REASON: &str = "SELECT reason FROM verdicts INDEXED BY verdicts_by_state
                                      WHERE reason > ?1 AND state = ?2 ORDER BY reason LIMIT 1";

/// The sources of the state ?2 and the reason ?3 in the same way.
pub(in crate::store) const NEXT_SOURCE: &str = "SELECT source FROM verdicts INDEXED BY verdicts_by_state
                                      WHERE source > ?1 AND state = ?2 AND reason IS ?3 ORDER BY source LIMIT 1";

/// All sources in the same way.
pub(in crate::store) const NEXT_OF_ALL_SOURCES: &str =
    "SELECT source FROM verdicts INDEXED BY verdicts_by_subject WHERE source > ?1 ORDER BY source LIMIT 1";
