"""CUDA code itself: compiled without a GPU, under compute-sanitizer on one, and a device waited for. Imports the schedule."""
