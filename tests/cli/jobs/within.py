"""cmcli in this process: all of it but the start of an interpreter, which takes longer than most tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from tempfile import TemporaryFile
from typing import IO

from coal_mine.cli import main
from tests.cli.command import Cmcli, Outcome


class CmcliWithin(Cmcli):
    def __call__(self, *arguments: str | bytes, environment: dict[str, str] | None = None) -> Outcome:
        with ExitStack() as stack:
            out, err = (stack.enter_context(TemporaryFile("w+", encoding="utf-8", newline="")) for _ in range(2))
            stack.enter_context(chdir(self.home))
            stack.enter_context(_called_with([os.fsdecode(one) for one in arguments], self._environment | (environment or {})))
            with redirect_stdout(out), redirect_stderr(err):
                status = main()
            return Outcome(status, _text(out), _text(err))


def _text(file: IO[str]) -> str:
    file.flush()
    file.seek(0)
    return file.read()


@contextmanager
def _called_with(arguments: list[str], environment: dict[str, str]) -> Iterator[None]:
    before, argv = dict(os.environ), sys.argv
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["cmcli", *arguments]
    try:
        yield
    finally:
        sys.argv = argv
        os.environ.clear()
        os.environ.update(before)
