-- Chunks tell whether their steps rise, and which value was not finite. Of those sealed before, neither is known: they are
-- opened at any resolution.
ALTER TABLE chunk ADD COLUMN is_rising INTEGER NOT NULL DEFAULT 0; -- no step is below the one before it
ALTER TABLE chunk ADD COLUMN nonfinite_value REAL;                 -- of the first that is not finite
ALTER TABLE chunk ADD COLUMN nonfinite_time REAL;
