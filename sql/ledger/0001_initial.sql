-- The ledger: the rows of several countersign nodes in one PostgreSQL schema, {schema}. Each step of sql/ledger may run
-- repeatedly and on several nodes at once; it changes nothing that exists already.
--
-- Times are timestamptz, days date, amounts numeric, JSON jsonb. A value is NULL if it is unknown, if ledger.include does
-- not list it, or if the column cannot hold it; in the last case "unfit" names the column. Rows stay when the node's file
-- removes them.

CREATE TABLE IF NOT EXISTS {schema}.versions (
  version      bigint NOT NULL PRIMARY KEY,
  installed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE {schema}.versions IS 'The steps of this schema that were taken; the highest is its version.';
COMMENT ON COLUMN {schema}.versions.version IS 'number of the step in sql/ledger';
COMMENT ON COLUMN {schema}.versions.installed_at IS 'when it was taken';

CREATE TABLE IF NOT EXISTS {schema}.nodes (
  node           text NOT NULL PRIMARY KEY,
  file           text NOT NULL,
  version        text NOT NULL,
  schema_version bigint NOT NULL,
  shipped_until  timestamptz,
  writer         bigint NOT NULL DEFAULT 0,
  position       text
);
COMMENT ON TABLE {schema}.nodes IS 'One row for each file that is shipped here.';
COMMENT ON COLUMN {schema}.nodes.node IS 'ledger.node of the file';
COMMENT ON COLUMN {schema}.nodes.file IS 'the file''s random id; another file does not ship under this node';
COMMENT ON COLUMN {schema}.nodes.version IS 'version of the program that ships it';
COMMENT ON COLUMN {schema}.nodes.schema_version IS 'version of this schema that the program knows';
COMMENT ON COLUMN {schema}.nodes.shipped_until IS 'everything that the file held at this time is here; NULL during the first filling';
COMMENT ON COLUMN {schema}.nodes.writer IS 'incremented by every start of the node; only the latest writer ships';
COMMENT ON COLUMN {schema}.nodes.position IS 'the position in the file up to which its rows are here, in the program''s own format; NULL: no rows yet';

CREATE TABLE IF NOT EXISTS {schema}.notifications (
  node            text NOT NULL,
  id              bigint NOT NULL,
  source          text,
  provider        text,
  received_at     timestamptz,
  remote_addr     text,
  content_type    text,
  headers         jsonb,
  body            bytea,
  event           text,
  subject_kind    text,
  subject_id      text,
  resolved_id     text,
  claim           jsonb,
  event_time      timestamptz,
  state           text,
  reason          text,
  detail          text,
  duplicate_of    bigint,
  news            bigint,
  attempts        bigint,
  next_attempt_at timestamptz,
  decided_at      timestamptz,
  origin          text,
  unfit           text,
  PRIMARY KEY (node, id)
);
CREATE INDEX IF NOT EXISTS notifications_by_time ON {schema}.notifications (received_at);
CREATE INDEX IF NOT EXISTS notifications_open ON {schema}.notifications (received_at)
  WHERE state IN ('pending', 'undecided');
CREATE INDEX IF NOT EXISTS notifications_personal ON {schema}.notifications (node, received_at)
  WHERE remote_addr IS NOT NULL OR headers IS NOT NULL OR body IS NOT NULL;
COMMENT ON TABLE {schema}.notifications IS 'Every notification, with its claim and its verdict.';
COMMENT ON COLUMN {schema}.notifications.node IS 'as in nodes';
COMMENT ON COLUMN {schema}.notifications.id IS 'ascending and never used again, within its node';
COMMENT ON COLUMN {schema}.notifications.source IS 'the [sources.NAME] that received it';
COMMENT ON COLUMN {schema}.notifications.provider IS 'that source''s provider';
COMMENT ON COLUMN {schema}.notifications.received_at IS 'when the request had been read completely';
COMMENT ON COLUMN {schema}.notifications.remote_addr IS 'the sender; only with "remote_addr" in ledger.include, until emptied';
COMMENT ON COLUMN {schema}.notifications.content_type IS 'as sent, until emptied';
COMMENT ON COLUMN {schema}.notifications.headers IS 'lower-case names, secrets redacted; only with "headers" in ledger.include, until emptied';
COMMENT ON COLUMN {schema}.notifications.body IS 'the exact bytes; only with "body" in ledger.include, until emptied';
COMMENT ON COLUMN {schema}.notifications.event IS 'the provider''s word';
COMMENT ON COLUMN {schema}.notifications.subject_kind IS 'order or product';
COMMENT ON COLUMN {schema}.notifications.subject_id IS 'the id as notified';
COMMENT ON COLUMN {schema}.notifications.resolved_id IS 'the id in orders or products, once an answer gave it';
COMMENT ON COLUMN {schema}.notifications.claim IS 'the asserted values; the previous ones, as the sender states them, under "before"';
COMMENT ON COLUMN {schema}.notifications.event_time IS 'the time that the sender states; NULL if that has no zone';
COMMENT ON COLUMN {schema}.notifications.state IS 'pending, confirmed, ignored or undecided';
COMMENT ON COLUMN {schema}.notifications.reason IS 'the cause of the state, a word of docs/verdicts.md';
COMMENT ON COLUMN {schema}.notifications.detail IS 'the reason in plain words';
COMMENT ON COLUMN {schema}.notifications.duplicate_of IS 'the confirmed notification of this node that it repeats';
COMMENT ON COLUMN {schema}.notifications.news IS '1: the API said something new about the subject';
COMMENT ON COLUMN {schema}.notifications.attempts IS 'questions asked';
COMMENT ON COLUMN {schema}.notifications.next_attempt_at IS 'the time of the next question, as of the last shipping';
COMMENT ON COLUMN {schema}.notifications.decided_at IS 'NULL while pending';
COMMENT ON COLUMN {schema}.notifications.origin IS 'intake, or reconcile: recovered';
COMMENT ON COLUMN {schema}.notifications.unfit IS 'columns whose value the type cannot hold, separated by commas';

CREATE TABLE IF NOT EXISTS {schema}.verifications (
  node            text NOT NULL,
  id              bigint NOT NULL,
  notification_id bigint,
  call_id         bigint,
  at              timestamptz,
  outcome         text,
  http_status     bigint,
  latency_ms      bigint,
  detail          text,
  answer          jsonb,
  unfit           text,
  PRIMARY KEY (node, id)
);
CREATE INDEX IF NOT EXISTS verifications_by_notification ON {schema}.verifications (node, notification_id);
CREATE INDEX IF NOT EXISTS verifications_personal ON {schema}.verifications (node, at) WHERE answer IS NOT NULL;
COMMENT ON TABLE {schema}.verifications IS 'Each question to a shop''s API; only with "verifications" in ledger.include.';
COMMENT ON COLUMN {schema}.verifications.node IS 'as in nodes';
COMMENT ON COLUMN {schema}.verifications.id IS 'ascending and never used again, within its node';
COMMENT ON COLUMN {schema}.verifications.notification_id IS 'the notification asked about';
COMMENT ON COLUMN {schema}.verifications.call_id IS 'rows of a node settled by one call share it';
COMMENT ON COLUMN {schema}.verifications.at IS 'when the question was sent';
COMMENT ON COLUMN {schema}.verifications.outcome IS 'what the answer meant for this notification, or why there was none';
COMMENT ON COLUMN {schema}.verifications.http_status IS 'NULL: no answer came';
COMMENT ON COLUMN {schema}.verifications.latency_ms IS 'from question to answer';
COMMENT ON COLUMN {schema}.verifications.detail IS 'the outcome in plain words';
COMMENT ON COLUMN {schema}.verifications.answer IS 'what the outcome is based on; only with "answer" in ledger.include, until emptied';
COMMENT ON COLUMN {schema}.verifications.unfit IS 'columns whose value the type cannot hold, separated by commas';

CREATE TABLE IF NOT EXISTS {schema}.orders (
  node               text NOT NULL,
  source             text NOT NULL,
  order_id           text NOT NULL,
  status             text,
  fulfillment_status text,
  total              numeric,
  currency           text,
  email              text,
  updated_at         timestamptz,
  fetched_at         timestamptz,
  gone_at            timestamptz,
  raw                jsonb,
  unfit              text,
  PRIMARY KEY (node, source, order_id)
);
CREATE INDEX IF NOT EXISTS orders_by_time ON {schema}.orders (fetched_at);
CREATE INDEX IF NOT EXISTS orders_personal ON {schema}.orders (node, fetched_at)
  WHERE email IS NOT NULL OR raw IS NOT NULL;
COMMENT ON TABLE {schema}.orders IS 'The latest truth fetched about each order; never from a notification.';
COMMENT ON COLUMN {schema}.orders.node IS 'as in nodes';
COMMENT ON COLUMN {schema}.orders.source IS 'the source whose API showed it';
COMMENT ON COLUMN {schema}.orders.order_id IS 'the API''s; Midas: external_id. An id of over 1,000 bytes is its beginning and its SHA-256';
COMMENT ON COLUMN {schema}.orders.status IS 'Ecwid: payment status';
COMMENT ON COLUMN {schema}.orders.fulfillment_status IS 'Ecwid only';
COMMENT ON COLUMN {schema}.orders.total IS 'the amount';
COMMENT ON COLUMN {schema}.orders.currency IS 'ISO 4217';
COMMENT ON COLUMN {schema}.orders.email IS 'the customer''s; only with "email" in ledger.include, until emptied';
COMMENT ON COLUMN {schema}.orders.updated_at IS 'the API''s time of the last change';
COMMENT ON COLUMN {schema}.orders.fetched_at IS 'when the question was sent';
COMMENT ON COLUMN {schema}.orders.gone_at IS 'deleted or vanished; NULL while the API shows it';
COMMENT ON COLUMN {schema}.orders.raw IS 'the API''s JSON; only with "raw" in ledger.include, until emptied';
COMMENT ON COLUMN {schema}.orders.unfit IS 'columns whose value the type cannot hold, separated by commas';

CREATE TABLE IF NOT EXISTS {schema}.products (
  node       text NOT NULL,
  source     text NOT NULL,
  product_id text NOT NULL,
  name       text,
  price      numeric,
  currency   text,
  qty        bigint,
  available  bigint,
  updated_at timestamptz,
  fetched_at timestamptz,
  raw        jsonb,
  unfit      text,
  PRIMARY KEY (node, source, product_id)
);
CREATE INDEX IF NOT EXISTS products_personal ON {schema}.products (node, fetched_at) WHERE raw IS NOT NULL;
COMMENT ON TABLE {schema}.products IS 'The latest truth fetched about each product.';
COMMENT ON COLUMN {schema}.products.node IS 'as in nodes';
COMMENT ON COLUMN {schema}.products.source IS 'the source whose API showed it';
COMMENT ON COLUMN {schema}.products.product_id IS 'Ecwid''s id, Kinguin''s kinguinId. An id of over 1,000 bytes is its beginning and its SHA-256';
COMMENT ON COLUMN {schema}.products.name IS 'NULL where not given';
COMMENT ON COLUMN {schema}.products.price IS 'the amount';
COMMENT ON COLUMN {schema}.products.currency IS 'ISO 4217';
COMMENT ON COLUMN {schema}.products.qty IS 'NULL where unlimited or not given';
COMMENT ON COLUMN {schema}.products.available IS '1: can be bought now; NULL where not given';
COMMENT ON COLUMN {schema}.products.updated_at IS 'the API''s time of the last change';
COMMENT ON COLUMN {schema}.products.fetched_at IS 'when the question was sent';
COMMENT ON COLUMN {schema}.products.raw IS 'the API''s JSON; only with "raw" in ledger.include, until emptied';
COMMENT ON COLUMN {schema}.products.unfit IS 'columns whose value the type cannot hold, separated by commas';

CREATE TABLE IF NOT EXISTS {schema}.news (
  node            text NOT NULL,
  seq             bigint NOT NULL,
  type            text,
  at              timestamptz,
  notification_id bigint,
  source          text,
  provider        text,
  event           text,
  origin          text,
  subject_kind    text,
  subject_id      text,
  current         jsonb,
  previous        jsonb,
  unfit           text,
  PRIMARY KEY (node, seq)
);
CREATE INDEX IF NOT EXISTS news_by_time ON {schema}.news (at);
COMMENT ON TABLE {schema}.news IS 'The change made by each notification with news = 1. Of one node, seq appears in ascending order.';
COMMENT ON COLUMN {schema}.news.node IS 'as in nodes';
COMMENT ON COLUMN {schema}.news.seq IS 'ascending in commit order and never used again, within its node';
COMMENT ON COLUMN {schema}.news.type IS 'order.changed, order.deleted, product.changed, product.deleted or product.unavailable';
COMMENT ON COLUMN {schema}.news.at IS 'when the verdict was written';
COMMENT ON COLUMN {schema}.news.notification_id IS 'the confirmed notification';
COMMENT ON COLUMN {schema}.news.source IS 'as in notifications';
COMMENT ON COLUMN {schema}.news.provider IS 'as in notifications';
COMMENT ON COLUMN {schema}.news.event IS 'as in notifications';
COMMENT ON COLUMN {schema}.news.origin IS 'as in notifications';
COMMENT ON COLUMN {schema}.news.subject_kind IS 'order or product';
COMMENT ON COLUMN {schema}.news.subject_id IS 'the id in orders or products';
COMMENT ON COLUMN {schema}.news.current IS 'the current values; the last known ones of a subject that is gone';
COMMENT ON COLUMN {schema}.news.previous IS 'the values of the previous news; NULL the first time';
COMMENT ON COLUMN {schema}.news.unfit IS 'columns whose value the type cannot hold, separated by commas';

CREATE TABLE IF NOT EXISTS {schema}.deliveries (
  node            text NOT NULL,
  id              bigint NOT NULL,
  action          text,
  seq             bigint,
  source          text,
  subject_kind    text,
  subject_id      text,
  state           text,
  attempts        bigint,
  next_attempt_at timestamptz,
  decided_at      timestamptz,
  detail          text,
  unfit           text,
  PRIMARY KEY (node, id)
);
CREATE INDEX IF NOT EXISTS deliveries_open ON {schema}.deliveries (node, id) WHERE state IN ('waiting', 'dead');
COMMENT ON TABLE {schema}.deliveries IS 'Each news row on its way to each action.';
COMMENT ON COLUMN {schema}.deliveries.node IS 'as in nodes';
COMMENT ON COLUMN {schema}.deliveries.id IS 'ascending and never used again, within its node';
COMMENT ON COLUMN {schema}.deliveries.action IS 'as in [actions.NAME]';
COMMENT ON COLUMN {schema}.deliveries.seq IS 'the node''s news row that is delivered';
COMMENT ON COLUMN {schema}.deliveries.source IS 'as in news';
COMMENT ON COLUMN {schema}.deliveries.subject_kind IS 'as in news';
COMMENT ON COLUMN {schema}.deliveries.subject_id IS 'as in news';
COMMENT ON COLUMN {schema}.deliveries.state IS 'waiting, delivered, dead or skipped';
COMMENT ON COLUMN {schema}.deliveries.attempts IS 'tries since it was created or last redelivered';
COMMENT ON COLUMN {schema}.deliveries.next_attempt_at IS 'NULL unless waiting';
COMMENT ON COLUMN {schema}.deliveries.decided_at IS 'NULL while waiting';
COMMENT ON COLUMN {schema}.deliveries.detail IS 'the last failure, or the person''s decision, in plain words';
COMMENT ON COLUMN {schema}.deliveries.unfit IS 'columns whose value the type cannot hold, separated by commas';

CREATE TABLE IF NOT EXISTS {schema}.refusals (
  node             text NOT NULL,
  source           text NOT NULL,
  day              date NOT NULL,
  cause            text NOT NULL,
  count            bigint,
  last_at          timestamptz,
  last_remote_addr text,
  unfit            text,
  PRIMARY KEY (node, source, day, cause)
);
CREATE INDEX IF NOT EXISTS refusals_personal ON {schema}.refusals (node, last_at) WHERE last_remote_addr IS NOT NULL;
COMMENT ON TABLE {schema}.refusals IS 'Counts of requests that were not stored; shipped at most once a minute.';
COMMENT ON COLUMN {schema}.refusals.node IS 'as in nodes';
COMMENT ON COLUMN {schema}.refusals.source IS 'the source that was called';
COMMENT ON COLUMN {schema}.refusals.day IS 'UTC day';
COMMENT ON COLUMN {schema}.refusals.cause IS 'wrong_secret, missing_signature, test_call, …';
COMMENT ON COLUMN {schema}.refusals.count IS 'requests of this cause on this day';
COMMENT ON COLUMN {schema}.refusals.last_at IS 'the latest of them';
COMMENT ON COLUMN {schema}.refusals.last_remote_addr IS 'its sender; only with "remote_addr" in ledger.include, until emptied';
COMMENT ON COLUMN {schema}.refusals.unfit IS 'columns whose value the type cannot hold, separated by commas';

CREATE OR REPLACE VIEW {schema}.fakes AS
SELECT node, id, source, provider, received_at, remote_addr, content_type, headers, body, event, subject_kind, subject_id,
  resolved_id, claim, event_time, state, reason, detail, attempts, decided_at, unfit
FROM {schema}.notifications
WHERE state = 'ignored' AND reason IN ('not_found', 'mismatch', 'wrong_store');
COMMENT ON VIEW {schema}.fakes IS 'Notifications that the API does not confirm: made up, or indistinguishable from that.';

CREATE OR REPLACE VIEW {schema}.open AS
SELECT node, id, source, provider, received_at,
  greatest(0, floor(extract(epoch FROM now() - received_at)))::bigint AS age_seconds,
  now() - received_at AS age, event, subject_kind, subject_id, state, reason, detail, attempts, next_attempt_at
FROM {schema}.notifications
WHERE state IN ('pending', 'undecided')
ORDER BY received_at, node, id;
COMMENT ON VIEW {schema}.open IS 'Open notifications, pending or undecided, oldest first, with their age.';

CREATE OR REPLACE VIEW {schema}.daily AS
SELECT node, (received_at AT TIME ZONE 'UTC')::date AS day, source,
  count(*) AS received,
  count(*) FILTER (WHERE state = 'confirmed') AS confirmed,
  count(*) FILTER (WHERE state = 'ignored') AS ignored,
  count(*) FILTER (WHERE state = 'ignored' AND reason IN ('not_found', 'mismatch', 'wrong_store')) AS fakes,
  count(*) FILTER (WHERE state = 'ignored' AND reason = 'duplicate') AS duplicates,
  count(*) FILTER (WHERE state = 'pending') AS pending,
  count(*) FILTER (WHERE state = 'undecided') AS undecided
FROM {schema}.notifications
GROUP BY 1, 2, 3;
COMMENT ON VIEW {schema}.daily IS 'Notifications and their verdicts, per day, node and source; counts the rows that are here.';

INSERT INTO {schema}.versions (version) VALUES (1) ON CONFLICT DO NOTHING;
