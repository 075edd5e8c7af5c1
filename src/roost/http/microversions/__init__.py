"""The forty microversions: told once in `history`, asked for elsewhere by the name of a change."""
