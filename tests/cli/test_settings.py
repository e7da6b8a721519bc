"""Where the server's address and the key come from, and how they are saved."""

from __future__ import annotations

import os
import stat

import pytest

from coal_mine.cli.settings import Settings, resolve
from coal_mine.domain.errors import Invalid
from tests.cli.command import Cmcli
from tests.cli.stranger import Stranger
from tests.support.server import CoalMine


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        (None, None, "http://127.0.0.1:8080"),  # the server's own address when neither is configured
        (None, 9000, "http://localhost:9000"),
        ("coal-mine-server", None, "http://coal-mine-server"),
        ("coal-mine-server", 8080, "http://coal-mine-server:8080"),
        ("coal-mine-server:81", None, "http://coal-mine-server:81"),
        ("https://example.com", None, "https://example.com"),
        ("https://example.com", 8443, "https://example.com:8443"),
        ("https://example.com:8443", None, "https://example.com:8443"),
        ("https://example.com/mine/", 8443, "https://example.com:8443/mine"),
        ("http://user:word@example.com", 81, "http://user:word@example.com:81"),
        ("::1", 81, "http://[::1]:81"),
        ("[::1]", None, "http://[::1]"),
        ("2001:db8::7", None, "http://[2001:db8::7]"),
    ],
)
def test_host_and_port_make_the_url(host: str | None, port: int | None, url: str) -> None:
    assert resolve([Settings(host=host, port=port)]).url == url


@pytest.mark.parametrize(
    "host", ["", "ftp://x", "http://", "a b", "x?y", "x#y", "[::1", "x:port", "x:99999", "http://x\\@y", "x\ny"], ids=repr
)
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(Invalid, match=r"^host "):
        resolve([Settings(host=host)])


def test_two_different_ports_are_refused() -> None:
    with pytest.raises(Invalid, match="different ports"):
        resolve([Settings(host="http://x:81", port=82)])


@pytest.mark.parametrize(
    ("nearer", "farther", "url"),
    [
        (Settings(host="b"), Settings(host="a", port=81), "http://b:81"),
        (Settings(host="https://b"), Settings(host="a", port=81), "https://b"),
        (Settings(host="b:82"), Settings(host="a", port=81), "http://b:82"),
        (Settings(port=82), Settings(host="http://a:81"), "http://a:82"),
        (Settings(), Settings(host="a", port=81), "http://a:81"),
    ],
)
def test_the_nearer_source_wins(nearer: Settings, farther: Settings, url: str) -> None:
    assert resolve([nearer, farther]).url == url


def test_messages_never_show_a_password() -> None:
    assert resolve([Settings(host="https://user:word@example.com/x")]).shown == "https://example.com/x"


def test_a_key_that_would_forge_a_header_is_refused() -> None:
    with pytest.raises(Invalid, match="cannot be printed"):
        resolve([Settings(auth_key="a\r\nX-Evil: 1")])


def test_configure_saves_what_is_given(unconfigured: Cmcli) -> None:
    outcome = unconfigured("configure", "--host", "coal-mine-server", "--port", "8080", "--auth_key", "50%off")

    assert (outcome.status, outcome.out) == (0, "")
    assert outcome.err == "Saved: http://coal-mine-server:8080, with a key.\n"
    assert unconfigured.file.read_text() == "[coal-mine]\nhost = coal-mine-server\nport = 8080\nauth-key = 50%%off\n\n"
    assert _mode(unconfigured) == 0o600


def test_configure_keeps_what_is_not_given_and_repairs_the_mode(unconfigured: Cmcli) -> None:
    unconfigured.file.write_text("[coal-mine]\nhost = old\nport = 81\nauth-key = k\ncolour = blue\n[other]\nx = 1\n")
    unconfigured.file.chmod(0o644)

    unconfigured("configure", "--host", "new")

    text = unconfigured.file.read_text()
    assert text == "[coal-mine]\nhost = new\nport = 81\nauth-key = k\ncolour = blue\n\n[other]\nx = 1\n\n"
    assert _mode(unconfigured) == 0o600


def test_configure_with_a_url_drops_the_old_port(unconfigured: Cmcli) -> None:
    unconfigured("configure", "--host", "old", "--port", "81")

    assert unconfigured("configure", "--host", "https://new").err == "Saved: https://new, no key.\n"


def test_configure_can_remove_the_key(unconfigured: Cmcli) -> None:
    unconfigured("configure", "--auth-key", "k")
    unconfigured("configure", "--no-auth-key")

    assert "auth-key" not in unconfigured.file.read_text()


