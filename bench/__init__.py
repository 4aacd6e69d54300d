"""The benchmark: `python -m bench --help`, or `make bench`.

load/ is the load generator (C); build compiles it, server and cluster run what is measured,
scenarios and distributed say what is measured, report writes it down, run ties them together.
"""
