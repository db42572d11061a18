"""A stand-in for WeChat Pay's transfer API on loopback: real signatures, real states, faults on demand.

`python -m dev.rail_simulator --port P --state-dir DIR`. The local stack, the demo and the rail's tests speak to it; it
is never deployed and never calls out of the machine. Its crypto is its own on purpose: sharing the adapter's would let
one mistake hide on both sides.
"""
