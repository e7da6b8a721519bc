"""cmcli job: define jobs, and run them."""

from __future__ import annotations

from typing import IO, Any

import click

from .answers import done, show
from .api import Api, Object, api_of
from .definitions import JobBeforeOptions, OptionsBeforeCommand, definition_options, fields_of_job, json_of, pairs_of, which_job_file
from .options import Given, fields_of, server_options

_JOB = click.argument("job", metavar="JOB")
_COMMAND = click.argument("command", nargs=-1, type=click.UNPROCESSED)
_NOTE = "\b\nA command of one word is the shell's; of several it is a program and its arguments. Options stand before it."
_DONE_BY_THE_SERVER = ("version", "canary", "created_at", "changed_at", "changed_by", "next_at", "warnings", "last_run")


@click.group(epilog="A JOB is named by its id, or by its name if no other job has the same.")
def job() -> None:
    """Jobs, which Coal Mine runs itself: define them, run them now."""


@job.command(
    cls=OptionsBeforeCommand,
    epilog=f"{_NOTE}\n\n\b\nExamples:\n"
    "  cmcli job create --name Backup --cron '30 2 * * *' --email me@example.com 'dump | gzip > /backup.gz'\n"
    "  cmcli job create --name Sync --every 300 --timeout 60 -- rsync --archive /data/ other:/data/",
)
@click.option("--namespace", metavar="GROUP[/PROJECT]", help="Where the job belongs; it stands before its id.")
@click.option("--id", metavar="ID", help="The last part of its id; else twelve random letters and digits.")
@which_job_file(" Other options replace its members.")
@definition_options()
@server_options()
@_COMMAND
@click.pass_obj
def create(given: Given, /, command: tuple[str, ...], file: IO[str] | None, dry_run: bool, **options: Any) -> None:
    """Create a job."""
    fields = {**(json_of(file) if file else {}), **fields_of_job(options, command)}
    if "name" not in fields:
        raise click.UsageError("Missing option --name.")
    api = api_of(given)
    if dry_run:
        _show_preview(given, api, fields)
    else:
        _show(given, api.send("POST", "jobs", body=fields))


@job.command(cls=JobBeforeOptions, epilog=f'{_NOTE}\n\n\b\n"-" as the only value takes away what the job has: --timeout -, --email -.')
@which_job_file(" Its members replace the job's, and other options replace its members.")
@definition_options()
@server_options()
@_JOB
@_COMMAND
@click.pass_obj
def update(given: Given, /, job: str, command: tuple[str, ...], file: IO[str] | None, dry_run: bool, **options: Any) -> None:
    """Change a job. What is not given stays as it is."""
    changes = {**(json_of(file) if file else {}), **fields_of_job(options, command)}
    if not changes:
        raise click.UsageError("Nothing to change is given.")
    api = api_of(given)
    if dry_run:
        _show_preview(given, api, _as_new(api.with_job(job, lambda found: api.get("jobs", found))) | changes)
    else:
        _show(given, api.with_job(job, lambda found: api.send("PATCH", "jobs", found, body=changes)))


@job.command(
    epilog="\b\nExample:\n  cmcli job get backup --json > backup.json; vi backup.json; cmcli job replace backup --file backup.json"
)
@_JOB
@click.option("--file", required=True, type=click.File("r", encoding="utf-8"), metavar="FILE", help="The job as JSON; - is standard input.")
@server_options()
@click.pass_obj
def replace(given: Given, /, job: str, file: IO[str]) -> None:
    """Define a job anew. What the file does not say becomes as in a new job."""
    api, body = api_of(given), json_of(file)
    _show(given, api.with_job(job, lambda found: api.send("PUT", "jobs", found, body=body)))


@job.command()
@_JOB
@server_options()
@click.pass_obj
def get(given: Given, /, job: str) -> None:
    """Show a job."""
    api = api_of(given)
    _show(given, api.with_job(job, lambda found: api.get("jobs", found)))


