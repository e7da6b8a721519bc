"""[runner:NAME]: what a node can do for a job beside running a command."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from coal_mine.domain.errors import Invalid
from coal_mine.domain.job import Runner
from coal_mine.domain.template import filled

from .section import Section, boolean, certificates_file, is_http_url

_TYPES = (Runner.DUMMY, Runner.INSTANCE)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_REGION = re.compile(r"[a-z0-9-]{1,60}")
_ONLY_HTTP = ("endpoint", "endpoint_template", "token", "auth_header", "ca_certs")
_ONLY_AWS = ("region", "access_key", "secret_key")


@dataclass(frozen=True, slots=True, kw_only=True)
class DummyRunner:
    """Says something, and is well."""

    runner: ClassVar[Runner] = Runner.DUMMY
    template: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRunner:
    """Starts and stops instances by a call of a service that has power over them."""

    runner: ClassVar[Runner] = Runner.INSTANCE
    endpoint: str  # goes before the template; one of the two is given
    endpoint_template: str
    token: str = field(repr=False)  # empty: none is sent
    auth_header: str
    ca_certs: Path | None = None  # whom to trust; None: whom everybody does
    proxy: str = field(repr=False)  # empty: none; the environment's do not count


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsRunner:
    """The same for those of EC2, by a call of AWS itself. What is empty here, boto3 finds in its own ways."""

    runner: ClassVar[Runner] = Runner.INSTANCE
    region: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    proxy: str = field(repr=False)


RunnerConfig = DummyRunner | HttpRunner | AwsRunner


def read_runner(section: Section) -> RunnerConfig:
    kind = section.take("type", None, _type)
    if kind is None:
        raise section.error("type", f"missing; it is {' or '.join(_TYPES)}")
    if kind is Runner.DUMMY:
        return _dummy(section)
    return _aws(section) if section.take("aws", False, boolean) else _http(section)


def _dummy(section: Section) -> DummyRunner:
    config = DummyRunner(template=section.text("template"))
    section.refuse_rest("type", "template")
    if not config.template:
        raise section.error("template", "missing; give the text that is its output, such as Hello, {{.Account}}!")
    try:
        filled(config.template, {"Account": "a"})
    except Invalid as error:  # each run would say so
        raise section.error("template", str(error)) from error
    return config


def _http(section: Section) -> HttpRunner:
    no_certificate: Path | None = None
    _refuse(section, _ONLY_AWS, "goes with aws = true")
    config = HttpRunner(
        endpoint=_url(section, "endpoint"),
        endpoint_template=_url(section, "endpoint_template"),
        token=_token(section),
        auth_header=section.take("auth_header", "X-Auth-Token", _header),
        ca_certs=section.take("ca_certs", no_certificate, certificates_file),
        proxy=_proxy(section),
    )
    section.refuse_rest("type", "aws", *_ONLY_HTTP, "proxy")
    if not config.endpoint and not config.endpoint_template:
        raise section.error("endpoint", "missing; give the URL to call, or endpoint_template, or aws = true")
    if config.ca_certs and not (config.endpoint or config.endpoint_template).startswith("https:"):
        raise section.error("ca_certs", "there is nothing to trust where the URL does not begin with https")
    return config


def _aws(section: Section) -> AwsRunner:
    _refuse(section, _ONLY_HTTP, "does not go with aws = true, which calls AWS itself")
    config = AwsRunner(
        region=section.take("region", "", _region),
        access_key=section.text("access_key"),
        secret_key=section.text("secret_key"),
        proxy=_proxy(section),
    )
    section.refuse_rest("type", "aws", *_ONLY_AWS, "proxy")
    if bool(config.access_key) != bool(config.secret_key):
        raise section.error("secret_key" if config.access_key else "access_key", "missing; access_key and secret_key belong together")
    return config


def _refuse(section: Section, settings: tuple[str, ...], why: str) -> None:
    for setting in settings:
        if section.text(setting):
            raise section.error(setting, why)


def _type(text: str) -> Runner:
    if text not in _TYPES:
        raise ValueError(f"is none of {', '.join(_TYPES)}")
    return Runner(text)


def _url(section: Section, setting: str) -> str:
    """Faults do not quote it, for it may hold what should not be there."""
    text = section.text(setting)
    try:
        example = filled(text, {"Account": "a", "InstanceID": "i"}) if setting == "endpoint_template" else text
    except Invalid as error:
        raise section.error(setting, str(error)) from error
    if text and not is_http_url(example):
        raise section.error(setting, "not a URL such as https://cloud.example.com/instances/i-1/power")
    if "@" in urlsplit(example).netloc:
        raise section.error(setting, "has a name or a password before the host; give a token instead")
    if setting == "endpoint_template" and _host(text, "a") != _host(text, "b"):
        raise section.error(setting, "has a place before its path; whoever writes jobs could choose the host that gets the token")
    return text


def _host(template: str, value: str) -> tuple[str, str]:
    parts = urlsplit(filled(template, {"Account": value, "InstanceID": value}))
    return parts.scheme, parts.netloc


def _proxy(section: Section) -> str:
    text = section.text("proxy")
    if text and not is_http_url(text):
        raise section.error("proxy", "not a URL such as http://proxy.example.com:3128")
    return text


def _token(section: Section) -> str:
    text = section.text("token")
    if not text.isascii() or not text.isprintable():
        raise section.error("token", "has characters that no header can carry; ASCII letters, digits and signs can be sent")
    return text


def _header(text: str) -> str:
    if not _HEADER.fullmatch(text):
        raise ValueError("is not the name of a header, such as X-Auth-Token")
    return text


def _region(text: str) -> str:
    if not _REGION.fullmatch(text):
        raise ValueError("is not a region such as eu-central-1")
    return text
