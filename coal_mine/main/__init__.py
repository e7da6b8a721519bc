"""The command `coal-mine`: reads the configuration and starts the processes."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import click

from coal_mine import __version__
from coal_mine.config import Config, Tls, default_node, key_path, load
from coal_mine.domain.errors import CoalMineError, Invalid

from . import logs
from .document_parts import check_elasticsearch
from .job_key import job_key, noted_address
from .node_parts import check_node, warn_of_root
from .opening import check_store
from .parts import Roles
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
            check_elasticsearch(config)
            store = check_store(config) if config.mongodb else f"SQLite, in {config.sqlite_path}"
            click.echo("\n".join(_summary(config, store)))
            return
        _run(config, _Wanted(web=web, background=background, node=node))
    except CoalMineError as error:
        click.echo(f"coal-mine: {error}", err=True)
        sys.exit(2)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Which of the options were given."""

    web: bool
    background: bool
    node: bool

    @property
    def everything(self) -> bool:
        return not (self.web or self.background or self.node)


_EVERYTHING = _Wanted(web=False, background=False, node=False)


def _run(config: Config, wanted: _Wanted) -> None:
    try:
        logs.set_up(config.logging)
    except OSError as error:
        raise CoalMineError(f"{config.source}: [logging] file: {config.logging.file}: {error.strerror}") from error
    if config.mongodb is None and not wanted.everything:
        raise CoalMineError("--web, --background or --node alone needs [mongodb]: the SQLite store is used by one process")
    if wanted.node and config.node is None:
        config = replace(config, node=default_node())
    everything = wanted.everything
    if config.mongodb is None:
        from coal_mine.stores.sqlite.lock import lock

        lock(config.sqlite_path)
    store = check_store(config)
    if config.node and (everything or wanted.node):
        check_node(config)
    if everything or wanted.background:
        check_elasticsearch(config)
    key = job_key(config)
    if everything or wanted.web:
        host, port = checked_address(config.wsgi)
        config = replace(config, wsgi=replace(config.wsgi, host=host, port=port))
    with noted_address(config) if everything or wanted.web else nullcontext():
        _introduce(config, store, key, wanted)
        _warn(config, wanted)
        _serve(config, wanted)
    _log.info("stopped")


def _serve(config: Config, wanted: _Wanted) -> None:
    """Until somebody ends it."""
    if wanted.web:
        _serve_web(config, Roles())
    elif not wanted.everything:
        serve_loops(config, Roles(background=wanted.background, node=wanted.node))
    elif config.mongodb is None:
        _serve_web(config, Roles(background=True, node=config.node is not None))
    else:
        supervise(config)


def _serve_web(config: Config, roles: Roles) -> None:
    from .web import serve_web  # here alone: a node needs no HTTP server, and its memory is a good part of a node's

    serve_web(config, roles)


def _introduce(config: Config, store: str, key: str, wanted: _Wanted) -> None:
    for line in _summary(config, store, wanted):
        _log.info("%s", line)
    if wanted.everything or wanted.web:
        _log.info("%s", _about_key(config, key))
    _log.info("this is process %d; SIGTERM ends it", os.getpid())


def _summary(config: Config, store: str, wanted: _Wanted = _EVERYTHING) -> list[str]:
    wsgi, email = config.wsgi, config.email
    host = f"[{wsgi.host}]" if ":" in wsgi.host else wsgi.host
    scheme = "https" if wsgi.tls_certificate else "http"
    mail = f"mail from {email.sender} through {email.host}:{email.port}" if email else "the log only, since there is no [email] section"
    lines = [f"Coal Mine {__version__}, configured by {config.source}", f"store: {store}"]
    if wanted.everything or wanted.background:
        lines.append(f"alerts: {mail}")
        if config.elasticsearch:
            lines.append(f"documents: to Elasticsearch, index {config.elasticsearch.index}")
    node = config.node
    if node and (wanted.everything or wanted.node):
        lines.append(f"node {node.name}: runs jobs of {', '.join(node.pools)}, at most {node.slots} at once, as {', '.join(node.users)}")
    if wanted.everything or wanted.web:
        lines.append(f"listening on {scheme}://{host}:{wsgi.port}" + (" for this machine only" if config.local_only else ""))
    return lines


def _about_key(config: Config, key: str) -> str:
    if config.wsgi.auth_key:
        return "job calls need the key that is configured"
    return f"job calls need the key in {key_path(config.sqlite_path)}" if key else "job calls are refused: they need [wsgi] auth_key"


def _warn(config: Config, wanted: _Wanted) -> None:
    if config.node and (wanted.everything or wanted.node):
        warn_of_root(config.node)
    if (wanted.everything or wanted.web) and not config.wsgi.auth_key and not config.local_only:
        _log.warning("NO KEY IS SET: whoever reaches this port may change and delete canaries; set [wsgi] auth_key")
    if (wanted.everything or wanted.web) and config.moneta.open_to:
        places = ", ".join(map(str, config.moneta.open_to))
        _log.warning("MONETA'S PATHS ARE OPEN WITHOUT A KEY: whoever calls from %s may run any command on the nodes", places)
    email = config.email
    if email and email.username and email.tls is Tls.NO and email.host not in ("localhost", "127.0.0.1", "::1"):
        _log.warning("the mail password travels in the clear; set [email] tls = starttls or implicit")
