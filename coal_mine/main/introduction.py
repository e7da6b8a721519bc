"""What the configuration means, and what of it an operator should think about: told at each start and by --check-config."""

from __future__ import annotations

from collections.abc import Iterator

from coal_mine import __version__
from coal_mine.config import Config, NodeConfig, Tls, key_path

from .document_parts import warnings_of_elasticsearch
from .node_parts import warnings_of_runners, warnings_of_users
from .roles import Roles


def summary(config: Config, store: str, roles: Roles) -> list[str]:
    """`store` is where the data is."""
    lines = [f"Coal Mine {__version__}, configured by {config.source}", f"store: {store}"]
    if roles.background:
        lines += _of_background(config)
    if config.node and roles.node:
        lines += _of_node(config, config.node)
    if not config.node and (config.runners or config.minion):
        lines.append("no [node] here: jobs run on nodes elsewhere, and their own settings must have the sections [runner:NAME]")
    return [*lines, *_of_web(config)] if roles.web else lines


def about_key(config: Config, key: str) -> str:
    if config.wsgi.auth_key:
        return "job calls need the key that is configured"
    return f"job calls need the key in {key_path(config.sqlite_path)}" if key else "job calls are refused: they need [wsgi] auth_key"


def warnings_about(config: Config, roles: Roles) -> Iterator[str]:
    if config.node and roles.node:
        yield from warnings_of_users(config.node)
        yield from warnings_of_runners(config.runners)
    if config.elasticsearch and roles.background:
        yield from warnings_of_elasticsearch(config.elasticsearch)
    if roles.web and not config.wsgi.auth_key and not config.local_only:
        yield "NO KEY IS SET: whoever reaches this port may change and delete canaries; set [wsgi] auth_key"
    if roles.web and config.moneta.open_to:
        places = ", ".join(map(str, config.moneta.open_to))
        told = f"whoever calls from {places}, and whoever a proxy there lets through, may run any command on the nodes"
        yield f"MONETA'S PATHS ARE OPEN WITHOUT A KEY: {told}"
    email = config.email
    if email and email.username and email.tls is Tls.NO and email.host not in ("localhost", "127.0.0.1", "::1"):
        yield "the mail password travels in the clear; set [email] tls = starttls or implicit"


def _of_background(config: Config) -> Iterator[str]:
    email, moneta = config.email, config.moneta
    mail = f"mail from {email.sender} through {email.host}:{email.port}" if email else "the log only, since there is no [email] section"
    yield f"alerts: {mail}"
    if config.elasticsearch:
        yield f"documents: to Elasticsearch, index {config.elasticsearch.index}"
    if moneta.backup:
        yield f"backup of tasks and options in Moneta's form: {moneta.backup}, as {moneta.backup_format}"


def _of_node(config: Config, node: NodeConfig) -> Iterator[str]:
    yield f"node {node.name}: runs jobs of {', '.join(node.pools)}, at most {node.slots} at once, as {', '.join(node.users)}"
    if config.runners:
        yield f"runners of this node: {', '.join(f'{name} ({runner.runner})' for name, runner in config.runners.items())}"


def _of_web(config: Config) -> Iterator[str]:
    if config.moneta.docroot:
        yield f"Moneta's web client: {config.moneta.docroot}, at /gui/"
    if config.minion:
        accounts = (f"{name} ({', '.join(account.runners) or 'no runners'})" for name, account in config.minion.items())
        yield f"Minion's accounts and their runners: {', '.join(accounts)}"
    wsgi = config.wsgi
    host = f"[{wsgi.host}]" if ":" in wsgi.host else wsgi.host
    scheme = "https" if wsgi.tls_certificate else "http"
    yield f"listening on {scheme}://{host}:{wsgi.port}" + (" for this machine only" if config.local_only else "")
