"""What the numbers of a run can bear: medians, ratios and their intervals, verdicts, views. Imports records."""
