"""Whose code is shipped, and how it is held to what was looked at."""
