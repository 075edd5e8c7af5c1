"""What an operator sees of a running server: metrics and traces. Those it listens to know nothing of it."""
