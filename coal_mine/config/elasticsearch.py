"""[elasticsearch]: where documents of runs and of changes of jobs are written to."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from .section import Section, certificates_file, is_http_url

_DATE = "${date}"
_DEFAULT_INDEX = f"coal-mine-{_DATE}"
_DEFAULT_DATEFORMAT = "%Y.%m"
_SOME_DAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
# What Elasticsearch takes as the name of an index.
_INDEX = re.compile(r"(?![-_+.])[^\\/*?\"<>|,#:\sA-Z\x00-\x1f]{1,255}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticsearchConfig:
    url: str = field(repr=False)  # may hold a password
    index: str
    dateformat: str
    headers: Headers = field(repr=False)  # may hold a key
    ca_certs: Path | None  # whom to trust; None: whom everybody does

    def index_at(self, moment: datetime) -> str:
        """The index in which a document of that time lies."""
        return _index_at(self.index, self.dateformat, moment)


def read_elasticsearch(section: Section) -> ElasticsearchConfig:
    no_certificate: Path | None = None
    config = ElasticsearchConfig(
        url=section.text("url"),
        index=section.text("index", _DEFAULT_INDEX),
        dateformat=section.text("dateformat", _DEFAULT_DATEFORMAT),
        headers=_read_headers(section),
        ca_certs=section.take("ca_certs", no_certificate, certificates_file),
    )
    section.refuse_rest("url", "index", "dateformat", "headers", "ca_certs")
    if not config.url:
        raise section.error("url", "missing; give the URL of Elasticsearch, such as http://localhost:9200")
    if not is_http_url(config.url):
        raise section.error("url", "not a URL such as http://localhost:9200")  # which is not quoted: it may hold a password
    if config.ca_certs and not config.url.startswith("https:"):
        raise section.error("ca_certs", "there is nothing to trust where the URL does not begin with https")
    if not _INDEX.fullmatch(name := config.index_at(_SOME_DAY)):
        fault = 'Elasticsearch wants small letters, none of the characters \\ / * ? " < > | , # : and no blanks, and no - _ + . first'
        raise section.error("index", f"{config.index!r} would be {name!r}; {fault}")
    return config


def _index_at(index: str, dateformat: str, moment: datetime) -> str:
    return index.replace(_DATE, moment.astimezone(UTC).strftime(dateformat))


def _read_headers(section: Section) -> Headers:
    """In a form of two; what is wrong is not quoted, since it may hold a key."""
    text = section.text("headers")
    found = _as_object(section, text) if text.startswith("{") else _as_lines(section, text)
    for name, value in found:
        if not _HEADER_NAME.fullmatch(name):
            raise section.error("headers", f"{name!r} is not the name of a header")
        if not (value.isascii() and value.isprintable()):
            raise section.error("headers", f"the value of {name} is not made of plain letters, digits and signs")
    return tuple(found)


def _as_object(section: Section, text: str) -> list[tuple[str, str]]:
    try:
        found = json.loads(text)
    except ValueError:
        raise section.error("headers", 'not a JSON object such as {"Authorization": "ApiKey abc"}') from None
    for name, value in found.items():
        if not isinstance(value, str):
            raise section.error("headers", f"the value of {name} is not a text")
    return list(found.items())


def _as_lines(section: Section, text: str) -> list[tuple[str, str]]:
    found = []
    for number, line in enumerate((line for line in text.splitlines() if line.strip()), 1):
        name, colon, value = line.partition(":")
        if not colon:
            raise section.error("headers", f"line {number} is not of the form Name: value; or write a JSON object")
        found.append((name.strip(), value.strip()))
    return found
