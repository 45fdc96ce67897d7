"""The lesson's cells: programs that a reader can run as they stand. The page shows each with what it printed."""
