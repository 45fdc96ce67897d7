"""Commits of a git repository as versions: asked for by name, kept outside of it, and asked what rows they have."""
