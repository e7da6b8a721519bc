"""Every mistake is one line that names file, section and setting, and the exit status is 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.conftest import Run

SENDER = "[email]\nsender = cm@example.test\n"

# The file, and what is said after "coal-mine: coal-mine.ini: ".
IN_THE_FILE = {
    "unknown section": (
        "[mongo]\n",
        "[mongo]: unknown section; there are [logging], [mongodb], [sqlite], [email], [alerts], [heartbeat], [wsgi]",
    ),
    "section DEFAULT": ("[DEFAULT]\nport = 1\n", "[DEFAULT]: unknown section; there are "),
    "logging": ("[logging]\nfiel = x\n", "[logging] fiel: unknown setting; [logging] knows file, rotate, max_size, backup_count"),
    "sqlite": ("[sqlite]\nfile = x\n", "[sqlite] file: unknown setting; [sqlite] knows path"),
    "email": (SENDER + "tsl = yes\n", "[email] tsl: unknown setting; "),
    "wsgi": ("[wsgi]\nauth-key = x\n", "[wsgi] auth-key: unknown setting; "),
    "bad number": ("[logging]\nmax_size = 1 MB\n", "[logging] max_size: '1 MB' is not a whole number from 1000 to "),
    "negative number": ("[logging]\nbackup_count = -1\n", "[logging] backup_count: '-1' is not a whole number from 1 to 10000"),
    "bad boolean": ("[logging]\nrotate = maybe\n", "[logging] rotate: 'maybe' is neither true nor false"),
    "bad port": ("[wsgi]\nport = http\n", "[wsgi] port: 'http' is not a whole number from 0 to 65535"),
    "large port": ("[wsgi]\nport = 65536\n", "[wsgi] port: '65536' is not a whole number from 0 to 65535"),
    "bad mail port": (SENDER + "port = 0\n", "[email] port: '0' is not a whole number from 1 to 65535"),
    "bad host": (f"[wsgi]\nhost = {'x' * 70}\n", f"[wsgi] host: '{'x' * 70}' is neither an address nor a name of this machine"),
    "no sender": ("[email]\nhost = localhost\n", "[email] sender: missing; "),
    "comma in sender": (
        "[email]\nsender = Coal Mine, Inc <cm@example.test>\n",
        "[email] sender: 'Coal Mine, Inc <cm@example.test>' is not a",
    ),
    "bare name in sender": ("[email]\nsender = Coal Mine cm@example.test\n", "[email] sender: 'Coal Mine cm@example.test' is not a mail"),
    "two senders": ("[email]\nsender = a@example.test, b@example.test\n", "[email] sender: 'a@example.test, b@example.test' is not a"),
    "half a sender": ("[email]\nsender = cm@\n", "[email] sender: 'cm@' is not a mail address"),
    "URI without database": ("[mongodb]\nhosts = mongodb://127.0.0.1\n", "[mongodb] hosts: names no database; end the URI in /DATABASE"),
    "bad sender": ("[email]\nsender = nobody\n", "[email] sender: 'nobody' is not a mail address"),
    "no password": (SENDER + "username = u\n", "[email] password: missing; username and password belong together"),
    "no username": (SENDER + "password = p\n", "[email] username: missing; username and password belong together"),
    "bad tls": (SENDER + "tls = ssl3\n", "[email] tls: 'ssl3' is none of no, starttls, implicit"),
    "no hosts": ("[mongodb]\ndatabase = x\n", "[mongodb] hosts: missing; "),
    "no database": ("[mongodb]\nhosts = 127.0.0.1\n", "[mongodb] database: missing; "),
    "bad operator": (
        "[alerts]\noperators = ops@example.test, jo\n",
        "[alerts] operators: 'ops@example.test, jo' is no list of mail addresses: 'jo' is none",
    ),
    "operator with a name": ("[alerts]\noperators = Jo <jo@example.test>\n", "[alerts] operators: 'Jo <jo@example.test>' is no list"),
    "no URL": ("[heartbeat]\ninterval = 10\n", "[heartbeat] url: missing; give the URL that is to hear that this server lives"),
    "bad URL": ("[heartbeat]\nurl = example.test/abc\n", "[heartbeat] url: not a URL such as https://"),
    "bad interval": ("[heartbeat]\nurl = http://x/\ninterval = 0\n", "[heartbeat] interval: '0' is not a whole number from 1 to 86400"),
    "heartbeat": ("[heartbeat]\nhost = x\n", "[heartbeat] host: unknown setting; [heartbeat] knows url, interval"),
    "workers": ("[wsgi]\nworkers = 2\n", "[wsgi] workers: 2 workers need [mongodb]; the SQLite store serves from one"),
    "certificate alone": ("[wsgi]\ntls_certificate = coal-mine.ini\n", "[wsgi] tls_key: missing; "),
    "key alone": ("[wsgi]\ntls_key = coal-mine.ini\n", "[wsgi] tls_certificate: missing; "),
    "no certificate": ("[wsgi]\ntls_certificate = nope.pem\n", "[wsgi] tls_certificate: 'nope.pem' cannot be read: No such file"),
    "no PEM": ("[wsgi]\ntls_certificate = coal-mine.ini\ntls_key = coal-mine.ini\n", "[wsgi] tls_certificate: cannot be used together"),
    "log directory": ("[logging]\nfile = nope/cm.log\n", "[logging] file: 'nope/cm.log' cannot be written: there is no directory nope"),
    "log is directory": ("[logging]\nfile = /\nrotate = yes\n", "[logging] file: '/' is a directory"),
    "store is directory": ("[sqlite]\npath = /\n", "[sqlite] path: '/' is a directory; give the name of a file in it"),
    "store below a file": ("[sqlite]\npath = coal-mine.ini/a/b\n", "[sqlite] path: 'coal-mine.ini/a/b' cannot be made: "),
    "no section": ("port = 80\n", "line 1 stands before any [section]"),
    "no setting": ("[wsgi]\nport\n", "line 2 is neither a [section] nor a setting = value"),
    "setting twice": ("[wsgi]\nport = 1\nport = 2\n", "[wsgi] port: given a second time in line 3"),
    "section twice": ("[wsgi]\n[wsgi]\n", "[wsgi]: begins a second time in line 2"),
}


@pytest.mark.parametrize("mistake", IN_THE_FILE)
def test_a_mistake_in_the_file_is_told_with_its_place(check: Run, mistake: str) -> None:
    ini, fault = IN_THE_FILE[mistake]

    assert check(ini=ini).fault.startswith(f"coal-mine.ini: {fault}")


@pytest.mark.parametrize(("ini", "fault"), [(b"[wsgi]\nhost = \xff\n", "not UTF-8 text"), (b"[wsgi]\nhost = \0\n", "not text")])
def test_a_file_that_is_no_text_is_refused(check: Run, ini: bytes, fault: str) -> None:
    assert check(ini=ini).fault.startswith(f"coal-mine.ini: {fault}")


@pytest.mark.parametrize(("path", "fault"), [("nope.ini", "No such file or directory"), ("/", "Is a directory")])
def test_a_file_that_cannot_be_read_is_named(check: Run, path: str, fault: str) -> None:
    assert check("--config", path).fault == f"{path}: {fault}"


@pytest.mark.parametrize("line", ["auth_key s3cret", "  s3cret"])
def test_a_broken_line_is_not_quoted_since_it_may_hold_the_key(check: Run, line: str) -> None:
    assert "s3cret" not in check(ini=f"[wsgi]\n{line}\n").fault


@pytest.mark.parametrize("url", ["ftp://x/s3cret", "http:///s3cret", "http://x:99999/s3cret", "http://x/s3cret with blanks", "s3cret"])
def test_a_url_that_is_none_is_not_quoted_since_it_may_hold_a_secret(check: Run, url: str) -> None:
    fault = check(ini=f"[heartbeat]\nurl = {url}\n").fault

    assert fault == "coal-mine.ini: [heartbeat] url: not a URL such as https://example.com/abcdefgh"


@pytest.mark.parametrize(
    ("environ", "fault"),
    [
        ({"WSGI_PORT": "http"}, "environment: WSGI_PORT: 'http' is not a whole number from 0 to 65535"),
        ({"SMTP_HOST": "mail.example.test"}, "environment: EMAIL_SENDER: missing; "),
        ({"EMAIL_SENDER": "cm@example.test", "SMTP_USERNAME": "u"}, "environment: SMTP_PASSWORD: missing; "),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(check: Run, environ: dict[str, str], fault: str) -> None:
    assert check(environ=environ).fault.startswith(fault)


def test_a_state_directory_that_cannot_be_made_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    fault = run(environ={"XDG_STATE_HOME": str(tmp_path / "file")}).fault

    assert f"'{tmp_path}/file/coal-mine/coal-mine.sqlite3' cannot be made: {tmp_path}/file is not a directory" in fault


def test_a_log_file_that_cannot_be_written_ends_the_start(run: Run) -> None:
    fault = run("--port", "0", ini="[logging]\nfile = nope/cm.log\nrotate = yes\n[wsgi]\nhost = 127.0.0.1\n").fault

    assert fault.startswith("coal-mine.ini: [logging] file: 'nope/cm.log' cannot be written")


def test_a_store_that_is_no_database_ends_the_start(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database at all, but a file with some text in it\n" * 20)
    fault = run("--port", "0", ini="[sqlite]\npath = notes.txt\n[wsgi]\nhost = 127.0.0.1\n").fault

    assert fault == "notes.txt: file is not a database"


def test_the_parts_exclude_each_other(run: Run) -> None:
    assert run("--web", "--node", "--port", "0").fault.startswith("--web, --background and --node exclude each other")


@pytest.mark.parametrize("part", ["--web", "--background", "--node"])
def test_one_part_alone_needs_mongodb(run: Run, part: str) -> None:
    assert run(part, "--port", "0").fault.startswith("--web, --background or --node alone needs [mongodb]")


def test_a_host_that_is_not_this_machine_is_named(run: Run) -> None:
    assert run("--port", "0", ini="[wsgi]\nhost = 192.0.2.1\n").fault.startswith("cannot listen on 192.0.2.1:0: ")


@pytest.mark.parametrize("arguments", [["--port", "http"], ["--bogus"], ["more"]])
def test_wrong_arguments_end_with_status_2(run: Run, arguments: list[str]) -> None:
    ended = run(*arguments)

    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("Usage: ")


def test_a_spool_that_cannot_be_made_is_named_before_anything_is_served(run: Run) -> None:
    fault = run("--port", "0", ini="[sqlite]\npath = cm.sqlite3\n[wsgi]\nhost = 127.0.0.1\n[node]\nspool = /proc/spool\n").fault

    assert fault == "coal-mine.ini: [node] spool: /proc/spool: No such file or directory"
