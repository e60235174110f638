"""The explorer that minimizes in the page: against the package, from the same numbers."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import feature_capacity as fc
from feature_capacity.explorers import PhaseMap
from feature_capacity.explorers.minimization import (
    ACTIVATIONS,
    INPUTS,
    active_rules,
    importances,
    minimization_explorer,
    nodes_at,
)
from feature_capacity.solvers.gauss_newton import linearize
from feature_capacity.solvers.newton import minimize_quadratic
from feature_capacity.solvers.nodes import quadrature_tensors
from feature_capacity.solvers.starts import random_starts

pytestmark = pytest.mark.book

EXACT = ("computation", "quadratic")
SAMPLED = [(model, f) for model in INPUTS for f in ACTIVATIONS if (model, f) != EXACT]
EFFORT = {"tolerance": 1e-10, "max_iterations": 200, "dtype": "float64", "device": "cpu"}

UNPACK = """
  const unpack = (text) => Array.from(
    new Float64Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer));
  const unpacked = (rules) => rules.map(({ values, weights }) => (
    { values: unpack(values), weights: unpack(weights) }));
"""


@pytest.fixture
def race(names_of):
    """The minimizers of the explorers, to be called by name."""
    page = names_of("race")
    page.add_script_tag(content=UNPACK)
    return page


# ----------------------------------------------------------------------- the science in the page


@pytest.mark.parametrize("model", list(INPUTS))
@pytest.mark.parametrize("p", [0.01, 0.3, 1.0])
def test_the_page_makes_the_nodes_that_the_package_is_given(names_of, model, p):
    page = names_of("nodes")
    page.add_script_tag(content=UNPACK)
    setting = [active_rules(INPUTS[model], 4), p, model == "computation"]
    found = page.evaluate("([rules, p, two]) => sparseNodes(unpacked(rules), 4, p, two)", setting)
    x = np.zeros((len(found), 4))
    for row, node in zip(x, found, strict=True):
        row[node["active"]] = node["x"]
    weight = np.array([node["weight"] for node in found])
    assert weight.sum() == pytest.approx(1, abs=1e-12)
    inputs, given = INPUTS[model](p), nodes_at(INPUTS[model](p), 4)
    monomials = [[1, 0, 0, 0], [2, 0, 0, 0], [4, 0, 0, 0], [1, 1, 0, 0], [2, 2, 0, 0], [1, 1, 1, 1]]
    for powers in np.array(monomials):
        ours = weight @ (x**powers).prod(axis=1)
        size = given.weight @ (np.abs(given.x) ** powers).prod(axis=1)
        assert ours == pytest.approx(given.weight @ (given.x**powers).prod(axis=1), abs=1e-9 * size)
        exact = np.prod([inputs.moment(int(order)) for order in powers])
        assert ours == pytest.approx(exact, abs=1e-9 * size)


@pytest.mark.parametrize(("kind", "f"), [*SAMPLED, EXACT])
def test_loss_gradient_and_curvature_are_those_of_the_package(names_of, kind, f):
    page = names_of("race")
    page.add_script_tag(content=UNPACK)
    generator = np.random.default_rng(3)
    model, v, p = fc.ToyModel(kind, f, 4, 2), np.array([2.0, 1.0, 0.7, 0.4]), 0.3
    nodes = quadrature_tensors(nodes_at(INPUTS[kind](p), 4), torch.float64, torch.device("cpu"))
    for _ in range(5):
        theta = generator.standard_normal(8 + 4 * (kind == "autoencoder"))
        ours = page.evaluate(
            """([kind, f, rules, v, p, theta]) => {
              const nodes = nodes_js.sparseNodes(unpacked(rules), 4, p, kind === "computation");
              const build = toymodels_js[kind];
              const problem = build({ n: 4, d: 2, importance: v, activation: f, nodes });
              const { loss, gradient, curvature } = problem.linearize(theta);
              const quick = problem.linearize(theta, false);
              return [loss, Array.from(gradient), Array.from(curvature),
                      quick.loss, Array.from(quick.gradient)];
            }""",
            [kind, f, active_rules(INPUTS[kind], 4), v.tolist(), p, theta.tolist()],
        )
        theirs = linearize(model, torch.tensor(theta)[None], torch.tensor(v)[None], nodes)
        loss, gradient, curvature = (each[0].numpy() for each in vars(theirs).values())
        scale = np.abs(curvature).max()
        assert ours[0] == pytest.approx(float(loss), rel=1e-7)
        np.testing.assert_allclose(ours[1], gradient, rtol=1e-6, atol=1e-7 * scale)
        np.testing.assert_allclose(ours[2], curvature.ravel(), rtol=1e-6, atol=1e-7 * scale)
        assert ours[3] == pytest.approx(ours[0], rel=1e-12)
        np.testing.assert_allclose(ours[4], ours[1], rtol=1e-9, atol=1e-12)


SECOND_ORDER = """([model, activation, rules, importance, probability, d, start]) => {
  const setting = { model, activation, probability, importance };
  const problem = problemAt(setting, { d, rules: { [model]: unpacked(rules) } });
  const exact = isExact(model, activation);
  const [second] = startedAt(problem, { n: importance.length, d, seed: 0, start, exact });
  while (!second.run.over) second.run.step();
  return { W: problem.matrix(second.run.theta), bias: problem.bias(second.run.theta),
           loss: problem.lossOf(second.run.loss), steps: second.run.steps };
}"""


@pytest.mark.parametrize(("kind", "f"), SAMPLED)
@pytest.mark.parametrize(("V", "p", "d", "seed"), [(1.0, 0.05, 2, 1), (3.0, 0.3, 3, 2)])
def test_from_the_same_numbers_the_page_ends_where_the_package_does(race, kind, f, V, p, d, seed):
    model, v = fc.ToyModel(kind, f, 5, d), importances(5, V, 0.9)
    starts = random_starts(model, 1, 1, seed)
    nodes = nodes_at(INPUTS[kind](p), 5)
    theirs = fc.minimize(model, INPUTS[kind](p), v[None], starts=starts, quadrature=nodes, **EFFORT)
    start = starts[0, 0, : 5 * d].reshape(d, 5).tolist()
    rules = active_rules(INPUTS[kind], 5)
    ours = race.evaluate(SECOND_ORDER, [kind, f, rules, v.tolist(), p, d, start])
    np.testing.assert_allclose(ours["W"], theirs.W[0], rtol=0, atol=1e-4)
    np.testing.assert_allclose(ours["bias"], theirs.bias[0], rtol=0, atol=1e-4)
    assert ours["loss"] == pytest.approx(float(theirs.loss[0]), rel=1e-6)


@pytest.mark.parametrize(("n", "d", "k"), [(6, 3, 9.0), (6, 3, 2.4), (4, 1, 40.0), (9, 5, 180.0)])
@pytest.mark.parametrize("seed", [0, 7])
def test_the_quadratic_model_ends_where_the_package_does(race, n, d, k, seed):
    v = importances(n, 1.3, 0.8)
    theirs = minimize_quadratic(v[None], k, d, n_starts=1, seed=seed)
    start = np.random.default_rng(seed).standard_normal((d, n)) * np.sqrt(v.mean() / d)
    setting = ["computation", "quadratic", [], v.tolist(), 1.8 / k, d, start.tolist()]
    ours = race.evaluate(SECOND_ORDER, setting)
    np.testing.assert_allclose(ours["W"], theirs.W[0], rtol=0, atol=1e-4)
    assert ours["loss"] == pytest.approx(float(theirs.loss[0]), rel=1e-9)
    assert ours["bias"] == pytest.approx(float(theirs.bias[0]), abs=1e-4)


# ---------------------------------------------------------------------------------- the explorer


def found(page):
    return json.loads(page.locator(".explorer-body").get_attribute("data-found"))


def played(page):
    page.get_by_role("button", name="Play").click()
    page.get_by_text("Gradient descent settles", exact=False).wait_for(timeout=60_000)
    return found(page)


def starting_at(explorer, W, **state):
    return replace(explorer, state={**explorer.state, "start": W.tolist(), **state})


@pytest.mark.parametrize(("kind", "f"), SAMPLED[:1] + SAMPLED[-1:])
def test_a_reader_who_presses_play_sees_the_minimum_of_the_package(show, kind, f):
    model, v, p = fc.ToyModel(kind, f, 4, 2), importances(4, 1.5, 1.0), 0.1
    starts = random_starts(model, 1, 1, 3)
    explorer = minimization_explorer(4, 2, models=[kind], activations=[f], start=(1.5, p))
    page = show(starting_at(explorer, starts[0, 0, :8].reshape(2, 4)), reduced_motion="reduce")
    opening = found(page)[0]
    np.testing.assert_allclose(opening["W"], starts[0, 0, :8].reshape(2, 4))
    second, first = played(page)
    nodes = nodes_at(INPUTS[kind](p), 4)
    theirs = fc.minimize(model, INPUTS[kind](p), v[None], starts=starts, quadrature=nodes, **EFFORT)
    np.testing.assert_allclose(second["W"], theirs.W[0], rtol=0, atol=1e-4)
    np.testing.assert_allclose(second["capacity"], theirs.capacity[0], rtol=0, atol=1e-4)
    assert first["loss"] < 0.9 * opening["loss"]


def test_play_pause_step_restart_and_another_start(show):
    page = show(minimization_explorer(6, 3, models=["computation"], activations=["quadratic"]))
    opening = found(page)
    assert [one["steps"] for one in opening] == [0, 0]
    assert opening[0]["W"] == opening[1]["W"]
    page.get_by_role("button", name="Step").click()
    assert [one["steps"] for one in found(page)] == [1, 1]
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Pause").click()
    paused = found(page)
    assert paused[1]["steps"] > 1
    page.wait_for_timeout(300)
    assert found(page) == paused
    second, first = played(page)
    least = float(fc.solve_allocation([1.0] * 6, 3, 36.0).loss)
    assert second["loss"] == pytest.approx(least, rel=1e-9)
    assert first["loss"] == pytest.approx(least, rel=1e-4)
    assert first["steps"] > second["steps"]
    assert "That is the least loss there is." in page.locator(".explorer-summary").inner_text()
    page.get_by_role("button", name="Restart").click()
    assert found(page) == opening
    page.get_by_role("button", name="Another start").click()
    assert found(page)[0]["W"] != opening[0]["W"]
    assert "seed=2" in page.evaluate("location.hash")


def test_dense_inputs_have_states_that_a_start_is_stuck_in(show):
    """The sentence says so: by the closed form, not by what was found before."""
    explorer = minimization_explorer(
        6, 3, models=["computation"], activations=["quadratic"], start=(1.25, 1.0), ratio=0.8
    )
    page = show(explorer, reduced_motion="reduce")
    least = float(fc.solve_allocation(importances(6, 1.25, 0.8), 3, 1.8).loss)
    stuck = 0
    for _ in range(8):
        second, first = played(page)
        text = page.locator(".explorer-summary").inner_text()
        lowest = min(second["loss"], first["loss"])
        assert lowest > least * (1 - 1e-9)
        assert ("The least loss there is lies lower" in text) == (lowest > 1.001 * least)
        stuck += lowest > 1.001 * least
        page.get_by_role("button", name="Another start").click()
    assert stuck > 0


def test_settings_are_chosen_by_sliders_buttons_map_and_address(show):
    V, p = np.geomspace(0.1, 10, 5), np.geomspace(0.01, 1, 4)
    one = PhaseMap(np.full((4, 5), 0.5), np.ones((4, 5)), np.ones((4, 5, 2, 4)))
    explorer = minimization_explorer(4, 2, maps={("autoencoder", "relu"): one}, axes=(V, p))
    page = show(explorer)
    cells = page.locator(".explorer-map")
    assert cells.is_visible()
    box = cells.bounding_box()
    page.mouse.click(box["x"] + 54 + (box["width"] - 62) * 0.9, box["y"] + 10)
    assert "V=10&p=1" in page.evaluate("location.hash")
    page.get_by_role("radio", name="GELU").check(force=True)
    assert not cells.is_visible()
    assert "f=gelu" in page.evaluate("location.hash")
    page.get_by_role("radio", name="computation").check(force=True)
    page.get_by_role("radio", name="quadratic").check(force=True)
    assert cells.is_visible()  # in closed form
    cells.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    assert "V=3.162&p=0.2154" in page.evaluate("location.hash")
    again = show(explorer, fragment=page.evaluate("location.hash"))
    assert found(again) == found(page)


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        ("models must be one or more of computation, autoencoder; got", {"models": ["x"]}),
        ("activations must be one or more of quadratic, relu, gelu; got", {"activations": []}),
        ("n_features must be a whole number from 2 to 7; got 8", {"n_features": 8}),
        ("ratio must be in", {"ratio": 0.0}),
        ("importance must be in", {"start": (1000, 0.1)}),
        ("maps need axes", {"maps": {("autoencoder", "relu"): None}}),
    ],
)
def test_what_the_page_cannot_minimize_is_refused(words, settings):
    with pytest.raises(ValueError, match=words):
        minimization_explorer(**settings)
