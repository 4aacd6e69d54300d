"""Tests of docs/: what is generated is fresh, what is written by hand is true."""
