"""Other libraries that train the same model, beside ours: each to an equal gradient, and what it does on the way."""
