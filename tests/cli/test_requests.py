"""What goes over the wire, and to whom: the key reaches the configured server, in a header, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme

from coal_mine.cli.connection import may_follow
from tests.cli.command import Cmcli
from tests.cli.stranger import Answer, Stranger
from tests.support.server import CoalMine

KEY = "open sesame"


@pytest.fixture
def second_stranger() -> Iterator[Stranger]:
    with Stranger() as one:
        yield one


@pytest.fixture
def keyed(home: Path, stranger: Stranger) -> Cmcli:
    """Has a key for the stranger."""
    return Cmcli(home, COAL_MINE_HOST=stranger.url, COAL_MINE_AUTH_KEY=KEY)


def test_the_key_is_a_header_and_the_values_are_a_form(keyed: Cmcli, stranger: Stranger) -> None:
    keyed("list", "--search", "a&b=ü")

    (seen,) = stranger.seen
    assert (seen.method, seen.target) == ("POST", "/coal-mine/v1/canary/list")
    assert seen.headers["X-Auth-Token"] == KEY
    assert seen.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(seen.body) == {"search": ["a&b=ü"]}


def test_a_trigger_is_a_get_without_the_key(keyed: Cmcli, stranger: Stranger) -> None:
    keyed("trigger", "--id", "abcdefgh", "--comment", "a&b")

    (seen,) = stranger.seen
    assert (seen.method, seen.target) == ("GET", "/coal-mine/v1/canary/trigger?id=abcdefgh&comment=a%26b")
    assert "X-Auth-Token" not in seen.headers


def test_a_path_in_the_host_is_kept(keyed: Cmcli, stranger: Stranger) -> None:
    keyed("list", "--host", f"{stranger.url}/mine/")

    assert stranger.seen[0].target == "/mine/coal-mine/v1/canary/list"


def test_a_redirect_on_the_same_server_keeps_method_key_and_form(keyed: Cmcli, stranger: Stranger) -> None:
    stranger.answer = lambda seen: (
        Answer(b'{"status": "ok", "canaries": []}') if seen.target.startswith("/new") else Answer(status=301, location="/new/list")
    )

    assert keyed("list", "--search", "x").status == 0
    assert [(seen.method, seen.target, seen.body) for seen in stranger.seen] == [
        ("POST", "/coal-mine/v1/canary/list", "search=x"),
        ("POST", "/new/list", "search=x"),
    ]
    assert stranger.seen[1].headers["X-Auth-Token"] == KEY


def test_a_redirect_to_another_server_is_not_followed(keyed: Cmcli, stranger: Stranger, second_stranger: Stranger) -> None:
    stranger.answer = lambda seen: Answer(status=307, location=second_stranger.url + seen.target)

    outcome = keyed("list")

    assert (outcome.status, second_stranger.seen) == (1, [])
    assert f"redirects to {second_stranger.url}/coal-mine/v1/canary/list, which is another server" in outcome.err


def test_redirects_in_a_circle_end(keyed: Cmcli, stranger: Stranger) -> None:
    stranger.answer = lambda seen: Answer(status=302, location=seen.target)

    outcome = keyed("list")

    assert outcome.status == 1
    assert "redirects again and again" in outcome.err


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        ("http://a/x", "http://a/y", True),
        ("http://a/x", "http://A:80/x", True),
        ("http://a/x", "https://a/x", True),
        ("http://a:80/x", "https://a:443/x", True),
        ("https://a/x", "http://a/x", False),
        ("http://a/x", "https://b/x", False),
        ("http://a:8080/x", "https://a/x", False),
        ("http://a/x", "http://a:81/x", False),
        ("http://a/x", "file:///etc/passwd", False),
    ],
)
def test_redirects_are_followed_to_the_same_server_or_its_https(old: str, new: str, allowed: bool) -> None:
    assert may_follow(urlsplit(old), urlsplit(new)) is allowed


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalMine]:
    """A Coal Mine that wants the key."""
    directory = tmp_path_factory.mktemp("locked")
    with CoalMine(directory, ini=f"[wsgi]\nhost = 127.0.0.1\nauth_key = {KEY}\n") as server:
        yield server


def test_the_server_takes_the_key(unconfigured: Cmcli, locked: CoalMine) -> None:
    unconfigured("configure", "--host", locked.url, "--auth-key", KEY)

    created = unconfigured.canary("create", "--name", "Job", "--periodicity", "60")

    assert unconfigured("trigger", "--id", created["id"], "--no-auth-key").status == 0
    assert unconfigured("list").json["canaries"] == [{"id": created["id"], "name": "Job"}]


def test_a_key_may_have_any_letters(unconfigured: Cmcli, tmp_path: Path) -> None:
    with CoalMine(tmp_path / "server", ini="[wsgi]\nhost = 127.0.0.1\nauth_key = Schlüssel 鍵\n") as server:
        outcome = unconfigured("list", "--host", server.url, "--auth-key", "Schlüssel 鍵")

    assert (outcome.status, outcome.err) == (0, "")


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")  # of the wait for the server's start
@pytest.mark.parametrize("is_trusted", [True, False])
def test_https_is_spoken_with_a_server_whose_certificate_is_trusted(unconfigured: Cmcli, tmp_path: Path, is_trusted: bool) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "certificate.pem")
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    environment = {"REQUESTS_CA_BUNDLE": str(tmp_path / "authority.pem")} if is_trusted else {}
    ini = f"[wsgi]\nhost = 127.0.0.1\ntls_certificate = {tmp_path}/certificate.pem\ntls_key = {tmp_path}/key.pem\n"

    with CoalMine(tmp_path / "server", ini=ini) as server:
        outcome = unconfigured("list", "--host", server.url, environment=environment)

    assert server.url.startswith("https://")
    assert outcome.status == (0 if is_trusted else 1)
    assert ("its certificate is not trusted" in outcome.err) is not is_trusted


@pytest.mark.parametrize("option", [["--no-auth-key"], ["--auth-key", "wrong"]])
def test_a_missing_or_wrong_key_is_refused_with_advice(unconfigured: Cmcli, locked: CoalMine, option: list[str]) -> None:
    outcome = unconfigured("list", "--host", locked.url, *option)

    assert (outcome.status, outcome.out) == (1, "")
    assert "cmcli: with --auth-key, or for good with cmcli configure" in outcome.err
    assert outcome.err.count("\n") == 1
