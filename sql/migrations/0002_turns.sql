-- Version 2: whose turn it is. Of each source and kind of call, senders with something to ask about stand in a circle;
-- whoever comes next in it is asked about, and goes forward by a step that is the longer the less of what it sent lately
-- was confirmed.

-- The recent share of confirmations among the verdicts of this sender, in 65536ths; each verdict that says whether a
-- notification was true moves it an eighth of the way to 1 or to 0. Unknown senders begin with an eighth.
ALTER TABLE senders ADD COLUMN share INTEGER NOT NULL DEFAULT 8192;

-- Senders with questions to ask, or to ask again. A row may outlive its questions for a while: whoever finds none removes it.
CREATE TABLE turns (
  source TEXT NOT NULL,     -- as in verdicts
  kind   INTEGER NOT NULL CHECK (kind IN (0, 1, 2)),  -- 0: first questions that a list call may ask, 1: other first ones,
                            -- 2: repeated ones
  lane   TEXT NOT NULL,     -- as in verdicts
  sender TEXT NOT NULL,     -- as in verdicts
  due_at TEXT NOT NULL,     -- nothing of it is due before that
  place  INTEGER,           -- the lowest of a circle comes next; NULL: not in the circle yet
  PRIMARY KEY (source, kind, lane, sender)
) STRICT, WITHOUT ROWID;
CREATE INDEX turns_circle ON turns (source, kind, lane, place) WHERE place IS NOT NULL;
CREATE INDEX turns_to_come ON turns (source, lane, due_at) WHERE place IS NULL;

-- How far each circle has come: newcomers join it a step behind the last one that had its turn.
CREATE TABLE circles (
  source  TEXT NOT NULL,     -- as in turns
  kind    INTEGER NOT NULL,  -- as in turns
  lane    TEXT NOT NULL,     -- as in turns
  reached INTEGER NOT NULL,  -- the place of the last one that had its turn
  PRIMARY KEY (source, kind, lane)
) STRICT, WITHOUT ROWID;

-- Of senders in one IPv6 /48 that nothing speaks for, where in a circle the last one stands: they go on together, however
-- many /64 somebody makes out of one.
CREATE TABLE networks (
  source  TEXT NOT NULL,     -- as in turns
  kind    INTEGER NOT NULL,  -- as in turns
  lane    TEXT NOT NULL,     -- as in turns
  network TEXT NOT NULL,     -- the /48
  place   INTEGER NOT NULL,  -- as in turns
  PRIMARY KEY (source, kind, lane, network)
) STRICT, WITHOUT ROWID;
CREATE INDEX networks_behind ON networks (source, kind, lane, place);

CREATE TRIGGER verdicts_turn_new AFTER INSERT ON verdicts
WHEN new.state = 'pending' AND new.lease IS NULL AND new.question IS NOT NULL BEGIN
  INSERT INTO turns (source, kind, lane, sender, due_at)
  VALUES (new.source, iif(new.asked, 2, 1 - new.listable), new.lane, new.sender, new.next_attempt_at)
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER verdicts_turn_moved AFTER UPDATE OF state, lease, asked, question, next_attempt_at, listable, sender ON verdicts
WHEN new.state = 'pending' AND new.lease IS NULL AND new.question IS NOT NULL BEGIN
  INSERT INTO turns (source, kind, lane, sender, due_at)
  VALUES (new.source, iif(new.asked, 2, 1 - new.listable), new.lane, new.sender, new.next_attempt_at)
  ON CONFLICT DO UPDATE SET due_at = excluded.due_at WHERE excluded.due_at < due_at;
END;

-- What waits already.
INSERT INTO turns (source, kind, lane, sender, due_at)
SELECT source, iif(asked, 2, 1 - listable), lane, sender, min(next_attempt_at) FROM verdicts
WHERE state = 'pending' AND lease IS NULL AND question IS NOT NULL AND next_attempt_at IS NOT NULL GROUP BY 1, 2, 3, 4;

DROP INDEX verdicts_first_questions;
DROP INDEX verdicts_listable_questions;
CREATE INDEX verdicts_first_questions ON verdicts (source, listable, lane, sender, notification_id)
  WHERE state = 'pending' AND asked = 0 AND lease IS NULL;
CREATE INDEX verdicts_again ON verdicts (source, lane, sender, next_attempt_at)
  WHERE state = 'pending' AND asked = 1 AND lease IS NULL;

-- The same count as before for fewer steps: a verdict does not change the sender.
DROP TRIGGER verdicts_sender_moved;
CREATE TRIGGER verdicts_sender_judged AFTER UPDATE OF state ON verdicts
WHEN old.sender = new.sender AND (old.state = 'confirmed') <> (new.state = 'confirmed') BEGIN
  UPDATE senders SET confirmed = confirmed + (new.state = 'confirmed') - (old.state = 'confirmed')
  WHERE sender = new.sender;
END;
CREATE TRIGGER verdicts_sender_emptied AFTER UPDATE OF sender ON verdicts
WHEN old.sender <> new.sender BEGIN
  INSERT INTO senders (sender, kept, confirmed) VALUES (new.sender, 1, new.state = 'confirmed')
  ON CONFLICT DO UPDATE SET kept = kept + 1, confirmed = confirmed + excluded.confirmed;
  UPDATE senders SET kept = kept - 1, confirmed = confirmed - (old.state = 'confirmed') WHERE sender = old.sender;
  DELETE FROM senders WHERE sender = old.sender AND kept = 0;
END;

-- The oldest of what is not settled is found without sorting the rest.
CREATE INDEX verdicts_open ON verdicts (received_at, notification_id) WHERE state IN ('pending', 'undecided');

DROP VIEW open;

-- What is not settled: pending and undecided, oldest first.
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
