-- neat.db: records, events, judging, jobs. Times are UTC ISO 8601; lists and objects are JSON.
CREATE TABLE project (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, baseline TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE TABLE root (  -- a project may stand in several folders: worktrees, clones
  path TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES project(id), created_at TEXT NOT NULL
);
CREATE TABLE consent (  -- given on this machine for one folder; never read from a repository
  root TEXT NOT NULL, what TEXT NOT NULL, created_at TEXT NOT NULL, PRIMARY KEY (root, what)
);

CREATE TABLE note (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]'
);
CREATE TABLE decision (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]',
  why TEXT NOT NULL DEFAULT '', context TEXT NOT NULL DEFAULT '', alternative TEXT NOT NULL DEFAULT '[]',
  implication TEXT NOT NULL DEFAULT '[]', supersedes TEXT NOT NULL DEFAULT ''
);
CREATE TABLE hypothesis (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]',
  predict TEXT NOT NULL DEFAULT '', run TEXT NOT NULL DEFAULT '', verdict TEXT NOT NULL DEFAULT '', verdict_reason TEXT NOT NULL DEFAULT ''
);
CREATE TABLE bug (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]',
  cause TEXT NOT NULL DEFAULT '', fix TEXT NOT NULL DEFAULT '', follow_up TEXT NOT NULL DEFAULT ''
);
CREATE TABLE task (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]',
  after TEXT NOT NULL DEFAULT '', position REAL NOT NULL DEFAULT 0
);
CREATE INDEX note_project ON note (project_id, created_at);
CREATE INDEX decision_project ON decision (project_id, created_at);
CREATE INDEX hypothesis_project ON hypothesis (project_id, created_at);
CREATE INDEX bug_project ON bug (project_id, created_at);
CREATE INDEX task_project ON task (project_id, created_at);

CREATE TABLE history (
  id INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, kind TEXT NOT NULL, record_id TEXT NOT NULL,
  field TEXT NOT NULL, old TEXT, new TEXT
);
CREATE INDEX history_record ON history (record_id, id);
CREATE TABLE link (
  a TEXT NOT NULL, relation TEXT NOT NULL, b TEXT NOT NULL, created_at TEXT NOT NULL, PRIMARY KEY (a, relation, b)
);

