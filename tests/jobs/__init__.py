"""Tests of connector/jobs."""
