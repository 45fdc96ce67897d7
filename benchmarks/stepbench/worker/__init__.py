"""What runs in a row's own process. Importing this loads nothing, so that affinity is set before any library starts threads."""
