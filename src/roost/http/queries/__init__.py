"""Query strings: their form by version, and what their values mean."""
