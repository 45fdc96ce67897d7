"""The techniques, a file each. They import neither one another nor the catalogue."""
