-- Streams of several files and formats, and points sealed into compressed columns.
-- `source` of series, attempt, block and prediction is a stream: one file, or several that go on from each other.
ALTER TABLE reading ADD COLUMN stream TEXT NOT NULL DEFAULT '';
ALTER TABLE reading ADD COLUMN format TEXT NOT NULL DEFAULT '';
ALTER TABLE reading ADD COLUMN label TEXT NOT NULL DEFAULT '';   -- goes before the names of its series
ALTER TABLE reading ADD COLUMN state TEXT NOT NULL DEFAULT '{}'; -- of the format's parser
ALTER TABLE reading ADD COLUMN told TEXT NOT NULL DEFAULT '{}';  -- what the file says of its run
ALTER TABLE reading ADD COLUMN chain TEXT NOT NULL DEFAULT '[]';  -- fingerprint of its rows, for files that are rewritten whole
ALTER TABLE reading ADD COLUMN replay TEXT NOT NULL DEFAULT '[]'; -- what a rewritten file has to repeat before it is new
UPDATE reading SET stream = source, format = CASE source WHEN 'predictions.jsonl' THEN 'predictions' ELSE 'jsonl' END;
ALTER TABLE series ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;   -- of the same name in several streams the lowest is meant
ALTER TABLE series ADD COLUMN newest_seq INTEGER;                -- the last point written, abandoned or not
ALTER TABLE series ADD COLUMN newest_step INTEGER;
UPDATE series SET newest_seq = (SELECT max(seq) FROM point WHERE series_id = series.id);
UPDATE series SET newest_step = (SELECT step FROM point WHERE series_id = series.id AND seq = series.newest_seq);
ALTER TABLE reading ADD COLUMN device INTEGER NOT NULL DEFAULT 0; -- hints to a renamed file; they prove nothing
ALTER TABLE reading ADD COLUMN inode INTEGER NOT NULL DEFAULT 0;
CREATE TABLE block (  -- rows of one stream that name the same series: what their columns share, then the columns one after another
  id INTEGER PRIMARY KEY, seqs BLOB NOT NULL, steps BLOB NOT NULL, buckets BLOB NOT NULL, times BLOB NOT NULL, data BLOB NOT NULL
);
CREATE TABLE chunk (  -- one column of a block, with the numbers that make opening it needless most of the time
  id INTEGER PRIMARY KEY, series_id INTEGER NOT NULL, block_id INTEGER NOT NULL, attempt INTEGER NOT NULL,
  first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, first_step INTEGER NOT NULL, last_step INTEGER NOT NULL,
  points INTEGER NOT NULL, kept INTEGER NOT NULL, nonfinite INTEGER NOT NULL, nonfinite_step INTEGER, total REAL NOT NULL,
  first_time REAL, last_time REAL, first REAL, last REAL, min REAL, min_step INTEGER, min_time REAL, max REAL, max_step INTEGER, max_time REAL,
  data_id INTEGER NOT NULL,  -- the block in which its bytes lie: its own, or one that goes on from it where there are many columns
  at INTEGER NOT NULL, size INTEGER NOT NULL, buckets_at INTEGER NOT NULL, buckets_size INTEGER NOT NULL
);
CREATE INDEX chunk_series ON chunk (series_id, first_seq);
CREATE INDEX chunk_block ON chunk (block_id);
