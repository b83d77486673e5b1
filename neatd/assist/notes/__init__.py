"""Notes people already have, read into records: text in, values out."""
