-- All kinds of records. New common columns: origin (file and lines a record was imported from), deleted_at and
-- restored_at (a record is deleted while the first is the later one; both only ever grow, so that clones agree).
-- Search is made anew with prefix indexes and over all kinds; a row's number is its record's times 64 plus the kind's.
DROP TRIGGER note_added;
DROP TRIGGER note_changed;
DROP TRIGGER decision_added;
DROP TRIGGER decision_changed;
DROP TRIGGER hypothesis_added;
DROP TRIGGER hypothesis_changed;
DROP TRIGGER bug_added;
DROP TRIGGER bug_changed;
DROP TRIGGER task_added;
DROP TRIGGER task_changed;
DROP TABLE search;
ALTER TABLE note ADD COLUMN origin TEXT NOT NULL DEFAULT '[]';
ALTER TABLE note ADD COLUMN deleted_at TEXT NOT NULL DEFAULT '';
ALTER TABLE note ADD COLUMN restored_at TEXT NOT NULL DEFAULT '';
ALTER TABLE decision ADD COLUMN origin TEXT NOT NULL DEFAULT '[]';
ALTER TABLE decision ADD COLUMN deleted_at TEXT NOT NULL DEFAULT '';
ALTER TABLE decision ADD COLUMN restored_at TEXT NOT NULL DEFAULT '';
ALTER TABLE hypothesis ADD COLUMN origin TEXT NOT NULL DEFAULT '[]';
ALTER TABLE hypothesis ADD COLUMN deleted_at TEXT NOT NULL DEFAULT '';
ALTER TABLE hypothesis ADD COLUMN restored_at TEXT NOT NULL DEFAULT '';
ALTER TABLE hypothesis ADD COLUMN study TEXT NOT NULL DEFAULT '';
ALTER TABLE hypothesis ADD COLUMN experiment TEXT NOT NULL DEFAULT '';
ALTER TABLE bug ADD COLUMN origin TEXT NOT NULL DEFAULT '[]';
ALTER TABLE bug ADD COLUMN deleted_at TEXT NOT NULL DEFAULT '';
ALTER TABLE bug ADD COLUMN restored_at TEXT NOT NULL DEFAULT '';
ALTER TABLE bug ADD COLUMN before TEXT NOT NULL DEFAULT '';
ALTER TABLE bug ADD COLUMN after TEXT NOT NULL DEFAULT '';
ALTER TABLE bug ADD COLUMN file TEXT NOT NULL DEFAULT '[]';
ALTER TABLE task ADD COLUMN origin TEXT NOT NULL DEFAULT '[]';
ALTER TABLE task ADD COLUMN deleted_at TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN restored_at TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN parent TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN horizon TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN phase TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN plan TEXT NOT NULL DEFAULT '';
ALTER TABLE link ADD COLUMN removed_at TEXT NOT NULL DEFAULT '';
CREATE TABLE insight (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL DEFAULT '[]',
  deleted_at TEXT NOT NULL DEFAULT '', restored_at TEXT NOT NULL DEFAULT '',
  component TEXT NOT NULL DEFAULT '', phase TEXT NOT NULL DEFAULT '', forever INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX insight_project ON insight (project_id, created_at);
CREATE TABLE preference (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL DEFAULT '[]',
  deleted_at TEXT NOT NULL DEFAULT '', restored_at TEXT NOT NULL DEFAULT '',
  about TEXT NOT NULL DEFAULT ''
);
CREATE INDEX preference_project ON preference (project_id, created_at);
CREATE TABLE phase (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL DEFAULT '[]',
  deleted_at TEXT NOT NULL DEFAULT '', restored_at TEXT NOT NULL DEFAULT ''
);
CREATE INDEX phase_project ON phase (project_id, created_at);
CREATE TABLE machine (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL DEFAULT '[]',
  deleted_at TEXT NOT NULL DEFAULT '', restored_at TEXT NOT NULL DEFAULT '',
  host TEXT NOT NULL DEFAULT '', port TEXT NOT NULL DEFAULT '', key TEXT NOT NULL DEFAULT '', gpu TEXT NOT NULL DEFAULT '', driver TEXT NOT NULL DEFAULT '', provider TEXT NOT NULL DEFAULT '', memory TEXT NOT NULL DEFAULT ''
);
CREATE INDEX machine_project ON machine (project_id, created_at);
CREATE TABLE command (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL DEFAULT '[]',
  deleted_at TEXT NOT NULL DEFAULT '', restored_at TEXT NOT NULL DEFAULT '',
  about TEXT NOT NULL DEFAULT ''
);
CREATE INDEX command_project ON command (project_id, created_at);
CREATE TABLE style (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL DEFAULT '[]',
  deleted_at TEXT NOT NULL DEFAULT '', restored_at TEXT NOT NULL DEFAULT '',
  about TEXT NOT NULL DEFAULT ''
);
CREATE INDEX style_project ON style (project_id, created_at);
CREATE TABLE document (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL DEFAULT '[]',
  deleted_at TEXT NOT NULL DEFAULT '', restored_at TEXT NOT NULL DEFAULT '',
  path TEXT NOT NULL DEFAULT '', must_read INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX document_project ON document (project_id, created_at);
CREATE TABLE assessment (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL DEFAULT '[]',
  deleted_at TEXT NOT NULL DEFAULT '', restored_at TEXT NOT NULL DEFAULT '',
  component TEXT NOT NULL DEFAULT '', phase TEXT NOT NULL DEFAULT ''
);
CREATE INDEX assessment_project ON assessment (project_id, created_at);
CREATE TABLE lesson (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL DEFAULT '[]',
  deleted_at TEXT NOT NULL DEFAULT '', restored_at TEXT NOT NULL DEFAULT '',
  phase TEXT NOT NULL DEFAULT ''
);
CREATE INDEX lesson_project ON lesson (project_id, created_at);
CREATE TABLE challenge (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL DEFAULT '[]',
  deleted_at TEXT NOT NULL DEFAULT '', restored_at TEXT NOT NULL DEFAULT '',
  phase TEXT NOT NULL DEFAULT ''
);
CREATE INDEX challenge_project ON challenge (project_id, created_at);
CREATE TABLE goal (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL DEFAULT '[]',
  deleted_at TEXT NOT NULL DEFAULT '', restored_at TEXT NOT NULL DEFAULT '',
  horizon TEXT NOT NULL DEFAULT ''
);
CREATE INDEX goal_project ON goal (project_id, created_at);
CREATE TABLE test (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL DEFAULT '[]',
  deleted_at TEXT NOT NULL DEFAULT '', restored_at TEXT NOT NULL DEFAULT '',
  command TEXT NOT NULL DEFAULT '', exit_code INTEGER, passed INTEGER, failed INTEGER, skipped INTEGER, failing TEXT NOT NULL DEFAULT '[]', seconds REAL, tree TEXT NOT NULL DEFAULT ''
);
CREATE INDEX test_project ON test (project_id, created_at);
CREATE TABLE data (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL DEFAULT '[]',
  deleted_at TEXT NOT NULL DEFAULT '', restored_at TEXT NOT NULL DEFAULT '',
  path TEXT NOT NULL DEFAULT '', stage TEXT NOT NULL DEFAULT '', hash TEXT NOT NULL DEFAULT '', size_bytes INTEGER, rows INTEGER, files INTEGER
);
CREATE INDEX data_project ON data (project_id, created_at);
CREATE TABLE experiment (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL DEFAULT '[]',
  deleted_at TEXT NOT NULL DEFAULT '', restored_at TEXT NOT NULL DEFAULT '',
  metric TEXT NOT NULL DEFAULT '', value REAL, params TEXT NOT NULL DEFAULT '{}', run TEXT NOT NULL DEFAULT ''
);
CREATE INDEX experiment_project ON experiment (project_id, created_at);
CREATE TABLE change (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL DEFAULT '[]',
  deleted_at TEXT NOT NULL DEFAULT '', restored_at TEXT NOT NULL DEFAULT '',
  before TEXT NOT NULL DEFAULT '', after TEXT NOT NULL DEFAULT '', file TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX change_project ON change (project_id, created_at);
CREATE TABLE service (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL DEFAULT '[]',
  deleted_at TEXT NOT NULL DEFAULT '', restored_at TEXT NOT NULL DEFAULT '',
  url TEXT NOT NULL DEFAULT '', about TEXT NOT NULL DEFAULT ''
);
CREATE INDEX service_project ON service (project_id, created_at);
CREATE TABLE session (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL DEFAULT '[]',
  deleted_at TEXT NOT NULL DEFAULT '', restored_at TEXT NOT NULL DEFAULT '',
  started TEXT NOT NULL DEFAULT '', ended TEXT NOT NULL DEFAULT '', assistant TEXT NOT NULL DEFAULT '', file TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX session_project ON session (project_id, created_at);
CREATE TABLE handoff (
  rowno INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT, title TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'open', tags TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT 'person', worktree TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', "commit" TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '[]', valid_while TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL DEFAULT '[]',
  deleted_at TEXT NOT NULL DEFAULT '', restored_at TEXT NOT NULL DEFAULT '',
  previous TEXT NOT NULL DEFAULT '', template TEXT NOT NULL DEFAULT '', records TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX handoff_project ON handoff (project_id, created_at);
CREATE VIRTUAL TABLE search USING fts5 (
  id UNINDEXED, kind UNINDEXED, project_id UNINDEXED, title, body, tokenize = 'porter unicode61', prefix = '2 3 4'
);
CREATE TRIGGER note_added AFTER INSERT ON note BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 1, new.id, 'note', new.project_id, new.title,
      new.body || ' ' || new.tags);
END;
CREATE TRIGGER note_changed AFTER UPDATE OF title, body, tags ON note BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 1;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 1, new.id, 'note', new.project_id, new.title,
      new.body || ' ' || new.tags);
END;
CREATE TRIGGER decision_added AFTER INSERT ON decision BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 2, new.id, 'decision', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.why || ' ' || new.context || ' ' || new.alternative || ' ' || new.implication || ' ' || new.supersedes);
END;
CREATE TRIGGER decision_changed AFTER UPDATE OF title, body, tags, why, context, alternative, implication, supersedes ON decision BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 2;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 2, new.id, 'decision', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.why || ' ' || new.context || ' ' || new.alternative || ' ' || new.implication || ' ' || new.supersedes);
END;
CREATE TRIGGER hypothesis_added AFTER INSERT ON hypothesis BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 3, new.id, 'hypothesis', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.predict || ' ' || new.run || ' ' || new.study || ' ' || new.experiment || ' ' || new.verdict || ' ' || new.verdict_reason);
END;
CREATE TRIGGER hypothesis_changed AFTER UPDATE OF title, body, tags, predict, run, study, experiment, verdict, verdict_reason ON hypothesis BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 3;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 3, new.id, 'hypothesis', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.predict || ' ' || new.run || ' ' || new.study || ' ' || new.experiment || ' ' || new.verdict || ' ' || new.verdict_reason);
END;
CREATE TRIGGER bug_added AFTER INSERT ON bug BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 4, new.id, 'bug', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.cause || ' ' || new.fix || ' ' || new.follow_up || ' ' || new.before || ' ' || new.after || ' ' || new.file);
END;
CREATE TRIGGER bug_changed AFTER UPDATE OF title, body, tags, cause, fix, follow_up, before, after, file ON bug BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 4;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 4, new.id, 'bug', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.cause || ' ' || new.fix || ' ' || new.follow_up || ' ' || new.before || ' ' || new.after || ' ' || new.file);
END;
CREATE TRIGGER task_added AFTER INSERT ON task BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 5, new.id, 'task', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.after || ' ' || new.parent || ' ' || new.horizon || ' ' || new.phase);
END;
CREATE TRIGGER task_changed AFTER UPDATE OF title, body, tags, after, parent, horizon, phase ON task BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 5;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 5, new.id, 'task', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.after || ' ' || new.parent || ' ' || new.horizon || ' ' || new.phase);
END;
CREATE TRIGGER insight_added AFTER INSERT ON insight BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 6, new.id, 'insight', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.component || ' ' || new.phase);
END;
CREATE TRIGGER insight_changed AFTER UPDATE OF title, body, tags, component, phase ON insight BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 6;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 6, new.id, 'insight', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.component || ' ' || new.phase);
END;
CREATE TRIGGER preference_added AFTER INSERT ON preference BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 7, new.id, 'preference', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.about);
END;
CREATE TRIGGER preference_changed AFTER UPDATE OF title, body, tags, about ON preference BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 7;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 7, new.id, 'preference', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.about);
END;
CREATE TRIGGER phase_added AFTER INSERT ON phase BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 8, new.id, 'phase', new.project_id, new.title,
      new.body || ' ' || new.tags);
