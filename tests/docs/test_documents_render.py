"""What people read on the web."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docutils import nodes

from tests.docs.documents import RENDERED, ROOT, doctree


@pytest.mark.parametrize("path", RENDERED, ids=lambda path: path.name)
def test_each_document_renders_without_a_warning(path: Path) -> None:
    doctree(path, report_level=1, halt_level=1)


@pytest.mark.parametrize("path", RENDERED, ids=lambda path: path.name)
def test_no_heading_has_become_a_part_of_a_paragraph(path: Path) -> None:
    lines = [line for paragraph in doctree(path).findall(nodes.paragraph) for line in paragraph.astext().splitlines()]

    assert [line for line in lines if re.fullmatch("[-=~]{5,}", line)] == []


@pytest.mark.parametrize("path", RENDERED, ids=lambda path: path.name)
def test_each_link_to_a_file_leads_to_one(path: Path) -> None:
    targets = [found["refuri"] for found in doctree(path).findall(nodes.reference) if "refuri" in found]
    files = [target for target in targets if "://" not in target]

    assert [file for file in files if not (path.parent / file).is_file()] == []


def test_the_documents_are_where_readers_look() -> None:
    assert {"README.rst", "CHANGELOG.rst", "CONTRIBUTING.rst", "docs/why.rst", "docs/glossary.rst"} <= {
        str(path.relative_to(ROOT)) for path in RENDERED
    }
