"""The one place where the driver's errors become ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pymongo
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError, WriteError

from coal_mine.domain.errors import Conflict, StoreUnavailable

# A replica set with the usual settings has a new primary 10 to 12 seconds after the old one died; callers need not notice.
CALL_SECONDS = 15.0
# For commands that touch many documents.
BULK_SECONDS = 120.0


class WriteRefused(StoreUnavailable):
    """MongoDB is there and will not store this document, for instance because it has become too large. Repeating does not help."""


@contextmanager
def translated(seconds: float | None = CALL_SECONDS) -> Iterator[None]:
    """Everything inside ends within that time; the driver repeats what it safely can until then. None: no limit."""
    try:
        with pymongo.timeout(seconds):
            yield
    except DuplicateKeyError as error:
        raise Conflict("it exists already") from error
    except PyMongoError as error:
        raise (WriteRefused if _is_refusal(error) else StoreUnavailable)(_text(error)) from error


def _is_refusal(error: PyMongoError) -> bool:
    if isinstance(error, BulkWriteError):
        return bool(error.details.get("writeErrors")) and not error.details.get("writeConcernErrors")
    return isinstance(error, WriteError)


def _text(error: PyMongoError) -> str:
    # The driver's texts go on with the state of every server; the beginning is what a person needs.
    text = str(error).partition(", Timeout:")[0]
    if isinstance(error, BulkWriteError):
        faults = error.details.get("writeErrors") or error.details.get("writeConcernErrors") or [{}]
        text = str(faults[0].get("errmsg", text))
    return f"MongoDB: {text[:300]}"
