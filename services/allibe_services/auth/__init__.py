"""Who a token speaks for, until when, with which scopes: JSON Web Tokens (RFC 7519, RFC 8725).

claims    what a token says, as an identity
keys      the algorithms, keys that fit them, and where keys come from
jwks, jwks_keys, jwks_fetch
          a published key set: what is in it, kept fresh, fetched
revoked   users and tokens that are refused before their time
verifier  tokens in, identities out
signer    tokens for the command line and the demo
admission all of these, with tickets
"""

from allibe_services.auth.claims import NAME_LENGTH
from allibe_services.auth.keys import ALGORITHMS, read_key
from allibe_services.auth.signer import TokenSigner
from allibe_services.auth.verifier import TOKEN_BYTES, TokenVerifier, bare
from allibe_services.contracts.identity import Identity

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
