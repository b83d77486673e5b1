CREATE TABLE maintenance (  -- each time a job of the schedule ran: why, how it ended, what it freed
  id TEXT PRIMARY KEY, job TEXT NOT NULL, cause TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'running',
  started_at TEXT NOT NULL, ended_at TEXT, summary TEXT NOT NULL DEFAULT '', details TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX maintenance_job ON maintenance (job, started_at);
