-- What is known of a run besides its numbers.
ALTER TABLE run ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';     -- from its process, its machine and what its files say
CREATE TABLE run_start (  -- the code a run started from, as far as it was not committed
  run_id TEXT PRIMARY KEY REFERENCES run(id), diff BLOB NOT NULL, untracked TEXT NOT NULL DEFAULT '[]',
  is_truncated INTEGER NOT NULL DEFAULT 0, note TEXT NOT NULL DEFAULT '', created_at TEXT NOT NULL
);
