"""What a person types, a file a command, with its screens; `stepbench.cli` puts them together. Imports any room."""
