"""The techniques, a file or a folder each. They import neither one another nor the catalogue."""
