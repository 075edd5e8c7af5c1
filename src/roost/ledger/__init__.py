"""What may change: `settle` turns a world and a command into a delta, or refuses. Pure: no I/O, clock or chance."""
