"""cmcli node, pool and execution: where jobs run, and whether."""

from __future__ import annotations

import click

from .answers import done, say, show
from .api import api_of
from .options import Given, server_options


@click.group()
def node() -> None:
    """Nodes, the machines that run jobs: list them, keep runs away from them."""


@node.command(name="list")
@server_options()
@click.pass_obj
def list_nodes(given: Given, /) -> None:
    """List the nodes."""
    answer = api_of(given).get("nodes")
    show(given, answer, lambda tables: tables.nodes(answer["nodes"]))


@node.command(name="get")
@click.argument("name")
@server_options()
@click.pass_obj
def get_node(given: Given, /, name: str) -> None:
    """Show a node."""
    answer = api_of(given).get("nodes", name)
    show(given, answer, lambda tables: tables.node(answer))


@node.command()
@click.argument("name")
@server_options()
@click.pass_obj
def drain(given: Given, /, name: str) -> None:
    """Let a node take no more runs; those that it has go on."""
    _drain(given, name, "drain")


@node.command()
@click.argument("name")
@server_options()
@click.pass_obj
def undrain(given: Given, /, name: str) -> None:
    """Let a drained node take runs again."""
    _drain(given, name, "undrain")


def _drain(given: Given, name: str, verb: str) -> None:
    answer = api_of(given).send("POST", "nodes", name, verb)
    show(given, answer, lambda tables: tables.node(answer))


@node.command()
@click.argument("name")
@server_options()
@click.pass_obj
def remove(given: Given, /, name: str) -> None:
    """Forget a node that is gone."""
    done(given, api_of(given).send("DELETE", "nodes", name), "Removed.")


@click.group()
def pool() -> None:
    """Pools, the named groups of nodes: list them, pause them."""


@pool.command(name="list")
@server_options()
@click.pass_obj
def list_pools(given: Given, /) -> None:
    """List the pools."""
    answer = api_of(given).get("pools")
    show(given, answer, lambda tables: tables.pools(answer["pools"]))


@pool.command()
@click.argument("name")
@server_options()
@click.pass_obj
def pause(given: Given, /, name: str) -> None:
    """Start no more runs in a pool; those under way go on."""
    answer = api_of(given).send("POST", "pools", name, "pause")
    done(given, answer, "Paused.")
    for warning in () if given.as_json else answer.get("warnings", ()):
        say(f"warning: {warning}")


@pool.command()
@click.argument("name")
@server_options()
@click.pass_obj
def unpause(given: Given, /, name: str) -> None:
    """Start runs in a paused pool again."""
    done(given, api_of(given).send("POST", "pools", name, "unpause"), "Unpaused.")


@click.command()
@click.argument("state", type=click.Choice(["on", "off"]), required=False, metavar="[on|off]")
@server_options()
@click.pass_obj
def execution(given: Given, /, state: str | None) -> None:
    """Switch the execution of all jobs on or off, or say which it is.

    While it is off nothing new is started anywhere; runs under way go on.
    """
    api = api_of(given)
    answer = api.send("PUT", "execution", body={"enabled": state == "on"}) if state else api.get("execution")
    done(given, answer, f"Execution is {'on' if answer['enabled'] else 'off'}.")
