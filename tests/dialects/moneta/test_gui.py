"""The files of a web client, below /gui/, the list of plugins, and what a server without any node says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from coal_mine.web.dialects.moneta.gui import MAX_BYTES
from tests.api.wire import Answer, exchange, request
from tests.dialects.moneta.client import Moneta
from tests.support.server import CoalMine
from tests.support.waiting import PATIENCE

KEY = "right-key-2718"


@pytest.fixture(scope="module")
def gui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moneta]:
    """A server without a node. Beside its directory there is another one whose name begins alike, and links lead there."""
    place = tmp_path_factory.mktemp("gui")
    _fill(place)
    moneta = f"[moneta]\ndocroot = {place}/web\nbackup = {place}/backup.json\n"
    ini = f"[wsgi]\nhost = 127.0.0.1\nauth_key = {KEY}\n{moneta}"
    with CoalMine(place / "server", ini=ini, environ={"TZ": "Asia/Tokyo"}) as server:
        yield Moneta(server, KEY)


def _fill(place: Path) -> None:
    for name in ("web/js", "web/views", "web-private"):
        (place / name).mkdir(parents=True)
    (place / "web/index.html").write_text("<p>Moneta</p>")
    (place / "web/views/index.html").write_text("<p>Views</p>")
    (place / "web/js/app.js").write_text("run()")
    (place / "web/style.css").write_text("p {}")
    (place / "web/with blank.png").write_bytes(b"\x89PNG")
    with (place / "web/large.bin").open("wb") as large:
        large.truncate(MAX_BYTES + 1)
    (place / "web/.git").mkdir()
    (place / "web/.git/config").write_text("secret")
    (place / "web/.hidden").write_text("secret")
    (place / "web-private/secret").write_text("secret")
    (place / "secret").write_text("secret")
    (place / "web/there").symlink_to(place / "web-private")
    (place / "web/secret").symlink_to(place / "secret")
    (place / "web/linked.js").symlink_to(place / "web/js/app.js")


def fetched(gui: Moneta, target: str) -> Answer:
    """As bytes, for what a client would tidy."""
    return exchange(gui.server, request("GET", target, f"X-Auth-Token: {KEY}"))


@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        ("/gui/", "text/html", "<p>Moneta</p>"),
        ("/gui/index.html", "text/html", "<p>Moneta</p>"),
        ("/gui/views/", "text/html", "<p>Views</p>"),
        ("/gui/js/app.js", "text/javascript", "run()"),
        ("/gui/linked.js", "text/javascript", "run()"),
        ("/gui//js///app.js", "text/javascript", "run()"),
        ("/gui/style.css", "text/css", "p {}"),
    ],
)
def test_a_file_is_served_with_its_type(gui: Moneta, path: str, kind: str, text: str) -> None:
    answer = gui.call("GET", path)

    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0], answer.text) == (200, kind, text)


def test_a_file_that_is_no_text_is_served_as_it_is(gui: Moneta) -> None:
    answer = gui.call("GET", "/gui/with%20blank.png")

    assert (answer.headers["Content-Type"], answer.content) == ("image/png", b"\x89PNG")


def test_a_directory_that_is_away_leaves_no_file_and_is_logged_once_until_it_was_there(gui: Moneta) -> None:
    place = gui.server.directory.parent
    logged = []
    for _ in range(2):
        (place / "web").rename(place / "away")
        statuses = [gui.call("GET", "/gui/style.css").status_code for _ in range(3)]
        (place / "away").rename(place / "web")
        statuses.append(gui.call("GET", "/gui/style.css").status_code)
        logged.append((statuses, gui.server.log.count(f"docroot: the directory {place}/web is away")))

    assert logged == [([404] * 3 + [200], 1), ([404] * 3 + [200], 2)]


def test_without_a_slash_at_the_end_browsers_are_led_to_it(gui: Moneta) -> None:
    answer = gui.call("GET", "/gui")

    assert (answer.url, answer.text) == (f"{gui.server.url}/gui/", "<p>Moneta</p>")
    assert [each.status_code for each in answer.history] == [303]


@pytest.mark.parametrize("path", ["/gui/", "/gui/js/app.js"])
def test_no_other_site_may_show_what_is_served_as_its_own(gui: Moneta, path: str) -> None:
    headers = gui.call("GET", path).headers

    assert (headers["Content-Security-Policy"], headers["X-Frame-Options"]) == ("frame-ancestors 'self'", "SAMEORIGIN")


def test_a_file_that_would_fill_the_memory_is_not_served_as_a_whole(gui: Moneta) -> None:
    status, text = gui.error("GET", "/gui/large.bin")

    assert (status, str(MAX_BYTES) in text) == (403, True)


def test_it_is_said_how_large_a_file_is_that_is_not_served_as_a_whole(gui: Moneta) -> None:
    answer = gui.call("HEAD", "/gui/large.bin")

    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, str(MAX_BYTES + 1), b"")


def test_a_part_of_a_large_file_is_served(gui: Moneta) -> None:
    answer = gui.call("GET", "/gui/large.bin", headers={"Range": f"bytes={MAX_BYTES - 1}-"})

    assert (answer.status_code, answer.content) == (206, b"\0\0")


def test_a_file_that_a_browser_has_already_is_not_sent_again(gui: Moneta) -> None:
    tag = gui.call("GET", "/gui/style.css").headers["ETag"]
    answer = gui.call("GET", "/gui/style.css", headers={"If-None-Match": tag})

    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(("wanted", "status", "content"), [("bytes=0-1", 206, b"p "), ("bytes=-2", 206, b"{}"), ("bytes=9-2", 416, None)])
def test_a_part_of_a_file_may_be_asked_for(gui: Moneta, wanted: str, status: int, content: bytes | None) -> None:
    answer = gui.call("GET", "/gui/style.css", headers={"Range": wanted})

    assert answer.status_code == status
    assert content in (None, answer.content)


@pytest.mark.parametrize(
    "target",
    [
        "/gui/../secret",
        "/gui/js/../../secret",
        "/gui/%2e%2e/secret",
        "/gui/..%2fsecret",
        "/gui/../web-private/secret",
        "/gui/..%2fweb-private%2fsecret",
        "/gui/secret",
        "/gui/there/secret",
        "/gui//etc/passwd",
        "/gui/%2fetc%2fpasswd",
        "/gui/%00",
        "/gui/index.html%00.js",
        "/gui/.hidden",
        "/gui/.git/config",
        "/gui/nosuchfile",
        "/gui/js",
        "/gui/js/",
        "/gui/index.html/",
        "/gui/" + "x" * 3_000,
        "/gui/" + "x/" * 1_500,
    ],
)
def test_what_is_not_in_the_directory_is_not_found(gui: Moneta, target: str) -> None:
    answer = fetched(gui, target)

    assert (answer.status, answer.body) == (404, b"")


@pytest.mark.parametrize("path", ["/gui", "/gui/", "/gui/js/app.js", "/gui/nosuchfile", "/plugins"])
def test_nobody_gets_anything_without_the_key(gui: Moneta, path: str) -> None:
    answer = requests.get(gui.server.url + path, timeout=PATIENCE, allow_redirects=False)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_files_are_only_read(gui: Moneta) -> None:
    assert [gui.call(method, "/gui/style.css").status_code for method in ("PUT", "POST", "DELETE")] == [405] * 3


def test_without_a_directory_there_is_nothing(moneta: Moneta) -> None:
    assert [moneta.call("GET", path).status_code for path in ("/gui", "/gui/", "/gui/index.html")] == [405] * 3


def test_the_plugins_are_those_whose_work_is_done_here(moneta: Moneta) -> None:
    assert moneta.get("/plugins") == ["mailer", "executionsummary", "audit"]


def test_plugins_that_need_settings_are_listed_when_they_have_them(gui: Moneta) -> None:
    assert gui.get("/plugins") == ["mailer", "executionsummary", "audit", "configbackup", "gui"]


def test_the_plugins_of_a_node_are_those_of_the_server_that_answers(moneta: Moneta) -> None:
    moneta.joined()
    name = moneta.get("/status")["name"]

    assert moneta.get(f"/node/{name}/plugins") == moneta.get("/plugins")


def test_where_there_is_no_node_the_status_is_of_none(gui: Moneta) -> None:
    assert gui.get("/status") == {
        "name": "",
        "address": "",
        "pools": [],
        "leader": False,
        "cluster_joined": False,
        "pools_joined": False,
        "contending_for_lead": False,
        "scheduler_running": False,
        "execution_enabled": False,
        "running_processes": {},
        "timezone": "Asia/Tokyo",
    }


def test_where_there_is_no_node_nobody_leads(gui: Moneta) -> None:
    assert (gui.get("/cluster/status"), gui.get("/cluster/pools")) == ({"nodes": {}, "leader": None}, {})


@pytest.mark.parametrize(("target", "why"), [("local", "there is no node"), ("", "no node serves pool default")])
def test_where_there_is_no_node_no_task_is_executed(gui: Moneta, target: str, why: str) -> None:
    task_id = gui.created()
    answer = gui.call("EXECUTE", f"/tasks/{task_id}", target=target)

    assert (answer.status_code, answer.json()) == (503, {"id": task_id, "executed": False, "message": why})
