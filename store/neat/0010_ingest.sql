-- Machines that share no disk: who may send lines, and into which project's folder. Of a token only its SHA-256 is kept.
CREATE TABLE ingest_token (
  hash TEXT PRIMARY KEY, machine TEXT NOT NULL, project_id TEXT NOT NULL REFERENCES project(id), root TEXT NOT NULL,
  created_at TEXT NOT NULL,
  seen_at TEXT,  -- when lines came with it last, to the minute
  revoked_at TEXT  -- since then it no longer holds
);
CREATE UNIQUE INDEX ingest_machine ON ingest_token (project_id, machine) WHERE revoked_at IS NULL;
