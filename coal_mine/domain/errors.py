"""Everything that can go wrong and that somebody outside should be told in plain words."""

from __future__ import annotations


class CoalMineError(Exception):
    """The root of all errors that Coal Mine raises on purpose; its text is meant for the user."""


class Invalid(CoalMineError):
    """A value that the user gave cannot be accepted; the text names the value and says why."""


class Unauthorized(CoalMineError):
    """The call needs a key and none, or a wrong one, was given."""


class Forbidden(CoalMineError):
    """The call is understood and will not be carried out for this caller."""


class NotFound(CoalMineError):
    """What the call names does not exist."""


class Conflict(CoalMineError):
    """The change collides with something that exists already."""


class NotNow(Conflict):
    """Nobody could carry it out at this moment."""


class IdTaken(Conflict):
    """A random id exists already: the caller draws another one."""


class Changed(CoalMineError):
    """What the call names is no longer as the caller has seen it."""


class TooLarge(CoalMineError):
    """The request is larger than the documented limit."""


class Busy(CoalMineError):
    """The server cannot take this request now; the same request may be taken later."""


class StoreUnavailable(CoalMineError):
    """The store did not answer in time. Whether a change was written is not known."""


class DeliveryFailed(CoalMineError):
    """An alert could not be handed over now; trying again later may help."""


class DeliveryRefused(CoalMineError):
    """The other side will never take this alert for this receiver."""


def unknown_id(canary_id: str) -> NotFound:
    return NotFound(f"there is no canary with the id {canary_id[:100]!r}")


def unknown_slug(slug: str) -> NotFound:
    return NotFound(f"there is no canary with the slug {slug[:300]!r}")


def slug_taken(slug: str, holder: str) -> Conflict:
    return Conflict(f"canary {slug} already exists with identifier {holder}")


def id_taken(canary_id: str) -> IdTaken:
    return IdTaken(f"the id {canary_id} is taken")


def unknown_job(job_id: str) -> NotFound:
    return NotFound(f"there is no job with the id {job_id[:100]!r}")


def job_exists(job_id: str) -> Conflict:
    return Conflict(f"there is a job with the id {job_id[:100]!r} already")


def unknown_run(run_id: str) -> NotFound:
    return NotFound(f"there is no run with the id {run_id[:200]!r}")


def unknown_node(name: str) -> NotFound:
    return NotFound(f"there is no node named {name[:100]!r}")


def node_taken(name: str, host: str, pid: int) -> Conflict:
    return Conflict(
        f"a node named {name[:100]!r} has been seen lately, on {host} as process {pid};"
        " if that one is dead, this one begins half a minute after its death"
    )
