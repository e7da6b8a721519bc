"""Who may call. One accepted credential is enough; all comparisons take the same time whatever is sent."""

from __future__ import annotations

import hmac
import threading

from coal_mine.domain.errors import Busy, Forbidden, Unauthorized

from .callers import Admitted, address_of, basic_of
from .environ import Environ
from .parameters import Pairs, form_pairs, has_body, query_pairs

_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", ""})
KEY_PARAMETER = "auth_key"
# Whoever sends a body slowly holds one of the server's threads. Those who have not shown the key get at most half of the 64.
_MAX_UNTRUSTED_BODIES = 32
_MISSING = "the key is missing or wrong: give it as auth_key, X-Auth-Token, Bearer token or Basic password"


class Gate:
    """Lets calls in. Without a key everybody may call, but not a stranger's web page through somebody's browser."""

    def __init__(self, key: str) -> None:
        """An empty key asks for none."""
        self._key = _Key(key)
        self._untrusted_bodies = threading.BoundedSemaphore(_MAX_UNTRUSTED_BODIES)

    def admit(self, environ: Environ) -> Pairs:
        """The call's parameters without the key. Raises Unauthorized, Forbidden or Busy.

        A body is read only after a key was found, or to find it there.
        """
        query = query_pairs(environ)
        if self._key.is_given_explicitly(environ, query):
            return without_key(query + form_pairs(environ))
        if not self._key.exists or self._key.is_password(environ):
            refuse_foreign_pages(environ)
            return without_key(query + self._untrusted_form(environ))
        form = self._untrusted_form(environ)
        if not self._key.is_among(_keys(form)):
            raise Unauthorized(_MISSING)
        return without_key(query + form)

    def _untrusted_form(self, environ: Environ) -> Pairs:
        """As form_pairs. Raises Busy rather than wait, since whoever waits holds a thread as well."""
        if not has_body(environ):
            return []
        if not self._untrusted_bodies.acquire(blocking=False):
            raise Busy("too many forms are being sent at this moment: try again, or give key and parameters in the query")
        try:
            return form_pairs(environ)
        finally:
            self._untrusted_bodies.release()


class JobGate:
    """Lets calls of jobs in. Whoever may create a job may run code, so without a key nobody may."""

    def __init__(self, key: str) -> None:
        """An empty key lets nobody in."""
        self._key = _Key(key)

    def admit(self, environ: Environ) -> Admitted:
        """The body is not looked at. Raises Unauthorized or Forbidden."""
        if not self._key.exists:
            raise Forbidden("job calls need a key, and this server has none: set [wsgi] auth_key in coal-mine.ini")
        query, is_password = query_pairs(environ), self._key.is_password(environ)
        if not self._key.is_given_explicitly(environ, query):
            if not is_password:
                raise Unauthorized(_MISSING)
            refuse_foreign_pages(environ)
        # Whoever gives another password could give any name.
        user = basic_of(environ)[0] if is_password else ""
        return Admitted(without_key(query), user or address_of(environ))


def admitted_without_key(environ: Environ) -> Admitted:
    """Where a gate has another reason to let a call in."""
    return Admitted(without_key(query_pairs(environ)), address_of(environ))


class _Key:
    def __init__(self, key: str) -> None:
        self._key = key.encode()

    @property
    def exists(self) -> bool:
        return bool(self._key)

    def is_given_explicitly(self, environ: Environ, query: Pairs) -> bool:
        """Was the right key given in a way that a browser never adds by itself?"""
        return self.exists and self.is_among([*_keys(query), environ.get("HTTP_X_AUTH_TOKEN", ""), _after(environ, "Bearer")])

    def is_password(self, environ: Environ) -> bool:
        return self.is_among([basic_of(environ)[1]])

    def is_among(self, tokens: list[str]) -> bool:
        return any(hmac.compare_digest(self._key, token.encode("utf-8", "surrogateescape")) for token in tokens)


def refuse_foreign_name(host_headers: list[str]) -> None:
    """For a server without a key: it answers only to this machine's own names, so that no foreign name can be rebound to it."""
    if any(without_port(host.lower()) not in _LOCAL_HOSTS for host in host_headers):
        raise Forbidden("this server answers only to localhost; to let others in, start it with a coal-mine.ini")


def without_port(host: str) -> str:
    """Of a Host header, which may be [::1]:80."""
    return host if host.endswith("]") else host.rpartition(":")[0] if ":" in host else host


def without_key(pairs: Pairs) -> Pairs:
    return [(name, value) for name, value in pairs if name != KEY_PARAMETER]


def _keys(pairs: Pairs) -> list[str]:
    return [value for name, value in pairs if name == KEY_PARAMETER]


def _after(environ: Environ, scheme: str) -> str:
    given, _, rest = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return rest.strip() if given.lower() == scheme.lower() else ""


def refuse_foreign_pages(environ: Environ) -> None:
    """A browser tells where a request comes from. Every call may change something, also as GET."""
    if environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("same-origin", "none"):
        raise Forbidden("calls from other sites' pages need the key as a parameter or header")
    origin = environ.get("HTTP_ORIGIN")
    if origin and origin.partition("://")[2].lower() != environ.get("HTTP_HOST", "").lower():
        raise Forbidden(f"calls from pages of {origin[:100]!r} need the key as a parameter or header")