END;
CREATE TRIGGER phase_changed AFTER UPDATE OF title, body, tags ON phase BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 8;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 8, new.id, 'phase', new.project_id, new.title,
      new.body || ' ' || new.tags);
END;
CREATE TRIGGER machine_added AFTER INSERT ON machine BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 9, new.id, 'machine', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.gpu || ' ' || new.driver || ' ' || new.provider || ' ' || new.memory);
END;
CREATE TRIGGER machine_changed AFTER UPDATE OF title, body, tags, gpu, driver, provider, memory ON machine BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 9;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 9, new.id, 'machine', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.gpu || ' ' || new.driver || ' ' || new.provider || ' ' || new.memory);
END;
CREATE TRIGGER command_added AFTER INSERT ON command BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 10, new.id, 'command', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.about);
END;
CREATE TRIGGER command_changed AFTER UPDATE OF title, body, tags, about ON command BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 10;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 10, new.id, 'command', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.about);
END;
CREATE TRIGGER style_added AFTER INSERT ON style BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 11, new.id, 'style', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.about);
END;
CREATE TRIGGER style_changed AFTER UPDATE OF title, body, tags, about ON style BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 11;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 11, new.id, 'style', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.about);
END;
CREATE TRIGGER document_added AFTER INSERT ON document BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 12, new.id, 'document', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.path);
END;
CREATE TRIGGER document_changed AFTER UPDATE OF title, body, tags, path ON document BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 12;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 12, new.id, 'document', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.path);
END;
CREATE TRIGGER assessment_added AFTER INSERT ON assessment BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 13, new.id, 'assessment', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.component || ' ' || new.phase);
END;
CREATE TRIGGER assessment_changed AFTER UPDATE OF title, body, tags, component, phase ON assessment BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 13;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 13, new.id, 'assessment', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.component || ' ' || new.phase);
END;
CREATE TRIGGER lesson_added AFTER INSERT ON lesson BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 14, new.id, 'lesson', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.phase);
END;
CREATE TRIGGER lesson_changed AFTER UPDATE OF title, body, tags, phase ON lesson BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 14;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 14, new.id, 'lesson', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.phase);
END;
CREATE TRIGGER challenge_added AFTER INSERT ON challenge BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 15, new.id, 'challenge', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.phase);
END;
CREATE TRIGGER challenge_changed AFTER UPDATE OF title, body, tags, phase ON challenge BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 15;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 15, new.id, 'challenge', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.phase);
END;
CREATE TRIGGER goal_added AFTER INSERT ON goal BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 16, new.id, 'goal', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.horizon);
END;
CREATE TRIGGER goal_changed AFTER UPDATE OF title, body, tags, horizon ON goal BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 16;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 16, new.id, 'goal', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.horizon);
END;
CREATE TRIGGER test_added AFTER INSERT ON test BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 17, new.id, 'test', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.command || ' ' || new.failing);
END;
CREATE TRIGGER test_changed AFTER UPDATE OF title, body, tags, command, failing ON test BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 17;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 17, new.id, 'test', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.command || ' ' || new.failing);
END;
CREATE TRIGGER data_added AFTER INSERT ON data BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 18, new.id, 'data', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.path || ' ' || new.stage);
END;
CREATE TRIGGER data_changed AFTER UPDATE OF title, body, tags, path, stage ON data BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 18;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 18, new.id, 'data', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.path || ' ' || new.stage);
END;
CREATE TRIGGER experiment_added AFTER INSERT ON experiment BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 19, new.id, 'experiment', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.metric || ' ' || new.params || ' ' || new.run);
END;
CREATE TRIGGER experiment_changed AFTER UPDATE OF title, body, tags, metric, params, run ON experiment BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 19;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 19, new.id, 'experiment', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.metric || ' ' || new.params || ' ' || new.run);
END;
CREATE TRIGGER change_added AFTER INSERT ON change BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 20, new.id, 'change', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.before || ' ' || new.after || ' ' || new.file);
END;
CREATE TRIGGER change_changed AFTER UPDATE OF title, body, tags, before, after, file ON change BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 20;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 20, new.id, 'change', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.before || ' ' || new.after || ' ' || new.file);
END;
CREATE TRIGGER service_added AFTER INSERT ON service BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 21, new.id, 'service', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.url || ' ' || new.about);
END;
CREATE TRIGGER service_changed AFTER UPDATE OF title, body, tags, url, about ON service BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 21;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 21, new.id, 'service', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.url || ' ' || new.about);
END;
CREATE TRIGGER session_added AFTER INSERT ON session BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 22, new.id, 'session', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.started || ' ' || new.ended || ' ' || new.assistant || ' ' || new.file);
END;
CREATE TRIGGER session_changed AFTER UPDATE OF title, body, tags, started, ended, assistant, file ON session BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 22;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 22, new.id, 'session', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.started || ' ' || new.ended || ' ' || new.assistant || ' ' || new.file);
END;
CREATE TRIGGER handoff_added AFTER INSERT ON handoff BEGIN
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 23, new.id, 'handoff', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.template);
END;
CREATE TRIGGER handoff_changed AFTER UPDATE OF title, body, tags, template ON handoff BEGIN
  DELETE FROM search WHERE rowid = old.rowno * 64 + 23;
  INSERT INTO search (rowid, id, kind, project_id, title, body)
    VALUES (new.rowno * 64 + 23, new.id, 'handoff', new.project_id, new.title,
      new.body || ' ' || new.tags || ' ' || new.template);