@job.command(name="list")
@click.option("--namespace", metavar="GROUP[/PROJECT]", help="Only those in this namespace, and below it.")
@click.option("--tag", metavar="TAG", help="Only those with this tag.")
@click.option("--pool", metavar="POOL", help="Only those of this pool.")
@click.option("--enabled/--disabled", default=None, help="Only those that are enabled, or only those that are not.")
@click.option("--name", help="Only those with exactly this name.")
@click.option("--limit", type=click.IntRange(1), metavar="NUMBER", help="At most so many.")
@click.option("--all", "all_pages", is_flag=True, help="All of them, however many.")
@server_options()
@click.pass_obj
def list_(given: Given, /, all_pages: bool, **filters: Any) -> None:
    """List jobs, by id."""
    if all_pages and filters["limit"]:
        raise click.UsageError("--all and --limit exclude each other.")
    api, query = api_of(given), fields_of(filters)
    answer = api.get("jobs", query=query)
    while all_pages and answer.get("next"):
        page = api.get("jobs", query={**query, "after": answer["next"]})
        answer = {**page, "jobs": answer["jobs"] + page["jobs"]}
    show(given, answer, lambda tables: tables.jobs(answer["jobs"], total=answer["total"]))


@job.command()
@_JOB
@server_options()
@click.pass_obj
def delete(given: Given, /, job: str) -> None:
    """Delete a job and its canary. The records of its runs stay."""
    api = api_of(given)
    done(given, api.with_job(job, lambda found: api.send("DELETE", "jobs", found)), "Deleted.")


@job.command()
@_JOB
@server_options()
@click.pass_obj
def enable(given: Given, /, job: str) -> None:
    """Let a job's schedules count again."""
    _switch(given, job, "enable")


@job.command()
@_JOB
@server_options()
@click.pass_obj
def disable(given: Given, /, job: str) -> None:
    """Start a job no more by its schedules; what is under way goes on."""
    _switch(given, job, "disable")


def _switch(given: Given, job: str, verb: str) -> None:
    api = api_of(given)
    _show(given, api.with_job(job, lambda found: api.send("POST", "jobs", found, verb)))


@job.command(name="next")
@_JOB
@click.option("--count", type=click.IntRange(1), metavar="NUMBER", help="So many; ten if you do not say.")
@server_options()
@click.pass_obj
def next_(given: Given, /, job: str, count: int | None) -> None:
    """Show when a job will run."""
    api = api_of(given)
    answer = api.with_job(job, lambda found: api.get("jobs", found, "next", query=fields_of({"count": count})))
    show(given, answer, lambda tables: tables.ticks(answer["next_ticks"]))


@job.command(
    epilog="With --wait the exit status is the job's: that of its command, 128 and the signal's number, 124 after its time was over, "
    "and 1 when it was killed before it began, missed, skipped, lost or could not be started. Ctrl-C leaves the run alone."
)
@_JOB
@click.option("--param", multiple=True, metavar="NAME=VALUE", help="A parameter of the job; may be repeated.")
@click.option("--key", metavar="TEXT", help="Further calls with the same key start nothing more, but answer with the same run.")
@click.option("--force", is_flag=True, help="Even if an earlier run is under way.")
@click.option("--wait", is_flag=True, help="Until it has ended: print its output as it comes, and end as it does.")
@click.option("--quiet", is_flag=True, help="Print nothing but the job's own output.")
@server_options()
@click.pass_obj
def run(given: Given, /, job: str, param: tuple[str, ...], key: str | None, force: bool, wait: bool, quiet: bool) -> None:
    """Run a job now."""
    body = {"parameters": pairs_of("param", param), **({"force": True} if force else {}), **({} if key is None else {"key": key})}
    api = api_of(given)
    answer = api.with_job(job, lambda found: api.send("POST", "jobs", found, "run", body=body))
    if wait:
        from .waiting import follow_all

        runs = [answer if run_id == answer["id"] else api.get("runs", run_id) for run_id in answer.get("runs", [answer["id"]])]
        raise click.exceptions.Exit(follow_all(api, runs, quiet=quiet))
    if not quiet:
        show(given, answer, lambda tables: tables.run(answer))


def _as_new(job: Object) -> Object:
    """As it would be created: with the same id, which decides what H in its schedules stands for."""
    return {name: value for name, value in job.items() if name not in _DONE_BY_THE_SERVER} | {"id": job["id"].rpartition(":")[2]}


def _show_preview(given: Given, api: Api, fields: Object) -> None:
    answer = api.send("POST", "jobs", query={"dry_run": "true"}, body=fields)
    show(given, answer, lambda tables: tables.preview(answer))


def _show(given: Given, answer: Object) -> None:
    show(given, answer, lambda tables: tables.job(answer))
