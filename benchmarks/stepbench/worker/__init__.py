"""Inside a row's own process: its turnstile, its clock, and what is done with a case. Imports machine and cases.

Importing this loads nothing: affinity comes before any library's threads.
"""