END;
INSERT INTO search (rowid, id, kind, project_id, title, body)
  SELECT rowno * 64 + 1, id, 'note', project_id, title,
    body || ' ' || tags FROM note;
INSERT INTO search (rowid, id, kind, project_id, title, body)
  SELECT rowno * 64 + 2, id, 'decision', project_id, title,
    body || ' ' || tags || ' ' || why || ' ' || context || ' ' || alternative || ' ' || implication || ' ' || supersedes FROM decision;
INSERT INTO search (rowid, id, kind, project_id, title, body)
  SELECT rowno * 64 + 3, id, 'hypothesis', project_id, title,
    body || ' ' || tags || ' ' || predict || ' ' || run || ' ' || study || ' ' || experiment || ' ' || verdict || ' ' || verdict_reason FROM hypothesis;
INSERT INTO search (rowid, id, kind, project_id, title, body)
  SELECT rowno * 64 + 4, id, 'bug', project_id, title,
    body || ' ' || tags || ' ' || cause || ' ' || fix || ' ' || follow_up || ' ' || before || ' ' || after || ' ' || file FROM bug;
INSERT INTO search (rowid, id, kind, project_id, title, body)
  SELECT rowno * 64 + 5, id, 'task', project_id, title,
    body || ' ' || tags || ' ' || after || ' ' || parent || ' ' || horizon || ' ' || phase FROM task;
CREATE TABLE imported (  -- what a file of notes said when it was last read: an edit is told from what a person changed here
  project_id TEXT NOT NULL, root TEXT NOT NULL, file TEXT NOT NULL, key TEXT NOT NULL, record_id TEXT NOT NULL,
  kind TEXT NOT NULL, fields TEXT NOT NULL, seen TEXT NOT NULL DEFAULT '',  -- the record's status then, for a plan's boxes
  PRIMARY KEY (project_id, root, file, key)
);
CREATE TABLE imported_file (  -- each worktree has its own: what one says is no edit of what another says
  project_id TEXT NOT NULL, root TEXT NOT NULL, file TEXT NOT NULL, digest TEXT NOT NULL, read_at TEXT NOT NULL,
  PRIMARY KEY (project_id, root, file)
);
