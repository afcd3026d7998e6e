-- Version 1 of the schema. sql/schema.sql explains each table and column.

PRAGMA application_id = 1668641646;

CREATE TABLE sources (
  name            TEXT NOT NULL PRIMARY KEY,
  provider        TEXT NOT NULL,
  first_served_at TEXT NOT NULL,
  found_any_at    TEXT,
  last_parsed_at   TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE intake (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  source       TEXT NOT NULL,
  provider     TEXT NOT NULL,
  received_at  TEXT NOT NULL,
  remote_addr  TEXT,
  content_type TEXT,
  headers      TEXT,
  body         ANY,
  origin       TEXT NOT NULL DEFAULT 'intake' CHECK (origin IN ('intake', 'reconcile'))
) STRICT;

CREATE TABLE verdicts (
  notification_id INTEGER PRIMARY KEY REFERENCES intake (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  source          TEXT NOT NULL,
  received_at     TEXT NOT NULL,
  day             TEXT NOT NULL,
  sender          TEXT NOT NULL,
  event           TEXT,
  subject_kind    TEXT CHECK (subject_kind IN ('order', 'product')),
  subject_id      TEXT,
  resolved_id     TEXT,
  claim           TEXT,
  claim_key       TEXT,
  event_time      TEXT,
  event_sent      TEXT,
  event_order     INTEGER,
  event_id        TEXT,
  question        TEXT,
  call_kind       TEXT,
  listable        INTEGER NOT NULL DEFAULT 0 CHECK (listable IN (0, 1)),
  statuses        TEXT,
  before          TEXT,
  explains        TEXT,
  state           TEXT NOT NULL CHECK (state = 'pending' OR state = 'confirmed' OR state = 'ignored' OR state = 'undecided'),
  reason          TEXT,
  detail          TEXT,
  duplicate_of    INTEGER,
  news            INTEGER NOT NULL DEFAULT 0 CHECK (news IN (0, 1)),
  attempts        INTEGER NOT NULL DEFAULT 0,
  probes_since    TEXT NOT NULL,
  own_refusals    INTEGER NOT NULL DEFAULT 0,
  asked           INTEGER NOT NULL DEFAULT 0 CHECK (asked IN (0, 1)),
  next_attempt_at TEXT,
  decided_at      TEXT,
  retried_at      TEXT,
  lease           TEXT,
  lease_until     TEXT,
  emptied         INTEGER NOT NULL DEFAULT 0 CHECK (emptied IN (0, 1)),
  CHECK ((state = 'pending') = (decided_at IS NULL)),
  CHECK ((lease IS NULL) = (lease_until IS NULL))
) STRICT;
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
CREATE INDEX verdicts_by_claim ON verdicts (source, claim_key, state) WHERE claim_key IS NOT NULL;
CREATE INDEX verdicts_by_subject ON verdicts (source, subject_kind, subject_id, notification_id);
CREATE INDEX verdicts_by_other_id ON verdicts (resolved_id) WHERE resolved_id <> subject_id;
CREATE INDEX verdicts_by_state ON verdicts (state, reason, source);
CREATE INDEX verdicts_open ON verdicts (received_at, notification_id) WHERE state IN ('pending', 'undecided');
CREATE INDEX verdicts_by_time ON verdicts (source, received_at, state, reason);
CREATE INDEX verdicts_undecided ON verdicts (source, received_at) WHERE state = 'undecided';
CREATE INDEX verdicts_settled ON verdicts (emptied, received_at, notification_id, duplicate_of) WHERE state IN ('confirmed', 'ignored');
CREATE INDEX verdicts_duplicates ON verdicts (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX verdicts_ignored ON verdicts (sender, notification_id) WHERE state = 'ignored';
CREATE INDEX verdicts_given_up ON verdicts (sender, notification_id) WHERE state = 'undecided';
CREATE INDEX verdicts_confirmed_orders ON verdicts (source, decided_at)
  WHERE state = 'confirmed' AND subject_kind = 'order';
CREATE INDEX verdicts_explainable ON verdicts (source, subject_kind, subject_id, reason, statuses, event_order)
  WHERE state = 'ignored' AND (reason = 'mismatch' OR reason = 'not_found');
CREATE INDEX verdicts_naming ON verdicts (source, subject_kind, subject_id)
  WHERE state = 'confirmed' AND resolved_id IS NOT NULL;
CREATE INDEX verdicts_pending_about ON verdicts (source, subject_kind, subject_id) WHERE state = 'pending';

CREATE TABLE explanations (
  source         TEXT NOT NULL,
  subject_kind   TEXT NOT NULL,
  subject_id     TEXT NOT NULL,
  statuses       TEXT NOT NULL,
  from_key       TEXT NOT NULL,
  latest_order   INTEGER,
  latest_untimed INTEGER,
  latest_id      INTEGER NOT NULL REFERENCES intake (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  PRIMARY KEY (source, subject_kind, subject_id, statuses, from_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX explanations_by_latest ON explanations (latest_id);

CREATE TABLE senders (
  sender TEXT NOT NULL PRIMARY KEY,
  kept   INTEGER NOT NULL,
  weight INTEGER NOT NULL DEFAULT 8192

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

CREATE TABLE fair_queue (
  source    TEXT NOT NULL,
  queue     INTEGER NOT NULL CHECK (queue BETWEEN 0 AND 2),
  call_kind TEXT NOT NULL,
  sender    TEXT NOT NULL,
  due_at    TEXT NOT NULL,
  position  INTEGER,
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

CREATE TABLE fair_queue_clock (
  source       TEXT NOT NULL,
  queue        INTEGER NOT NULL,
  call_kind    TEXT NOT NULL,
  virtual_time INTEGER NOT NULL,
  PRIMARY KEY (source, queue, call_kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE fair_queue_networks (
  source    TEXT NOT NULL,
  queue     INTEGER NOT NULL,
  call_kind TEXT NOT NULL,
  network   TEXT NOT NULL,
  position  INTEGER NOT NULL,
  PRIMARY KEY (source, queue, call_kind, network)
) STRICT, WITHOUT ROWID;
CREATE INDEX fair_queue_networks_behind ON fair_queue_networks (source, queue, call_kind, position);

CREATE TABLE outages (
  source    TEXT NOT NULL,
  call_kind TEXT NOT NULL,
  cause     TEXT NOT NULL,
  detail    TEXT NOT NULL,
  since     TEXT NOT NULL,
  failures  INTEGER NOT NULL,
  resume_at TEXT NOT NULL,
  PRIMARY KEY (source, call_kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE probes (
  source    TEXT NOT NULL,
  call_kind TEXT NOT NULL,
  at        TEXT NOT NULL
) STRICT;
CREATE INDEX probes_by_source ON probes (source, at);

CREATE TABLE api_calls (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  source       TEXT NOT NULL,
  owner        TEXT NOT NULL,
  counts_until INTEGER NOT NULL
) STRICT;
CREATE INDEX api_calls_by_source ON api_calls (source, counts_until);

CREATE TABLE last_confirmed (
  source          TEXT NOT NULL,
  subject_kind    TEXT NOT NULL,
  subject_id      TEXT NOT NULL,
  compared        TEXT NOT NULL,
  notification_id INTEGER NOT NULL,
  confirmed_at    TEXT NOT NULL,
  current TEXT,
  PRIMARY KEY (source, subject_kind, subject_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX last_confirmed_orders ON last_confirmed (source, confirmed_at) WHERE subject_kind = 'order';

CREATE TABLE reconciliations (
  source       TEXT NOT NULL PRIMARY KEY,
  from_at      TEXT NOT NULL,
  to_at        TEXT NOT NULL,
  completed_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE last_reconcile (
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  made_at TEXT NOT NULL,
  report  TEXT NOT NULL
) STRICT;

CREATE TABLE daily_counts (
  day    TEXT NOT NULL,
  source TEXT NOT NULL,
  state  TEXT NOT NULL,
  reason TEXT NOT NULL,
  n      INTEGER NOT NULL,
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

CREATE TABLE hour_index (
  hour     TEXT NOT NULL PRIMARY KEY,
  first_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE write_check (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  at TEXT NOT NULL
) STRICT;

CREATE TABLE liveness (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  at TEXT NOT NULL
) STRICT;

CREATE TABLE alert_problems (
  kind    TEXT NOT NULL,
  source  TEXT,
  action  TEXT,
  since   TEXT NOT NULL,
  gone_at TEXT,
  told_at TEXT
) STRICT;

CREATE TABLE alert_messages (
  id              INTEGER PRIMARY KEY,
  channel         TEXT NOT NULL,
  at              TEXT NOT NULL,
  content         TEXT NOT NULL,
  attempts        INTEGER NOT NULL,
  next_attempt_at TEXT
) STRICT;

CREATE TABLE alert_channels (
  channel TEXT NOT NULL PRIMARY KEY,
  since   TEXT NOT NULL,
  cause   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE identity (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  file TEXT
) STRICT;
INSERT INTO identity (id, file) VALUES (1, NULL);
CREATE TABLE news_removed (
  id  INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL
) STRICT;
INSERT INTO news_removed (id, seq) VALUES (1, 0);
CREATE TABLE changes (
  position INTEGER PRIMARY KEY,
  kind     TEXT NOT NULL,
  id       INTEGER NOT NULL,
  source   TEXT NOT NULL,
  key      TEXT NOT NULL
) STRICT;
CREATE INDEX changes_by_row ON changes (kind, id, source, key);
CREATE TABLE ledger_state (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  is_on         INTEGER NOT NULL,
  include       TEXT NOT NULL,
  generation    INTEGER NOT NULL,
  is_begun      INTEGER NOT NULL,
  log           INTEGER NOT NULL,
  refusals      INTEGER NOT NULL,
  notifications INTEGER NOT NULL,
  verifications INTEGER NOT NULL,
  news          INTEGER NOT NULL,
  deliveries    INTEGER NOT NULL,
  filled        TEXT NOT NULL,
  next_notifications INTEGER NOT NULL,
  next_verifications INTEGER NOT NULL,
  next_deliveries    INTEGER NOT NULL,
  filling_since TEXT,
  filling_to    TEXT,
  shipped_until TEXT,
  confirmed_at  TEXT,
  failing_since TEXT,
  failure       TEXT,
  is_refused    INTEGER NOT NULL,
  gap           INTEGER NOT NULL,
  gap_at        TEXT
) STRICT;
INSERT INTO ledger_state VALUES (1, 0, '', 0, 0, 0, 0, 0, 0, 0, 0, '{"table":0,"after":[]}', 0, 0, 0,
  NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL);
CREATE TABLE action_states (
  action        TEXT NOT NULL PRIMARY KEY,
  failures      INTEGER NOT NULL,
  failing_since TEXT,
  probe         INTEGER,
  probe_since   TEXT,
  held_until    TEXT,
  gone_at       TEXT,
  last_error    TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE delivery_counts (
  action TEXT NOT NULL,
  state  TEXT NOT NULL,
  n      INTEGER NOT NULL,
  PRIMARY KEY (action, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE verifications (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  notification_id INTEGER NOT NULL REFERENCES intake (id) ON DELETE CASCADE,
  call_id         INTEGER NOT NULL,
  at              TEXT NOT NULL,
  outcome         TEXT NOT NULL,
  http_status     INTEGER,
  latency_ms      INTEGER NOT NULL,
  detail          TEXT,
  answer          TEXT
) STRICT;
CREATE INDEX verifications_by_notification ON verifications (notification_id);
CREATE INDEX verifications_by_time ON verifications (at, call_id);

CREATE TABLE orders (
  source             TEXT NOT NULL,
  order_id           TEXT NOT NULL,
  status             TEXT,
  fulfillment_status TEXT,
  total              TEXT,
  currency           TEXT,
  email              TEXT,
  updated_at         TEXT,
  fetched_at         TEXT NOT NULL,
  gone_at            TEXT,
  raw                TEXT,
  internal_id        TEXT,
  notified_at        TEXT NOT NULL,
  emptied            INTEGER NOT NULL DEFAULT 0 CHECK (emptied IN (0, 1)),
  PRIMARY KEY (source, order_id)
) STRICT;
CREATE INDEX orders_to_empty ON orders (notified_at) WHERE emptied = 0;
CREATE INDEX orders_by_internal_id ON orders (source, internal_id) WHERE internal_id IS NOT NULL;

CREATE TABLE products (
  source      TEXT NOT NULL,
  product_id  TEXT NOT NULL,
  name        TEXT,
  price       TEXT,
  currency    TEXT,
  qty         INTEGER,
  available   INTEGER CHECK (available IN (0, 1)),
  updated_at  TEXT,
  fetched_at  TEXT NOT NULL,
  raw         TEXT,
  internal_id TEXT,
  notified_at TEXT NOT NULL,
  emptied     INTEGER NOT NULL DEFAULT 0 CHECK (emptied IN (0, 1)),
  PRIMARY KEY (source, product_id)
) STRICT;
CREATE INDEX products_to_empty ON products (notified_at) WHERE emptied = 0;

CREATE TABLE news (
  seq             INTEGER PRIMARY KEY AUTOINCREMENT,
  notification_id INTEGER NOT NULL UNIQUE REFERENCES intake (id) ON DELETE CASCADE,
  type            TEXT NOT NULL,
  at              TEXT NOT NULL,
  source          TEXT NOT NULL,
  provider        TEXT NOT NULL,
  event           TEXT,
  origin          TEXT NOT NULL,
  subject_kind    TEXT NOT NULL,
  subject_id      TEXT NOT NULL,
  current         TEXT NOT NULL,
  previous        TEXT
) STRICT;
CREATE INDEX news_by_source ON news (source, seq);
CREATE TRIGGER news_gone AFTER DELETE ON news BEGIN
  UPDATE news_removed SET seq = old.seq WHERE seq < old.seq;
END;
CREATE TABLE deliveries (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  action          TEXT NOT NULL,
  seq             INTEGER NOT NULL REFERENCES news (seq) ON DELETE CASCADE,
  source          TEXT NOT NULL,
  subject_kind    TEXT NOT NULL,
  subject_id      TEXT NOT NULL,
  state           TEXT NOT NULL,
  attempts        INTEGER NOT NULL DEFAULT 0,
  next_attempt_at TEXT,
  decided_at      TEXT,
  detail          TEXT,
  since           TEXT NOT NULL,
  is_first        INTEGER NOT NULL CHECK (is_first = 0 OR is_first = 1),
  lease           TEXT,
  lease_until     TEXT,
  UNIQUE (seq, action),
  CHECK (state = 'waiting' OR state = 'delivered' OR state = 'dead' OR state = 'skipped'),
  CHECK ((state = 'waiting') = (next_attempt_at IS NOT NULL)),
  CHECK ((state = 'waiting') = (decided_at IS NULL)),
  CHECK (state = 'waiting' OR is_first = 0),
  CHECK (state = 'waiting' OR lease IS NULL),
  CHECK ((lease IS NULL) = (lease_until IS NULL))
) STRICT;
CREATE INDEX deliveries_due ON deliveries (action, next_attempt_at) WHERE is_first = 1 AND lease IS NULL;
CREATE INDEX deliveries_leased ON deliveries (action, lease_until) WHERE lease IS NOT NULL;
CREATE INDEX deliveries_in_order ON deliveries (action, source, subject_kind, subject_id, id) WHERE state = 'waiting';
CREATE INDEX deliveries_by_state ON deliveries (action, state, id);
CREATE INDEX deliveries_by_subject ON deliveries (subject_id, id);
CREATE INDEX deliveries_open ON deliveries (source, state, since) WHERE state = 'waiting' OR state = 'dead';
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
CREATE TABLE delivery_attempts (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  delivery_id INTEGER NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
  at          TEXT NOT NULL,
  latency_ms  INTEGER NOT NULL,
  outcome     TEXT NOT NULL,
  http_status INTEGER,
  exit_code   INTEGER,
  answer      TEXT
) STRICT;
CREATE INDEX delivery_attempts_by_delivery ON delivery_attempts (delivery_id, id);

CREATE TABLE refusals (
  source           TEXT NOT NULL,
  day              TEXT NOT NULL,
  cause            TEXT NOT NULL,
  count            INTEGER NOT NULL,
  last_at          TEXT NOT NULL,
  last_remote_addr TEXT,
  PRIMARY KEY (source, day, cause)
) STRICT, WITHOUT ROWID;
CREATE INDEX refusals_to_empty ON refusals (last_at) WHERE last_remote_addr IS NOT NULL;

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

CREATE VIEW fakes AS
SELECT i.id, i.source, i.provider, i.received_at, i.remote_addr, i.content_type, i.headers, i.body,
  v.event, v.subject_kind, v.subject_id, v.resolved_id, v.claim, v.event_time, v.state, v.reason, v.detail, v.attempts,
  v.decided_at
FROM verdicts v JOIN intake i ON i.id = v.notification_id
WHERE v.state = 'ignored' AND v.reason IN ('not_found', 'mismatch', 'wrong_store');

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
