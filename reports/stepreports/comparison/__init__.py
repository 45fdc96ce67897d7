"""Several runs side by side, and the gate between two. Imports `render`, the page and below."""
