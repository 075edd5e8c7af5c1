"""Roost: a server for the OpenStack Placement API."""
