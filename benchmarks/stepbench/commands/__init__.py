"""The commands, by what they are about; `stepbench.cli` puts them together."""
