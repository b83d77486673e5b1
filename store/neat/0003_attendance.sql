-- Sessions of assistants: what their hooks and the assistant's server tell, what was done in them, what reached them.
-- The session itself is a record of its kind; what stands here is of this machine and does not travel.
ALTER TABLE session ADD COLUMN commits TEXT NOT NULL DEFAULT '[]';
ALTER TABLE session ADD COLUMN records TEXT NOT NULL DEFAULT '[]';
ALTER TABLE session ADD COLUMN runs TEXT NOT NULL DEFAULT '[]';
ALTER TABLE session ADD COLUMN tests TEXT NOT NULL DEFAULT '[]';
ALTER TABLE history ADD COLUMN session TEXT NOT NULL DEFAULT '';
CREATE INDEX history_session ON history (session, id) WHERE session != '';
CREATE TABLE attendance (  -- `key` is the assistant's own name for its session; pid and born are the assistant's process
  session_id TEXT PRIMARY KEY, assistant TEXT NOT NULL, key TEXT NOT NULL, project_id TEXT NOT NULL, root TEXT NOT NULL,
  pid INTEGER NOT NULL DEFAULT 0, born TEXT NOT NULL DEFAULT '', started_at TEXT NOT NULL, seen_at TEXT NOT NULL,
  ended_at TEXT NOT NULL DEFAULT '', event TEXT NOT NULL DEFAULT '',  -- the hook that told of it last
  told INTEGER NOT NULL DEFAULT 0, told_at TEXT NOT NULL DEFAULT '',  -- up to which row and moment it knows what happened
  UNIQUE (assistant, key, project_id)
);
CREATE INDEX attendance_project ON attendance (project_id, seen_at);
CREATE TABLE attended (  -- the worktrees of a session, with how far git's own log of HEAD was read
  session_id TEXT NOT NULL, root TEXT NOT NULL, started_at TEXT NOT NULL, seen_at TEXT NOT NULL, head_log INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (session_id, root)
);
CREATE INDEX attended_root ON attended (root, seen_at);
CREATE TABLE deed (  -- what was done in a session besides records, which history tells: commit, file, run
  session_id TEXT NOT NULL, kind TEXT NOT NULL, ref TEXT NOT NULL, root TEXT NOT NULL DEFAULT '', at TEXT NOT NULL,
  title TEXT NOT NULL DEFAULT '', how TEXT NOT NULL DEFAULT '', PRIMARY KEY (session_id, kind, ref)
);
CREATE UNIQUE INDEX deed_once ON deed (kind, ref) WHERE kind IN ('commit', 'run');  -- of these each has one doer
CREATE TABLE delivery (  -- a brief that reached an assistant, by the hash of its text
  id INTEGER PRIMARY KEY, at TEXT NOT NULL, project_id TEXT NOT NULL, root TEXT NOT NULL, assistant TEXT NOT NULL,
  session_id TEXT NOT NULL DEFAULT '', event TEXT NOT NULL, hash TEXT NOT NULL, characters INTEGER NOT NULL
);
CREATE INDEX delivery_project ON delivery (project_id, at);
