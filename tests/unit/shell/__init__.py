"""Tests of the shell scripts in scripts/, with programs of our own where they call others."""
