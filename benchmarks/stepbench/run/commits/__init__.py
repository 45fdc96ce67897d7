"""Versions of code out of a git repository: asked for by name, kept outside of it, and asked what rows they have."""
