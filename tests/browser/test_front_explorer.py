"""The explorer at the front door: the closed form's map, and a network that attains each cell."""

import json

import numpy as np
import pytest

import feature_capacity as fc
from feature_capacity.explorers import front_explorer
from feature_capacity.explorers.front import umbrella

pytestmark = pytest.mark.book

SETTINGS = [(V, p, n) for V in (0.1, 0.4, 1.0, 1.7, 9.0) for p in (0.003, 0.1, 0.5, 0.6, 0.9)
            for n in (5, 6, 9)]  # fmt: skip


def importances(V, n):
    return np.array([V, *[1.0] * (n - 1)])


@pytest.mark.parametrize(("V", "p", "n"), SETTINGS)
def test_the_umbrella_attains_the_optimum(V, p, n):
    v, k = importances(V, n), 1.8 / p
    best = fc.solve_allocation(v, 3, k)
    W = umbrella(best)
    np.testing.assert_allclose(fc.capacities(W), best.capacity, rtol=0, atol=1e-12)
    np.testing.assert_allclose((W**2).sum(axis=0), best.sq_norm, rtol=1e-12, atol=1e-15)
    assert float(fc.expected_loss(W, v, k)) == pytest.approx(float(best.loss), rel=1e-12)


def test_the_browser_builds_the_same_umbrella(names_of):
    page = names_of("umbrella")
    for V, p, n in SETTINGS:
        best = fc.solve_allocation(importances(V, n), 3, 1.8 / p)
        given = {"capacity": best.capacity.tolist(), "sqNorm": best.sq_norm.tolist()}
        W = np.transpose(page.evaluate("best => umbrella(best)", given))
        np.testing.assert_allclose(W, umbrella(best), rtol=0, atol=1e-12)


def shown(page):
    body = page.locator(".explorer-body")
    return np.transpose(json.loads(body.get_attribute("data-matrix")))


def test_a_place_of_the_map_shows_its_network_and_says_what_it_does(show):
    page = show(front_explorer())
    told = page.locator(".explorer-told")

    def at(V, p):
        best = fc.solve_allocation(importances(V, 6), 3, 1.8 / p)
        np.testing.assert_allclose(shown(page), umbrella(best), rtol=0, atol=1e-12)
        return best

    best = at(1.2, 0.02)
    W = umbrella(best)
    assert f"feature 1 is allocated {best.capacity[0]:.2g} of a dimension" in told.inner_text()
    assert f"the answer rises by {W[:, 0] @ W[:, 0]:.3g} instead of 1.2" in told.inner_text()
    assert f"adds −{abs(2 * W[:, 0] @ W[:, 1]):.2g}." in told.inner_text()
    page.get_by_role("button", name="ignored", exact=True).click()
    at(0.15, 0.1)
    assert "it is ignored" in told.inner_text()
    page.get_by_role("button", name="a dimension of its own").click()
    at(4, 0.02)
    assert "enough for a dimension of its own" in told.inner_text()
    page.get_by_role("button", name="dense inputs").click()
    at(1.5, 0.9)
    assert "No neuron is polysemantic" in told.inner_text()
    field = page.get_by_label("importance V of feature 1; the others have 1, as a number")
    field.fill("0.5")
    field.press("Enter")
    at(0.5, 0.9)
    page.locator(".explorer-map").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    V, p = (float(page.locator(f'[data-name="{x}"] input[type=number]').input_value())
            for x in ("importance", "probability"))  # fmt: skip
    assert V > 0.5
    assert p < 0.9
    again = show(front_explorer(), fragment=page.evaluate("location.hash"))
    np.testing.assert_allclose(shown(again), shown(page), atol=1e-9)


def test_the_film_moves_and_pauses(show):
    page = show(front_explorer())
    before = shown(page)
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(
        "before => document.querySelector('.explorer-body').dataset.matrix !== before",
        arg=json.dumps(before.T.tolist()),
    )
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Pause").click()
    after = shown(page)
    assert not np.allclose(before, after)
    page.wait_for_timeout(200)
    np.testing.assert_array_equal(shown(page), after)
    assert "V=" in page.evaluate("location.hash")


def test_without_motion_the_film_goes_stage_by_stage(show):
    page = show(front_explorer(), reduced_motion="reduce")
    told = page.locator(".explorer-told")
    page.get_by_role("button", name="Play").click()
    assert "a dimension of its own" in told.inner_text()
    page.get_by_role("button", name="Play").click()
    assert "allocated" in told.inner_text()


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        ("n_features must be a whole number from 5 to 9; got 4", {"n_features": 4}),
        (r"importance must be in \[0.1, 10\]; got 20", {"start": (20, 0.1)}),
        (r"probability must be in \[0.003, 1\]; got 0", {"start": (1, 0)}),
    ],
)
def test_what_has_no_place_on_the_map_is_refused(words, settings):
    with pytest.raises(ValueError, match=words):
        front_explorer(**settings)
