"""This machine: threads, environment, children, simulators, and the limits it was measured to have."""
