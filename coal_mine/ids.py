"""The only place that draws random names."""

from __future__ import annotations

import random
import secrets
import string
import uuid

from coal_mine.domain.reserved import FIRST_SEGMENTS


class RandomIds:
    """Ids of canaries and keys cannot be guessed: they come from the system's cryptographic source. All others need only differ."""

    def __init__(self) -> None:
        # Seeded by the system. To ask it for each nonce would cost every trigger a system call, during which other threads run.
        self._nonces = random.Random()  # noqa: S311

    def canary_id(self) -> str:
        while True:
            name = "".join(secrets.choice(string.ascii_lowercase) for _ in range(8))
            if name not in FIRST_SEGMENTS:
                return name

    def job_id(self) -> str:
        letters = string.ascii_lowercase
        return self._nonces.choice(letters) + "".join(self._nonces.choices(letters + string.digits, k=11))

    def key(self) -> str:
        return secrets.token_urlsafe(32)

    def nonce(self) -> str:
        return f"{self._nonces.getrandbits(48):012x}"

    def uuid(self) -> str:
        return str(uuid.uuid4())
