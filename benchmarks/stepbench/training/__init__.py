"""A classifier from the command line: data in; a model file, its score and its curves out. Imports `run` and below."""
