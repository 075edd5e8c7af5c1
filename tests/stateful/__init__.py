"""Random sequences of requests, with everything that must hold checked after each of them."""
