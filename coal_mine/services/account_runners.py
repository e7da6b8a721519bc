"""Which runners the accounts of the configuration may use."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from coal_mine.domain.errors import Invalid
from coal_mine.domain.job import Runner


class AccountRunners:
    def __init__(self, accounts: Mapping[str, Collection[str]], runners: Mapping[str, Runner]) -> None:
        """The names of the runners that each account may use, and the kinds of those that there are."""
        self._accounts = accounts
        self._runners = runners

    def has_account(self, account: str) -> bool:
        return account in self._accounts

    def kind(self, account: str, runner: str) -> Runner:
        """Raises Invalid when there is none of this name, or when it is not the account's to use."""
        if runner not in self._runners:
            raise Invalid(f"runner not found in job: this server knows no {runner[:100]!r}; it needs a section [runner:...]")
        if runner not in self._accounts.get(account, ()):
            raise Invalid(f"runner not found for account: {account!r} may not use {runner[:100]!r}")
        return self._runners[runner]
