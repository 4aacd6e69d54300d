"""Tests of rooms-api, one file per module."""
