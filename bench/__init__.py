"""The benchmarks: each file is a program that measures its own baseline; names that start with _ are helpers."""
