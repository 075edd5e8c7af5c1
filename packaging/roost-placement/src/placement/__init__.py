"""Roost under Placement's names. Holds nothing but the names."""
