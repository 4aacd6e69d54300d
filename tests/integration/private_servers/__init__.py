"""Tests of deploy/cluster/servers on the real programs, and of the fixtures over it."""
