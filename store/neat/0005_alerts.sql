-- An alert of an event: written with the event, sent later and tried again. Its row with the channel '' asks who is to be
-- told; once the channels are known it is 'passed', and each of them has a row of its own.
CREATE TABLE alert (
  id TEXT PRIMARY KEY, event_id TEXT NOT NULL, channel TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'pending',
  tries INTEGER NOT NULL DEFAULT 0, next_at TEXT NOT NULL, note TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL, UNIQUE (event_id, channel)
);
CREATE INDEX alert_status ON alert (status, next_at);
