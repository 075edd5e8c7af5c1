"""Send the same random requests to the judged application and to openstack-placement.

Each of the two runs in a process of its own, on a SQLite file of its own, and each sequence begins
on an empty database. Any difference in status, headers that clients read, error or body is found,
unless `intended.py` names it.

    python -m tests.peer.differential                                 a few sequences
    python -m tests.peer.differential --sequences 500 --length 30 --seed 7
    python -m tests.peer.differential --seed 7 --only 231             one of them again
    python -m tests.peer.differential --replay difference.json        requests out of a file, or `-`
    python -m tests.peer.differential --judged peer                   the peer against itself

At the first difference it drops requests one after another while the difference stays, and prints
what is left in a form for `--replay`. A number of a sequence and a seed always make the same
requests as long as the answers are the same.

    request.py    what a request is; generations are named in it and looked up when it is sent
    names.py      the small pool of names
    knowledge.py  what a sequence has made so far, as far as the generator needs it
    dice.py       a seeded source of choices
    generator.py, writes.py, reads.py, candidates.py, mistakes.py    what is asked
    worker.py, duel.py      the two processes, and how to ask them
    compare.py, intended.py what must be equal, and where Roost differs on purpose
    play.py, shrink.py      one sequence, and how it gets shorter
"""
