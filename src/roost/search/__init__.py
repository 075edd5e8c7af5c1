"""What would fit: snapshot, query, candidates. Pure: no I/O, clock or chance that is not passed in."""
