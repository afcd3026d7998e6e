-- Version 3: each page of a list is read from the end of an index, whatever it is filtered by and however rare that is.

-- Entries end with the notification's id: what shares a state, reason and source lies together, newest last.
DROP INDEX verdicts_by_state;
CREATE INDEX verdicts_by_state ON verdicts (state, reason, source);

-- A subject is also found by the id that the answer gave it, where that is not the notified one.
CREATE INDEX verdicts_by_other_id ON verdicts (resolved_id) WHERE resolved_id <> subject_id;

-- The undecided ones of a source, oldest first: for reports.
CREATE INDEX verdicts_undecided ON verdicts (source, received_at) WHERE state = 'undecided';

-- Where the notifications of a time begin: nothing that came in within an hour has a lower id, though clocks are set back
-- and rows are removed. A row in an hour; kept by the trigger below.
CREATE TABLE hours (
  hour     TEXT NOT NULL PRIMARY KEY,  -- UTC hour of receipt: the first 13 characters of the time
  first_id INTEGER NOT NULL            -- the lowest id of those that came in within it
) STRICT, WITHOUT ROWID;

CREATE TRIGGER verdicts_hour_new AFTER INSERT ON verdicts BEGIN
  INSERT INTO hours (hour, first_id) VALUES (substr(new.received_at, 1, 13), new.notification_id)
  ON CONFLICT DO UPDATE SET first_id = excluded.first_id WHERE excluded.first_id < first_id;
END;

-- What is filed already; the index of the times alone is read.
INSERT INTO hours (hour, first_id)
SELECT substr(received_at, 1, 13), notification_id FROM verdicts INDEXED BY verdicts_by_time WHERE true
ON CONFLICT DO UPDATE SET first_id = excluded.first_id WHERE excluded.first_id < first_id;
