"""Coal Mine as it runs jobs: web, background and nodes, and somebody who asks them."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlencode

from benchmarks import servers
from benchmarks.servers import Place
from tests.support.background import Background
from tests.support.server import CoalMine
from tests.support.waiting import until

_KEY = "benchmark"
_API = "/coal-mine/v1"
_ENVIRON = {"PYTHONPATH": str(Path(__file__).parents[1])}
_PAGE = 1_000
_KEPT_SECONDS = 2.0
SPOOLS = ("disk", "memory")
_MEMORY = Path("/dev/shm")


class NodeProcess(Background):
    """`coal-mine --node`, without a library that the driver would load and that only our tests install."""

    def __init__(self, directory: Path, *, ini: str) -> None:
        absent = directory / "absent"
        absent.mkdir(parents=True)
        (absent / "cryptography.py").write_text("raise ImportError\n")
        environ = {"PYTHONPATH": f"{absent}:{_ENVIRON['PYTHONPATH']}"}
        CoalMine.__init__(self, directory, "--node", ini=ini, environ=environ)


@dataclass(slots=True)
class Cluster:
    place: Place
    url: str
    background: int  # its pid; on SQLite all is one process
    nodes: list[NodeProcess] = field(default_factory=list)


class Client:
    """One connection, made anew after a pause, since the server closes those that are idle."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
        self._used_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> bytes:
        text = None if body is None else json.dumps(body)
        headers = {"X-Auth-Token": _KEY, "Content-Type": "application/json"}
        if time.monotonic() > self._used_at + _KEPT_SECONDS:
            self._connection.close()
        self._used_at = time.monotonic()
        self._connection.request(method, f"{_API}{path}?{urlencode(query)}", text, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:500]!r}")
        return content

    def create(self, name: str, **definition: Any) -> dict[str, Any]:
        return dict(json.loads(self.ask("POST", "/jobs", {"name": name, "command": ["/bin/true"], **definition})))

    def run(self, job: str) -> str:
        """The id of the new run."""
        return str(json.loads(self.ask("POST", f"/jobs/{quote(job)}/run"))["id"])

    def runs(self, **query: Any) -> list[dict[str, Any]]:
        """All of them, page by page."""
        found: list[dict[str, Any]] = []
        before: str | None = ""
        while before is not None:
            page = json.loads(self.ask("GET", "/runs", None, limit=_PAGE, **query, **({"before": before} if before else {})))
            found += page["runs"]
            before = page["next"]
        return found

    def output(self, run: str) -> str:
        return self.ask("GET", f"/runs/{quote(run)}/output").decode()

    def history(self, canary: str) -> list[list[str]]:
        found = json.loads(self.ask("GET", "/canary/get", None, id=canary))
        return list(found["canary"]["history"])


@contextmanager
def cluster(store: str, *, nodes: int = 1, slots: int = 100, spool: str = "disk") -> Iterator[Cluster]:
    """A new store with web, background and so many nodes."""
    with ExitStack() as stack:
        home = stack.enter_context(servers.directory())
        place = stack.enter_context(servers.place(store, home))
        memory = stack.enter_context(servers.directory(_MEMORY)) if spool == "memory" else None
        yield stack.enter_context(cluster_at(place, home, nodes=nodes, slots=slots, spool=memory))


@contextmanager
def cluster_at(place: Place, home: Path, *, nodes: int = 1, slots: int = 100, spool: Path | None = None) -> Iterator[Cluster]:
    """On a store that may have been filled. `spool` is where nodes keep their runs; None: where they do unless told."""
    with ExitStack() as stack:
        if place.mongod is None:
            ini = _ini(place) + _node(1, slots, spool)
            server = stack.enter_context(CoalMine(home / "all", ini=ini, environ=_ENVIRON))
            yield Cluster(place, server.url, server.pid)
            return
        web = stack.enter_context(CoalMine(home / "web", "--web", ini=_ini(place), environ=_ENVIRON))
        background = stack.enter_context(Background(home / "background", ini=_ini(place), environ=_ENVIRON))
        found = Cluster(place, web.url, background.pid)
        for number in range(1, nodes + 1):
            node = NodeProcess(home / f"node-{number}", ini=_ini(place) + _node(number, slots, spool))
            stack.enter_context(node)
            found.nodes.append(node)
        with Client(web.url) as client:
            until("the nodes", lambda: _alive(client) == nodes)
        yield found


def _alive(client: Client) -> int:
    return sum(node["alive"] for node in json.loads(client.ask("GET", "/nodes"))["nodes"])


def _ini(place: Place) -> str:
    return f"[wsgi]\nhost = 127.0.0.1\nauth_key = {_KEY}\n{place.ini}"


def _node(number: int, slots: int, spool: Path | None) -> str:
    return f"[node]\nname = node-{number}\nslots = {slots}\n" + (f"spool = {spool}\n" if spool else "")
