"""Which shards each worker consumes: whoever sees the same workers computes the same.

Rendezvous hashing with a bound. Each shard ranks the workers by a hash and asks them in that order,
all shards their first choice before any its second. A worker takes those that rank it highest by
hash, while it has room for more.
"""

from collections.abc import Collection
from hashlib import blake2b


def shared(workers: Collection[str], shards: int) -> dict[str, set[int]]:
    """Return the shards of each worker: every shard once, no worker two more than another.

    When a worker joins or leaves, only those shards move whose first choice it is, and those that
    do not get their first choice before or after: with 16 shards one or two more than must.
    """
    shares: dict[str, set[int]] = {worker: set() for worker in sorted(workers)}
    least, one_more = divmod(shards, len(shares))
    scores = {shard: {one: _score(one, shard) for one in shares} for shard in range(shards)}
    choices = {
        shard: sorted(shares, key=scores[shard].__getitem__, reverse=True) for shard in scores
    }
    waiting = set(scores)
    for rank in range(len(shares)):
        asking = [(scores[shard][choices[shard][rank]], shard) for shard in waiting]
        for _, shard in sorted(asking, reverse=True):
            share = shares[choices[shard][rank]]
            if len(share) < least or (len(share) == least and one_more):
                one_more -= len(share) == least
                share.add(shard)
                waiting.remove(shard)
    return shares


def _score(worker: str, shard: int) -> bytes:
    # Not `hash`: it differs from process to process.
    return blake2b(f"{shard} {worker}".encode(), digest_size=8).digest()
