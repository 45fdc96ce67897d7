"""A run that somebody else made, to be published: packed, and checked against itself. Imports statistics and below."""
