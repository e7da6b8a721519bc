"""The key in the form of a bcrypt hash of it, which Minion's later clients send.

To check one takes long on purpose, and anybody may send some. So the latest that were right are remembered, costly ones are refused, and
only one is worked out at a time.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable

import bcrypt

from coal_mine.domain.errors import Busy

# Up to a cost of 12, a quarter of a second or so.
_HASH = re.compile(r"\$2[aby]\$(0[4-9]|1[0-2])\$[./A-Za-z0-9]{53}")
_WAIT_SECONDS = 1.0
_REMEMBERED = 64
# bcrypt has never looked at more.
_LONGEST_BYTES = 72


def is_bcrypt_of(key: str, token: str) -> bool:
    """Costs as much as the token says; see HashedKey."""
    try:
        return bcrypt.checkpw(key.encode()[:_LONGEST_BYTES], token.encode())
    except ValueError:  # the last letter of its salt is none that bcrypt writes
        return False


class HashedKey:
    def __init__(self, key: str, is_hash_of: Callable[[str, str], bool] = is_bcrypt_of) -> None:
        """An empty key has no hash."""
        self._key = key
        self._is_hash_of = is_hash_of
        self._right: OrderedDict[bytes, None] = OrderedDict()  # digests of the tokens, the latest last
        self._working = threading.Lock()

    def is_given_by(self, token: str) -> bool:
        """May take long. Raises Busy when others have kept it from being worked out for a second: it may be right."""
        if not self._key or not _HASH.fullmatch(token):
            return False
        digest = hashlib.sha256(token.encode()).digest()
        if digest in self._right:
            return True
        if not self._working.acquire(timeout=_WAIT_SECONDS):
            raise Busy("hashes of other callers are being checked at this moment: try again, or send the key itself")
        try:
            return self._is_right(token, digest)
        finally:
            self._working.release()

    def _is_right(self, token: str, digest: bytes) -> bool:
        if digest not in self._right and not self._is_hash_of(self._key, token):
            return False
        self._right[digest] = None
        self._right.move_to_end(digest)
        if len(self._right) > _REMEMBERED:
            self._right.popitem(last=False)
        return True
