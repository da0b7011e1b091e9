"""Benchmarks: figures measured side by side in one run, as ratios where two things are compared."""
