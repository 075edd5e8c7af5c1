"""Every ordering of the statements of two transactions, on real databases, for the pairs that matter.

Two stores, as two processes would have, each carry out one command of a pair. Before each statement, and before it
commits or rolls back, a transaction stops until it is let go on, so that one place decides who is next. Who waits for
the other's lock is learnt from the database itself. The choices are searched depth first; each path is played anew
from the same books, and must end in what one of the two would have come to if they had met one after the other.

How all orderings are covered by few. Two statements that stand next to each other, one of each transaction, commute
if neither ends a transaction and either one of them is a plain read (at READ COMMITTED it sees only what is
committed, and neither takes a lock nor waits for one) or they name no table in common, those included that foreign
keys bind to theirs. Orderings that differ by such exchanges alone have the same end, and only one of them is played
(sleep sets, as known from partial-order reduction). A statement that had to wait is taken to commute with plain reads
alone: who waits first decides whom a deadlock takes. Nothing else is left out, and no number of switches is too many.

`ROOST_INTERLEAVING=all` plays them all literally, which takes hours; `ROOST_INTERLEAVING=2` those with at most two
switches by choice, whether or not they commute: a check of the rule itself, in minutes.
"""
