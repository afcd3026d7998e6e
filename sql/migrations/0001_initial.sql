-- The store of countersign, version 1. `PRAGMA user_version` holds the version, `application_id` says whose file it is.
-- Times are RFC 3339 UTC text with milliseconds and Z, so that they order as text; days are UTC; amounts are decimal
-- text; NULL where nothing is known. The tables below the line "Inner tables" may change with any version; what users may
-- rely on is: the views notifications, fakes, open and daily, and the tables verifications, orders, products, refusals.

PRAGMA application_id = 1668641646;  -- 'cusn'

-- Inner tables ---------------------------------------------------------------------------------------------------------

-- One row for each source name that a serve ever knew.
CREATE TABLE sources (
  name            TEXT NOT NULL PRIMARY KEY,  -- as in [sources.NAME]
  provider        TEXT NOT NULL,              -- a name keeps its provider for ever
  first_served_at TEXT NOT NULL,              -- before that, silence means nothing
  found_any_at    TEXT,                       -- first answer that showed an object; NULL: none yet
  last_filed_at   TEXT                        -- when its latest filed notification came in; NULL: none yet
) STRICT, WITHOUT ROWID;

-- Each notification as it came. The receiver only appends here; one monotone key, so that a large store stays fast.
CREATE TABLE intake (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- the notification's id; never used twice
  source       TEXT NOT NULL,                      -- the [sources.NAME] that it came to
  provider     TEXT NOT NULL,                      -- that source's provider word
  received_at  TEXT NOT NULL,                      -- when the request had been read whole
  remote_addr  TEXT,                               -- the sender; NULL for recovered and emptied ones
  content_type TEXT,                               -- as sent; NULL where the header was missing
  headers      TEXT,                               -- JSON object, lower-case names, secrets redacted; NULL as above
  body         ANY,                                -- the exact bytes: TEXT when valid UTF-8 without NUL, else BLOB; NULL as above
  origin       TEXT NOT NULL DEFAULT 'delivery' CHECK (origin IN ('delivery', 'reconcile'))  -- reconcile: recovered
) STRICT;

-- What each notification says and what became of it; written by the worker, in groups. A notification without a row
-- here has just come in and is pending.
CREATE TABLE verdicts (
  notification_id INTEGER PRIMARY KEY REFERENCES intake (id) ON DELETE CASCADE,  -- the row in intake
  source          TEXT NOT NULL,        -- as in intake
  received_at     TEXT NOT NULL,        -- as in intake
  sender          TEXT NOT NULL,        -- whose turn it is: the address, of IPv6 its /64; '' without one; see also emptied
  event           TEXT,                 -- the provider's word; NULL where unreadable
  subject_kind    TEXT CHECK (subject_kind IN ('order', 'product')),  -- NULL where unreadable
  subject_id      TEXT,                 -- as notified
  resolved_id     TEXT,                 -- the id in orders or products; NULL until an answer gave it
  claim           TEXT,                 -- JSON: the asserted values, the rest under "unverified"; NULL where unreadable
  claim_key       TEXT,                 -- equal for repeats of one claim; NULL for recovered rows, which nothing repeats
  event_time      TEXT,                 -- the sender's word; NULL where it has no zone
  event_sent      TEXT,                 -- the same as sent
  event_order     INTEGER,              -- orders claims of one source: milliseconds, zoneless times taken as UTC
  event_id        TEXT,                 -- the sender's id of the event
  question        TEXT,                 -- what to ask; waiting rows with equal questions share a call
  lane            TEXT,                 -- the kind of call that the question needs
  listable        INTEGER NOT NULL DEFAULT 0 CHECK (listable IN (0, 1)),  -- may be asked together with others of its lane
  state           TEXT NOT NULL CHECK (state IN ('pending', 'confirmed', 'ignored', 'undecided')),  -- the verdict
  reason          TEXT,                 -- NULL only while pending and never asked
  detail          TEXT,                 -- the reason in plain words
  duplicate_of    INTEGER,              -- the confirmed notification that this one repeats
  news            INTEGER NOT NULL DEFAULT 0 CHECK (news IN (0, 1)),  -- 1: the API said something new about the subject
  attempts        INTEGER NOT NULL DEFAULT 0,  -- questions asked, but for the probes after probes_since
  probes_since    TEXT NOT NULL,        -- probes of the whole source later than this count as asked for this row too
  own_refusals    INTEGER NOT NULL DEFAULT 0,  -- refusals of this subject's own while its source was well
  asked           INTEGER NOT NULL DEFAULT 0 CHECK (asked IN (0, 1)),  -- 0: its first question is still to come
  next_attempt_at TEXT,                 -- NULL when settled
  decided_at      TEXT,                 -- NULL while pending
  retried_at      TEXT,                 -- the last fresh start that a person asked for
  lease           TEXT,                 -- who works on it; NULL: nobody
  lease_until     TEXT,                 -- when the lease ends by itself
  emptied         INTEGER NOT NULL DEFAULT 0 CHECK (emptied IN (0, 1)),  -- 1: nothing about a person is left; the sender
                                        -- is '' then, or 'unproven' where nothing of it was confirmed
  CHECK ((state = 'pending') = (decided_at IS NULL)),
  CHECK ((lease IS NULL) = (lease_until IS NULL))
) STRICT;

