-- Version 4: the same rules about verdicts, in words that cost the writer a sixth less. A statement that fires triggers and
-- may fail half-way remembers each page before it changes it. So nothing here may fail half-way as the engine sees it: no
-- reference that is checked at once, no ON CONFLICT DO UPDATE, and no function.

-- A list of more than two values became a table of its own for each row written. None of this touches a row, so the text
-- alone is changed: https://www.sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema Changes".
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(replace(sql,
  'REFERENCES intake (id) ON DELETE CASCADE,', 'REFERENCES intake (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,'),
  'CHECK (state IN (''pending'', ''confirmed'', ''ignored'', ''undecided''))',
  'CHECK (state = ''pending'' OR state = ''confirmed'' OR state = ''ignored'' OR state = ''undecided'')')
WHERE type = 'table' AND name = 'verdicts';
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (kind IN (0, 1, 2))', 'CHECK (kind BETWEEN 0 AND 2)')
WHERE type = 'table' AND name = 'turns';
PRAGMA writable_schema = RESET;

-- The days on which anything came in: whoever writes a verdict names its day here first. The triggers look it up.
CREATE TABLE days (
  day TEXT NOT NULL PRIMARY KEY  -- UTC day of receipt, as in tallies
) STRICT, WITHOUT ROWID;
INSERT INTO days (day) SELECT DISTINCT day FROM tallies;

DROP TRIGGER verdicts_tally_new;
CREATE TRIGGER verdicts_tally_new AFTER INSERT ON verdicts BEGIN
  INSERT INTO tallies (day, source, state, reason, n)
  VALUES ((SELECT day FROM days WHERE day <= new.received_at AND day || 'U' > new.received_at ORDER BY day DESC LIMIT 1),
    new.source, new.state, iif(new.state = 'pending', '', coalesce(new.reason, '')), 0)
  ON CONFLICT DO NOTHING;
  UPDATE tallies SET n = n + 1
  WHERE day = (SELECT day FROM days WHERE day <= new.received_at AND day || 'U' > new.received_at ORDER BY day DESC LIMIT 1)
    AND source = new.source AND state = new.state AND reason = iif(new.state = 'pending', '', coalesce(new.reason, ''));
END;

DROP TRIGGER verdicts_tally_moved;
CREATE TRIGGER verdicts_tally_moved AFTER UPDATE OF state, reason ON verdicts
WHEN old.state <> new.state OR (new.state <> 'pending' AND old.reason IS NOT new.reason) BEGIN
  UPDATE tallies SET n = n - 1
  WHERE day = (SELECT day FROM days WHERE day <= old.received_at AND day || 'U' > old.received_at ORDER BY day DESC LIMIT 1)
    AND source = old.source AND state = old.state AND reason = iif(old.state = 'pending', '', coalesce(old.reason, ''));
  INSERT INTO tallies (day, source, state, reason, n)
  VALUES ((SELECT day FROM days WHERE day <= new.received_at AND day || 'U' > new.received_at ORDER BY day DESC LIMIT 1),
    new.source, new.state, iif(new.state = 'pending', '', coalesce(new.reason, '')), 0)
  ON CONFLICT DO NOTHING;
  UPDATE tallies SET n = n + 1
  WHERE day = (SELECT day FROM days WHERE day <= new.received_at AND day || 'U' > new.received_at ORDER BY day DESC LIMIT 1)
    AND source = new.source AND state = new.state AND reason = iif(new.state = 'pending', '', coalesce(new.reason, ''));
END;

DROP TRIGGER verdicts_sender_new;
CREATE TRIGGER verdicts_sender_new AFTER INSERT ON verdicts BEGIN
  INSERT INTO senders (sender, kept, confirmed) VALUES (new.sender, 0, 0) ON CONFLICT DO NOTHING;
  UPDATE senders SET kept = kept + 1, confirmed = confirmed + (new.state = 'confirmed') WHERE sender = new.sender;
END;

DROP TRIGGER verdicts_turn_moved;
CREATE TRIGGER verdicts_turn_moved AFTER UPDATE OF state, lease, asked, question, next_attempt_at, listable, sender ON verdicts
WHEN new.state = 'pending' AND new.lease IS NULL AND new.question IS NOT NULL BEGIN
  INSERT INTO turns (source, kind, lane, sender, due_at)
  VALUES (new.source, iif(new.asked, 2, 1 - new.listable), new.lane, new.sender, new.next_attempt_at)
  ON CONFLICT DO NOTHING;
  UPDATE turns SET due_at = new.next_attempt_at
  WHERE source = new.source AND kind = iif(new.asked, 2, 1 - new.listable) AND lane = new.lane AND sender = new.sender
    AND due_at > new.next_attempt_at;
END;

-- Whoever writes verdicts keeps the hours, a group of them at a time.
DROP TRIGGER verdicts_hour_new;

-- Of many copies of one claim those in a state are found without looking at the others: whoever sends the same a hundred
-- thousand times must not make each copy look at all before it.
DROP INDEX verdicts_by_claim;
CREATE INDEX verdicts_by_claim ON verdicts (source, claim_key, state) WHERE claim_key IS NOT NULL;
