"""Where the books are kept: the port, and the stores behind it."""
