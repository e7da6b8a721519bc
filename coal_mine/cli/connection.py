"""Calls to the server's API."""

from __future__ import annotations

import re
import ssl
from collections.abc import Collection, Mapping
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

from coal_mine.domain.errors import CoalMineError

if TYPE_CHECKING:  # takes a quarter of a second, which --help must not
    from requests import RequestException, Response, Session

    from .settings import Server

TIMEOUT_SECONDS = 30
MAX_REDIRECTS = 5
# Servers disagree about other letters in headers, and blanks at the ends get lost.
_FITS_HEADER = re.compile("[!-~]([ -~]*[!-~])?")
_DEFAULT_PORTS = {"http": 80, "https": 443}

Fields = dict[str, str | list[str]]  # parameters; a list is a parameter given several times


class Refused(CoalMineError):
    """The server understood the call and said no; the text is the server's."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class Unreachable(CoalMineError):
    """No Coal Mine server answered."""


class Connection:
    """One server, asked by one user."""

    def __init__(self, server: Server, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._server = server
        self._timeout_seconds = timeout_seconds
        self._session: Session | None = None  # keeps its connection from call to call

    def ask(self, command: str, fields: Fields) -> dict[str, Any]:
        """The server's answer to a command of the canary API. Raises Refused or Unreachable."""
        path = f"/coal-mine/v1/canary/{command}"
        if command == "trigger":  # needs no key; the form that cron lines use
            return self._about_canaries(self._send("GET", f"{path}?{encoded(fields)}", None, {}))
        # A body, since long values would not fit into a URL; neither it nor a header gets into proxies' logs.
        headers = {"Content-Type": "application/x-www-form-urlencoded", **self._key_header()}
        return self._about_canaries(self._send("POST", path, encoded({**fields, **self._key_field()}), headers))

    def call(
        self, method: str, path: str, query: Fields, *, body: bytes | None = None, headers: Mapping[str, str], may_be: Collection[int] = ()
    ) -> Response:
        """What the server gave, which is no error, or has one of the statuses in `may_be`. Raises Refused or Unreachable."""
        query = {**query, **self._key_field()}
        response = self._send(method, f"{path}?{encoded(query)}" if query else path, body, {**headers, **self._key_header()})
        if response.status_code >= 400 and response.status_code not in may_be:
            raise self._refusal(response, self.read_json(response))
        return response

    def _key_header(self) -> dict[str, str]:
        key = self._server.auth_key
        return {"X-Auth-Token": key} if key and _FITS_HEADER.fullmatch(key) else {}

    def _key_field(self) -> Fields:
        key = self._server.auth_key
        return {"auth_key": key} if key and not _FITS_HEADER.fullmatch(key) else {}

    def _send(self, method: str, path: str, body: str | bytes | None, headers: Mapping[str, str]) -> Response:
        import requests

        self._session = self._session or requests.Session()
        url = self._server.url + path
        for _ in range(MAX_REDIRECTS):
            try:
                response = self._session.request(
                    method, url, data=body, headers=headers, timeout=self._timeout_seconds, allow_redirects=False
                )
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
            is_same = may_follow(urlsplit(url), urlsplit(target))
        except ValueError:
            is_same = False
        if not is_same:
            raise Unreachable(
                f"{self._server.shown} redirects to {target[:200]}, which is another server; if that one is right, name it with --host"
            )
        return target

    def _about_canaries(self, response: Response) -> dict[str, Any]:
        answer = self.read_json(response)
        if isinstance(answer, dict) and answer.get("status") == "ok" and response.ok:
            return answer
        raise self._refusal(response, answer)

    @staticmethod
    def read_json(response: Response) -> Any:
        """None when it is no JSON."""
        try:
            return response.json()
        except ValueError:
            return None

    def _refusal(self, response: Response, answer: object) -> CoalMineError:
        text = error_in(answer)
        if text is None:
            return self.strange(response)
        advice = " (cmcli: with --auth-key, or for good with cmcli configure)" if response.status_code == 401 else ""
        return Refused(text + advice, response.status_code)

    def strange(self, response: Response) -> Unreachable:
        """What to raise when something else than Coal Mine has answered."""
        return Unreachable(
            f"{self._server.shown} answered {response.status_code} {response.reason}, but not as Coal Mine does; check --host and --port"
        )

    def _explained(self, error: RequestException) -> str:
        import requests

        if isinstance(error, requests.Timeout) and not isinstance(error, requests.ConnectionError):
            return f"{self._server.shown} did not answer within {self._timeout_seconds} s; whether it did what you asked for is not known"
        return (
            f"cannot reach Coal Mine at {self._server.shown}: {_reason(error)}; "
            "check that it runs there, or name another server with --host and --port"
        )


def error_in(answer: object) -> str | None:
    """The text, in the native API's form or in Moneta's; None for what has neither."""
    if not isinstance(answer, dict):
        return None
    text = answer.get("message" if answer.get("error") is True else "error")
    return text if isinstance(text, str) else None


def encoded(fields: Fields) -> str:
    """What the user typed goes out byte for byte, also when it is no UTF-8: the server says what is wrong with it."""
    return urlencode(fields, doseq=True, errors="surrogateescape")


def may_follow(old: SplitResult, new: SplitResult) -> bool:
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
            return "no answer in time"
        if isinstance(found, HTTPException):
            return "what answers there does not speak HTTP; if it speaks https, write https:// before the host"
        error, found = found, found.__cause__ or found.__context__
    return str(error)
