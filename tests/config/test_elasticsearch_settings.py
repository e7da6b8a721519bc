"""What [elasticsearch] means, and what is wrong with it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from coal_mine.config import ElasticsearchConfig, load
from coal_mine.domain.errors import Invalid
from tests.config.conftest import Run

URL = "url = http://localhost:9200\n"
ONE_HOUR_EAST = timezone(timedelta(hours=1))

# The section, and what is said after "coal-mine.ini: [elasticsearch] ".
MISTAKES = {
    "no URL": ("index = x\n", "url: missing; give the URL of Elasticsearch, such as http://localhost:9200"),
    "no scheme": ("url = localhost:9200\n", "url: not a URL such as http://localhost:9200"),
    "unknown": (URL + "indices = x\n", "indices: unknown setting; [elasticsearch] knows url, index, dateformat, headers, ca_certs"),
    "capitals": (URL + "index = Moneta\n", "index: 'Moneta' would be 'Moneta'; Elasticsearch wants small letters"),
    "blanks": (URL + "index = my audit\n", "index: 'my audit' would be 'my audit'; Elasticsearch wants"),
    "hyphen first": (URL + "index = -x\n", "index: '-x' would be '-x'; Elasticsearch wants"),
    "month by name": (URL + "dateformat = %B\n", "index: 'coal-mine-${date}' would be 'coal-mine-November'; Elasticsearch wants"),
    "no header": (URL + "headers = abc\n", "headers: line 1 is not of the form Name: value; or write a JSON object"),
    "no JSON": (URL + "headers = {abc\n", "headers: not a JSON object such as "),
    "number": (URL + 'headers = {"X": 1}\n', "headers: the value of X is not a text"),
    "header with a blank": (URL + "headers = X Y: z\n", "headers: 'X Y' is not the name of a header"),
    "line break": (URL + 'headers = {"X": "a\\nb"}\n', "headers: the value of X is not made of plain letters, digits and signs"),
    "nothing to trust": (URL + f"ca_certs = {__file__}\n", "ca_certs: there is nothing to trust where the URL does not begin with https"),
}


def read(directory: Path, section: str) -> ElasticsearchConfig:
    path = directory / "coal-mine.ini"
    path.write_text(f"[elasticsearch]\n{section}")
    found = load(path, {}).elasticsearch
    assert found
    return found


def complaint(directory: Path, section: str) -> str:
    with pytest.raises(Invalid) as refusal:
        read(directory, section)
    return str(refusal.value)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, mistake: str) -> None:
    section, fault = MISTAKES[mistake]

    assert complaint(tmp_path, section).startswith(f"{tmp_path}/coal-mine.ini: [elasticsearch] {fault}")


@pytest.mark.parametrize("section", ["url = u:s3cret@localhost\n", URL + "headers = s3cret\n", URL + 'headers = {"X": "s3cret\\n"}\n'])
def test_no_mistake_tells_a_secret(tmp_path: Path, section: str) -> None:
    assert "s3cret" not in complaint(tmp_path, section)


def test_nothing_that_is_secret_is_shown_with_the_settings(tmp_path: Path) -> None:
    found = read(tmp_path, "url = http://u:s3cret@localhost:9200\nheaders = Authorization: s3cret\n")

    assert "s3cret" not in repr(found)


def test_without_the_section_there_is_no_elasticsearch(tmp_path: Path) -> None:
    path = tmp_path / "coal-mine.ini"
    path.write_text("")

    assert load(path, {}).elasticsearch is None


@pytest.mark.parametrize(
    "headers",
    ['{"Authorization": "ApiKey abc=", "X-Team": "a: b"}', "\n  Authorization: ApiKey abc=\n  X-Team: a: b"],
    ids=["object", "lines"],
)
def test_headers_are_an_object_or_lines(tmp_path: Path, headers: str) -> None:
    assert read(tmp_path, f"{URL}headers = {headers}\n").headers == (("Authorization", "ApiKey abc="), ("X-Team", "a: b"))


def test_the_index_has_the_documents_date_in_utc(tmp_path: Path) -> None:
    found = read(tmp_path, URL + "index = moneta-${date}-x\ndateformat = %Y.%m\n")

    assert found.index_at(datetime(2026, 12, 1, 0, 30, tzinfo=ONE_HOUR_EAST)) == "moneta-2026.11-x"


def test_an_index_without_a_date_is_always_the_same(tmp_path: Path) -> None:
    assert read(tmp_path, URL + "index = audit\n").index_at(datetime(2026, 12, 1, tzinfo=UTC)) == "audit"


def test_the_check_says_where_documents_go(check: Run) -> None:
    done = check(ini=f"[elasticsearch]\n{URL}index = audit-${{date}}\n")

    assert "documents: to Elasticsearch, index audit-${date}" in done.out.splitlines()


def test_without_the_library_a_server_that_needs_it_does_not_start(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['elasticsearch'] = None\n")
    refused = run("--port", "0", ini=f"[elasticsearch]\n{URL}", environ={"PYTHONPATH": str(tmp_path)})

    missing = "needs the package elasticsearch, which is not installed; install coal-mine[elasticsearch]"
    assert refused.fault == f"coal-mine.ini: [elasticsearch]: {missing}"


def test_the_library_is_not_loaded_where_nobody_needs_it() -> None:
    loaded = "import coal_mine.main.web, coal_mine.main.parts, sys; print('elasticsearch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


def test_certificates_that_are_away_keep_nobody_from_watching_and_are_warned_of(check: Run, tmp_path: Path) -> None:
    done = check(ini="[elasticsearch]\nurl = https://localhost:9200\nca_certs = away.pem\n")
    told = f"warning: [elasticsearch] ca_certs: {tmp_path}/away.pem cannot be read: No such file or directory; documents wait"

    assert (done.status, told in done.err) == (0, True)
