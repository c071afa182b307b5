"""A stand-in for Redmine 5.0 that speaks its REST API, for tests, the demo and benchmarks."""
