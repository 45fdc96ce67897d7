"""A run: plan, participants, generations and turns, journal, records. Imports worker, machine and cases."""
