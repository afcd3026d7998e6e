-- The schema of a countersign store. The program creates a new store with this file; `sqlite3 new.db < sql/schema.sql`
-- creates the same one. The steps in sql/migrations upgrade older stores, and a test compares both results.
--
-- Times are RFC 3339 UTC text with milliseconds and Z, so they sort as text. Days are UTC. Amounts are decimal text. A
-- value is NULL if it is unknown. Users may rely on the tables verifications, orders, products, news, deliveries,
-- delivery_attempts and refusals and on the views notifications, fakes, open and daily; everything under "Inner tables"
-- may change with any version.
--
-- docs/architecture.md names the owner of each derived table, a trigger or a function of the program. A statement that
-- fires triggers and may fail halfway must save each page before it changes it, which costs the writer a sixth. So
-- triggers here avoid ON CONFLICT DO UPDATE and functions, and the reference from `verdicts` to `intake` is checked at
-- commit.

PRAGMA application_id = 1668641646;  -- 'cusn': the file is countersign's
PRAGMA user_version = 1;             -- the number of steps in sql/migrations

-- Inner tables ---------------------------------------------------------------------------------------------------------

-- Every source that a serve ever knew.
CREATE TABLE sources (
  name            TEXT NOT NULL PRIMARY KEY,  -- as in [sources.NAME]
  provider        TEXT NOT NULL,              -- a name keeps its provider forever
  first_served_at TEXT NOT NULL,              -- silence before this means nothing
  found_any_at    TEXT,                       -- first answer that showed an object; NULL: none yet
  last_parsed_at  TEXT                        -- receipt of the latest parsed notification; NULL: none yet
) STRICT, WITHOUT ROWID;

-- Every notification as received. Intake only appends here, by one ascending key, so a large store stays fast.
CREATE TABLE intake (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- the notification's id; never reused
  source       TEXT NOT NULL,                      -- the [sources.NAME] that received it
  provider     TEXT NOT NULL,                      -- that source's provider
  received_at  TEXT NOT NULL,                      -- when the request had been read completely
  remote_addr  TEXT,                               -- the sender; NULL if recovered or emptied
  content_type TEXT,                               -- as sent; NULL if the header was missing
  headers      TEXT,                               -- JSON object, lower-case names, secrets redacted; NULL if recovered or emptied
  body         ANY,                                -- the exact bytes: TEXT if valid UTF-8 without NUL, otherwise BLOB; NULL if recovered or emptied
  origin       TEXT NOT NULL DEFAULT 'intake' CHECK (origin IN ('intake', 'reconcile'))  -- reconcile: recovered
) STRICT;

