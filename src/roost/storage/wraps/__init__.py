"""Stores around stores: each adds one thing and passes the rest on. They know the port alone."""
