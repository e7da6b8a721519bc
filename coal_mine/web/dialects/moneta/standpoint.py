"""For which node is answered. Nothing is ever passed on to it: all that it could say is in the store."""

from __future__ import annotations

import re

from coal_mine.domain.errors import NotFound
from coal_mine.services.cluster import Cluster, ShownNode
from coal_mine.web.environ import Environ

from .answers import UnknownNode

_PREFIX = re.compile("/node/([^/]+)(/.*)")
# In one path, each of which is looked up.
_MOST_NODES = 3
_KEY = "coal_mine.moneta.node"


class Standpoint:
    def __init__(self, cluster: Cluster, own_name: str) -> None:
        """`own_name` is the node's on this machine; empty: it is none."""
        self._cluster = cluster
        self._own_name = own_name

    def taken(self, environ: Environ) -> Environ:
        """As if it had been sent to the node that the path names. Raises UnknownNode. What names more stays an unknown path."""
        for _ in range(_MOST_NODES):
            found = _PREFIX.fullmatch(environ["PATH_INFO"])
            if found is None:
                break
            environ = environ | {"PATH_INFO": found[2], _KEY: self._named(found[1])}
        return environ

    def node(self, environ: Environ) -> ShownNode | None:
        """The one taken, else the own, else the first that is alive."""
        taken: ShownNode | None = environ.get(_KEY)
        if taken:
            return taken
        nodes = self._cluster.nodes()
        own = next((shown for shown in nodes if shown.node.name == self._own_name), None)
        return own or next((shown for shown in nodes if shown.alive), None)

    def _named(self, name: str) -> ShownNode:
        try:
            return self._cluster.node(name)
        except NotFound as error:
            raise UnknownNode(str(error)) from error
