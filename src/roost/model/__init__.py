"""What things are: frozen values, names and refusals. Knows nothing of storage, HTTP or time's passing."""
