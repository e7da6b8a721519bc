"""Who may call Moneta's paths: whoever has the key, and the addresses that the operator has named."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network, ip_address

from coal_mine.domain.errors import Forbidden, Unauthorized
from coal_mine.web.auth import JobGate, admitted_without_key, refuse_foreign_pages, without_port
from coal_mine.web.callers import Admitted
from coal_mine.web.environ import Environ

# Whoever sends one of these speaks for others, whose addresses are not this one.
_OF_PROXIES = ("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP")
_HINT = "without the key this server answers only to its own names and addresses, not to {!r}"


class MonetaGate:
    """Lets calls in: by the key, as all calls of jobs, or without it from `open_to`.

    From there, a browser could be led here by anybody's page. So without the key no page of another site is answered, nor any name that
    is not this server's own, for everybody can have a name of his own point to any address. Nor is a proxy that says to be one.
    """

    def __init__(self, gate: JobGate, open_to: Collection[IPv4Network | IPv6Network] = (), own_names: Collection[str] = ()) -> None:
        self._gate = gate
        self._open_to = open_to
        self._own_names = frozenset(name.lower() for name in own_names) | {"localhost", ""}

    def admit(self, environ: Environ) -> Admitted:
        """The body is not looked at. Raises Unauthorized or Forbidden."""
        try:
            return self._gate.admit(environ)
        except (Unauthorized, Forbidden):
            if not self._is_open_to(environ.get("REMOTE_ADDR", "")) or any(name in environ for name in _OF_PROXIES):
                raise
        self._refuse_foreign_name(environ.get("HTTP_HOST", ""))
        refuse_foreign_pages(environ)
        return admitted_without_key(environ)

    def _is_open_to(self, text: str) -> bool:
        if not self._open_to:
            return False
        try:
            address = ip_address(text.strip("[]"))
        except ValueError:  # as of a UNIX socket
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._open_to)

    def _refuse_foreign_name(self, host: str) -> None:
        name = without_port(host)
        if name.lower() not in self._own_names and not _is_address(name.strip("[]")):
            raise Forbidden(_HINT.format(name[:100]))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
