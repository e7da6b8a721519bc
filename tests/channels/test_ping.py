"""The call that tells somebody outside that this server lives."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from coal_mine.channels.ping import UrlPing
from coal_mine.domain.errors import DeliveryFailed
from tests.support.listener import Listener

SECRET = "/ping/s3cret"


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as running:
        yield running


def refusal(url: str) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as failure:
        UrlPing(url).send()
    return failure.value


@pytest.fixture
def nobody() -> str:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_it_is_a_get_of_the_whole_url(listener: Listener) -> None:
    UrlPing(f"{listener.url}{SECRET}?m=alive").send()

    assert listener.calls == [f"{SECRET}?m=alive"]


@pytest.mark.parametrize("status", [404, 500, 503])
def test_an_answer_that_is_no_success_is_a_failure(listener: Listener, status: int) -> None:
    listener.status = status

    assert str(refusal(listener.url + SECRET)) == f"the URL answers with status {status}"


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_is_a_failure_and_is_not_followed(listener: Listener, status: int) -> None:
    """Where it leads, perhaps to a page for people, nobody may be waiting for a call."""
    listener.status, listener.location = status, f"{listener.url}/elsewhere"

    assert str(refusal(listener.url + SECRET)) == f"the URL answers with status {status}; give the final one"
    assert listener.calls == [SECRET]


def test_nobody_there_is_a_failure(nobody: str) -> None:
    assert str(refusal(nobody + SECRET)) == "the URL cannot be reached (ConnectionError)"


@pytest.mark.parametrize("url", ["http://no-such-host.invalid", "http://[::1", "http://a..b", f"http://{'x' * 64}"])
def test_a_url_that_leads_nowhere_is_a_failure(url: str) -> None:
    assert str(refusal(url + SECRET)).startswith("the URL cannot be reached (")


def test_nothing_of_a_failure_quotes_the_url(nobody: str) -> None:
    failure = refusal(nobody + SECRET)

    assert SECRET not in str(failure)
    # So that no traceback shows the library's error, which does.
    assert (failure.__cause__, failure.__suppress_context__) == (None, True)
