"""/coal-mine/v1/runs/<id>/output: what a run writes, whole, in ranges, or followed by asking again and again from the next offset."""

from __future__ import annotations

import re
from typing import Any

from coal_mine.services.run_output import STREAMS, OutputPart
from coal_mine.services.runs import Runs

from .operations import Call, Named, Operation, Reply
from .responses import Answer, Headers, NotSatisfiable
from .schemas import TEXT

# The README lists this limit.
MAX_OUTPUT = 8_388_608
_MAX_OFFSET = 2**53
_TYPE = "text/plain; charset=utf-8"
_RANGE = re.compile(r"bytes=([0-9]{1,15})-([0-9]{1,15})?")
_NEXT = Named("X-Next-Offset", "Where to go on.", {"type": "integer"})
_COMPLETE = Named("X-Complete", "true: nothing will ever come behind it.", {**TEXT, "enum": ["true", "false"]})
_DROPPED = Named("X-Dropped", "Bytes of this part that were not kept, because the run wrote too much.", {"type": "integer"})
_ATTEMPT = Named("X-Attempt", "Of which attempt this is the output.", {"type": "integer"})
_ETAG = Named("ETag", "For If-None-Match.", TEXT)
_ALL = (_NEXT, _COMPLETE, _DROPPED, _ATTEMPT, _ETAG)


class OutputRoute:
    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET", path="/runs/{run}/output", name="getOutput", summary="What it has written until now, byte for byte.",
                handle=self.get,
                query=(
                    Named("stream", "Only one of the two.", {**TEXT, "enum": list(STREAMS)}),
                    Named("offset", "From where on; offsets count the bytes of both streams.", _whole(0, _MAX_OFFSET)),
                    Named("limit", "At most so many bytes, of both streams together.", _whole(1, MAX_OUTPUT)),
                    Named("attempt", "Of which attempt; the latest unless given.", _whole(1, 1_000_000)),
                ),
                headers=(
                    Named("Range", "bytes=FIRST-LAST; ignored beside stream, offset or limit.", TEXT),
                    Named("If-None-Match", "The ETag of the last answer to this call; 304 when nothing is new.", TEXT),
                ),
                replies=(
                    Reply(status=200, description="The bytes.", media="text/plain", headers=_ALL),
                    Reply(status=206, description="The bytes of the range.", media="text/plain", headers=_ALL),
                    Reply(status=304, description="Nothing is new."),
                    Reply(status=416, description="There are no such bytes, or not any more.", schema="Error"),
                ),
            )
        ]  # fmt: skip

    def get(self, call: Call) -> Any:
        query = call.query
        attempt = query.number("attempt", 0, 1, 1_000_000) or None
        stream = query.choice("stream", "both", STREAMS)
        offset, limit = query.number("offset", 0, 0, _MAX_OFFSET), query.number("limit", MAX_OUTPUT, 1, MAX_OUTPUT)
        is_plain = all(query.text(name) is None for name in ("stream", "offset", "limit"))
        wanted = _RANGE.fullmatch(call.header("Range") or "") if is_plain else None
        if wanted and (wanted[2] is None or int(wanted[1]) <= int(wanted[2])):
            first, last = int(wanted[1]), int(wanted[2] or _MAX_OFFSET)
            part = self._runs.output(call.path["run"], attempt=attempt, offset=first, limit=min(last - first + 1, MAX_OUTPUT))
            return _unless_known(call, part, _partial(part))
        part = self._runs.output(call.path["run"], attempt=attempt, stream=stream, offset=offset, limit=limit)
        return _unless_known(call, part, Answer(200, _headers(part, part.next_offset), part.data))


def _partial(part: OutputPart) -> Answer:
    """A range names bytes one after another, so it ends where some were dropped."""
    end = part.next_offset if part.first_gap is None else part.first_gap
    if end == part.offset:
        what = "dropped, since the run wrote too much" if part.dropped else "not written"
        raise NotSatisfiable(f"the output from byte {part.offset} on was {what}", part.size)
    headers = _headers(part, end)
    headers.append(("content-range", f"bytes {part.offset}-{end - 1}/{'*' if part.size is None else part.size}"))
    return Answer(206, headers, part.data[: end - part.offset])


def _headers(part: OutputPart, next_offset: int) -> Headers:
    return [
        ("content-type", _TYPE),
        # Whatever a run writes, no browser may take it for a page.
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox"),
        ("x-next-offset", str(next_offset)),
        ("x-complete", str(part.complete and next_offset == part.next_offset).lower()),
        ("x-dropped", str(part.dropped if next_offset == part.next_offset else 0)),
        ("x-attempt", str(part.attempt)),
        ("accept-ranges", "bytes"),
        ("cache-control", "no-cache"),
        ("etag", _tag(part)),
    ]


def _unless_known(call: Call, part: OutputPart, answer: Answer) -> Answer:
    known = call.header("If-None-Match")
    if known is not None and _tag(part) in (tag.strip().removeprefix("W/") for tag in known.split(",")):
        return Answer(304, [("etag", _tag(part))], b"")
    return answer


def _tag(part: OutputPart) -> str:
    """What was written never changes, and later some of it may be dropped."""
    return f'"{part.attempt}-{part.offset}-{part.next_offset}-{part.dropped}-{int(part.complete)}"'


def _whole(low: int, high: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": low, "maximum": high}
