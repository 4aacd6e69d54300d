"""Tokens for the tests of `auth`, right and wrong ones, and what refusing them must look like."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from allibe_services.auth import TokenVerifier
from allibe_services.contracts.errors import TokenInvalid
from tests.unit.services.keys import SECRET

PAIRS = ("RS256", "ES256", "EdDSA")
verifier = TokenVerifier("HS256", SECRET)


def claims(**changes: object) -> dict[str, object]:
    """Return good claims with changes; None leaves one out."""
    good: dict[str, object] = {"sub": "alice", "exp": int(time.time()) + 600}
    return {name: value for name, value in (good | changes).items() if value is not None}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw(payload: bytes | dict[str, Any], header: object = None, key: str = SECRET) -> str:
    """Sign anything at all with HMAC-SHA256: what no library would encode."""
    header = {"alg": "HS256", "typ": "JWT"} if header is None else header
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signed = f"{b64(json.dumps(header).encode())}.{b64(text)}"
    signature = hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{b64(signature)}"


def refused(token: str, by: TokenVerifier = verifier) -> None:
    """Check that the token is invalid, which says neither why nor what it held."""
    with pytest.raises(TokenInvalid) as caught:
        by.verify(token)
    assert token not in str(caught.value) or not token
    assert caught.value.__cause__ is None
