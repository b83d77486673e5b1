-- points.db: what was read, and how far. Rebuilt from the sources while they exist. NaN is stored as NULL.
CREATE TABLE reading (  -- the cursor of one source (a file of a run), committed together with the points it counts
  run_id TEXT NOT NULL, source TEXT NOT NULL, reading_id TEXT NOT NULL, generation INTEGER NOT NULL, "offset" INTEGER NOT NULL,
  seq INTEGER NOT NULL, attempt INTEGER NOT NULL, head_len INTEGER NOT NULL, head_hash TEXT NOT NULL, anchor_hash TEXT NOT NULL,
  bad_lines INTEGER NOT NULL, first_bad TEXT NOT NULL, is_skipping INTEGER NOT NULL, is_missing INTEGER NOT NULL,
  has_steps INTEGER NOT NULL DEFAULT 0,
  last_step INTEGER, updated_at REAL NOT NULL, PRIMARY KEY (run_id, source)
) WITHOUT ROWID;
CREATE TABLE attempt (  -- attempt N of a source began at line `from_seq` with step `from_step`; earlier points from there on are abandoned
  run_id TEXT NOT NULL, source TEXT NOT NULL, attempt INTEGER NOT NULL, from_seq INTEGER NOT NULL, from_step INTEGER NOT NULL,
  PRIMARY KEY (run_id, source, attempt)
) WITHOUT ROWID;
CREATE TABLE series (  -- numbers of the current attempt, so that listing never touches points
  id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, source TEXT NOT NULL, name TEXT NOT NULL, points INTEGER NOT NULL DEFAULT 0,
  first_step INTEGER, last_step INTEGER, last REAL, min REAL, min_step INTEGER, max REAL, max_step INTEGER,
  nonfinite INTEGER NOT NULL DEFAULT 0, UNIQUE (run_id, source, name)
);
CREATE TABLE point (
  series_id INTEGER NOT NULL, seq INTEGER NOT NULL, step INTEGER NOT NULL, value REAL, time REAL, attempt INTEGER NOT NULL,
  PRIMARY KEY (series_id, seq)
) WITHOUT ROWID;
CREATE TABLE prediction (
  run_id TEXT NOT NULL, source TEXT NOT NULL, seq INTEGER NOT NULL, step INTEGER NOT NULL, example_id TEXT NOT NULL,
  is_correct INTEGER NOT NULL, loss REAL, prompt TEXT, expected TEXT, answer TEXT, PRIMARY KEY (run_id, source, seq)
) WITHOUT ROWID;
