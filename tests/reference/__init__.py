"""Naive models of what Roost computes, written apart from the code that they judge.

Nothing here imports `roost.search`'s engine or `roost.ledger`'s rules; both are judged by models that are as plain
as they can be, and that know only the value types. `test_oracle_equals_peer.py` holds the oracle of the search
to openstack-placement itself, so that the judge is judged too.
"""
