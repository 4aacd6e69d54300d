"""The benchmark: `python -m bench --help`, or `make bench`.

load/ is the load generator (C); build compiles it, server and cluster run what is measured,
scenarios and distributed say what is measured against our targets, report writes it down.

peers/ are the systems that are compared, work is what they are given, comparison gives it to them;
figures, verdicts, svg and comparison_report make tables and plots of it. run ties all together.
"""
