"""What is written for the pages by machine: the box on their run, and the list of figures."""

import base64
import io
import json
import re

import pytest
from PIL import Image

from feature_capacity.book.figure_list import figures_html, paper_figures_html, read_figures
from feature_capacity.book.parameters import read_parameters
from feature_capacity.book.run_details import about, run_details_html


@pytest.fixture
def cell(tiny):
    return read_parameters(tiny.notebooks / "tiny.py")


def test_the_box_shows_what_was_set_and_what_was_not(cell):
    box = run_details_html("tiny", cell, {"n_dims": 2}, 12.0)
    cells = [re.findall(r"<td>(.*?)</td>", row) for row in box.split("<tr>")[2:]]
    assert cells == [
        ["<code>n_dims</code>", "<code>2</code>", "dimensions", "a whole number from 1 to 12"],
        ["<code>scale</code>", "<code>1.0</code>", "factor", "a number"],
        ["<code>mode</code>", "<code>&#39;plain&#39;</code>", "how", "one of plain, fail"],
    ]
    assert "about 10 seconds" in box
    assert "feature-capacity run tiny -p n_dims 2 -o tiny.ipynb" in box


def test_the_box_is_the_same_after_a_run_that_took_about_as_long(cell):
    """Or the book would be rendered again for nothing."""
    first, second, third = (run_details_html("tiny", cell, {}, s) for s in (13.0, 16.9, 31.0))
    assert first == second != third
    assert " in about" not in run_details_html("tiny", cell, {}, None)


def test_times_grow_with_the_seconds():
    sizes = {"second": 1, "minute": 60, "hour": 3600}
    seconds = [0.1 * 1.1**i for i in range(140)]
    words = [re.fullmatch(r"about ([\d.]+) (\w+?)s?", about(s)).groups() for s in seconds]
    values = [float(number) * sizes[unit] for number, unit in words]
    assert values == sorted(values)
    near = [abs(v - s) <= max(0.35 * s, 1) for v, s in zip(values, seconds, strict=True)]
    assert all(near)


def _executed(path, captions):
    """An executed notebook that shows one picture for each caption."""
    target = io.BytesIO()
    Image.new("RGB", (400, 300), "white").save(target, "PNG")
    data = {"image/png": base64.b64encode(target.getvalue()).decode()}
    cells = [
        {
            "metadata": {"mystnb": {"figure": {"caption": text, "name": f"fig-{i}"}}},
            "outputs": [{"data": data}],
        }
        for i, text in enumerate(captions)
    ]
    path.write_text(json.dumps({"cells": [{"metadata": {}}, *cells]}), encoding="utf-8")
    return path


def test_figures_of_the_paper_keep_its_numbers_and_ours_count_by_page(tmp_path):
    one = _executed(tmp_path / "one.ipynb", ["A < B", "Two (the paper's Figure 6)."])
    two = _executed(tmp_path / "two.ipynb", ["Figure 2 of the paper: $x < 1$."])
    figures = read_figures([("one", "One & only", one), ("two", "Two", two)])
    assert [figure.number for figure in figures] == ["One-1", "P6", "P2"]
    assert [figure.paper for figure in figures] == [None, 6, 2]
    everything = figures_html(figures, root="../")
    assert re.findall(r'href="([^"]+)">Fig', everything) == [
        "../notebooks/one.html#fig-0",
        "../notebooks/one.html#fig-1",
        "../notebooks/two.html#fig-0",
    ]
    assert "One &amp; only" in everything
    assert "A &lt; B" in everything
    assert re.findall(r'data-paper="(\d)"', paper_figures_html(figures, root="../")) == ["2", "6"]
    small = base64.b64decode(figures[0].thumbnail().partition(",")[2])
    assert Image.open(io.BytesIO(small)).width <= 220
