"""A run: its plan, its participants, generations and turns, its journal and its records. Imports worker, machine, cases."""
