"""The description of the API, made from the tables that serve requests."""
