"""The only place that draws random names."""

from __future__ import annotations

import secrets
import string

# The first word of a path that is no canary. Only words of eight small letters could collide with an id.
RESERVED = frozenset({"auditlog"})


class RandomIds:
    """Names from the system's cryptographic source."""

    def canary_id(self) -> str:
        while True:
            name = "".join(secrets.choice(string.ascii_lowercase) for _ in range(8))
            if name not in RESERVED:
                return name

    def nonce(self) -> str:
        return secrets.token_hex(6)
