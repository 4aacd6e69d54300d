"""The benchmark: `python -m bench --help`, or `make bench`.

load/ is the load generator (C); build compiles it, server runs what is measured, scenarios say
what is measured, report writes it down, run ties them together.
"""
