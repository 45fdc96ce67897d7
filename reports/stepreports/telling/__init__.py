"""A run in words, sentences and tables. Imports statistics and records."""
