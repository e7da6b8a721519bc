"""Calls to the server's API."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

from coal_mine.domain.errors import CoalMineError

if TYPE_CHECKING:  # takes a quarter of a second, which --help must not
    from requests import RequestException, Response

    from .settings import Server

TIMEOUT_SECONDS = 30
MAX_REDIRECTS = 5
_DEFAULT_PORTS = {"http": 80, "https": 443}

Fields = dict[str, str | list[str]]  # parameters; a list is a parameter given several times


class Refused(CoalMineError):
    """The server understood the call and said no; the text is the server's."""


class Unreachable(CoalMineError):
    """No Coal Mine server answered."""


class Connection:
    """One server, asked by one user."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def ask(self, command: str, fields: Fields) -> dict[str, Any]:
        """The server's answer. Raises Refused or Unreachable."""
        # What the user typed goes out byte for byte, also when it is no UTF-8: the server says what is wrong with it.
        form = urlencode(fields, doseq=True, errors="surrogateescape")
        path = f"{self._server.url}/coal-mine/v1/canary/{command}"
        if command == "trigger":  # needs no key; the form that cron lines use
            return self._understood(self._send("GET", f"{path}?{form}", None, {}))
        # A body, since long values would not fit into a URL; a header, since proxies log URLs.
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if self._server.auth_key:
            headers["X-Auth-Token"] = self._server.auth_key
        return self._understood(self._send("POST", path, form, headers))

    def _send(self, method: str, url: str, body: str | None, headers: Mapping[str, str]) -> Response:
        import requests

        encoded = {name: value.encode() for name, value in headers.items()}
        for _ in range(MAX_REDIRECTS):
            try:
                response = requests.request(method, url, data=body, headers=encoded, timeout=TIMEOUT_SECONDS, allow_redirects=False)
            except requests.RequestException as error:
                raise Unreachable(self._explained(error)) from error
            if not response.is_redirect:
                return response
            url = self._redirected(url, response.headers["Location"])
        raise Unreachable(f"{self._server.shown} redirects again and again; check --host and --port")

    def _redirected(self, url: str, location: str) -> str:
        """The next URL. Raises Unreachable when it is on another host, which must not get the key and the data."""
        target = urljoin(url, location)
        try:
            is_same = _may_follow(urlsplit(url), urlsplit(target))
        except ValueError:
            is_same = False
        if not is_same:
            raise Unreachable(
                f"{self._server.shown} redirects to {target[:200]}, which is another server; if that one is right, name it with --host"
            )
        return target

    def _understood(self, response: Response) -> dict[str, Any]:
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if isinstance(answer, dict) and answer.get("status") == "ok" and response.ok:
            return answer
        if isinstance(answer, dict) and isinstance(answer.get("error"), str):
            raise Refused(self._advised(answer["error"], response.status_code))
        raise Unreachable(
            f"{self._server.shown} answered {response.status_code} {response.reason}, but not as Coal Mine does; check --host and --port"
        )

    def _advised(self, error: str, status: int) -> str:
        if status != 401:
            return error
        wrong = "the server does not accept this key" if self._server.auth_key else "the server wants a key"
        return f"{error}: {wrong}; give it with --auth-key, or save it with cmcli configure"

    def _explained(self, error: RequestException) -> str:
        import requests

        if isinstance(error, requests.Timeout) and not isinstance(error, requests.ConnectionError):
            return f"{self._server.shown} did not answer within {TIMEOUT_SECONDS} s; whether it did what you asked for is not known"
        return (
            f"cannot reach Coal Mine at {self._server.shown}: {_reason(error)}; "
            "check that it runs there, or name another server with --host and --port"
        )


def _may_follow(old: SplitResult, new: SplitResult) -> bool:
    """Only on the same host and port, or from http to https on their usual ports; never back to http."""
    ends = [(part.hostname, part.port or _DEFAULT_PORTS.get(part.scheme)) for part in (old, new)]
    is_upgrade = (old.scheme, new.scheme) == ("http", "https") and ends == [(old.hostname, 80), (old.hostname, 443)]
    return is_upgrade or (old.scheme == new.scheme and ends[0] == ends[1])


def _reason(error: BaseException) -> str:
    """The operating system's own words, which lie deep below the libraries' errors."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({found.verify_message})"
        if isinstance(found, OSError) and found.strerror:
            return found.strerror
        if isinstance(found, TimeoutError):
            return f"no answer within {TIMEOUT_SECONDS} s"
        error, found = found, found.__cause__ or found.__context__
    return str(error)
