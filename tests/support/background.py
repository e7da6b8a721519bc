"""A process that only watches and delivers."""

from __future__ import annotations

from pathlib import Path

from tests.support.server import CoalMine


class Background(CoalMine):
    """`coal-mine --background`. It answers nobody; that it runs, its log tells."""

    def __init__(self, directory: Path, *, ini: str, environ: dict[str, str] | None = None) -> None:
        super().__init__(directory, "--background", ini=ini, environ=environ)

    def _find_url(self, begin: int) -> bool:
        self._refuse_dead()
        return b"this is process" in self._log.read_bytes()[begin:]

    def _answers(self) -> bool:
        return True
