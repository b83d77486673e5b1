-- The queue: what a job is, waits for, holds and used; groups with a parallelism of their own; studies and their trials.
ALTER TABLE job ADD COLUMN kind TEXT NOT NULL DEFAULT 'command';  -- command, train, eval, profile
ALTER TABLE job ADD COLUMN root TEXT NOT NULL DEFAULT '';  -- the project's folder it was queued in
ALTER TABLE job ADD COLUMN params TEXT NOT NULL DEFAULT '{}';  -- a trainer's parameters
ALTER TABLE job ADD COLUMN why TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN who TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN session TEXT;  -- an assistant's, in which it was queued
ALTER TABLE job ADD COLUMN group_name TEXT NOT NULL DEFAULT 'default';
ALTER TABLE job ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;  -- the highest first
ALTER TABLE job ADD COLUMN place INTEGER NOT NULL DEFAULT 0;  -- among equals the least first; then the oldest
ALTER TABLE job ADD COLUMN after TEXT NOT NULL DEFAULT '[]';  -- jobs and studies that have to end first
ALTER TABLE job ADD COLUMN gpus INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN memory_bytes INTEGER;  -- of a device, or of the host where there is none
ALTER TABLE job ADD COLUMN devices TEXT NOT NULL DEFAULT '[]';  -- the lease: [device, bytes or null for all of it]
ALTER TABLE job ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;  -- how often it may be tried again when it fails
ALTER TABLE job ADD COLUMN retry_of TEXT;  -- the job that this one tries again
ALTER TABLE job ADD COLUMN python TEXT NOT NULL DEFAULT '';  -- the interpreter that a word `python` became
ALTER TABLE job ADD COLUMN branch TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN commit_id TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN dirty INTEGER NOT NULL DEFAULT 0;  -- files that were not as committed; jobs/ID/state.diff
ALTER TABLE job ADD COLUMN worktree TEXT NOT NULL DEFAULT '';  -- the frozen state it runs from
ALTER TABLE job ADD COLUMN study_id TEXT;
ALTER TABLE job ADD COLUMN trial INTEGER;
ALTER TABLE job ADD COLUMN peak_bytes INTEGER;
ALTER TABLE job ADD COLUMN started_at TEXT;
ALTER TABLE job ADD COLUMN ended_at TEXT;
CREATE INDEX job_waiting ON job (priority DESC, place, created_at) WHERE status = 'queued';
CREATE INDEX job_running ON job (id) WHERE status = 'running';
CREATE INDEX job_project ON job (project_id, created_at);
CREATE INDEX job_study ON job (study_id, trial) WHERE study_id IS NOT NULL;
CREATE TABLE job_group (  -- jobs that run side by side: so many at once, and none where it is paused
  name TEXT PRIMARY KEY, parallel INTEGER, paused_at TEXT, paused_why TEXT NOT NULL DEFAULT '', created_at TEXT NOT NULL
);

CREATE TABLE study (  -- a search over parameters; Optuna's own state is a journal beside the store, made again from this
  id TEXT PRIMARY KEY, project_id TEXT NOT NULL, root TEXT NOT NULL, name TEXT NOT NULL, spec TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'running',  -- running, finished, failed, cancelled
  reason TEXT NOT NULL DEFAULT '', who TEXT NOT NULL DEFAULT '', session TEXT,
  trials INTEGER NOT NULL,  -- points of the search, those that a person added besides
  counted_from INTEGER NOT NULL DEFAULT 0,  -- trials before this one say nothing of whether it is hopeless
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL, ended_at TEXT, UNIQUE (project_id, name)
);
CREATE INDEX study_open ON study (id) WHERE status = 'running';
CREATE TABLE trial (
  study_id TEXT NOT NULL REFERENCES study(id), number INTEGER NOT NULL,
  status TEXT NOT NULL,  -- planned (no job yet), queued, running; finished, pruned, failed, cancelled
  reason TEXT NOT NULL DEFAULT '', params TEXT NOT NULL,
  derived TEXT NOT NULL DEFAULT '{}',  -- what expressions made of them: depth, parameters of the model
  job_id TEXT, run_id TEXT, value REAL, value_step INTEGER, last_step INTEGER,
  diverged INTEGER NOT NULL DEFAULT 0,  -- the goal's metric was not finite at the end, or never
  pruned_step INTEGER,  -- where the pruner said that it is hopeless: its job is being stopped
  chosen_by TEXT NOT NULL DEFAULT 'sampler',  -- or person, or retry
  retry_of INTEGER, why TEXT NOT NULL DEFAULT '', fingerprint TEXT NOT NULL, created_at TEXT NOT NULL, started_at TEXT,
  ended_at TEXT, PRIMARY KEY (study_id, number)
);
CREATE UNIQUE INDEX trial_once ON trial (study_id, fingerprint) WHERE retry_of IS NULL;  -- no point is tried twice
CREATE UNIQUE INDEX trial_retry ON trial (study_id, retry_of) WHERE retry_of IS NOT NULL;  -- nor retried twice
CREATE INDEX trial_job ON trial (job_id);
CREATE INDEX trial_open ON trial (study_id) WHERE status IN ('planned', 'queued', 'running');
