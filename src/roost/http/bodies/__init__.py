"""Requests' bodies: their JSON Schemas, their fast shapes, and how the two are held together."""
