"""Several runs side by side, and the gate between two. Imports the page and below."""
