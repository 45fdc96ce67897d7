"""CUDA code itself: compiled without a GPU, or under compute-sanitizer on one. Imports the schedule and below."""
