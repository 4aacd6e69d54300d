"""What every Allibe service stands on: contracts, bus, store, presence, identity, settings."""

__version__ = "0.1.0"
