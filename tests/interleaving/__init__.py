"""Every ordering of the statements of two transactions, on real databases, for the pairs that matter.

Two stores, as two processes would have, each carry out one command of a pair. Before each statement, and before it
commits or rolls back, a transaction stops until it is let go on, so that one place decides who is next. Who waits for
the other's lock is learnt from the database itself. The choices are searched depth first; each path is played anew
from the same books, and must end in what one of the two would have come to if they had met one after the other. All
is played twice: by stores that have only just begun, and by stores that remember which tree each provider is in.

How all orderings are covered by few. Two statements that stand next to each other, one of each transaction, commute
if neither ends a transaction, not both have to wait for the other, and either one of them is a plain read (at READ
COMMITTED it sees only what is committed, takes no lock and waits for none) or they name no table in common, those
included that foreign keys bind to theirs. Orderings that differ by such exchanges alone have the same end, and one of
them is played (sleep sets, as known from partial-order reduction). Nothing else is left out, and no number of
switches is too many. `test_search.py` holds the search against all orderings of a database played in memory.

`ROOST_INTERLEAVING=2` plays, instead, every ordering with at most two switches by choice, whatever commutes: it takes
some four times as long, and it checks the rule itself. `ROOST_INTERLEAVING=all` plays each literally: from seconds to
minutes for most pairs, far longer for those whose first claims meet on two hosts.
"""