CREATE INDEX verdicts_first_questions ON verdicts (source, sender, notification_id)
  WHERE state = 'pending' AND asked = 0 AND lease IS NULL;
CREATE INDEX verdicts_listable_questions ON verdicts (source, lane, sender, notification_id)
  WHERE state = 'pending' AND asked = 0 AND lease IS NULL AND listable = 1;
CREATE INDEX verdicts_repeated_questions ON verdicts (source, next_attempt_at)
  WHERE state = 'pending' AND asked = 1 AND lease IS NULL;
CREATE INDEX verdicts_waiting ON verdicts (source, question) WHERE state = 'pending';
CREATE INDEX verdicts_pending ON verdicts (source, received_at) WHERE state = 'pending';
CREATE INDEX verdicts_leased ON verdicts (lease) WHERE lease IS NOT NULL;
CREATE INDEX verdicts_by_claim ON verdicts (source, claim_key) WHERE claim_key IS NOT NULL;
CREATE INDEX verdicts_by_subject ON verdicts (source, subject_kind, subject_id, notification_id);
CREATE INDEX verdicts_by_state ON verdicts (state, reason, notification_id);
-- Reports count from this index alone.
CREATE INDEX verdicts_by_time ON verdicts (source, received_at, state, reason);
-- What store.keep, store.keep_personal and store.max_unproven look for.
CREATE INDEX verdicts_settled ON verdicts (emptied, received_at, duplicate_of) WHERE state IN ('confirmed', 'ignored');
CREATE INDEX verdicts_duplicates ON verdicts (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX verdicts_ignored ON verdicts (sender, notification_id) WHERE state = 'ignored';

-- How many notifications of each sender are kept, and how many of them are confirmed. Kept by the triggers below.
CREATE TABLE senders (
  sender    TEXT NOT NULL PRIMARY KEY,  -- as in verdicts
  kept      INTEGER NOT NULL,           -- their rows in verdicts
  confirmed INTEGER NOT NULL            -- those of them that are confirmed
) STRICT, WITHOUT ROWID;

CREATE TRIGGER verdicts_sender_new AFTER INSERT ON verdicts BEGIN
  INSERT INTO senders (sender, kept, confirmed) VALUES (new.sender, 1, new.state = 'confirmed')
  ON CONFLICT DO UPDATE SET kept = kept + 1, confirmed = confirmed + excluded.confirmed;
END;

CREATE TRIGGER verdicts_sender_moved AFTER UPDATE OF sender, state ON verdicts
WHEN old.sender <> new.sender OR (old.state = 'confirmed') <> (new.state = 'confirmed') BEGIN
  INSERT INTO senders (sender, kept, confirmed) VALUES (new.sender, 1, new.state = 'confirmed')
  ON CONFLICT DO UPDATE SET kept = kept + 1, confirmed = confirmed + excluded.confirmed;
  UPDATE senders SET kept = kept - 1, confirmed = confirmed - (old.state = 'confirmed') WHERE sender = old.sender;
  DELETE FROM senders WHERE sender = old.sender AND kept = 0;
END;

CREATE TRIGGER verdicts_sender_gone AFTER DELETE ON verdicts BEGIN
  UPDATE senders SET kept = kept - 1, confirmed = confirmed - (old.state = 'confirmed') WHERE sender = old.sender;
  DELETE FROM senders WHERE sender = old.sender AND kept = 0;
END;
CREATE INDEX verdicts_confirmed_orders ON verdicts (source, decided_at)
  WHERE state = 'confirmed' AND subject_kind = 'order';

-- Sources, or kinds of their calls, that fail as a whole.
CREATE TABLE troubles (
  source    TEXT NOT NULL,     -- the failing source
  lane      TEXT NOT NULL,     -- '' for the whole source
  cause     TEXT NOT NULL,     -- api_unreachable, api_denied, api_rate_limited, api_error
  detail    TEXT NOT NULL,     -- what the last probe met, in plain words
  since     TEXT NOT NULL,     -- the first failure
  failures  INTEGER NOT NULL,  -- failed probes in a row
  resume_at TEXT NOT NULL,     -- nobody asks before
  PRIMARY KEY (source, lane)
) STRICT, WITHOUT ROWID;

-- Failed questions that stood for a whole source: each counts for every notification that waited on it.
CREATE TABLE probes (
  source TEXT NOT NULL,        -- the source that was probed
  lane   TEXT NOT NULL,        -- as in troubles
  at     TEXT NOT NULL         -- when the probe was sent
) STRICT;
CREATE INDEX probes_by_source ON probes (source, at);

-- The calls that still count against a source's rate limit.
CREATE TABLE api_calls (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- the call_id of verifications
  source       TEXT NOT NULL,                      -- whose budget it uses
  counts_until INTEGER NOT NULL                    -- milliseconds since 1970
) STRICT;
CREATE INDEX api_calls_by_source ON api_calls (source, counts_until);

-- The values confirmed last about each subject: what differs from them is news, and for reconcile drift. Outlives pruned
-- notifications.
CREATE TABLE told (
  source          TEXT NOT NULL,   -- as in intake
  subject_kind    TEXT NOT NULL,   -- order or product
  subject_id      TEXT NOT NULL,   -- the id in orders or products, else as notified
  compared        TEXT NOT NULL,   -- JSON: the API's values
  notification_id INTEGER NOT NULL,  -- the confirmed notification that told it
  told_at         TEXT NOT NULL,   -- when it was confirmed
  PRIMARY KEY (source, subject_kind, subject_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX told_orders ON told (source, told_at) WHERE subject_kind = 'order';

-- The last complete reconcile of each source over everything since the one before it: where the next one begins.
CREATE TABLE reconciliations (
  source       TEXT NOT NULL PRIMARY KEY,  -- as in sources
  from_at      TEXT NOT NULL,  -- the window, its beginning inclusive
  to_at        TEXT NOT NULL,  -- its end exclusive; never moves back
  completed_at TEXT NOT NULL   -- when that run was made
) STRICT, WITHOUT ROWID;

-- How many notifications of a day are in which state; pruned ones still count. Kept by the triggers below, none of which
-- minds a row that goes.
CREATE TABLE tallies (
  day    TEXT NOT NULL,            -- UTC day of receipt
  source TEXT NOT NULL,            -- as in intake
  state  TEXT NOT NULL,            -- as in verdicts
  reason TEXT NOT NULL,            -- '' where there is none, and while pending
  n      INTEGER NOT NULL,         -- how many
  PRIMARY KEY (day, source, state, reason)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER verdicts_tally_new AFTER INSERT ON verdicts BEGIN
  INSERT INTO tallies (day, source, state, reason, n)
  VALUES (substr(new.received_at, 1, 10), new.source, new.state, iif(new.state = 'pending', '', coalesce(new.reason, '')), 1)
  ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER verdicts_tally_moved AFTER UPDATE OF state, reason ON verdicts
WHEN old.state <> new.state OR (new.state <> 'pending' AND old.reason IS NOT new.reason) BEGIN
  UPDATE tallies SET n = n - 1
  WHERE day = substr(old.received_at, 1, 10) AND source = old.source AND state = old.state
    AND reason = iif(old.state = 'pending', '', coalesce(old.reason, ''));
  INSERT INTO tallies (day, source, state, reason, n)
  VALUES (substr(new.received_at, 1, 10), new.source, new.state, iif(new.state = 'pending', '', coalesce(new.reason, '')), 1)
  ON CONFLICT DO UPDATE SET n = n + 1;
END;

-- One row, rewritten to find out whether the store can be written.
CREATE TABLE pulse (
  id INTEGER PRIMARY KEY CHECK (id = 1),  -- there is one row
  at TEXT NOT NULL                        -- the last successful write
) STRICT;

-- For users -------------------------------------------------------------------------------------------------------------

-- Each question to a shop's API and what came of it, also when it failed; one row a notification and question.
CREATE TABLE verifications (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,  -- counts up; never used twice
  notification_id INTEGER NOT NULL REFERENCES intake (id) ON DELETE CASCADE,  -- who waited for it
  call_id         INTEGER NOT NULL,  -- rows settled by one call share it
  at              TEXT NOT NULL,     -- when the question was sent
  outcome         TEXT NOT NULL,     -- what the answer meant for this notification, or why there was none
  http_status     INTEGER,           -- NULL: no answer came
  latency_ms      INTEGER NOT NULL,  -- from question to answer, all calls of the question together
  detail          TEXT,              -- the outcome in plain words; NULL where there is nothing to add
  answer          TEXT               -- JSON: the fields of the answer that the outcome rests on
) STRICT;
CREATE INDEX verifications_by_notification ON verifications (notification_id);
-- Reports choose from this index which calls to look at.
CREATE INDEX verifications_by_time ON verifications (at, call_id);

-- The latest truth fetched about each order; never written from a notification.
CREATE TABLE orders (
  source             TEXT NOT NULL,  -- the source whose API showed it
  order_id           TEXT NOT NULL,  -- the API's; Midas: external_id
  status             TEXT,           -- Ecwid: payment status
  fulfillment_status TEXT,           -- Ecwid only
  total              TEXT,           -- decimal
  currency           TEXT,           -- ISO 4217
  email              TEXT,           -- the customer's; NULL where the API tells none
  updated_at         TEXT,           -- the API's time of the last change; NULL where it tells none
  fetched_at         TEXT NOT NULL,  -- when the question was sent
  gone_at            TEXT,           -- deleted or vanished; NULL while the API shows it
  raw                TEXT,           -- the API's JSON, as asked for
  internal_id        TEXT,           -- a second id that notifications may use (Ecwid: internalId)
  notified_at        TEXT NOT NULL,  -- when the newest notification that had us ask came in
  emptied            INTEGER NOT NULL DEFAULT 0 CHECK (emptied IN (0, 1)),  -- 1: email and raw are empty, and stay so
  PRIMARY KEY (source, order_id)
) STRICT;
CREATE INDEX orders_to_empty ON orders (notified_at) WHERE emptied = 0;
CREATE INDEX orders_by_internal_id ON orders (source, internal_id) WHERE internal_id IS NOT NULL;

-- The latest truth fetched about each product.
CREATE TABLE products (
  source      TEXT NOT NULL,  -- the source whose API showed it
  product_id  TEXT NOT NULL,  -- Ecwid's id, Kinguin's kinguinId
  name        TEXT,           -- NULL where not told
  price       TEXT,           -- decimal
  currency    TEXT,           -- ISO 4217
  qty         INTEGER,        -- NULL where unlimited or not told
  available   INTEGER CHECK (available IN (0, 1)),  -- 1: can be bought now; NULL where not told
  updated_at  TEXT,           -- the API's time of the last change; NULL where it tells none
  fetched_at  TEXT NOT NULL,  -- when the question was sent
  raw         TEXT,           -- the API's JSON, as asked for
  internal_id TEXT,           -- a second id (Kinguin: productId)
  notified_at TEXT NOT NULL,  -- when the newest notification that had us ask came in
  emptied     INTEGER NOT NULL DEFAULT 0 CHECK (emptied IN (0, 1)),  -- 1: raw is empty, until a newer notification
  PRIMARY KEY (source, product_id)
) STRICT;
CREATE INDEX products_to_empty ON products (notified_at) WHERE emptied = 0;

-- Requests to a configured source that were not stored, counted.
CREATE TABLE refusals (
  source           TEXT NOT NULL,  -- the source that was called
  day              TEXT NOT NULL,  -- UTC day
  cause            TEXT NOT NULL,  -- wrong_secret, missing_signature, test_call, …
  count            INTEGER NOT NULL,  -- requests of this cause on this day
  last_at          TEXT NOT NULL,  -- the latest of them
  last_remote_addr TEXT,           -- who sent that; NULL where emptied
  PRIMARY KEY (source, day, cause)
) STRICT, WITHOUT ROWID;
CREATE INDEX refusals_to_empty ON refusals (last_at) WHERE last_remote_addr IS NOT NULL;

-- Every notification with its verdict. While its source fails as a whole, a pending one carries that cause.
CREATE VIEW notifications AS
SELECT i.id, i.source, i.provider, i.received_at, i.remote_addr, i.content_type, i.headers, i.body,
  v.event, v.subject_kind, v.subject_id, v.resolved_id, v.claim, v.event_time,
  coalesce(v.state, 'pending') AS state,
  iif(v.state = 'pending', coalesce(
    (SELECT t.cause FROM troubles t WHERE t.source = v.source AND t.lane IN ('', v.lane) ORDER BY t.lane LIMIT 1),
    v.reason), v.reason) AS reason,
  v.detail, v.duplicate_of, coalesce(v.news, 0) AS news,
  coalesce(v.attempts, 0) + iif(v.state = 'pending',
    (SELECT count(*) FROM probes p WHERE p.source = v.source AND p.at > v.probes_since AND p.lane IN ('', v.lane)),
    0) AS attempts,
  iif(v.state = 'pending', max(v.next_attempt_at, coalesce(
    (SELECT max(t.resume_at) FROM troubles t WHERE t.source = v.source AND t.lane IN ('', v.lane)), v.next_attempt_at)),
    NULL) AS next_attempt_at,
  v.decided_at, i.origin
FROM intake i LEFT JOIN verdicts v ON v.notification_id = i.id;

-- What somebody made up, or what nobody can tell from it: asked, and the API does not say so.
CREATE VIEW fakes AS
SELECT i.id, i.source, i.provider, i.received_at, i.remote_addr, i.content_type, i.headers, i.body,
  v.event, v.subject_kind, v.subject_id, v.resolved_id, v.claim, v.event_time, v.state, v.reason, v.detail, v.attempts,
  v.decided_at
FROM verdicts v JOIN intake i ON i.id = v.notification_id
WHERE v.state = 'ignored' AND v.reason IN ('not_found', 'mismatch', 'wrong_store');

-- What is not settled: pending and undecided, oldest first.
CREATE VIEW open AS
SELECT n.id, n.source, n.provider, n.received_at, o.age_seconds,
  printf('%dd %02d:%02d:%02d', o.age_seconds / 86400, o.age_seconds / 3600 % 24, o.age_seconds / 60 % 60,
    o.age_seconds % 60) AS age,
  n.event, n.subject_kind, n.subject_id, n.state, n.reason, n.detail, n.attempts, n.next_attempt_at
FROM (
  SELECT id, received_at, max(0, cast((julianday('now') - julianday(received_at)) * 86400 AS INTEGER)) AS age_seconds
  FROM (
    SELECT notification_id AS id, received_at FROM verdicts WHERE state IN ('pending', 'undecided')
    UNION ALL
    SELECT id, received_at FROM intake WHERE id > (SELECT coalesce(max(notification_id), 0) FROM verdicts)
  )
) o
JOIN notifications n ON n.id = o.id
ORDER BY o.received_at, o.id;

-- What came in and what became of it, a day and source; pruned notifications still count.
CREATE VIEW daily AS
SELECT day, source, sum(n) AS received,
  sum(iif(state = 'confirmed', n, 0)) AS confirmed,
  sum(iif(state = 'ignored', n, 0)) AS ignored,
  sum(iif(state = 'ignored' AND reason IN ('not_found', 'mismatch', 'wrong_store'), n, 0)) AS fakes,
  sum(iif(state = 'ignored' AND reason = 'duplicate', n, 0)) AS duplicates,
  sum(iif(state = 'pending', n, 0)) AS pending,
  sum(iif(state = 'undecided', n, 0)) AS undecided
FROM (
  SELECT day, source, state, reason, n FROM tallies WHERE n <> 0
  UNION ALL
  SELECT substr(received_at, 1, 10), source, 'pending', '', 1 FROM intake
  WHERE id > (SELECT coalesce(max(notification_id), 0) FROM verdicts)
)
GROUP BY day, source;
