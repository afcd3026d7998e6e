-- The triggers that write `changes` and count the rows removed before they were shipped. They are created when a ledger
-- is configured, and dropped when it no longer is. Each adds an entry at the end, then removes the row's earlier entry;
-- in this order, no position is given twice.

CREATE TRIGGER changes_intake_emptied AFTER UPDATE OF remote_addr, content_type, headers, body ON intake
WHEN new.id <= (SELECT next_notifications FROM ledger_state) BEGIN
  INSERT INTO changes (kind, id, source, key) VALUES ('notifications', new.id, '', '');
  DELETE FROM changes WHERE kind = 'notifications' AND id = new.id
    AND position < (SELECT max(position) FROM changes);
END;

CREATE TRIGGER changes_verdict_recorded AFTER INSERT ON verdicts
WHEN new.notification_id <= (SELECT next_notifications FROM ledger_state) BEGIN
  INSERT INTO changes (kind, id, source, key) VALUES ('notifications', new.notification_id, '', '');
  DELETE FROM changes WHERE kind = 'notifications' AND id = new.notification_id
    AND position < (SELECT max(position) FROM changes);
END;

CREATE TRIGGER changes_verdict_moved AFTER UPDATE OF event, subject_kind, subject_id, resolved_id, claim, event_time, state,
  reason, detail, duplicate_of, news, attempts, next_attempt_at, decided_at ON verdicts
WHEN new.notification_id <= (SELECT next_notifications FROM ledger_state) BEGIN
  INSERT INTO changes (kind, id, source, key) VALUES ('notifications', new.notification_id, '', '');
  DELETE FROM changes WHERE kind = 'notifications' AND id = new.notification_id
    AND position < (SELECT max(position) FROM changes);
END;

CREATE TRIGGER changes_verification_emptied AFTER UPDATE ON verifications
WHEN new.id <= (SELECT next_verifications FROM ledger_state) BEGIN
  INSERT INTO changes (kind, id, source, key) VALUES ('verifications', new.id, '', '');
  DELETE FROM changes WHERE kind = 'verifications' AND id = new.id
    AND position < (SELECT max(position) FROM changes);
END;

CREATE TRIGGER changes_delivery_moved AFTER UPDATE OF state, attempts, next_attempt_at, decided_at, detail ON deliveries
WHEN new.id <= (SELECT next_deliveries FROM ledger_state) BEGIN
  INSERT INTO changes (kind, id, source, key) VALUES ('deliveries', new.id, '', '');
  DELETE FROM changes WHERE kind = 'deliveries' AND id = new.id
    AND position < (SELECT max(position) FROM changes);
END;

CREATE TRIGGER changes_order_new AFTER INSERT ON orders BEGIN
  INSERT INTO changes (kind, id, source, key) VALUES ('orders', 0, new.source, new.order_id);
  DELETE FROM changes WHERE kind = 'orders' AND id = 0 AND source = new.source AND key = new.order_id
    AND position < (SELECT max(position) FROM changes);
END;

CREATE TRIGGER changes_order_fetched AFTER UPDATE ON orders BEGIN
  INSERT INTO changes (kind, id, source, key) VALUES ('orders', 0, new.source, new.order_id);
  DELETE FROM changes WHERE kind = 'orders' AND id = 0 AND source = new.source AND key = new.order_id
    AND position < (SELECT max(position) FROM changes);
END;

CREATE TRIGGER changes_product_new AFTER INSERT ON products BEGIN
  INSERT INTO changes (kind, id, source, key) VALUES ('products', 0, new.source, new.product_id);
  DELETE FROM changes WHERE kind = 'products' AND id = 0 AND source = new.source AND key = new.product_id
    AND position < (SELECT max(position) FROM changes);
END;

CREATE TRIGGER changes_product_fetched AFTER UPDATE ON products BEGIN
  INSERT INTO changes (kind, id, source, key) VALUES ('products', 0, new.source, new.product_id);
  DELETE FROM changes WHERE kind = 'products' AND id = 0 AND source = new.source AND key = new.product_id
    AND position < (SELECT max(position) FROM changes);
END;

CREATE TRIGGER changes_refusal_new AFTER INSERT ON refusals BEGIN
  INSERT INTO changes (kind, id, source, key) VALUES ('refusals', 0, new.source, new.day || ' ' || new.cause);
  DELETE FROM changes WHERE kind = 'refusals' AND id = 0 AND source = new.source AND key = new.day || ' ' || new.cause
    AND position < (SELECT max(position) FROM changes);
END;

CREATE TRIGGER changes_refusal_counted AFTER UPDATE ON refusals BEGIN
  INSERT INTO changes (kind, id, source, key) VALUES ('refusals', 0, new.source, new.day || ' ' || new.cause);
  DELETE FROM changes WHERE kind = 'refusals' AND id = 0 AND source = new.source AND key = new.day || ' ' || new.cause
    AND position < (SELECT max(position) FROM changes);
END;

-- Rows removed before they were shipped. Shipping skips the entry of a removed row.

CREATE TRIGGER changes_notification_gone AFTER DELETE ON intake
WHEN old.id > (SELECT notifications FROM ledger_state) OR EXISTS (
  SELECT 1 FROM changes WHERE kind = 'notifications' AND id = old.id
    AND position > (SELECT log FROM ledger_state)) BEGIN
  UPDATE ledger_state SET gap = gap + 1, gap_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;

CREATE TRIGGER changes_verification_gone AFTER DELETE ON verifications
WHEN old.id > (SELECT verifications FROM ledger_state) OR EXISTS (
  SELECT 1 FROM changes WHERE kind = 'verifications' AND id = old.id
    AND position > (SELECT log FROM ledger_state)) BEGIN
  UPDATE ledger_state SET gap = gap + 1, gap_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;

CREATE TRIGGER changes_news_gone AFTER DELETE ON news
WHEN old.seq > (SELECT news FROM ledger_state) BEGIN
  UPDATE ledger_state SET gap = gap + 1, gap_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;

CREATE TRIGGER changes_delivery_gone AFTER DELETE ON deliveries
WHEN old.id > (SELECT deliveries FROM ledger_state) OR EXISTS (
  SELECT 1 FROM changes WHERE kind = 'deliveries' AND id = old.id
    AND position > (SELECT log FROM ledger_state)) BEGIN
  UPDATE ledger_state SET gap = gap + 1, gap_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
