-- Fills an empty store, from which indexes and triggers were taken, with `span.amount` notifications of the sixty days
-- before `span.until_ms`, in every state that they can be in, over three sources. Every twenty notifications belong to
-- one source and tell of three orders; the last seven days are what a long outage leaves: a tenth of all is pending.
-- What is rare is there three times, however large the store is: a source (`old`) and a reason (`dismissed`).
-- Each news row went to the action `erp`, one in ten to `ship`, too; one in a thousand deliveries is dead, and as many wait.
-- All is a function of the id, so that two stores of a size are alike but for their days.

INSERT INTO sources (name, provider, first_served_at, found_any_at, last_parsed_at)
SELECT column1, column2, strftime('%Y-%m-%dT%H:%M:%fZ', (until_ms - 5184000000) / 1000.0, 'unixepoch'),
  strftime('%Y-%m-%dT%H:%M:%fZ', (until_ms - 5184000000) / 1000.0, 'unixepoch'),
  strftime('%Y-%m-%dT%H:%M:%fZ', until_ms / 1000.0, 'unixepoch')
FROM (VALUES ('shop', 'ecwid'), ('keys', 'kinguin'), ('game', 'midas'), ('old', 'kinguin')), span;

-- The kinds: 0 to 10 confirmed, 11 to 13 their duplicates, 14 to 16 invented, 17 mismatch, 18 and 19 various.
-- `of_source`: percent, beyond them the rare one.
CREATE TEMP VIEW plan AS
WITH RECURSIVE ids(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < (SELECT amount FROM span))
SELECT id, id / 20 AS batch, id % 20 AS kind,
  iif(id % (amount / 4) = 7 AND id > 7, 100, (id / 20 * 3266489917 >> 10) % 100) AS of_source,
  (id * 668265263 >> 9) % 1000 AS luck, id % (amount / 4) = 8 AND id > 8 AS is_dismissed,
  id > amount - amount * 7 / 60 AND id % 7 <> 0 AS is_pending,
  id > amount - amount * 7 / 60 AS is_late,
  until_ms - 5184000000 + id * 5184000000 / amount - 1 AS received_ms
FROM ids, span;

INSERT INTO intake (id, source, provider, received_at, remote_addr, content_type, headers, body)
SELECT id,
  CASE WHEN of_source < 60 THEN 'shop' WHEN of_source < 85 THEN 'keys' WHEN of_source < 100 THEN 'game' ELSE 'old' END,
  CASE WHEN of_source < 60 THEN 'ecwid' WHEN of_source BETWEEN 85 AND 99 THEN 'midas' ELSE 'kinguin' END,
  strftime('%Y-%m-%dT%H:%M:%fZ', received_ms / 1000.0, 'unixepoch'),
  CASE WHEN kind < 14 THEN printf('203.0.113.%d', of_source / 10)
    ELSE printf('198.18.%d.%d', luck / 13, (id * 40503 >> 5) % 256) END,
  'application/json',
  '{"host":"hooks.example.com","content-type":"application/json","user-agent":"shop/2.1","content-length":"211"}',
  printf('{"eventId":"e-%d","eventCreated":%d,"storeId":1003,"entityId":%d,"eventType":"order.updated",'
    || '"data":{"orderId":"SALE-%d-%d","newPaymentStatus":"PAID","newFulfillmentStatus":"AWAITING_PROCESSING"}}',
    iif(kind BETWEEN 11 AND 13, id - 11, id), received_ms / 1000, batch, batch, kind % 11 / 4)
FROM plan;

INSERT INTO verdicts (notification_id, source, received_at, day, sender, event, subject_kind, subject_id, resolved_id, claim,
  claim_key, event_time, event_sent, event_order, event_id, question, call_kind, listable, state, reason, detail, duplicate_of,
  news, attempts, probes_since, asked, next_attempt_at, decided_at)
