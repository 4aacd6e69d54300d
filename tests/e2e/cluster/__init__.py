"""A whole local cluster, as its users meet it."""
