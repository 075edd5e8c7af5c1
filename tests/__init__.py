"""Roost's tests: README.md tells which folder holds what."""
