"""The command `coal-mine`: reads the configuration and starts the processes."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import replace
from pathlib import Path

import click

from coal_mine import __version__
from coal_mine.config import Config, Tls, load
from coal_mine.domain.errors import CoalMineError, Invalid
from coal_mine.stores.sqlite.lock import lock

from . import logs
from .parts import check_store
from .serving import checked_address, serve_background, serve_web, supervise

_log = logging.getLogger(__name__)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config", "path", type=click.Path(path_type=Path), help="Configuration file. Default: coal-mine.ini in ., /etc, /usr/local/etc."
)
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on, instead of the configured one; 0 takes a free one.")
@click.option("--web", is_flag=True, help="Serve HTTP only (needs MongoDB).")
@click.option("--background", is_flag=True, help="Watch deadlines and deliver alerts only (needs MongoDB).")
@click.option("--check-config", is_flag=True, help="Say what the configuration means and exit.")
@click.version_option(__version__, prog_name="coal-mine")
def main(path: Path | None, port: int | None, web: bool, background: bool, check_config: bool) -> None:
    """Start the Coal Mine server: it tells people when a periodic job did not run."""
    try:
        if web and background:
            raise Invalid("--web and --background exclude each other; give neither to start everything")
        config = load(path, os.environ)
        if port is not None:
            config = replace(config, wsgi=replace(config.wsgi, port=port))
        if check_config:
            store = check_store(config) if config.mongodb else f"SQLite, in {config.sqlite_path}"
            click.echo("\n".join(_summary(config, store)))
            return
        _run(config, web=web, background=background)
    except CoalMineError as error:
        click.echo(f"coal-mine: {error}", err=True)
        sys.exit(2)


def _run(config: Config, *, web: bool, background: bool) -> None:
    try:
        logs.set_up(config.logging)
    except OSError as error:
        raise CoalMineError(f"{config.source}: [logging] file: {config.logging.file}: {error.strerror}") from error
    if config.mongodb is None and web != background:
        raise CoalMineError("--web or --background alone needs [mongodb]: the SQLite store is used by one process")
    everything = web == background
    if config.mongodb is None:
        lock(config.sqlite_path)
    store = check_store(config)
    if everything or web:
        host, port = checked_address(config.wsgi)
        config = replace(config, wsgi=replace(config.wsgi, host=host, port=port))
    for line in _summary(config, store, web=everything or web, background=everything or background):
        _log.info("%s", line)
    _log.info("this is process %d; SIGTERM ends it", os.getpid())
    _warn(config, web=everything or web)
    if not everything:
        serve_web(config, background=False) if web else serve_background(config)
    elif config.mongodb is None:
        serve_web(config, background=True)
    else:
        supervise(config)
    _log.info("stopped")


def _summary(config: Config, store: str, *, web: bool = True, background: bool = True) -> list[str]:
    wsgi, email = config.wsgi, config.email
    host = f"[{wsgi.host}]" if ":" in wsgi.host else wsgi.host
    scheme = "https" if wsgi.tls_certificate else "http"
    mail = f"mail from {email.sender} through {email.host}:{email.port}" if email else "the log only, since there is no [email] section"
    lines = [f"Coal Mine {__version__}, configured by {config.source}", f"store: {store}"]
    if background:
        lines.append(f"alerts: {mail}")
    if web:
        lines.append(f"listening on {scheme}://{host}:{wsgi.port}" + (" for this machine only" if config.local_only else ""))
    return lines


def _warn(config: Config, *, web: bool) -> None:
    if web and not config.wsgi.auth_key and not config.local_only:
        _log.warning("NO KEY IS SET: whoever reaches this port may change and delete canaries; set [wsgi] auth_key")
    email = config.email
    if email and email.username and email.tls is Tls.NO and email.host not in ("localhost", "127.0.0.1", "::1"):
        _log.warning("the mail password travels in the clear; set [email] tls = starttls or implicit")
