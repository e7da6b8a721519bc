"""Moneta's paths, each as its routes know them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from coal_mine.web.dialects import face
from coal_mine.web.environ import Environ
from coal_mine.web.parameters import refuse_odd_letters
from coal_mine.web.responses import Answer

from .access import MonetaGate
from .answers import FORM, answer
from .calls import Call, Route
from .standpoint import Standpoint

# The first segments of its paths.
SEGMENTS = ("tasks", "tags", "plugins", "status", "cluster", "node", "processes", "executionsummary", "auditlog", "running", "gui")


def moneta_face(gate: MonetaGate, standpoint: Standpoint, routes: Sequence[Route]) -> face.Face:
    def placed(environ: Environ) -> Environ:
        return standpoint.taken(environ | {"PATH_INFO": _tidy(environ["PATH_INFO"])})

    return face.Face(gate, [_framed(route, standpoint) for route in routes], FORM, placed=placed)


def _framed(route: Route, standpoint: Standpoint) -> face.Route:
    def answered(request: face.Request) -> Answer:
        refuse_odd_letters(request.query)
        given = route.handle(Call(request.environ, request.path, request.query, request.caller, partial(standpoint.node, request.environ)))
        return given if isinstance(given, Answer) else answer(given)

    return face.Route(route.method, route.path, answered)


def _tidy(path: str) -> str:
    """Without repeated slashes, which Moneta folds, and without one at the end, which its first versions took; after /gui it counts."""
    folded = re.sub("/+", "/", path)
    return folded if re.match("/(node/[^/]+/)*gui/", folded) else folded.rstrip("/") or "/"
