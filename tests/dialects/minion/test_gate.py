"""Hashes of the key take long to check, and everybody can send some."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import bcrypt
import pytest

from coal_mine.domain.errors import Busy, Unauthorized
from coal_mine.services.auth import HashedKey, is_bcrypt_of
from coal_mine.web.auth import JobGate
from coal_mine.web.dialects.minion.access import MinionGate
from coal_mine.web.dialects.minion.app import minion_face
from coal_mine.web.health import Health
from coal_mine.web.metrics import Metrics
from tests.dialects.minion.accounts import may_use, verbs_of
from tests.support.jobs import Scene
from tests.support.waiting import PATIENCE

KEY = "the key"
TOKEN = bcrypt.hashpw(KEY.encode(), bcrypt.gensalt(4)).decode()


def environ_with(token: str) -> dict[str, str]:
    return {"HTTP_X_AUTH_TOKEN": token, "QUERY_STRING": ""}


class Slow:
    """Works out a hash when it is told to."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()

    def __call__(self, key: str, token: str) -> bool:
        self.begun.set()
        assert self.may_end.wait(PATIENCE)
        return is_bcrypt_of(key, token)


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow()
    yield made
    made.may_end.set()


@contextmanager
def one_is_being_checked(gate: MinionGate, slow: Slow) -> Iterator[None]:
    checking = threading.Thread(target=gate.admit, args=(environ_with(TOKEN),))
    checking.start()
    assert slow.begun.wait(PATIENCE)
    yield
    slow.may_end.set()
    checking.join()


def test_whoever_sends_a_hash_while_many_are_being_checked_is_told_to_come_again(slow: Slow) -> None:
    gate = MinionGate(JobGate(KEY), HashedKey(KEY, slow), nullcontext, most=1)

    with one_is_being_checked(gate, slow), pytest.raises(Busy):
        gate.admit(environ_with(TOKEN))


def test_whoever_sends_a_hash_that_cannot_be_checked_in_time_is_not_told_that_it_is_wrong(slow: Slow) -> None:
    hashed_key = HashedKey(KEY, slow)

    with one_is_being_checked(MinionGate(JobGate(KEY), hashed_key, nullcontext), slow), pytest.raises(Busy):
        hashed_key.is_given_by(TOKEN)


def test_that_is_answered_503_and_not_403(slow: Slow, scene: Scene) -> None:
    gate = MinionGate(JobGate(KEY), HashedKey(KEY, slow), nullcontext)
    statuses: list[str] = []
    face = minion_face(verbs_of(scene, may_use()), gate, Metrics(Health))

    with one_is_being_checked(gate, slow):
        call = {"REQUEST_METHOD": "GET", "PATH_INFO": "/v1/minion/spinup/jobs"} | environ_with(TOKEN)
        text = b"".join(face(call, lambda status, _headers: statuses.append(status.strip())))

    assert (statuses, text) == (["503"], b"hashes of other callers are being checked at this moment: try again, or send the key itself\n")


def test_whoever_sends_the_key_itself_is_let_in_meanwhile(slow: Slow) -> None:
    gate = MinionGate(JobGate(KEY), HashedKey(KEY, slow), nullcontext, most=1)

    with one_is_being_checked(gate, slow):
        assert gate.admit(environ_with(KEY))


def test_whoever_sends_a_wrong_key_is_refused_at_once_meanwhile(slow: Slow) -> None:
    gate = MinionGate(JobGate(KEY), HashedKey(KEY, slow), nullcontext, most=1)

    with one_is_being_checked(gate, slow), pytest.raises(Unauthorized):
        gate.admit(environ_with("wrong"))


def test_a_hash_is_let_in_when_the_others_have_been_checked(slow: Slow) -> None:
    gate = MinionGate(JobGate(KEY), HashedKey(KEY, slow), nullcontext, most=1)

    with one_is_being_checked(gate, slow):
        pass

    assert gate.admit(environ_with(TOKEN))


def test_others_may_work_while_a_hash_is_checked() -> None:
    waits: list[str] = []

    @contextmanager
    def waiting() -> Iterator[None]:
        waits.append("begun")
        yield
        waits.append("ended")

    def is_hash_of(_key: str, _token: str) -> bool:
        waits.append("checked")
        return True

    MinionGate(JobGate(KEY), HashedKey(KEY, is_hash_of), waiting).admit(environ_with(TOKEN))

    assert waits == ["begun", "checked", "ended"]
