"""Which shards this worker consumes. One worker alone consumes all of them.

Sharing them over several workers (rendezvous hashing, DESIGN §1.2) goes behind this function.
"""


def shards_of_worker(shards: int) -> list[int]:
    """Return the shards that this worker consumes, of so many."""
    return list(range(shards))