SELECT id, source, received_at, substr(received_at, 1, 10), remote_addr, 'order.updated', 'order', subject_id,
  iif(state = 'confirmed', subject_id, NULL),
  printf('{"storeId":"1003","entityId":"%d","data":{"orderId":"%s","newPaymentStatus":"PAID"}}', batch, subject_id),
  printf('%08x%08x%08x%08x%08x%08x%08x%08x', said * 3266489917 & 4294967295, said * 668265263 & 4294967295,
    said * 374761393 & 4294967295, said * 2246822519 & 4294967295, said * 2654435761 & 4294967295,
    said * 3266489917 >> 9 & 4294967295, said * 668265263 >> 7 & 4294967295, said),
  substr(received_at, 1, 20) || '000Z', received_ms / 1000, received_ms, 'e-' || said,
  printf('orders ["%s","%d"]', subject_id, batch), 'orders', 1,
  state,
  CASE state WHEN 'pending' THEN iif(luck < 500, NULL, 'not_yet') WHEN 'undecided' THEN 'api_error' ELSE reason END,
  CASE WHEN reason = 'not_found' THEN 'the shop has no order ' || subject_id
    WHEN reason = 'mismatch' THEN 'paymentStatus is REFUNDED, not PAID'
    WHEN reason = 'duplicate' THEN 'the same claim as notification ' || said END,
  iif(reason = 'duplicate', said, NULL),
  state = 'confirmed' AND kind % 4 = 0,
  CASE WHEN state = 'undecided' THEN 9 WHEN state = 'pending' THEN luck >= 500
    WHEN reason = 'not_found' THEN 2 WHEN reason IN ('duplicate', 'malformed', 'wrong_store') THEN 0 ELSE 1 END,
  received_at,
  CASE WHEN state = 'pending' THEN luck >= 500 ELSE reason NOT IN ('duplicate', 'malformed', 'wrong_store') END,
  iif(state = 'pending', strftime('%Y-%m-%dT%H:%M:%fZ', (received_ms + iif(luck < 500, 0, 900000)) / 1000.0, 'unixepoch'), NULL),
  iif(state = 'pending', NULL, strftime('%Y-%m-%dT%H:%M:%fZ', (received_ms + wait_ms) / 1000.0, 'unixepoch'))
FROM (
  SELECT p.*, i.source, i.received_at, i.remote_addr,
    printf('SALE-%d-%d', batch, kind % 11 / 4) AS subject_id,
    CASE WHEN is_pending THEN 'pending' WHEN is_dismissed THEN 'ignored' WHEN kind = 19 AND luck < 40 THEN 'undecided'
      WHEN kind < 11 OR kind < 14 AND is_late THEN 'confirmed' ELSE 'ignored' END AS state,
    CASE WHEN is_pending THEN 'match' WHEN is_dismissed THEN 'dismissed' WHEN kind < 11 OR kind < 14 AND is_late THEN 'match' WHEN kind < 14 THEN 'duplicate'
      WHEN kind < 17 THEN 'not_found' WHEN kind = 17 THEN 'mismatch' WHEN kind = 18 AND luck < 500 THEN 'wrong_store'
      WHEN kind = 18 THEN 'malformed' WHEN luck < 500 THEN 'superseded' ELSE 'unavailable' END AS reason,
    p.id - iif(kind BETWEEN 11 AND 13 AND NOT is_late, 11, 0) AS said,
    CASE WHEN kind >= 14 THEN 60000 + luck * 9 WHEN luck < 950 THEN 150 + luck * 3 WHEN luck < 990 THEN luck * 60
      ELSE (luck - 985) * 1500000 END AS wait_ms
  FROM plan p JOIN intake i ON i.id = p.id
);

INSERT INTO verifications (notification_id, call_id, at, outcome, http_status, latency_ms, detail, answer)
SELECT notification_id, notification_id, coalesce(decided_at, received_at),
  CASE state WHEN 'pending' THEN 'not_yet' WHEN 'undecided' THEN 'api_error'
    ELSE CASE reason WHEN 'superseded' THEN 'mismatch' WHEN 'dismissed' THEN 'api_error' ELSE reason END END,
  CASE WHEN state = 'undecided' THEN 500 WHEN reason = 'not_found' THEN 404 ELSE 200 END,
  20 + notification_id % 300, detail,
  iif(state = 'confirmed' OR reason = 'mismatch', printf('{"id":"%s","paymentStatus":"%s"}', subject_id,
    iif(state = 'confirmed', 'PAID', 'REFUNDED')), NULL)
