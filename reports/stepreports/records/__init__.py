"""The records of a run as they are stored: read, checked once, and written whole. Imports nothing of the other rooms."""
