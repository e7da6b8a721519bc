"""The command `coal-mine`: reads the configuration and starts the processes."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import click

from coal_mine import __version__
from coal_mine.config import Config, default_node, load
from coal_mine.domain.errors import CoalMineError, Invalid

from . import logs
from .document_parts import check_elasticsearch
from .introduction import about_key, summary, warnings_about
from .job_key import job_key, noted_address
from .node_parts import check_aws, check_node
from .opening import check_store
from .roles import EVERYTHING, Roles
from .serving import checked_address, serve_loops, supervise

_log = logging.getLogger(__name__)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config", "path", type=click.Path(path_type=Path), help="Configuration file. Default: coal-mine.ini in ., /etc, /usr/local/etc."
)
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on, instead of the configured one; 0 takes a free one.")
@click.option("--web", is_flag=True, help="Serve HTTP only (needs MongoDB).")
@click.option("--background", is_flag=True, help="Watch deadlines and deliver alerts only (needs MongoDB).")
@click.option("--node", is_flag=True, help="Run jobs only (needs MongoDB).")
@click.option("--check-config", is_flag=True, help="Say what the configuration means and exit.")
@click.version_option(__version__, prog_name="coal-mine")
def main(path: Path | None, port: int | None, web: bool, background: bool, node: bool, check_config: bool) -> None:
    """Start the Coal Mine server: it tells people when a periodic job did not run."""
    try:
        if web + background + node > 1:
            raise Invalid("--web, --background and --node exclude each other; give none to start everything")
        config = load(path, os.environ)
        if port is not None:
            config = replace(config, wsgi=replace(config.wsgi, port=port))
        if check_config:
            _check(config)
        else:
            _run(config, Roles(web=web, background=background, node=node) if web or background or node else EVERYTHING)
    except CoalMineError as error:
        click.echo(f"coal-mine: {error}", err=True)
        sys.exit(2)


def _check(config: Config) -> None:
    """Whatever is started, for the same file may serve several starts."""
    check_elasticsearch(config)
    if config.node:
        check_aws(config)
    store = check_store(config) if config.mongodb else f"SQLite, in {config.sqlite_path}"
    click.echo("\n".join(summary(config, store, EVERYTHING)))
    for warning in warnings_about(config, EVERYTHING):
        click.echo(f"coal-mine: warning: {warning}", err=True)


def _run(config: Config, roles: Roles) -> None:
    try:
        logs.set_up(config.logging)
    except OSError as error:
        raise CoalMineError(f"{config.source}: [logging] file: {config.logging.file}: {error.strerror}") from error
    if config.mongodb is None and not roles.everything:
        raise CoalMineError("--web, --background or --node alone needs [mongodb]: the SQLite store is used by one process")
    if roles.node and not roles.everything and config.node is None:
        config = replace(config, node=default_node())
    if config.mongodb is None:
        from coal_mine.stores.sqlite.lock import lock

        lock(config.sqlite_path)
    store = check_store(config)
    if config.node and roles.node:
        check_node(config)
    if roles.background:
        check_elasticsearch(config)
    key = job_key(config)
    if roles.web:
        host, port = checked_address(config.wsgi)
        config = replace(config, wsgi=replace(config.wsgi, host=host, port=port))
    with noted_address(config) if roles.web else nullcontext():
        _introduce(config, store, key, roles)
        _serve(config, roles)
    _log.info("stopped")


def _serve(config: Config, roles: Roles) -> None:
    """Until somebody ends it."""
    if roles.everything and config.mongodb:
        supervise(config)
    elif roles.web:
        _serve_web(config, roles)
    else:
        serve_loops(config, roles)


def _serve_web(config: Config, roles: Roles) -> None:
    from .web import serve_web  # here alone: a node needs no HTTP server, and its memory is a good part of a node's

    serve_web(config, roles)


def _introduce(config: Config, store: str, key: str, roles: Roles) -> None:
    for line in summary(config, store, roles):
        _log.info("%s", line)
    if roles.web:
        _log.info("%s", about_key(config, key))
    _log.info("this is process %d; SIGTERM ends it", os.getpid())
    for warning in warnings_about(config, roles):
        _log.warning("%s", warning)
