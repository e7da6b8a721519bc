"""The options of the whole cluster that are kept for the clients of older systems.

They are given back as they were set. One member has an effect: the `timezone` of `mailer` is that of the times in reports. Jobs are planned
without a tick, and all else about mail and Elasticsearch is as a server's own configuration says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from email.utils import parseaddr
from types import MappingProxyType
from typing import Any

from coal_mine.domain.errors import Invalid, NotFound
from coal_mine.domain.fields import Fields, kind_of
from coal_mine.domain.localtime import check_zone_of
from coal_mine.domain.ports import Clock, Store
from coal_mine.domain.text import is_address

from .audit import OptionAudit

MAX_TEXT = 65_536
_MAX_MEMBER = 8_192


class Options:
    """Each is any JSON that its check accepts. `by` is who calls, for the audit log."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._options = store.options
        self._audit = OptionAudit(store.audit)
        self._clock = clock

    def all(self) -> dict[str, Any]:
        """Of each option what it is: as it was set, else its default."""
        given = self._options.all()
        return {name: json.loads(given.get(name, default)) for name, (default, _) in _KNOWN.items()}

    def get(self, name: str) -> Any:
        """Raises NotFound when there is no such option."""
        _refuse_unknown(name)
        return self.all()[name]

    def check(self, name: str, value: object) -> str:
        """As JSON, as `set` would keep it. Raises NotFound, and Invalid, naming the option."""
        _refuse_unknown(name)
        _KNOWN[name][1](name, value)
        text = json.dumps(value, separators=(",", ":"), allow_nan=False)
        if len(text) > MAX_TEXT:
            raise Invalid(f"{name} has more than {MAX_TEXT} characters")
        return text

    def set(self, name: str, value: object, *, by: str = "") -> None:
        """Raises what `check` does."""
        text = self.check(name, value)
        self._audit.changed(name, self._options.set(name, text) or "", text, by, self._clock.now())

    def unset(self, name: str, *, by: str = "") -> None:
        """It has its default again. Raises NotFound when there is no such option, or it is not set."""
        _refuse_unknown(name)
        old = self._options.unset(name)
        if old is None:
            raise NotFound(f"the option {name} is not set")
        self._audit.changed(name, old, "", by, self._clock.now())


def _refuse_unknown(name: str) -> None:
    if name not in _KNOWN:
        raise NotFound(f"there is no option {name[:100]!r}; there are {', '.join(_KNOWN)}")


def _check_tick(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid(f"{name} is {kind_of(value)}, not a number of seconds")
    if not 0 < value <= 1e9:
        raise Invalid(f"{name} must be a number of seconds above 0, and at most 1000000000")


def _check_mailer(name: str, value: object) -> None:
    fields = Fields(value, name)
    fields.text("smtpserver", most=_MAX_MEMBER)
    sender = fields.text("sender", most=_MAX_MEMBER)
    timezone = fields.text("timezone", most=_MAX_MEMBER)
    fields.text("template", most=MAX_TEXT, lines=True)
    fields.refuse_rest()
    if sender and not is_address(parseaddr(sender)[1]):
        raise fields.error("sender", f"{sender[:100]!r} is not an address such as jo@example.com")
    if timezone:
        check_zone_of(name, timezone)


def _check_audit(name: str, value: object) -> None:
    fields = Fields(value, name)
    url = fields.text("url", most=_MAX_MEMBER)
    for member in ("index", "dateformat"):
        fields.text(member, most=_MAX_MEMBER)
    headers = fields.raw("headers")
    if headers is not None:
        Fields(headers, fields.path("headers"))
        for header, text in headers.items():
            Fields.checked_text(f"{fields.path('headers')}.{header[:100]}", text, _MAX_MEMBER)
    fields.refuse_rest()
    if url and not url.startswith(("http://", "https://")):
        raise fields.error("url", f"{url[:100]!r} does not begin with http:// or https://")


# Of each: the JSON that it is while nobody has set it, and what finds faults in a new value.
_KNOWN: Mapping[str, tuple[str, Callable[[str, object], None]]] = MappingProxyType(
    {
        "tick": ("60", _check_tick),
        "mailer": ('{"smtpserver": null, "sender": null, "timezone": "UTC"}', _check_mailer),
        "audit": ('{"url": null, "index": null, "dateformat": null, "headers": null}', _check_audit),
    }
)
