"""What the project holds itself to, measured: the marks, the optima, the harness's test of itself. Imports any room."""
