"""Roost and the peer, side by side in one run: the same requests, the same databases, the same machine.

And the databases alone, for what no server could exceed.

    make bench                          # all of it, on the databases that the environment names
    python -m bench claims --database postgresql --seconds 10

Figures are of this machine at this moment; what counts is their ratio.
"""
