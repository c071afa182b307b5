"""Tests of connector/storage."""
