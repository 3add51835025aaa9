"""How tokens and secrets are kept: as digests, which tell nothing of them."""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest


def digest_of(secret: str) -> str:
    """The digest of a token or secret; these are long and random, so no salt is needed."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_secret(given: str, digest: str) -> bool:
    """Whether this is the secret with that digest, in a time that tells nothing of it."""
    return compare_digest(digest_of(given), digest)
