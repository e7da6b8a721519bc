"""All jobs, without what is found out beside for whoever looks at a few."""

from __future__ import annotations

from collections.abc import Iterator

from coal_mine.domain.job import Job
from coal_mine.domain.job_ports import JobFilter
from coal_mine.domain.ports import Store

_PAGE = 1_000


class JobList:
    def __init__(self, store: Store) -> None:
        self._jobs = store.jobs

    def each(self, wanted: JobFilter | None = None) -> Iterator[Job]:
        """By id. One that is created or deleted meanwhile may be among them or not."""
        after, wanted = "", wanted or JobFilter()
        while found := self._jobs.select(wanted, after=after, limit=_PAGE):
            yield from found
            after = found[-1].id
