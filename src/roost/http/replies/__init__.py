"""What replies hold, for the description of the API. The views make them; a test holds the two together."""