def test_configure_refuses_what_is_no_host(unconfigured: Cmcli) -> None:
    outcome = unconfigured("configure", "--host", "")

    assert (outcome.status, outcome.err) == (
        2,
        "cmcli: host '' is not a host name, an address or a URL such as https://coal-mine.example.com:8443\n",
    )
    assert not unconfigured.file.exists()


def test_configure_does_not_save_the_environment(unconfigured: Cmcli) -> None:
    unconfigured("configure", "--port", "81", environment={"COAL_MINE_HOST": "elsewhere", "COAL_MINE_AUTH_KEY": "k"})

    assert unconfigured.file.read_text() == "[coal-mine]\nport = 81\n\n"


def test_configure_follows_a_symbolic_link_and_leaves_nothing_beside(unconfigured: Cmcli) -> None:
    (unconfigured.home / "dotfiles").mkdir()
    target = unconfigured.home / "dotfiles" / "coal-mine.ini"
    target.write_text("")
    unconfigured.file.symlink_to(target)

    unconfigured("configure", "--host", "new")

    assert unconfigured.file.is_symlink()
    assert "host = new" in target.read_text()
    assert sorted(os.listdir(target.parent)) == ["coal-mine.ini"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("host = x\n", "is not a readable settings file"),
        ("[coal-mine]\nport = eighty\n", "port is 'eighty', which is not a number from 1 to 65535"),
        ("[coal-mine]\nport = 0\n", "port is '0'"),
        ("[coal-mine]\nhost = a b\n", "host 'a b' is not a host name"),
    ],
)
def test_a_broken_file_is_one_line(unconfigured: Cmcli, text: str, complaint: str) -> None:
    unconfigured.file.write_text(text)

    outcome = unconfigured("list")

    assert (outcome.status, outcome.out) == (2, "")
    assert complaint in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_broken_file_is_not_overwritten(unconfigured: Cmcli) -> None:
    unconfigured.file.write_text("host = x\n")

    assert unconfigured("configure", "--host", "y").status == 2
    assert unconfigured.file.read_text() == "host = x\n"


def test_a_predecessors_file_is_read(unconfigured: Cmcli, stranger: Stranger) -> None:
    unconfigured.file.write_text(f"[coal-mine]\nhost = 127.0.0.1\nport = {stranger.port}\nauth-key = old key\n\n")

    assert unconfigured("list").status == 0
    assert stranger.seen[0].headers["X-Auth-Token"] == "old key"


@pytest.mark.parametrize(("written", "meant"), [("50%%off", "50%off"), ("50%off", "50%off")])
def test_a_percent_sign_in_the_file_may_be_doubled(unconfigured: Cmcli, stranger: Stranger, written: str, meant: str) -> None:
    unconfigured.file.write_text(f"[coal-mine]\nhost = {stranger.url}\nauth-key = {written}\n")

    unconfigured("list")

    assert stranger.seen[0].headers["X-Auth-Token"] == meant


@pytest.mark.parametrize("before", [True, False])
def test_options_about_the_server_stand_before_or_behind_the_command(server: CoalMine, unconfigured: Cmcli, before: bool) -> None:
    options = ["--host", "127.0.0.1", "--port", server.url.rpartition(":")[2], "--auth_key", "unneeded"]

    outcome = unconfigured(*options, "list") if before else unconfigured("list", *options)

    assert (outcome.status, outcome.err) == (0, "")


def test_options_win_over_the_environment_and_the_environment_over_the_file(unconfigured: Cmcli, stranger: Stranger) -> None:
    unconfigured("configure", "--host", "http://127.0.0.1:1", "--auth-key", "of the file")
    environment = {"COAL_MINE_HOST": stranger.url, "COAL_MINE_AUTH_KEY": "of the environment"}

    unconfigured("list", environment=environment)
    unconfigured("list", "--auth-key", "of the option", environment=environment)
    unconfigured("--auth-key", "of the option", "list", environment=environment)
    unconfigured("list", "--host", "127.0.0.1", environment={"COAL_MINE_PORT": str(stranger.port)})

    keys = [seen.headers["X-Auth-Token"] for seen in stranger.seen]
    assert keys == ["of the environment", "of the option", "of the option", "of the file"]


def test_no_auth_key_keeps_the_key_at_home(unconfigured: Cmcli, stranger: Stranger) -> None:
    unconfigured("configure", "--host", stranger.url, "--auth-key", "k")

    unconfigured("list", "--no-auth-key")
    unconfigured("--no-auth-key", "list", environment={"COAL_MINE_AUTH_KEY": "k"})

    assert len(stranger.seen) == 2
    assert not any("X-Auth-Token" in seen.headers for seen in stranger.seen)


def _mode(cmcli: Cmcli) -> int:
    return stat.S_IMODE(cmcli.file.stat().st_mode)
