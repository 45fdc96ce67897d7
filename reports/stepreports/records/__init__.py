"""A run as it is stored: read, checked once, and written whole. Imports no other room."""