FROM verdicts WHERE attempts > 0;

INSERT INTO last_confirmed (source, subject_kind, subject_id, compared, notification_id, confirmed_at)
SELECT source, 'order', subject_id, printf('{"id":"%s","paymentStatus":"PAID"}', subject_id), max(notification_id), decided_at
FROM verdicts WHERE state = 'confirmed' GROUP BY source, subject_id;

INSERT INTO orders (source, order_id, status, fulfillment_status, total, currency, email, updated_at, fetched_at, raw,
  internal_id, notified_at)
SELECT source, subject_id, 'PAID', 'AWAITING_PROCESSING', '24.5', 'EUR', 'buyer@example.test', confirmed_at, confirmed_at,
  printf('{"id":"%s","paymentStatus":"PAID","total":24.5,"email":"buyer@example.test"}', subject_id),
  printf('%d', notification_id), confirmed_at
FROM last_confirmed;

INSERT INTO news (notification_id, type, at, source, provider, event, origin, subject_kind, subject_id, current)
SELECT notification_id, 'order.changed', decided_at, v.source, i.provider, v.event, i.origin, subject_kind, v.subject_id,
  '{"status":"PAID","fulfillment_status":"AWAITING_PROCESSING","total":"24.5","currency":"EUR"}'
FROM verdicts v JOIN intake i ON i.id = v.notification_id WHERE v.news = 1 ORDER BY notification_id;

INSERT INTO deliveries (action, seq, source, subject_kind, subject_id, state, attempts, next_attempt_at, decided_at, detail,
  since, is_first)
SELECT column1, seq, source, subject_kind, subject_id, state, iif(state = 'dead', 9, 1),
  iif(state = 'waiting', strftime('%Y-%m-%dT%H:%M:%fZ', until_ms / 1000.0 + seq % 3600, 'unixepoch'), NULL),
  iif(state = 'waiting', NULL, at), iif(state = 'delivered', NULL, 'HTTP 503'), at, state = 'waiting'
FROM (
  SELECT seq, source, subject_kind, subject_id, at,
    CASE seq / 10 % 1000 WHEN 7 THEN 'dead' WHEN 8 THEN 'waiting' ELSE 'delivered' END AS state
  FROM news), (VALUES ('erp', 1), ('ship', 10)), span
WHERE seq % column2 = 0 ORDER BY seq;

INSERT INTO delivery_attempts (delivery_id, at, latency_ms, outcome, http_status)
SELECT id, since, 20 + id % 300, iif(state = 'delivered', 'delivered', 'failed'), iif(state = 'delivered', 200, 503)
FROM deliveries;

INSERT INTO delivery_counts (action, state, n) SELECT action, state, count(*) FROM deliveries GROUP BY 1, 2;

INSERT INTO refusals (source, day, cause, count, last_at, last_remote_addr)
SELECT source, substr(received_at, 1, 10), 'wrong_secret', count(*), max(received_at), '198.18.7.7'
FROM verdicts WHERE notification_id % 1000 = 0 GROUP BY 1, 2;

-- What the triggers would have counted.
INSERT INTO daily_counts (day, source, state, reason, n)
SELECT day, source, state, iif(state = 'pending', '', coalesce(reason, '')), count(*)
FROM verdicts GROUP BY 1, 2, 3, 4;

INSERT INTO senders (sender, kept) SELECT sender, count(*) FROM verdicts GROUP BY sender;

-- What waits, for whose turn it is.
INSERT INTO fair_queue (source, queue, call_kind, sender, due_at)
SELECT source, iif(asked, 2, 1 - listable), call_kind, sender, min(next_attempt_at) FROM verdicts
WHERE state = 'pending' GROUP BY 1, 2, 3, 4;

INSERT INTO hour_index (hour, first_id)
SELECT substr(received_at, 1, 13), notification_id FROM verdicts WHERE true
ON CONFLICT DO UPDATE SET first_id = excluded.first_id WHERE excluded.first_id < first_id;