-- The claim and the verdict of each notification, written by the worker in groups. A notification without a row here
-- has not been parsed yet and is pending.
CREATE TABLE verdicts (
  notification_id INTEGER PRIMARY KEY REFERENCES intake (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,  -- the row in intake
  source          TEXT NOT NULL,        -- as in intake
  received_at     TEXT NOT NULL,        -- as in intake
  day             TEXT NOT NULL,        -- the UTC day of received_at, for daily_counts
  sender          TEXT NOT NULL,        -- the address, or the /64 of an IPv6 address; '' without one; see also emptied
  event           TEXT,                 -- the provider's word; NULL if unreadable
  subject_kind    TEXT CHECK (subject_kind IN ('order', 'product')),  -- NULL if unreadable
  subject_id      TEXT,                 -- as notified
  resolved_id     TEXT,                 -- the id in orders or products; NULL until an answer gave it
  claim           TEXT,                 -- JSON: the asserted values, those said to hold before under "before"; NULL if unreadable
  claim_key       TEXT,                 -- equal for repeats of one claim; NULL for recovered rows, which nothing repeats
  event_time      TEXT,                 -- as the sender states it; NULL if it has no zone
  event_sent      TEXT,                 -- the same as sent
  event_order     INTEGER,              -- orders the claims of a source: milliseconds; a time without a zone counts as UTC
  event_id        TEXT,                 -- the sender's id of the event
  question        TEXT,                 -- the API call to make; pending rows with equal questions share it
  call_kind       TEXT,                 -- the kind of call that the question needs
  listable        INTEGER NOT NULL DEFAULT 0 CHECK (listable IN (0, 1)),  -- 1: one list call may answer it with others of its kind of call
  statuses        TEXT,                 -- key of the asserted statuses; NULL: none
  before          TEXT,                 -- key of the previous statuses, as the sender states them; NULL: none
  explains        TEXT,                 -- keys of the statuses that it explains once confirmed, separated by spaces
  state           TEXT NOT NULL CHECK (state = 'pending' OR state = 'confirmed' OR state = 'ignored' OR state = 'undecided'),  -- the verdict
  reason          TEXT,                 -- NULL only while pending and never asked
  detail          TEXT,                 -- the reason in plain words
  duplicate_of    INTEGER,              -- the confirmed notification that this one repeats
  news            INTEGER NOT NULL DEFAULT 0 CHECK (news IN (0, 1)),  -- 1: the API said something new about the subject
  attempts        INTEGER NOT NULL DEFAULT 0,  -- questions asked, without the probes after probes_since
  probes_since    TEXT NOT NULL,        -- probes of the whole source after this also count as attempts
  own_refusals    INTEGER NOT NULL DEFAULT 0,  -- refusals of this subject alone while its source worked
  asked           INTEGER NOT NULL DEFAULT 0 CHECK (asked IN (0, 1)),  -- 0: its first question is still to come
  next_attempt_at TEXT,                 -- NULL when settled
  decided_at      TEXT,                 -- NULL while pending
  retried_at      TEXT,                 -- the last retry by a person
  lease           TEXT,                 -- the name of its lease; NULL: none
  lease_until     TEXT,                 -- when the lease expires
  emptied         INTEGER NOT NULL DEFAULT 0 CHECK (emptied IN (0, 1)),  -- 1: holds nothing personal; sender is then '', or
                                        -- 'unproven' where no notification of that sender was confirmed
  CHECK ((state = 'pending') = (decided_at IS NULL)),
  CHECK ((lease IS NULL) = (lease_until IS NULL))
) STRICT;

-- The queue.
CREATE INDEX verdicts_first_questions ON verdicts (source, listable, call_kind, sender, notification_id)
  WHERE state = 'pending' AND asked = 0 AND lease IS NULL;
CREATE INDEX verdicts_again ON verdicts (source, call_kind, sender, next_attempt_at)
  WHERE state = 'pending' AND asked = 1 AND lease IS NULL;
CREATE INDEX verdicts_repeated_questions ON verdicts (source, next_attempt_at)
  WHERE state = 'pending' AND asked = 1 AND lease IS NULL;
CREATE INDEX verdicts_waiting ON verdicts (source, question) WHERE state = 'pending';
CREATE INDEX verdicts_pending ON verdicts (source, received_at) WHERE state = 'pending';
CREATE INDEX verdicts_leased ON verdicts (lease) WHERE lease IS NOT NULL;
CREATE INDEX verdicts_lease_ends ON verdicts (lease_until) WHERE lease IS NOT NULL;
-- It includes the state, so that each of a hundred thousand copies need not be compared with all earlier ones.
CREATE INDEX verdicts_by_claim ON verdicts (source, claim_key, state) WHERE claim_key IS NOT NULL;
CREATE INDEX verdicts_by_subject ON verdicts (source, subject_kind, subject_id, notification_id);
CREATE INDEX verdicts_by_other_id ON verdicts (resolved_id) WHERE resolved_id <> subject_id;
-- Lists. Rows of one state, reason and source lie together, newest last.
CREATE INDEX verdicts_by_state ON verdicts (state, reason, source);
CREATE INDEX verdicts_open ON verdicts (received_at, notification_id) WHERE state IN ('pending', 'undecided');
-- Reports.
CREATE INDEX verdicts_by_time ON verdicts (source, received_at, state, reason);
CREATE INDEX verdicts_undecided ON verdicts (source, received_at) WHERE state = 'undecided';
-- store.keep, store.keep_personal and store.max_unproven.
CREATE INDEX verdicts_settled ON verdicts (emptied, received_at, notification_id, duplicate_of) WHERE state IN ('confirmed', 'ignored');
CREATE INDEX verdicts_duplicates ON verdicts (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX verdicts_ignored ON verdicts (sender, notification_id) WHERE state = 'ignored';
CREATE INDEX verdicts_given_up ON verdicts (sender, notification_id) WHERE state = 'undecided';
-- reconcile.
CREATE INDEX verdicts_confirmed_orders ON verdicts (source, decided_at)
  WHERE state = 'confirmed' AND subject_kind = 'order';
-- Notifications that a later confirmed one may explain.
CREATE INDEX verdicts_explainable ON verdicts (source, subject_kind, subject_id, reason, statuses, event_order)
  WHERE state = 'ignored' AND (reason = 'mismatch' OR reason = 'not_found');
-- From a notified id to the object that a confirmed notification found by it.
CREATE INDEX verdicts_naming ON verdicts (source, subject_kind, subject_id)
  WHERE state = 'confirmed' AND resolved_id IS NOT NULL;
-- Pending notifications about a subject.
CREATE INDEX verdicts_pending_about ON verdicts (source, subject_kind, subject_id) WHERE state = 'pending';

-- The statuses of each subject that are explained, by a confirmed notification or by one that is superseded itself. A
-- row is removed with the newest notification behind it.
CREATE TABLE explanations (
  source         TEXT NOT NULL,    -- as in verdicts
  subject_kind   TEXT NOT NULL,    -- as in verdicts
  subject_id     TEXT NOT NULL,    -- as in verdicts
  statuses       TEXT NOT NULL,    -- the explained statuses, as in verdicts; '': every not_found (a deletion)
  from_key       TEXT NOT NULL,    -- '': explains all; otherwise only notifications with this key in "before"
  latest_order   INTEGER,          -- the latest event_order of the explaining notifications; NULL: none has one
  latest_untimed INTEGER,          -- the newest of them without event_order; NULL: there is none
  latest_id      INTEGER NOT NULL REFERENCES intake (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,  -- the newest of them
  PRIMARY KEY (source, subject_kind, subject_id, statuses, from_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX explanations_by_latest ON explanations (latest_id);

-- Every sender with notifications in `verdicts`.
CREATE TABLE senders (
  sender TEXT NOT NULL PRIMARY KEY,  -- as in verdicts
  kept   INTEGER NOT NULL,           -- its rows in verdicts
  weight INTEGER NOT NULL DEFAULT 8192  -- its weight in the fair queue: the recent share of confirmations among its verdicts,
                                        -- in 65536ths. A verdict that says whether a notification was true moves it an
                                        -- eighth of the way to 1 or 0; any other takes a 512th away, down to the eighth
                                        -- of an unknown sender. Above that, the sender is proven
) STRICT, WITHOUT ROWID;

CREATE TRIGGER verdicts_sender_new AFTER INSERT ON verdicts BEGIN
  INSERT INTO senders (sender, kept) VALUES (new.sender, 0) ON CONFLICT DO NOTHING;
  UPDATE senders SET kept = kept + 1 WHERE sender = new.sender;
END;

CREATE TRIGGER verdicts_sender_emptied AFTER UPDATE OF sender ON verdicts
WHEN old.sender <> new.sender BEGIN
  INSERT INTO senders (sender, kept) VALUES (new.sender, 1) ON CONFLICT DO UPDATE SET kept = kept + 1;
  UPDATE senders SET kept = kept - 1 WHERE sender = old.sender;
  DELETE FROM senders WHERE sender = old.sender AND kept = 0;
END;

CREATE TRIGGER verdicts_sender_gone AFTER DELETE ON verdicts BEGIN
  UPDATE senders SET kept = kept - 1 WHERE sender = old.sender;
  DELETE FROM senders WHERE sender = old.sender AND kept = 0;
END;

-- Weighted fair queueing of senders with questions to ask (see src/store/queue/fairness.rs). A row may outlive its
-- questions for a while; it is removed when its turn comes.
CREATE TABLE fair_queue (
  source    TEXT NOT NULL,                                   -- as in verdicts
  queue     INTEGER NOT NULL CHECK (queue BETWEEN 0 AND 2),  -- 0: first questions that a list call may answer, 1: other first
                             -- ones, 2: repeated ones
  call_kind TEXT NOT NULL,                                   -- as in verdicts
  sender    TEXT NOT NULL,                                   -- as in verdicts
  due_at    TEXT NOT NULL,                                   -- none of its retries is due before this; first questions always are
  position  INTEGER,                                         -- virtual time of its next turn, the lowest goes first; NULL: not queueing yet
  PRIMARY KEY (source, queue, call_kind, sender)
) STRICT, WITHOUT ROWID;
CREATE INDEX fair_queue_order ON fair_queue (source, queue, call_kind, position) WHERE position IS NOT NULL;
CREATE INDEX fair_queue_to_come ON fair_queue (source, call_kind, queue, due_at) WHERE position IS NULL;

CREATE TRIGGER verdicts_turn_new AFTER INSERT ON verdicts
WHEN new.state = 'pending' AND new.lease IS NULL AND new.question IS NOT NULL BEGIN
  INSERT INTO fair_queue (source, queue, call_kind, sender, due_at)
  VALUES (new.source, iif(new.asked, 2, 1 - new.listable), new.call_kind, new.sender, new.next_attempt_at)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER verdicts_turn_moved AFTER UPDATE OF state, lease, asked, question, next_attempt_at, listable, sender ON verdicts
WHEN new.state = 'pending' AND new.lease IS NULL AND new.question IS NOT NULL BEGIN
  INSERT INTO fair_queue (source, queue, call_kind, sender, due_at)
  VALUES (new.source, iif(new.asked, 2, 1 - new.listable), new.call_kind, new.sender, new.next_attempt_at)
  ON CONFLICT DO NOTHING;
  UPDATE fair_queue SET due_at = new.next_attempt_at
  WHERE source = new.source AND queue = iif(new.asked, 2, 1 - new.listable) AND call_kind = new.call_kind AND sender = new.sender
    AND due_at > new.next_attempt_at;
END;

-- The virtual time of each fair queue: newcomers join one stride behind the last sender served.
CREATE TABLE fair_queue_clock (
  source       TEXT NOT NULL,     -- as in fair_queue
  queue        INTEGER NOT NULL,  -- as in fair_queue
  call_kind    TEXT NOT NULL,     -- as in fair_queue
  virtual_time INTEGER NOT NULL,  -- the position of the last sender served
  PRIMARY KEY (source, queue, call_kind)
) STRICT, WITHOUT ROWID;

-- The last position given within an IPv6 /48 to senders without confirmations. They advance together, so splitting one
-- /48 into many /64 gains nothing.
CREATE TABLE fair_queue_networks (
  source    TEXT NOT NULL,     -- as in fair_queue
  queue     INTEGER NOT NULL,  -- as in fair_queue
  call_kind TEXT NOT NULL,     -- as in fair_queue
  network   TEXT NOT NULL,     -- the /48
  position  INTEGER NOT NULL,  -- as in fair_queue
  PRIMARY KEY (source, queue, call_kind, network)
) STRICT, WITHOUT ROWID;
CREATE INDEX fair_queue_networks_behind ON fair_queue_networks (source, queue, call_kind, position);

-- Sources, or kinds of their calls, that fail as a whole.
CREATE TABLE outages (
  source    TEXT NOT NULL,     -- the failing source
  call_kind TEXT NOT NULL,     -- the kind of call; '' for the whole source
  cause     TEXT NOT NULL,     -- api_unreachable, api_denied, api_rate_limited, api_error
  detail    TEXT NOT NULL,     -- result of the last probe, in plain words
  since     TEXT NOT NULL,     -- the first failure
  failures  INTEGER NOT NULL,  -- failed probes in a row
  resume_at TEXT NOT NULL,     -- no calls before this
  PRIMARY KEY (source, call_kind)
) STRICT, WITHOUT ROWID;

-- Failed questions that probed a whole source: each counts for every notification pending on it.
CREATE TABLE probes (
  source    TEXT NOT NULL,     -- the source that was probed
  call_kind TEXT NOT NULL,     -- as in outages
  at        TEXT NOT NULL      -- when the probe was sent
) STRICT;
CREATE INDEX probes_by_source ON probes (source, at);

-- Calls that still count against a source's rate limit.
CREATE TABLE api_calls (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- the call_id of verifications
  source       TEXT NOT NULL,                      -- the source whose rate limit it counts against
  owner        TEXT NOT NULL,                      -- who makes it, as in verdicts.lease
  counts_until INTEGER NOT NULL                    -- milliseconds since 1970
) STRICT;
CREATE INDEX api_calls_by_source ON api_calls (source, counts_until);

-- The values last confirmed of each subject: other values are news, and for reconcile drift. Rows outlive pruned
-- notifications.
CREATE TABLE last_confirmed (
  source          TEXT NOT NULL,     -- as in intake
  subject_kind    TEXT NOT NULL,     -- order or product
  subject_id      TEXT NOT NULL,     -- the id in orders or products, else as notified
  compared        TEXT NOT NULL,     -- JSON: the API's values
  notification_id INTEGER NOT NULL,  -- the confirmed notification
  confirmed_at    TEXT NOT NULL,     -- when it was confirmed
  current         TEXT,              -- JSON: news.current of its last news; NULL before the first
  PRIMARY KEY (source, subject_kind, subject_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX last_confirmed_orders ON last_confirmed (source, confirmed_at) WHERE subject_kind = 'order';

-- The last complete reconcile of each source over everything since the one before. The next one begins where it ended.
CREATE TABLE reconciliations (
  source       TEXT NOT NULL PRIMARY KEY,  -- as in sources
  from_at      TEXT NOT NULL,  -- start of its window, inclusive
  to_at        TEXT NOT NULL,  -- end of its window, exclusive; never moves back
  completed_at TEXT NOT NULL   -- when that run ended
) STRICT, WITHOUT ROWID;

-- The report of the last reconcile, complete or not: the page shows its findings.
CREATE TABLE last_reconcile (
  id      INTEGER PRIMARY KEY CHECK (id = 1),  -- there is one row
  made_at TEXT NOT NULL,                       -- the time of that run
  report  TEXT NOT NULL                        -- its JSON, as --format json prints it, without the statistics
) STRICT;

-- The number of notifications per day, source and verdict. Removed ones still count: no trigger here follows a removal.
CREATE TABLE daily_counts (
  day    TEXT NOT NULL,            -- UTC day of receipt
  source TEXT NOT NULL,            -- as in intake
  state  TEXT NOT NULL,            -- as in verdicts
  reason TEXT NOT NULL,            -- '' if there is none, and while pending
  n      INTEGER NOT NULL,         -- number of notifications
  PRIMARY KEY (day, source, state, reason)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER verdicts_counted AFTER INSERT ON verdicts BEGIN
  INSERT INTO daily_counts (day, source, state, reason, n)
  VALUES (new.day, new.source, new.state, iif(new.state = 'pending', '', coalesce(new.reason, '')), 0)
  ON CONFLICT DO NOTHING;
  UPDATE daily_counts SET n = n + 1
  WHERE day = new.day AND source = new.source AND state = new.state
    AND reason = iif(new.state = 'pending', '', coalesce(new.reason, ''));
END;

CREATE TRIGGER verdicts_recounted AFTER UPDATE OF state, reason ON verdicts
WHEN old.state <> new.state OR (new.state <> 'pending' AND old.reason IS NOT new.reason) BEGIN
  UPDATE daily_counts SET n = n - 1
  WHERE day = old.day AND source = old.source AND state = old.state
    AND reason = iif(old.state = 'pending', '', coalesce(old.reason, ''));
  INSERT INTO daily_counts (day, source, state, reason, n)
  VALUES (new.day, new.source, new.state, iif(new.state = 'pending', '', coalesce(new.reason, '')), 0)
  ON CONFLICT DO NOTHING;
  UPDATE daily_counts SET n = n + 1
  WHERE day = new.day AND source = new.source AND state = new.state
    AND reason = iif(new.state = 'pending', '', coalesce(new.reason, ''));
END;

-- The lowest id of each hour: no notification received within the hour has a lower one, even if the clock was set back
-- or rows were removed.
CREATE TABLE hour_index (
  hour     TEXT NOT NULL PRIMARY KEY,  -- UTC hour of receipt: the first 13 characters of the time
  first_id INTEGER NOT NULL            -- the lowest id received within it
) STRICT, WITHOUT ROWID;

-- One row, rewritten to check that the store can be written.
CREATE TABLE write_check (
  id INTEGER PRIMARY KEY CHECK (id = 1),  -- there is one row
  at TEXT NOT NULL                        -- the last successful write
) STRICT;

-- The last sign of life of a serve that sends a heartbeat.
CREATE TABLE liveness (
  id INTEGER PRIMARY KEY CHECK (id = 1),  -- there is one row
  at TEXT NOT NULL                        -- when it was written; by a clock that may be wrong
) STRICT;

-- Problems that the alerts track, until they have been over for a while.
CREATE TABLE alert_problems (
  kind    TEXT NOT NULL,  -- the kind of warning
  source  TEXT,           -- the source concerned; NULL: none
  action  TEXT,           -- the action concerned; NULL: none
  since   TEXT NOT NULL,  -- when it was first listed
  gone_at TEXT,           -- when it was no longer listed; NULL while it is
  told_at TEXT            -- when it was last reported; NULL: not yet
) STRICT;

-- Alert messages of the last hour, and those not sent yet.
CREATE TABLE alert_messages (
  id              INTEGER PRIMARY KEY,  -- may be used again
  channel         TEXT NOT NULL,        -- mail or url
  at              TEXT NOT NULL,        -- when it was written
  content         TEXT NOT NULL,        -- JSON
  attempts        INTEGER NOT NULL,     -- tries so far
  next_attempt_at TEXT                  -- NULL: it was sent, or given up
) STRICT;

-- Channels on which the last message was given up.
CREATE TABLE alert_channels (
  channel TEXT NOT NULL PRIMARY KEY,  -- mail or url
  since   TEXT NOT NULL,              -- when the first message since the last success was given up
  cause   TEXT NOT NULL               -- why, in plain words
) STRICT, WITHOUT ROWID;

-- The id of this file: part of the id by which an action recognises a repeated delivery.
CREATE TABLE identity (
  id   INTEGER PRIMARY KEY CHECK (id = 1),  -- there is one row
  file TEXT                                 -- random; NULL: a copy that no serve has opened yet
) STRICT;
INSERT INTO identity (id, file) VALUES (1, NULL);

-- The end of the removed news; kept by the trigger news_gone.
CREATE TABLE news_removed (
  id  INTEGER PRIMARY KEY CHECK (id = 1),  -- there is one row
  seq INTEGER NOT NULL                     -- the newest seq that prune or keep removed; 0: none
) STRICT;
INSERT INTO news_removed (id, seq) VALUES (1, 0);

-- The change log for the ledger, the PostgreSQL of [ledger]. Rows of notifications, verifications, news and deliveries
-- are shipped by ascending id. Each later change of them, and each change of other tables, gets an entry here, one per
-- row. The triggers of sql/change_log.sql write it; they exist only while a ledger is configured.
CREATE TABLE changes (
  position INTEGER PRIMARY KEY,  -- ascending; the last entry stays until there is a later one, so that none is reused
  kind     TEXT NOT NULL,        -- the table
  id       INTEGER NOT NULL,     -- the row's id; 0 if it has none
  source   TEXT NOT NULL,        -- the row's source; '' if it has an id
  key      TEXT NOT NULL         -- its order_id or product_id; for refusals day and cause, separated by a space
) STRICT;
CREATE INDEX changes_by_row ON changes (kind, id, source, key);

-- The state of the ledger, with the position that it last confirmed.
CREATE TABLE ledger_state (
  id            INTEGER PRIMARY KEY CHECK (id = 1),  -- there is one row
  is_on         INTEGER NOT NULL,  -- 1: a ledger is configured, and changes are logged
  include       TEXT NOT NULL,     -- ledger.include in force, separated by spaces
  generation    INTEGER NOT NULL,  -- incremented by each filling from the start
  is_begun      INTEGER NOT NULL,  -- 1: the ledger confirmed something of this filling
  log           INTEGER NOT NULL,  -- changes up to this position are shipped, except refusals
  refusals      INTEGER NOT NULL,  -- the same for refusals
  notifications INTEGER NOT NULL,  -- the last notification shipped
  verifications INTEGER NOT NULL,  -- the last verification shipped; the maximum integer if they are not included
  news          INTEGER NOT NULL,  -- the last seq shipped
  deliveries    INTEGER NOT NULL,  -- the last delivery shipped
  filled        TEXT NOT NULL,     -- JSON: the progress of filling orders, products and refusals
  next_notifications INTEGER NOT NULL,  -- notifications up to this id may be read for shipping: their changes are logged
  next_verifications INTEGER NOT NULL,  -- the same for verifications
  next_deliveries    INTEGER NOT NULL,  -- the same for deliveries
  filling_since TEXT,              -- when this filling began; NULL: never
  filling_to    TEXT,              -- JSON: the end of the file at that time; NULL: the filling is over
  shipped_until TEXT,              -- the ledger has everything up to this time; NULL: not yet
  confirmed_at  TEXT,              -- the ledger's last confirmation; NULL: none in this filling
  failing_since TEXT,              -- the first failure since then; NULL: none
  failure       TEXT,              -- the last failure in plain words
  is_refused    INTEGER NOT NULL,  -- 1: that failure does not pass by itself
  gap           INTEGER NOT NULL,  -- number of rows that were removed before they were shipped
  gap_at        TEXT               -- when the last of them was removed; NULL: none
) STRICT;
INSERT INTO ledger_state VALUES (1, 0, '', 0, 0, 0, 0, 0, 0, 0, 0, '{"table":0,"after":[]}', 0, 0, 0,
  NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL);

-- The state of an action over all of its deliveries; it has a row from its first failure on.
CREATE TABLE action_states (
  action        TEXT NOT NULL PRIMARY KEY,  -- as in deliveries
  failures      INTEGER NOT NULL,  -- failed tries since the last success
  failing_since TEXT,              -- the first of them
  probe         INTEGER,           -- the delivery that probes while the others wait
  probe_since   TEXT,              -- since when it probes
  held_until    TEXT,              -- nothing is sent before this, because the action asked for a pause
  gone_at       TEXT,              -- when it answered 410; it is resting since then
  last_error    TEXT               -- the last failure in plain words
) STRICT, WITHOUT ROWID;

-- The number of deliveries per action and state. Kept by the triggers of deliveries.
CREATE TABLE delivery_counts (
  action TEXT NOT NULL,     -- as in deliveries
  state  TEXT NOT NULL,     -- as in deliveries
  n      INTEGER NOT NULL,  -- number of deliveries
  PRIMARY KEY (action, state)
) STRICT, WITHOUT ROWID;

-- For users -------------------------------------------------------------------------------------------------------------

-- Each question to a shop's API and its outcome, even if the question failed; one row per notification and question.
CREATE TABLE verifications (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,  -- ascending; never reused
  notification_id INTEGER NOT NULL REFERENCES intake (id) ON DELETE CASCADE,  -- the notification asked about
  call_id         INTEGER NOT NULL,  -- rows settled by one call share it
  at              TEXT NOT NULL,     -- when the question was sent
  outcome         TEXT NOT NULL,     -- what the answer meant for this notification, or why there was none
  http_status     INTEGER,           -- NULL: no answer
  latency_ms      INTEGER NOT NULL,  -- from question to answer, all requests of the question together
  detail          TEXT,              -- the outcome in plain words; NULL if there is nothing to add
  answer          TEXT               -- JSON: the fields of the answer that the outcome is based on
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
  email              TEXT,           -- the customer's; NULL if the API gives none
  updated_at         TEXT,           -- the API's time of the last change; NULL if it gives none
  fetched_at         TEXT NOT NULL,  -- when the question was sent
  gone_at            TEXT,           -- deleted or vanished; NULL while the API shows it
  raw                TEXT,           -- the API's JSON, possibly only the requested fields
  internal_id        TEXT,           -- a second id that notifications may use (Ecwid: internalId)
  notified_at        TEXT NOT NULL,  -- receipt of the newest notification that caused a question
  emptied            INTEGER NOT NULL DEFAULT 0 CHECK (emptied IN (0, 1)),  -- 1: email and raw are empty, and remain so
  PRIMARY KEY (source, order_id)
) STRICT;
CREATE INDEX orders_to_empty ON orders (notified_at) WHERE emptied = 0;
CREATE INDEX orders_by_internal_id ON orders (source, internal_id) WHERE internal_id IS NOT NULL;

-- The latest truth fetched about each product.
CREATE TABLE products (
  source      TEXT NOT NULL,  -- the source whose API showed it
  product_id  TEXT NOT NULL,  -- Ecwid's id, Kinguin's kinguinId
  name        TEXT,           -- NULL if not given
  price       TEXT,           -- decimal
  currency    TEXT,           -- ISO 4217
  qty         INTEGER,        -- NULL if unlimited or not given
  available   INTEGER CHECK (available IN (0, 1)),  -- 1: can be bought now; NULL if not given
  updated_at  TEXT,           -- the API's time of the last change; NULL if it gives none
  fetched_at  TEXT NOT NULL,  -- when the question was sent
  raw         TEXT,           -- the API's JSON, possibly only the requested fields
  internal_id TEXT,           -- a second id (Kinguin: productId)
  notified_at TEXT NOT NULL,  -- receipt of the newest notification that caused a question
  emptied     INTEGER NOT NULL DEFAULT 0 CHECK (emptied IN (0, 1)),  -- 1: raw is empty, until a newer notification
  PRIMARY KEY (source, product_id)
) STRICT;
CREATE INDEX products_to_empty ON products (notified_at) WHERE emptied = 0;

-- The change made by each notification with news = 1; written with its verdict.
CREATE TABLE news (
  seq             INTEGER PRIMARY KEY AUTOINCREMENT,  -- ascending in commit order, never used twice
  notification_id INTEGER NOT NULL UNIQUE REFERENCES intake (id) ON DELETE CASCADE,  -- the confirmed notification
  type            TEXT NOT NULL,  -- order.changed, order.deleted, product.changed, product.deleted, product.unavailable
  at              TEXT NOT NULL,  -- when the verdict was written
  source          TEXT NOT NULL,  -- as in intake
  provider        TEXT NOT NULL,  -- as in intake
  event           TEXT,           -- as in notifications
  origin          TEXT NOT NULL,  -- as in intake
  subject_kind    TEXT NOT NULL,  -- order or product
  subject_id      TEXT NOT NULL,  -- the id in orders or products
  current         TEXT NOT NULL,  -- JSON: the current values; the last known ones of a subject that is gone
  previous        TEXT            -- JSON: the values of the previous news; NULL the first time
) STRICT;
CREATE INDEX news_by_source ON news (source, seq);

-- Keeps news_removed.
CREATE TRIGGER news_gone AFTER DELETE ON news BEGIN
  UPDATE news_removed SET seq = old.seq WHERE seq < old.seq;
END;

-- Each news row on its way to each action that was in force when it was written.
CREATE TABLE deliveries (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice
  action          TEXT NOT NULL,  -- as in [actions.NAME]
  seq             INTEGER NOT NULL REFERENCES news (seq) ON DELETE CASCADE,  -- the news to deliver
  source          TEXT NOT NULL,  -- as in news
  subject_kind    TEXT NOT NULL,  -- as in news
  subject_id      TEXT NOT NULL,  -- as in news
  state           TEXT NOT NULL,  -- waiting, delivered, dead or skipped
  attempts        INTEGER NOT NULL DEFAULT 0,  -- tries since it was created or last redelivered
  next_attempt_at TEXT,           -- NULL unless waiting
  decided_at      TEXT,           -- NULL while waiting
  detail          TEXT,           -- the last failure, or who decided, in plain words
  since           TEXT NOT NULL,  -- when it was created, or last redelivered
  is_first        INTEGER NOT NULL CHECK (is_first = 0 OR is_first = 1),  -- 1: the next one of its action and subject;
                                  -- 0: an earlier one waits, or this one does not wait
  lease           TEXT,           -- the process that delivers it now; NULL: none
  lease_until     TEXT,           -- when the lease expires
  UNIQUE (seq, action),
  CHECK (state = 'waiting' OR state = 'delivered' OR state = 'dead' OR state = 'skipped'),
  CHECK ((state = 'waiting') = (next_attempt_at IS NOT NULL)),
  CHECK ((state = 'waiting') = (decided_at IS NULL)),
  CHECK (state = 'waiting' OR is_first = 0),
  CHECK (state = 'waiting' OR lease IS NULL),
  CHECK ((lease IS NULL) = (lease_until IS NULL))
) STRICT;
-- Due deliveries: of a million that wait for an action, the next one is the first entry.
CREATE INDEX deliveries_due ON deliveries (action, next_attempt_at) WHERE is_first = 1 AND lease IS NULL;
CREATE INDEX deliveries_leased ON deliveries (action, lease_until) WHERE lease IS NOT NULL;
CREATE INDEX deliveries_in_order ON deliveries (action, source, subject_kind, subject_id, id) WHERE state = 'waiting';
CREATE INDEX deliveries_by_state ON deliveries (action, state, id);
CREATE INDEX deliveries_by_subject ON deliveries (subject_id, id);
-- Reports list dead deliveries, and those that have waited long.
CREATE INDEX deliveries_open ON deliveries (source, state, since) WHERE state = 'waiting' OR state = 'dead';

-- Keep delivery_counts.
CREATE TRIGGER deliveries_new AFTER INSERT ON deliveries BEGIN
  INSERT INTO delivery_counts (action, state, n) VALUES (new.action, new.state, 0) ON CONFLICT DO NOTHING;
  UPDATE delivery_counts SET n = n + 1 WHERE action = new.action AND state = new.state;
END;
CREATE TRIGGER deliveries_moved AFTER UPDATE OF state ON deliveries WHEN old.state <> new.state BEGIN
  INSERT INTO delivery_counts (action, state, n) VALUES (new.action, new.state, 0) ON CONFLICT DO NOTHING;
  UPDATE delivery_counts SET n = n + 1 WHERE action = new.action AND state = new.state;
  UPDATE delivery_counts SET n = n - 1 WHERE action = old.action AND state = old.state;
END;
CREATE TRIGGER deliveries_gone AFTER DELETE ON deliveries BEGIN
  UPDATE delivery_counts SET n = n - 1 WHERE action = old.action AND state = old.state;
END;

-- The tries of deliveries; of each delivery the last fifty.
CREATE TABLE delivery_attempts (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice
  delivery_id INTEGER NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,  -- the delivery that was tried
  at          TEXT NOT NULL,     -- when the try began
  latency_ms  INTEGER NOT NULL,  -- its duration
  outcome     TEXT NOT NULL,     -- delivered, refused, unreachable, timeout or failed
  http_status INTEGER,           -- NULL: no answer
  exit_code   INTEGER,           -- of a command that ended by itself
  answer      TEXT               -- the first KiB of the answer, without control characters
) STRICT;
CREATE INDEX delivery_attempts_by_delivery ON delivery_attempts (delivery_id, id);

-- Counts of requests to a configured source that were not stored.
CREATE TABLE refusals (
  source           TEXT NOT NULL,  -- the source that was called
  day              TEXT NOT NULL,  -- UTC day
  cause            TEXT NOT NULL,  -- wrong_secret, missing_signature, test_call, …
  count            INTEGER NOT NULL,  -- requests of this cause on this day
  last_at          TEXT NOT NULL,  -- the latest of them
  last_remote_addr TEXT,           -- its sender; NULL if emptied
  PRIMARY KEY (source, day, cause)
) STRICT, WITHOUT ROWID;
CREATE INDEX refusals_to_empty ON refusals (last_at) WHERE last_remote_addr IS NOT NULL;

-- Every notification with its verdict. While its source fails as a whole, a pending one carries that cause.
CREATE VIEW notifications AS
SELECT i.id, i.source, i.provider, i.received_at, i.remote_addr, i.content_type, i.headers, i.body,
  v.event, v.subject_kind, v.subject_id, v.resolved_id, v.claim, v.event_time,
  coalesce(v.state, 'pending') AS state,
  iif(v.state = 'pending', coalesce(
    (SELECT o.cause FROM outages o WHERE o.source = v.source AND o.call_kind IN ('', v.call_kind) ORDER BY o.call_kind LIMIT 1),
    v.reason), v.reason) AS reason,
  v.detail, v.duplicate_of, coalesce(v.news, 0) AS news,
  coalesce(v.attempts, 0) + iif(v.state = 'pending',
    (SELECT count(*) FROM probes p WHERE p.source = v.source AND p.at > v.probes_since AND p.call_kind IN ('', v.call_kind)),
    0) AS attempts,
  iif(v.state = 'pending', max(v.next_attempt_at, coalesce(
    (SELECT max(o.resume_at) FROM outages o WHERE o.source = v.source AND o.call_kind IN ('', v.call_kind)), v.next_attempt_at)),
    NULL) AS next_attempt_at,
  v.decided_at, i.origin
FROM intake i LEFT JOIN verdicts v ON v.notification_id = i.id;

-- Notifications that the API does not confirm: made up, or indistinguishable from that.
CREATE VIEW fakes AS
SELECT i.id, i.source, i.provider, i.received_at, i.remote_addr, i.content_type, i.headers, i.body,
  v.event, v.subject_kind, v.subject_id, v.resolved_id, v.claim, v.event_time, v.state, v.reason, v.detail, v.attempts,
  v.decided_at
FROM verdicts v JOIN intake i ON i.id = v.notification_id
WHERE v.state = 'ignored' AND v.reason IN ('not_found', 'mismatch', 'wrong_store');

-- Open notifications, pending or undecided, oldest first.
CREATE VIEW open AS
SELECT id, source, provider, received_at, age_seconds,
  printf('%dd %02d:%02d:%02d', age_seconds / 86400, age_seconds / 3600 % 24, age_seconds / 60 % 60, age_seconds % 60) AS age,
  event, subject_kind, subject_id, state, reason, detail, attempts, next_attempt_at
FROM (
  SELECT v.notification_id AS id, n.source, n.provider, v.received_at,
    max(0, cast((julianday('now') - julianday(v.received_at)) * 86400 AS INTEGER)) AS age_seconds,
    n.event, n.subject_kind, n.subject_id, n.state, n.reason, n.detail, n.attempts, n.next_attempt_at
  FROM verdicts v INDEXED BY verdicts_open CROSS JOIN notifications n ON n.id = v.notification_id
  WHERE v.state IN ('pending', 'undecided')
  UNION ALL
  SELECT id, source, provider, received_at,
    max(0, cast((julianday('now') - julianday(received_at)) * 86400 AS INTEGER)),
    NULL, NULL, NULL, 'pending', NULL, NULL, 0, NULL
  FROM intake WHERE id > (SELECT coalesce(max(notification_id), 0) FROM verdicts)
  ORDER BY 4, 1
);

-- Notifications received and their verdicts, per day and source. Removed ones still count.
CREATE VIEW daily AS
SELECT day, source, sum(n) AS received,
  sum(iif(state = 'confirmed', n, 0)) AS confirmed,
  sum(iif(state = 'ignored', n, 0)) AS ignored,
  sum(iif(state = 'ignored' AND reason IN ('not_found', 'mismatch', 'wrong_store'), n, 0)) AS fakes,
  sum(iif(state = 'ignored' AND reason = 'duplicate', n, 0)) AS duplicates,
  sum(iif(state = 'pending', n, 0)) AS pending,
  sum(iif(state = 'undecided', n, 0)) AS undecided
FROM (
  SELECT day, source, state, reason, n FROM daily_counts WHERE n <> 0
  UNION ALL
  SELECT substr(received_at, 1, 10), source, 'pending', '', 1 FROM intake
  WHERE id > (SELECT coalesce(max(notification_id), 0) FROM verdicts)
)
GROUP BY day, source;
