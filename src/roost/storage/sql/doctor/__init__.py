"""Examines a database row by row, beneath what the store's own reads would show, and mends what can be mended."""
