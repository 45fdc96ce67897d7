"""Inside a row's own process. Importing this loads nothing: affinity comes before any library's threads."""
