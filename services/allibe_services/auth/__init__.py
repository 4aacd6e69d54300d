"""Who a token speaks for, until when, with which scopes: JSON Web Tokens (RFC 7519, RFC 8725).

claims    what a token says, as an identity
keys      the algorithms, and keys that fit them
verifier  tokens in, identities out
signer    tokens for the command line and the demo
"""

from allibe_services.auth.claims import NAME_LENGTH, Identity
from allibe_services.auth.keys import ALGORITHMS, read_key
from allibe_services.auth.signer import TokenSigner
from allibe_services.auth.verifier import TOKEN_BYTES, TokenVerifier, bare

__all__ = [
    "ALGORITHMS",
    "NAME_LENGTH",
    "TOKEN_BYTES",
    "Identity",
    "TokenSigner",
    "TokenVerifier",
    "bare",
    "read_key",
]
