-- Checkpoints of several files, pins by hand, the kept copies of the best, and since when which policy is in force.
ALTER TABLE checkpoint ADD COLUMN parts TEXT NOT NULL DEFAULT '[]';  -- names beside it that belong to the same save
ALTER TABLE deletion ADD COLUMN parts TEXT NOT NULL DEFAULT '[]';
CREATE TABLE pin (  -- a checkpoint that somebody said stays
  checkpoint_id TEXT PRIMARY KEY REFERENCES checkpoint(id), why TEXT NOT NULL DEFAULT '', who TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL
);
CREATE TABLE vault (  -- neat's own copy of a best checkpoint, which the trainer's own rotation does not reach
  checkpoint_id TEXT NOT NULL REFERENCES checkpoint(id), ordinal INTEGER NOT NULL, run_id TEXT NOT NULL,
  project_id TEXT NOT NULL, path TEXT NOT NULL, mode TEXT NOT NULL, size_bytes INTEGER NOT NULL,
  best TEXT NOT NULL DEFAULT '{}',  -- metric -> [goal, value]
  created_at TEXT NOT NULL, PRIMARY KEY (checkpoint_id, ordinal)
);
CREATE INDEX vault_run ON vault (run_id);
CREATE INDEX vault_project ON vault (project_id);
CREATE TABLE thinning (  -- since when a folder's retention policy is in force: what is older goes in small passes only
  root TEXT PRIMARY KEY, policy TEXT NOT NULL, since TEXT NOT NULL
);
