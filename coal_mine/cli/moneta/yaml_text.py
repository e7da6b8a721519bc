"""YAML as Moneta writes it, and as people write it by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from yaml.constructor import ConstructorError
from yaml.events import CollectionEndEvent, CollectionStartEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from coal_mine.domain.errors import Invalid

DEPTH = 100
# A short file can stand for more than any memory holds: so many values each character may stand for, and so many any file.
_VALUES_FOR_EACH = 10
_VALUES_FOR_ANY = 100_000
_STANDARD = "tag:yaml.org,2002:"
_MERGE = _STANDARD + "merge"
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C, where it was built


class _Loader(_BASE):  # type: ignore[misc]  # which one, is known only now
    """Knows what JSON knows: keys are texts, as they are written, and so are dates."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._left = most_values(text)
        self._flat: set[MappingNode] = set()

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[str, Any]:
        self.flatten_mapping(node)
        return {_key(key): self.construct_object(value, deep=deep) for key, value in node.value}

    def flatten_mapping(self, node: MappingNode) -> None:
        """Puts in what `<<` names, counted before: merges of merges grow tenfold with each line."""
        if node in self._flat:
            return
        self._flat.add(node)
        self._refuse_twice(node)
        for merged in _merged(node):
            self.flatten_mapping(merged)
            self._left -= len(merged.value)
            if self._left < 0:
                raise ConstructorError(None, None, "merges of merges stand for far more than the file has", node.start_mark)
        super().flatten_mapping(node)

    def _refuse_twice(self, node: MappingNode) -> None:
        """Before anything is merged: what is merged may be given anew."""
        seen = set()
        for key, _ in node.value:
            text = _key(key)
            if text in seen:
                raise ConstructorError(None, None, f"{text[:100]!r} is given twice", key.start_mark)
            seen.add(text)


# Else a date would become what JSON cannot say; Moneta, which takes texts for dates, writes them so.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _STANDARD + "timestamp"]
    for first, resolvers in _BASE.yaml_implicit_resolvers.items()
}
for _tag in ("timestamp", "python/unicode", "python/str"):  # the latter of old versions, which ran on Python 2
    _Loader.add_constructor(_STANDARD + _tag, _BASE.construct_scalar)


def value(name: str, text: str) -> Any:
    """What the text says. Raises Invalid, which says where the mistake is, and RecursionError."""
    try:
        _refuse_deep(text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - derived from the safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise Invalid(f"{name}: {place}{error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError) as error:  # such as a character that YAML does not allow, or the number 0b
        raise Invalid(f"{name}: {' '.join(str(error).split())}") from error


def most_values(text: str) -> int:
    """How many values a file may have, with what its aliases stand for."""
    return _VALUES_FOR_ANY + _VALUES_FOR_EACH * len(text)


def _merged(node: MappingNode) -> Iterator[MappingNode]:
    """What is to be put in; of something else the library tells what is wrong."""
    for key, value in node.value:
        if key.tag == _MERGE:
            yield from (one for one in (value.value if isinstance(value, SequenceNode) else [value]) if isinstance(one, MappingNode))


def _refuse_deep(text: str) -> None:
    """Before anything is built: the loader in C would use up the stack, and with it the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_BASE):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > DEPTH:
            raise RecursionError


def _key(node: Node) -> str:
    if not isinstance(node, ScalarNode):
        raise ConstructorError(None, None, "a key is no text", node.start_mark)
    return node.value if node.tag != _MERGE else "<<"
