"""Tests of what deploy/ does by itself, without servers."""
