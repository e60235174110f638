"""No line of the book begins with the comma after a formula."""

import runpy

import pytest
from docutils import nodes
from docutils.utils import new_document


def paragraph(*parts):
    document = new_document("page")
    document += nodes.paragraph("", "", *parts)
    return document


@pytest.fixture
def keep_together(project):
    return runpy.run_path(str(project.root / "book" / "_ext" / "unbroken.py"))["_keep_together"]


def test_a_formula_stays_with_the_marks_that_touch_it(keep_together):
    math = nodes.math("", "k")
    document = paragraph(nodes.Text("many (large "), math, nodes.Text("), or few"))
    keep_together(None, document)
    assert math.parent["classes"] == ["unbroken"]
    assert math.parent.astext() == "k),"
    assert document.astext() == "many (large k), or few"


def test_a_mark_that_stands_twice_stays_where_it_is(keep_together):
    link = nodes.reference("", "equation 3")
    parts = link, nodes.Text("."), nodes.math("", "D"), nodes.Text("."), nodes.math("", "k")
    document = paragraph(*parts)
    keep_together(None, document)
    assert document.astext() == "equation 3.D.k"
    assert link.parent.astext() == document.astext()
    assert [each.astext() for each in document.findall(nodes.inline)] == ["D."]
