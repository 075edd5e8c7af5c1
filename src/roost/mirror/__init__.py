"""Keeps a search's snapshot of the cloud in memory, in step with the store."""
