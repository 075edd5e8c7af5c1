"""Who is asking (`strategies`, `context`) and what they may do (`rules`, `policy`). Fails closed."""
