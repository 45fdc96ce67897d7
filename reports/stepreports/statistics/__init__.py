"""What follows from the numbers of a run: medians, ratios, their intervals, verdicts, views. Imports records."""
