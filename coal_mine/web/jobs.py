"""The native API of jobs: /coal-mine/v1/jobs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from coal_mine.domain.definition import definition_as_json
from coal_mine.domain.errors import Invalid
from coal_mine.domain.job_ports import JobFilter
from coal_mine.domain.run import Run
from coal_mine.domain.times import isoformat
from coal_mine.services.job_bodies import namespace_from
from coal_mine.services.jobs import MAX_PAGE, MAX_TICKS, Jobs, Preview, ShownJob

from .operations import PREFIX, Body, Call, Named, Operation, Reply
from .responses import Answer, json_answer
from .schemas import NAMESPACE, TEXT

_VERSION = re.compile(r'\*|(?:W/)?"?([0-9]{1,9})"?')
BOOLEAN = {"type": "string", "enum": ["true", "false", "yes", "no", "1", "0", ""]}
IF_MATCH = Named(
    "If-Match",
    "The version that the job must have, as the ETag of its last answer; else 412.",
    {**TEXT, "pattern": f"^({_VERSION.pattern})$"},
)
ETAG = Named("ETag", "The job's version, for If-Match.", TEXT)
LOCATION = Named("Location", "Where it is from now on.", TEXT)
_CHANGED = Reply(status=412, description="The job has another version by now.", schema="Error")
_JOB = Reply(status=200, description="The job.", schema="Job", headers=(ETAG,))


class JobRoutes:
    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def operations(self) -> list[Operation]:
        return [*self._of_all(), *self._of_one()]

    def _of_all(self) -> list[Operation]:
        return [
            Operation(
                method="GET", path="/jobs", name="listJobs", summary="Jobs by id, page by page.", handle=self.list,
                query=(
                    Named("namespace", "Those of this namespace, group or group/project, and below it.", NAMESPACE),
                    Named("tag", "Those with this tag.", TEXT),
                    Named("pool", "Those of this pool.", TEXT),
                    Named("enabled", "Those that are, or are not.", BOOLEAN),
                    Named("name", "Those with exactly this name.", TEXT),
                    Named("limit", "The length of a page.", limit_schema(MAX_PAGE)),
                    Named("after", "What the last page has called next.", TEXT),
                ),
                replies=(Reply(status=200, description="A page.", schema="JobPage"),),
            ),
            Operation(
                method="POST", path="/jobs", name="createJob", summary="Create a job, and the canary that watches it.", handle=self.create,
                query=(Named("dry_run", "Only say what it would do.", BOOLEAN),),
                body=Body(schema="NewJob"),
                replies=(
                    Reply(status=201, description="The new job.", schema="Job", headers=(LOCATION, ETAG)),
                    Reply(status=200, description="With dry_run, what the job would be.", schema="Preview"),
                    Reply(status=409, description="There is a job with this id already.", schema="Error"),
                ),
            ),
        ]  # fmt: skip

    def _of_one(self) -> list[Operation]:
        path, changed = "/jobs/{job}", (_JOB, _CHANGED)
        return [
            Operation(method="GET", path=path, name="getJob", summary="One job.", handle=self.get, replies=(_JOB,)),
            Operation(
                method="PUT", path=path, name="replaceJob", summary="Define it anew; what is not given gets its default.",
                handle=self.replace, headers=(IF_MATCH,), body=Body(schema="ReplacedJob"), replies=changed,
            ),
            Operation(
                method="PATCH", path=path, name="changeJob", summary="Replace the fields that are given, each as a whole.",
                handle=self.patch, headers=(IF_MATCH,), body=Body(schema="PatchedJob"), replies=changed,
            ),
            Operation(
                method="DELETE", path=path, name="deleteJob", summary="Delete it with its canary. Its runs stay; one under way goes on.",
                handle=self.delete, headers=(IF_MATCH,), replies=(Reply(status=200, description="It is gone.", schema="Done"), _CHANGED),
            ),
            Operation(
                method="POST", path=f"{path}/enable", name="enableJob", summary="Plan it again.", handle=self.enable, replies=(_JOB,)
            ),
            Operation(
                method="POST", path=f"{path}/disable", name="disableJob", summary="Plan it no more, and pause its canary.",
                handle=self.disable, replies=(_JOB,),
            ),
            Operation(
                method="GET", path=f"{path}/next", name="nextTicks", summary="When it runs next, each time in the zone of its schedule.",
                handle=self.next, query=(Named("count", "How many.", limit_schema(MAX_TICKS)),),
                replies=(Reply(status=200, description="The next ticks.", schema="Ticks"),),
            ),
        ]  # fmt: skip

    def list(self, call: Call) -> Any:
        query = call.query
        namespace = query.text("namespace")
        wanted = JobFilter(
            namespace=None if namespace is None else namespace_from(namespace),
            tag=query.text("tag"),
            pool=query.text("pool"),
            enabled=query.flag("enabled"),
            name=query.text("name"),
        )
        page = self._jobs.list(wanted, after=query.text("after") or "", limit=query.number("limit", 100, 1, MAX_PAGE))
        return {"jobs": [job_json(shown) for shown in page.jobs], "next": page.next, "total": page.total}

    def create(self, call: Call) -> Any:
        if call.query.flag("dry_run"):
            return _preview_json(self._jobs.preview(call.body))
        shown = self._jobs.create(call.body, by=call.by)
        return _job_answer(shown, 201, ("location", f"{PREFIX}/jobs/{quote(shown.job.id, safe=':')}"))

    def get(self, call: Call) -> Any:
        return _job_answer(self._jobs.get(call.path["job"]))

    def replace(self, call: Call) -> Any:
        return _job_answer(self._jobs.replace(call.path["job"], call.body, version=_version(call), by=call.by))

    def patch(self, call: Call) -> Any:
        return _job_answer(self._jobs.patch(call.path["job"], call.body, version=_version(call), by=call.by))

    def delete(self, call: Call) -> Any:
        self._jobs.delete(call.path["job"], version=_version(call), by=call.by)
        return {"status": "ok"}

    def enable(self, call: Call) -> Any:
        return _job_answer(self._jobs.enable(call.path["job"], by=call.by))

    def disable(self, call: Call) -> Any:
        return _job_answer(self._jobs.disable(call.path["job"], by=call.by))

    def next(self, call: Call) -> Any:
        ticks = self._jobs.next_ticks(call.path["job"], call.query.number("count", 10, 1, MAX_TICKS))
        return {"next_ticks": _ticks_json(ticks)}


def limit_schema(most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": 1, "maximum": most}


def job_json(shown: ShownJob) -> dict[str, Any]:
    job = shown.job
    return {
        "id": job.id,
        "namespace": "/".join(job.namespace),
        "version": job.version,
        "canary": job.canary_id,
        **definition_as_json(job.definition),
        "created_at": isoformat(job.created_at),
        "changed_at": isoformat(job.changed_at),
        "changed_by": job.changed_by,
        "next_at": shown.next_at and isoformat(shown.next_at),
        "warnings": shown.warnings,
        "last_run": shown.last_run and _last_run_json(shown.last_run),
    }


def _last_run_json(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "state": run.state.value,
        "reason": run.reason,
        "scheduled_at": isoformat(run.tick),
        "started_at": run.started_at and isoformat(run.started_at),
        "ended_at": run.ended_at and isoformat(run.ended_at),
        "exit_code": run.result.exit_code if run.result else None,
    }


def _preview_json(preview: Preview) -> dict[str, Any]:
    definition = definition_as_json(preview.definition)
    return {"definition": definition, "next_ticks": _ticks_json(preview.ticks), "warnings": preview.warnings}


def _ticks_json(ticks: Sequence[datetime]) -> list[str]:
    """With the zone's offset, and not as UTC: that is what they are asked for."""
    return [tick.isoformat(timespec="milliseconds") for tick in ticks]


def _job_answer(shown: ShownJob, status: int = 200, *headers: tuple[str, str]) -> Answer:
    return json_answer(job_json(shown), status, [("etag", f'"{shown.job.version}"'), *headers])


def _version(call: Call) -> int | None:
    text = call.header("If-Match")
    if text is None:
        return None
    found = _VERSION.fullmatch(text.strip())
    if not found:
        raise Invalid('If-Match is not one version, such as "7"')
    return int(found[1]) if found[1] else None
