"""Where the configuration comes from: a file, the environment, or neither."""

from __future__ import annotations

from pathlib import Path

from coal_mine.config import default_node
from tests.config.conftest import Run

NOWHERE = "mongodb://127.0.0.1:1/canaries"


def test_without_a_configuration_it_serves_this_machine_from_the_state_directory(check: Run, tmp_path: Path) -> None:
    lines = check().out.splitlines()
    node = default_node()

    assert lines[0].endswith("configured by built-in defaults")
    assert lines[1:] == [
        f"store: SQLite, in {tmp_path}/state/coal-mine/coal-mine.sqlite3",
        "alerts: the log only, since there is no [email] section",
        f"node {node.name}: runs jobs of default, at most 100 at once, as {node.users[0]}",
        "listening on http://127.0.0.1:8080 for this machine only",
    ]


def test_checking_leaves_nothing_behind(check: Run, tmp_path: Path) -> None:
    check()

    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_current_directory_is_found(check: Run) -> None:
    ended = check(ini="[wsgi]\nport = 4321\n")

    assert ended.status == 0
    assert "configured by coal-mine.ini\n" in ended.out
    assert ended.out.endswith("listening on http://0.0.0.0:4321\n")


def test_a_file_without_a_port_means_port_80_for_everybody(check: Run) -> None:
    assert check(ini="[logging]\n").out.endswith("listening on http://0.0.0.0:80\n")


def test_the_option_port_goes_before_the_file(check: Run) -> None:
    assert check("--port", "4322", ini="[wsgi]\nport = 4321\n").out.endswith("listening on http://0.0.0.0:4322\n")


def test_the_option_config_goes_before_the_current_directory(check: Run, tmp_path: Path) -> None:
    (tmp_path / "other.ini").write_text("[wsgi]\nport = 1234\n")
    ended = check("--config", "other.ini", ini="[wsgi]\nport = 4321\n")

    assert "configured by other.ini\n" in ended.out
    assert ended.out.endswith(":1234\n")


def test_a_file_may_have_a_byte_order_mark_windows_line_ends_and_comments(check: Run) -> None:
    ended = check(ini=b"\xef\xbb\xbf# ours\r\n[wsgi]\r\n; a port\r\nport = 4321\r\n")

    assert ended.out.endswith(":4321\n")


def test_a_setting_without_a_value_has_its_default(check: Run) -> None:
    assert check(ini="[wsgi]\nport =\nauth_key =\n").out.endswith(":80\n")


def test_the_environment_can_say_everything(check: Run) -> None:
    environ = {
        "MONGODB_URI": NOWHERE,
        "EMAIL_SENDER": "cm@example.test",
        "SMTP_HOST": "mail.example.test",
        "SMTP_PORT": "2525",
        "SMTP_USERNAME": "user",
        "SMTP_PASSWORD": "password",
        "WSGI_PORT": "4321",
        "WSGI_AUTH_KEY": "key",
    }
    ended = check(environ=environ)

    assert ended.out.splitlines()[0].endswith("configured by the environment")
    assert ended.out.splitlines()[1:] == [
        "store: MongoDB database canaries at 127.0.0.1:1",
        "alerts: mail from cm@example.test through mail.example.test:2525",
        "listening on http://0.0.0.0:4321",
    ]


def test_a_database_in_the_environment_goes_before_the_file(check: Run) -> None:
    ended = check(ini="[wsgi]\nport = 4321\n", environ={"MONGODB_URI": NOWHERE})

    assert "configured by the environment\nstore: MongoDB database canaries at 127.0.0.1:1\n" in ended.out


def test_a_file_goes_before_the_rest_of_the_environment(check: Run) -> None:
    ended = check(ini="[logging]\n", environ={"WSGI_PORT": "4321"})

    assert ended.out.endswith(":80\n")


def test_an_empty_variable_counts_as_absent(check: Run) -> None:
    ended = check(environ={"MONGODB_URI": "", "EMAIL_SENDER": "", "WSGI_PORT": ""})

    assert ended.out.endswith("listening on http://127.0.0.1:8080 for this machine only\n")


def test_what_is_secret_is_not_shown(check: Run) -> None:
    ini = (
        "[mongodb]\nhosts = mongodb://user:s3cret-a@127.0.0.1:1/canaries\n[wsgi]\nauth_key = s3cret-b\n"
        "[email]\nsender = cm@example.test\nusername = user\npassword = s3cret-c\n"
        "[heartbeat]\nurl = http://user:s3cret-d@127.0.0.1/s3cret-e\n"
    )
    ended = check(ini=ini)

    assert ended.status == 0
    assert "s3cret" not in ended.out + ended.err


def test_the_check_of_a_good_file_starts_nothing(run: Run) -> None:
    ended = run("--check-config", ini="[wsgi]\nhost = 127.0.0.1\nport = 4321\nauth_key = k3y\n")

    assert (ended.status, ended.err) == (0, "")
    assert ended.out.endswith("listening on http://127.0.0.1:4321\n")


def test_the_version_is_told(run: Run) -> None:
    ended = run("--version")

    assert (ended.status, ended.out.split()[:2]) == (0, ["coal-mine,", "version"])


def test_every_option_has_help(run: Run) -> None:
    out = run("--help").out

    assert all(option in out for option in ("--config", "--port", "--web", "--background", "--check-config", "--version"))
