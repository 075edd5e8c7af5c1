"""Roost and the peer, side by side in one run: the same requests, the same databases, the same machine.

    make bench                                         # all of it, on SQLite; docs/speed.md is written again
    make bench DATABASES=mariadb SCENARIOS="search-flat search-wide" SIZE=0.1  # a look
    python -m bench --jobs claims --database postgresql --seconds 10

Figures are of this machine at this moment; what counts is their ratio.
"""
