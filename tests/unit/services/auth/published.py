"""Keys as an issuer publishes them, and tokens that name them."""

import json
import time
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from tests.unit.services.keys import Pair, pair


def entry(algorithm: str = "ES256", *, of: Pair | None = None, **fields: object) -> dict[str, Any]:
    """Return a public key as an entry of a key set; None drops a field."""
    public: Any = load_pem_public_key((of or pair(algorithm)).public.encode())
    name = {"P-384": "ES384", "RSA-1024": "RS256"}.get(algorithm, algorithm)
    made = dict(jwt.get_algorithm_by_name(name).to_jwk(public, as_dict=True))
    made.pop("key_ops", None)
    told = made | {"use": "sig", "alg": algorithm} | fields
    return {name: value for name, value in told.items() if value is not None}


def document(*entries: object) -> bytes:
    """Return a key set."""
    return msgspec.json.encode({"keys": entries})


def signed(
    kid: str | None = None,
    *,
    algorithm: str = "ES256",
    by: Pair | None = None,
    header: dict[str, Any] | None = None,
    **claims: object,
) -> str:
    """Return alice's token, whose header names a key."""
    key: Any = load_pem_private_key((by or pair(algorithm)).private.encode(), None)
    told = (header or {}) | ({} if kid is None else {"kid": kid})
    body = {"sub": "alice", "exp": time.time() + 600} | claims
    return jwt.encode(body, key, algorithm, headers=json.loads(json.dumps(told)))
