"""The API of jobs, runs and nodes: JSON in both directions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from coal_mine.domain.errors import Conflict

from .connection import Connection, Fields, Refused
from .keys import server_for_jobs
from .options import Given

if TYPE_CHECKING:
    from requests import Response

_ROOT = "/coal-mine/v1"
_T = TypeVar("_T")

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OutputPart:
    """What a run had written behind an offset, when it was asked."""

    data: bytes
    next_offset: int
    complete: bool  # nothing will come behind it
    dropped: int  # bytes that were not kept


class Api:
    """Every method raises Refused or Unreachable."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, *path: str, query: Fields | None = None) -> Object:
        return self._ask("GET", path, query or {}, {}, None)

    def send(
        self, method: str, *path: str, query: Fields | None = None, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Object:
        """Without a body when that is None."""
        data = None if body is None else json.dumps(body).encode()
        return self._ask(method, path, query or {}, headers or {}, data)

    def output(self, run_id: str, query: Fields, *, known: str = "") -> tuple[OutputPart | None, str]:
        """The part and its mark; no part when the mark still is the known one."""
        headers = {"If-None-Match": known} if known else {}
        response = self._connection.call("GET", _path(("runs", run_id, "output")), query, headers=headers)
        if response.status_code == 304:
            return None, known
        try:
            part = OutputPart(
                data=response.content,
                next_offset=int(response.headers["X-Next-Offset"]),
                complete=response.headers["X-Complete"] == "true",
                dropped=int(response.headers.get("X-Dropped", "0")),
            )
        except (KeyError, ValueError) as error:
            raise self._connection.strange(response) from error
        return part, response.headers.get("ETag", "")

    def with_job(self, reference: str, call: Callable[[str], _T]) -> _T:
        """The call for the job with this id, else for the only job with this name. Raises Conflict when several have it."""
        try:
            return call(reference)
        except Refused as error:
            found = self.ids_of_name(reference) if error.status == 404 else []
            if not found:
                raise
        if len(found) > 1:
            raise Conflict(f"{len(found)} jobs have the name {reference!r}; give one of their ids: {', '.join(found)}")
        return call(found[0])

    def ids_of_name(self, name: str) -> list[str]:
        return [job["id"] for job in self.get("jobs", query={"name": name})["jobs"]]

    def _ask(self, method: str, path: tuple[str, ...], query: Fields, headers: Mapping[str, str], body: bytes | None) -> Object:
        kind = {} if body is None else {"Content-Type": "application/json"}
        return self._object(self._connection.call(method, _path(path), query, body=body, headers={**kind, **headers}))

    def _object(self, response: Response) -> Object:
        answer = self._connection.read_json(response) if response.content else {}
        if not response.ok or not isinstance(answer, dict):
            raise self._connection.strange(response)
        return answer


def _path(parts: tuple[str, ...]) -> str:
    return "/".join((_ROOT, *(quote(part, safe="", errors="surrogateescape") for part in parts)))


def api_of(given: Given) -> Api:
    """Raises Invalid, and Forbidden when there is a key that this user may not read."""
    return Api(Connection(server_for_jobs(given)))
