"""Benchmarks: the promises about speed and memory, measured. Run `python -m tests.benchmarks`."""
