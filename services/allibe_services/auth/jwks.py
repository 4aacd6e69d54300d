"""A JSON Web Key Set (RFC 7517): the keys in it that may verify tokens of one algorithm.

What else an issuer publishes there (keys for other algorithms, for encryption, of kinds not known
yet) is left out, and so is what must not be there: secrets and private keys.
"""

from collections.abc import Iterable
from typing import Any

import jwt
import msgspec

from allibe_services.auth.keys import PublicKey, fits, key_kinds
from allibe_services.contracts.errors import TokenInvalid

MOST_KEYS = 100
"""Keys that are looked at: issuers publish two or three."""

_NAMES: dict[str, tuple[str, str | None, tuple[str, ...]]] = {
    "RS256": ("RSA", None, ("RS256",)),
    "ES256": ("EC", "P-256", ("ES256",)),
    "EdDSA": ("OKP", "Ed25519", ("EdDSA", "Ed25519")),  # the latter by RFC 9864
}
"""What `kty`, `crv` and, where it is there, `alg` must be."""


class KeySet:
    """The keys that fit."""

    def __init__(self, keys: Iterable[tuple[str | None, PublicKey]] = ()) -> None:
        found = list(keys)
        self._by_id: dict[str, PublicKey] = {}
        for key_id, key in found:
            if key_id is not None:
                self._by_id.setdefault(key_id, key)
        self._only = found[0][1] if len(found) == 1 else None
        self.count = len(found)

    @property
    def ids(self) -> set[str]:
        """The names of the keys that have one."""
        return set(self._by_id)

    def find(self, key_id: str | None) -> PublicKey | None:
        """Return the key of this name, None where there is none.

        Without a name it is the only key. Raises `TokenInvalid` where there are several: to try
        one after the other would be to let the token choose.
        """
        if key_id is not None:
            return self._by_id.get(key_id)
        if self.count > 1:
            raise TokenInvalid
        return self._only


def key_set(body: bytes, algorithm: str) -> KeySet:
    """Return the keys for the algorithm. Raises `ValueError` when there are none."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("it is not JSON") from None
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("it is no JSON Web Key Set")
    found = [
        (entry.get("kid"), key)
        for entry in entries[:MOST_KEYS]
        if isinstance(entry, dict) and (key := _key(entry, algorithm)) is not None
    ]
    if not found:
        raise ValueError(f"it has no key for {algorithm}")
    return KeySet(found)


def _key(entry: dict[str, Any], algorithm: str) -> PublicKey | None:
    if not _is_meant(entry, algorithm):
        return None
    try:
        key: Any = jwt.get_algorithm_by_name(algorithm).from_jwk(entry)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        return None
    _, kind = key_kinds(algorithm)
    return key if isinstance(key, kind) and fits(algorithm, key) else None


def _is_meant(entry: dict[str, Any], algorithm: str) -> bool:
    """Tell whether the key says of itself that it verifies this algorithm's signatures."""
    kind, curve, names = _NAMES[algorithm]
    operations = entry.get("key_ops")
    return (
        entry.get("kty") == kind
        and (curve is None or entry.get("crv") == curve)
        and entry.get("alg", names[0]) in names
        and entry.get("use", "sig") == "sig"
        and (operations is None or (isinstance(operations, list) and "verify" in operations))
        and isinstance(entry.get("kid"), str | None)
        and "d" not in entry  # private: whoever can read this address can sign
    )
