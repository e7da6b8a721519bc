"""[minion:ACCOUNT]."""

from __future__ import annotations

from pathlib import Path

import pytest

from coal_mine.config import Config, load
from coal_mine.domain.errors import Invalid

RUNNERS = "[runner:a]\ntype = dummy\ntemplate = A\n[runner:b]\ntype = dummy\ntemplate = B\n"


def loaded(directory: Path, text: str) -> Config:
    path = directory / "coal-mine.ini"
    path.write_text(f"[sqlite]\npath = {directory}/cm.sqlite3\n{text}")
    return load(path, {})


def test_there_are_no_accounts_unless_said(tmp_path: Path) -> None:
    assert loaded(tmp_path, "").minion == {}


def test_accounts_are_known_by_the_names_of_their_sections(tmp_path: Path) -> None:
    config = loaded(tmp_path, f"[minion:One]\nrunners = a, b\n[minion:two.2]\nrunners = b\n{RUNNERS}")

    assert {name: account.runners for name, account in config.minion.items()} == {"One": ("a", "b"), "two.2": ("b",)}


def test_an_account_may_use_no_runner_unless_said(tmp_path: Path) -> None:
    assert loaded(tmp_path, "[minion:one]\n").minion["one"].runners == ()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[minion:one]\nrunners = a, c\n", "[minion:one] runners: 'a, c' names 'c', and there is no section [runner:c]"),
        ("[minion:one]\nrunners = ,\n", "[minion:one] runners: ',' names nothing"),
        ("[minion:one]\nrunner = a\n", "[minion:one] runner: unknown setting; [minion:one] knows runners"),
        (
            "[minion:]\n",
            "[minion:]: '' is not a name of up to 64 letters, digits, dots, hyphens and underscores, the first a letter or digit",
        ),
        (
            "[minion:a b]\n",
            "[minion:a b]: 'a b' is not a name of up to 64 letters, digits, dots, hyphens and underscores, the first a letter or digit",
        ),
        ("[minion]\n", "[minion]: unknown section"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(Invalid) as refusal:
        loaded(tmp_path, RUNNERS + text)

    assert fault in str(refusal.value)
    assert "\n" not in str(refusal.value)
