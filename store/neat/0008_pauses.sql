CREATE TABLE pause (  -- a rule that wants no further job of its project to begin; ended by a person
  event_id TEXT PRIMARY KEY REFERENCES event(id), reason TEXT NOT NULL, created_at TEXT NOT NULL, ended_at TEXT
);
CREATE INDEX pause_open ON pause (created_at) WHERE ended_at IS NULL;
