"""cmcli run: the records of what jobs have done, what they have written, and ending them."""

from __future__ import annotations

from typing import Any

import click

from .answers import done, show
from .api import Api, api_of
from .connection import Refused
from .options import Given, fields_of, server_options

_RUN = click.argument("run_id", metavar="RUN")


@click.group(epilog="\b\nExamples:\n  cmcli run list --job backup --state failed\n  cmcli run output RUN --follow")
def run() -> None:
    """Runs of jobs: list them, read their output, wait for them, end them."""


@run.command(name="list")
@click.option("--job", metavar="JOB", help="Only those of this job: its id, or its name.")
@click.option("--state", multiple=True, metavar="STATE", help="Only those in this state, such as running or failed; may be repeated.")
@click.option("--node", metavar="NODE", help="Only those on this node.")
@click.option("--since", metavar="TIME", help="Only those whose tick is not before, such as 2026-11-22T06:00:00Z.")
@click.option("--until", metavar="TIME", help="Only those whose tick is before.")
@click.option("--limit", type=click.IntRange(1), metavar="NUMBER", help="At most so many.")
@server_options()
@click.pass_obj
def list_(given: Given, /, job: str | None, state: tuple[str, ...], **filters: Any) -> None:
    """List runs, the newest first."""
    api = api_of(given)
    job_id = _job_id(api, job) if job else None
    query = fields_of({"job": job_id, "state": ",".join(state) or None, **filters})
    answer = api.get("runs", query=query)
    show(given, answer, lambda tables: tables.runs(answer["runs"], more=bool(answer.get("next"))))


def _job_id(api: Api, reference: str) -> str:
    """Runs stay when their job is deleted; then only its id is left."""
    try:
        job_id: str = api.with_job(reference, lambda job: api.get("jobs", job))["id"]
    except Refused as error:
        if error.status != 404:
            raise
        return reference
    return job_id


@run.command()
@_RUN
@server_options()
@click.pass_obj
def get(given: Given, /, run_id: str) -> None:
    """Show a run."""
    answer = api_of(given).get("runs", run_id)
    show(given, answer, lambda tables: tables.run(answer))


@run.command()
@_RUN
@click.option("--follow", is_flag=True, help="Also what it still writes, until it ends.")
@click.option(
    "--stream", type=click.Choice(["both", "stdout", "stderr"]), default="both", help="Which of its streams; both if none is named."
)
@click.option("--attempt", type=click.IntRange(1), metavar="NUMBER", help="Of this attempt; else of the latest.")
@click.option("--lines", type=click.IntRange(1), metavar="NUMBER", help="Of what is there, only the last so many lines.")
@server_options()
@click.pass_obj
def output(given: Given, /, run_id: str, **how: Any) -> None:
    """Print what a run has written, byte for byte."""
    from .waiting import show_output

    api = api_of(given)
    show_output(api, api.get("runs", run_id), **how)


@run.command(epilog="The exit status is the run's, as with `cmcli job run --wait`.")
@_RUN
@server_options()
@click.pass_obj
def wait(given: Given, /, run_id: str) -> None:
    """Wait until a run has ended."""
    from .waiting import wait_for

    api = api_of(given)
    raise click.exceptions.Exit(wait_for(api, api.get("runs", run_id)))


@run.command()
@_RUN
@click.option("--wait", "waits", is_flag=True, help="Until it has ended.")
@server_options()
@click.pass_obj
def kill(given: Given, /, run_id: str, waits: bool) -> None:
    """End a run, with all its processes."""
    api = api_of(given)
    answer = api.send("POST", "runs", run_id, "kill")
    if waits:
        from .waiting import ended  # what it imports is slow

        answer = ended(api, answer)
    done(given, answer, f"Run {answer['id']} is {answer['state']}." if waits else "Its node has been told.")


@run.command()
@_RUN
@click.argument("signal", metavar="SIGNAL")
@server_options()
@click.pass_obj
def signal(given: Given, /, run_id: str, signal: str) -> None:
    """Send a signal, such as USR1, to the processes of a run."""
    answer = api_of(given).send("POST", "runs", run_id, "signal", body={"signal": signal})
    done(given, answer, "Its node has been told.")
