"""A run in figures: functions from records to matplotlib's, without global state. Imports telling and below."""
