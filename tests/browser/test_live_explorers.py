"""One file for both places: what runs in a page is what a widget sends to a live notebook."""

import importlib.util

import pytest

from feature_capacity._lazy import MissingExtraError
from feature_capacity.explorers import (
    capacity_explorer,
    front_explorer,
    geometry_explorer,
    phase_explorer,
    unequal_explorer,
)
from feature_capacity.explorers.html import module
from feature_capacity.explorers.minimization import minimization_explorer

from .test_explorers import diagrams  # noqa: F401  a fixture

pytestmark = pytest.mark.book

KINDS = ("capacity", "front", "geometry", "minimization", "phases", "unequal")

# What a live notebook does: it imports the module and renders it for a model, whose values are sent
# where save_changes is called.  Nothing else of the page is there.
HOST = """async ([source, values]) => {
  const blob = new Blob([source], { type: "text/javascript" });
  const { default: widget } = await import(URL.createObjectURL(blob));
  const heard = [];
  window.sent = [];
  window.model = {
    get: (name) => values[name],
    set: (name, value) => {
      values[name] = value;
      for (const [event, listener] of [...heard]) if (event === `change:${name}`) listener();
    },
    save_changes: () => window.sent.push(structuredClone(values)),
    on: (event, listener) => heard.push([event, listener]),
    off: (event, listener) => {
      const at = heard.findIndex(([e, l]) => e === event && l === listener);
      if (at >= 0) heard.splice(at, 1);
    },
  };
  window.heard = heard;
  const el = document.createElement("div");
  document.body.append(el);
  window.close_widget = widget.render({ model: window.model, el });
}"""


@pytest.fixture
def live(browser):
    contexts = []

    def live(explorer):
        page = browser.new_page()
        contexts.append(page)
        page.goto("about:blank")
        page.evaluate(HOST, [module(explorer.kind), {"data": explorer.data, **explorer.state}])
        return page

    yield live
    for page in contexts:
        page.close()


@pytest.fixture
def explorers(diagrams):  # noqa: F811
    maps, v, p = diagrams
    return {
        "capacity": capacity_explorer([1, 0.8, 0.6, 0.4], 2, 9),
        "front": front_explorer(),
        "geometry": geometry_explorer([0.5, 0.75, 0.75]),
        "minimization": minimization_explorer(4, 2),
        "phases": phase_explorer(maps, {"model": "model", "route": "route"}, v, p, 9 / (5 * p)),
        "unequal": unequal_explorer(),
    }


MOVED = {
    "capacity": ("kurtosis k of the inputs", "kurtosis"),
    "front": ("importance V of feature 1; the others have 1", "importance"),
    "geometry": ("capacity of feature 1", "capacity"),
    "minimization": ("probability p that a feature is active", "probability"),
    "phases": ("importance V of feature 1 (column of the map)", "importance"),
    "unequal": ("importance V of the feature; the others have 1", "importance"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_runs_the_module_that_a_widget_sends(explorers, kind):
    assert f'<script type="module">\n{module(kind)}' in explorers[kind].html
    assert "http" not in module(kind).replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("kind", KINDS)
def test_a_slider_changes_a_value_and_a_value_moves_the_slider(live, explorers, kind):
    page = live(explorers[kind])
    label, name = MOVED[kind]
    slider = page.get_by_label(label, exact=True)
    before = explorers[kind].state[name]
    slider.focus()
    page.keyboard.press("ArrowRight")
    sent = page.evaluate("window.sent.at(-1)")
    changed = {key for key, value in explorers[kind].state.items() if sent[key] != value}
    assert name in changed
    assert changed <= {name, "step"}  # a film of other capacities has other steps
    moved = slider.input_value()
    count = page.evaluate("window.sent.length")
    page.evaluate("([name, value]) => window.model.set(name, value)", [name, before])
    assert slider.input_value() != moved
    assert page.evaluate("window.sent.length") == count  # what came from Python is not sent back
    assert page.locator(".explorer .explorer-body").count() == 1
    page.evaluate("window.close_widget()")
    assert page.evaluate("window.heard.length") == 0


def test_what_a_minimization_finds_is_sent(live):
    page = live(minimization_explorer(4, 2, models=["computation"], activations=["quadratic"]))
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("window.sent.length > 0", timeout=60_000)
    found = page.evaluate("window.sent.at(-1).found")
    assert len(found["W"]) == 2
    assert found["settled"] is True
    assert sum(found["capacity"]) == pytest.approx(2, abs=1e-6)


def test_without_anywidget_one_sentence_says_what_to_type(monkeypatch):
    find = importlib.util.find_spec
    hide = lambda name, *more: None if name == "anywidget" else find(name, *more)  # noqa: E731
    monkeypatch.setattr("feature_capacity._lazy.find_spec", hide)
    with pytest.raises(MissingExtraError, match=r"pip install 'feature-capacity\[widgets\]'"):
        capacity_explorer([1, 1], 1, 9).widget()


@pytest.mark.parametrize("kind", KINDS)
def test_the_values_of_a_widget_are_those_of_python(explorers, kind):
    pytest.importorskip("anywidget", reason="the extra `widgets` is not installed")
    explorer = explorers[kind]
    widget = explorer.widget()
    assert widget._esm == module(kind)
    assert {name: getattr(widget, name) for name in explorer.state} == dict(explorer.state)
    _, name = MOVED[kind]
    heard = []
    widget.observe(lambda change: heard.append(change.new), name)
    widget.set_state({name: 0.25})  # as the browser does
    assert heard == [0.25]
    setattr(widget, name, explorer.state[name])
    assert heard == [0.25, explorer.state[name]]
    assert widget.get_state([name]) == {name: explorer.state[name]}
