"""The key as a bcrypt hash of it."""

from __future__ import annotations

import bcrypt
import pytest

from coal_mine.services.auth import HashedKey, is_bcrypt_of
from tests.stores.examples import at_once

KEY = "correct horse battery staple"
# Of the key "allmine", by another implementation.
FOREIGN = "$2a$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga"


class Counted:
    """Remembers what was worked out."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    def __call__(self, key: str, token: str) -> bool:
        self.tokens.append(token)
        return is_bcrypt_of(key, token)


def hashed(key: str = KEY, cost: int = 4, prefix: bytes = b"2b") -> str:
    return bcrypt.hashpw(key.encode()[:72], bcrypt.gensalt(cost, prefix)).decode()


def test_each_hash_of_the_key_is_right() -> None:
    key = HashedKey(KEY)
    hashes = [hashed() for _ in range(3)]

    assert [key.is_given_by(token) for token in hashes] == [True] * 3


@pytest.mark.parametrize("prefix", ["2a", "2b", "2y"])
def test_each_spelling_of_the_algorithm_is_right(prefix: str) -> None:
    assert HashedKey(KEY).is_given_by(hashed().replace("$2b$", f"${prefix}$"))


def test_the_hash_of_another_key_is_wrong_however_often_it_is_sent() -> None:
    key, token = HashedKey(KEY), hashed("another")

    assert [key.is_given_by(token) for _ in range(3)] == [False] * 3


@pytest.mark.parametrize(
    "token", ["", "allmine", "$2", "$2b$04$", "$2b$04$" + "!" * 53, FOREIGN + "x", "$1" + FOREIGN[2:], "\udcff$2b$04$"]
)
def test_what_is_no_hash_is_wrong(token: str) -> None:
    assert not HashedKey("allmine").is_given_by(token)


@pytest.mark.parametrize("cost", ["00", "03", "13", "31", "99"])
def test_a_cost_beyond_the_bounds_is_refused(cost: str) -> None:
    token = hashed()

    assert not HashedKey(KEY).is_given_by(token[:4] + cost + token[6:])


def test_without_a_key_no_hash_is_right() -> None:
    assert not HashedKey("").is_given_by(hashed(""))


def test_a_key_that_is_longer_than_bcrypt_looks_at_has_hashes() -> None:
    assert HashedKey("ü" * 100).is_given_by(hashed("ü" * 36))


def test_a_hash_by_another_implementation_is_right() -> None:
    assert HashedKey("allmine").is_given_by(FOREIGN)


def test_a_hash_that_was_right_is_not_worked_out_again() -> None:
    counted = Counted()
    key, token = HashedKey(KEY, counted), hashed()

    assert [key.is_given_by(token) for _ in range(3)] == [True] * 3
    assert counted.tokens == [token]


def test_only_the_latest_hashes_are_remembered() -> None:
    counted = Counted()
    key, tokens = HashedKey(KEY, counted), [hashed() for _ in range(80)]
    for token in [*tokens, tokens[-1], tokens[0]]:
        key.is_given_by(token)

    assert counted.tokens == [*tokens, tokens[0]]


def test_several_who_send_one_hash_at_once_are_all_let_in_by_working_it_out_once() -> None:
    counted = Counted()
    key, token = HashedKey(KEY, counted), hashed()

    assert at_once([lambda: key.is_given_by(token)] * 6) == [True] * 6
    assert counted.tokens == [token]