CREATE TABLE run (
  id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES project(id), root TEXT NOT NULL, folder TEXT NOT NULL,
  name TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'starting', reason TEXT NOT NULL DEFAULT '',
  config TEXT NOT NULL DEFAULT '{}', git TEXT NOT NULL DEFAULT '{}', process TEXT, job_id TEXT, planned_steps INTEGER,
  created_at TEXT NOT NULL, started_at TEXT NOT NULL, updated_at TEXT NOT NULL, ended_at TEXT,
  UNIQUE (root, folder)
);
CREATE INDEX run_project ON run (project_id, created_at);
CREATE TABLE event (
  id TEXT PRIMARY KEY, project_id TEXT, run_id TEXT, rule TEXT NOT NULL, metric TEXT NOT NULL DEFAULT '', step INTEGER,
  started_at TEXT NOT NULL, created_at TEXT NOT NULL, severity TEXT NOT NULL, value TEXT, score TEXT, threshold TEXT,
  message TEXT NOT NULL DEFAULT '', details TEXT NOT NULL DEFAULT '{}', dedupe TEXT NOT NULL UNIQUE
);
CREATE INDEX event_run ON event (run_id, step);
CREATE INDEX event_project ON event (project_id, created_at);
CREATE TABLE snapshot (
  id TEXT PRIMARY KEY, project_id TEXT NOT NULL, event_id TEXT NOT NULL UNIQUE REFERENCES event(id), run_id TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending', mode TEXT NOT NULL DEFAULT '', path TEXT NOT NULL DEFAULT '',
  size_bytes INTEGER NOT NULL DEFAULT 0, checkpoint_id TEXT, best_checkpoint_id TEXT, reason TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE INDEX snapshot_status ON snapshot (status);
CREATE INDEX snapshot_run ON snapshot (run_id);
CREATE TABLE checkpoint (
  id TEXT PRIMARY KEY, run_id TEXT NOT NULL REFERENCES run(id), path TEXT NOT NULL, step INTEGER, ordinal INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL DEFAULT 0, is_folder INTEGER NOT NULL DEFAULT 0,
  status TEXT NOT NULL DEFAULT 'present', completed_at TEXT NOT NULL,
  UNIQUE (run_id, path), UNIQUE (run_id, ordinal)
);
CREATE TABLE deletion (  -- the trash's journal: a row before the rename, its outcome after
  id TEXT PRIMARY KEY, batch TEXT NOT NULL, run_id TEXT NOT NULL, checkpoint_id TEXT NOT NULL, from_path TEXT NOT NULL,
  trash_path TEXT NOT NULL, size_bytes INTEGER NOT NULL, reason TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'planned',
  note TEXT NOT NULL DEFAULT '', created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE INDEX deletion_batch ON deletion (batch);
CREATE INDEX deletion_status ON deletion (status);

CREATE TABLE judging (  -- how far a source is judged, with the detectors' state: one row, one transaction with the events
  run_id TEXT NOT NULL, source TEXT NOT NULL, reading_id TEXT NOT NULL, seq INTEGER NOT NULL, state TEXT NOT NULL,
  PRIMARY KEY (run_id, source)
);

CREATE TABLE job (
  id TEXT PRIMARY KEY, project_id TEXT NOT NULL, name TEXT NOT NULL, command TEXT NOT NULL, cwd TEXT NOT NULL,
  run_folder TEXT NOT NULL DEFAULT '', status TEXT NOT NULL DEFAULT 'queued', reason TEXT NOT NULL DEFAULT '',
  pid INTEGER, exit_code INTEGER, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE TABLE request (  -- what is to be done to the world, carried out by the daemon
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, project_id TEXT, payload TEXT NOT NULL DEFAULT '{}',
  status TEXT NOT NULL DEFAULT 'pending', result TEXT NOT NULL DEFAULT '{}', created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE INDEX request_status ON request (status);

-- Full text over the records; triggers keep it, so that every writer does. A row's number is its record's times 64 plus
-- the kind's (note 1 … task 5): deleting by it is a look-up, where deleting by id would read the whole index.
CREATE VIRTUAL TABLE search USING fts5 (id UNINDEXED, kind UNINDEXED, project_id UNINDEXED, title, body, tokenize = 'porter unicode61');
CREATE TRIGGER note_added AFTER INSERT ON note BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body) VALUES (new.rowno * 64 + 1, new.id, 'note', new.project_id, new.title, new.body);
END;
CREATE TRIGGER note_changed AFTER UPDATE OF title, body ON note BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 1;
  INSERT INTO search (rowid, id, kind, project_id, title, body) VALUES (new.rowno * 64 + 1, new.id, 'note', new.project_id, new.title, new.body);
END;
CREATE TRIGGER decision_added AFTER INSERT ON decision BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body) VALUES (new.rowno * 64 + 2, new.id, 'decision', new.project_id, new.title,
    new.body || ' ' || new.why || ' ' || new.context || ' ' || new.alternative || ' ' || new.implication);
END;
CREATE TRIGGER decision_changed AFTER UPDATE OF title, body, why, context, alternative, implication ON decision BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 2;
  INSERT INTO search (rowid, id, kind, project_id, title, body) VALUES (new.rowno * 64 + 2, new.id, 'decision', new.project_id, new.title,
    new.body || ' ' || new.why || ' ' || new.context || ' ' || new.alternative || ' ' || new.implication);
END;
CREATE TRIGGER hypothesis_added AFTER INSERT ON hypothesis BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body) VALUES (new.rowno * 64 + 3, new.id, 'hypothesis', new.project_id, new.title,
    new.body || ' ' || new.predict || ' ' || new.run || ' ' || new.verdict || ' ' || new.verdict_reason);
END;
CREATE TRIGGER hypothesis_changed AFTER UPDATE OF title, body, predict, run, verdict, verdict_reason ON hypothesis BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 3;
  INSERT INTO search (rowid, id, kind, project_id, title, body) VALUES (new.rowno * 64 + 3, new.id, 'hypothesis', new.project_id, new.title,
    new.body || ' ' || new.predict || ' ' || new.run || ' ' || new.verdict || ' ' || new.verdict_reason);
END;
CREATE TRIGGER bug_added AFTER INSERT ON bug BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body) VALUES (new.rowno * 64 + 4, new.id, 'bug', new.project_id, new.title, new.body || ' ' || new.cause || ' ' || new.fix || ' ' || new.follow_up);
END;
CREATE TRIGGER bug_changed AFTER UPDATE OF title, body, cause, fix, follow_up ON bug BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 4;
  INSERT INTO search (rowid, id, kind, project_id, title, body) VALUES (new.rowno * 64 + 4, new.id, 'bug', new.project_id, new.title, new.body || ' ' || new.cause || ' ' || new.fix || ' ' || new.follow_up);
END;
CREATE TRIGGER task_added AFTER INSERT ON task BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body) VALUES (new.rowno * 64 + 5, new.id, 'task', new.project_id, new.title, new.body);
END;
CREATE TRIGGER task_changed AFTER UPDATE OF title, body ON task BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 5;
  INSERT INTO search (rowid, id, kind, project_id, title, body) VALUES (new.rowno * 64 + 5, new.id, 'task', new.project_id, new.title, new.body);
END;
