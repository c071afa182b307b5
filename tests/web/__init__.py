"""Tests of connector/web."""
