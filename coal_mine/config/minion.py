"""[minion:ACCOUNT]: an account of which Minion's clients may have jobs, and what these may do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .section import Section, words


@dataclass(frozen=True, slots=True, kw_only=True)
class MinionAccount:
    runners: tuple[str, ...]  # of the sections [runner:NAME]


def read_minion_account(section: Section, runners: Collection[str]) -> MinionAccount:
    """`runners` are those that there are."""

    def known(text: str) -> tuple[str, ...]:
        found = words(text)
        for name in found:
            if name not in runners:
                raise ValueError(f"names {name!r}, and there is no section [runner:{name}]")
        return found

    account = MinionAccount(runners=section.take("runners", (), known))
    section.refuse_rest("runners")
    return account
