"""The explorer of one feature that differs: what the browser computes, against the package."""

import re

import numpy as np
import pytest

import feature_capacity as fc
from feature_capacity.explorers import unequal_explorer

pytestmark = pytest.mark.book


def problem(V, k, n, theirs):
    return np.r_[V, np.ones(n)], np.r_[k, np.full(n, theirs)]


def test_the_browser_shares_as_the_package_does(names_of):
    page = names_of("oneagainst")
    rng = np.random.default_rng(0)
    phases = []
    for _ in range(300):
        n = int(rng.integers(2, 13))
        d, theirs = int(rng.integers(1, n + 1)), float(np.exp(rng.uniform(np.log(4), np.log(1000))))
        V = float(rng.uniform(0.1, 2 * n / d + 1))
        k = float(rng.choice([rng.uniform(1.5, 3), rng.uniform(2.2, 2.95), rng.uniform(3, 100), 3]))
        others = {"n": n, "nDims": d, "kurtosis": theirs}
        found = page.evaluate("([V, k, others]) => oneAgainst(V, k, others)", [V, k, others])
        v, kurtosis = problem(V, k, n, theirs)
        best = fc.solve_allocation(v, d, kurtosis)
        case = f"{V!r}, {k!r}, {others!r}"
        assert found["loss"] == pytest.approx(float(best.loss), rel=1e-9, abs=1e-12), case
        if best.unique:
            both = [found["share"], found["rest"]]
            np.testing.assert_allclose(both, best.capacity[:2], rtol=0, atol=1e-6, err_msg=case)
        share = float(rng.uniform())
        lost = page.evaluate(
            "([C, V, k, others]) => lossOfShare(C, V, k, others)", [share, V, k, others]
        )
        C = np.r_[share, np.full(n, (d - share) / n)]
        assert lost == pytest.approx(fc.loss_at_best_lengths(C, v, kurtosis).sum(), rel=1e-9), case
        phases.append((int(best.phase[0]), k < 3))
    assert {(0, True), (1, True), (2, True), (0, False), (1, False), (2, False)} <= set(phases)


def test_a_dense_feature_that_shares_one_that_is_too_light_and_the_way_between(show):
    page = show(unequal_explorer())
    told = page.locator(".explorer-told")

    def at(V, k):
        best = fc.solve_allocation(*problem(V, k, 4, 30)[:1], 2, problem(V, k, 4, 30)[1])
        data = page.locator(".explorer-body").evaluate("body => ({ ...body.dataset })")
        assert float(data["share"]) == pytest.approx(best.capacity[0], abs=1e-6)
        assert float(data["rest"]) == pytest.approx(best.capacity[1], abs=1e-6)
        assert float(data["loss"]) == pytest.approx(float(best.loss), abs=1e-6)
        return best

    def enter(label, number):
        field = page.get_by_label(re.compile(f"^{label}.*as a number"))
        field.fill(number)
        field.press("Enter")

    best = at(2.6, 2.5)
    assert f"takes {best.capacity[0]:.2g} of a dimension" in told.inner_text()
    assert "but it is heavy enough: it weighs 7.8" in told.inner_text()
    enter("kurtosis", "1.8")
    at(2.6, 1.8)
    assert "too light to share: it weighs 1.73, the others together 4.3" in told.inner_text()
    assert "It is ignored" in told.inner_text()
    enter("importance", "5")
    at(5, 1.8)
    assert "It has a dimension of its own" in told.inner_text()
    enter("kurtosis", "40")
    at(5, 40)
    assert "nothing keeps it from sharing" in told.inner_text()
    page.locator(".explorer-map").focus()
    for _ in range(8):
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowDown")
    V, k = (float(page.locator(f'[data-name="{x}"] input[type=number]').input_value())
            for x in ("importance", "kurtosis"))  # fmt: skip
    assert (V < 5, k < 40) == (True, True)
    at(V, k)
    again = show(unequal_explorer(), fragment=page.evaluate("location.hash"))
    seen = [p.locator(".explorer-body").get_attribute("data-share") for p in (page, again)]
    assert seen[0] == seen[1]


def test_the_circle_lies_at_the_least_loss(show):
    page = show(unequal_explorer(start=(2.6, 2.5)))
    circle, line = page.locator(".explorer-trade circle"), page.locator(".explorer-trade polyline")
    points = np.array([p.split(",") for p in line.get_attribute("points").split()], float)
    here = [float(circle.get_attribute(name)) for name in ("cx", "cy")]
    assert here[1] == pytest.approx(points[:, 1].max(), abs=0.1)  # downward on a screen
    assert here[1] > points[[0, -1], 1].max() + 1
    share = float(page.locator(".explorer-body").get_attribute("data-share"))
    part = (here[0] - points[0, 0]) / (points[-1, 0] - points[0, 0])
    assert part == pytest.approx(share, abs=1e-3)


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        ("n_others must be a whole number from 2 to 12; got 13", {"n_others": 13}),
        (r"n_dims must be a whole number from 1 to n_others \(4\); got 5", {"n_dims": 5}),
        (r"kurtosis_of_others must be a number in \[4, 1000\]; got 2", {"kurtosis_of_others": 2}),
        ("start must be two positive numbers", {"start": (0, 2)}),
    ],
)
def test_what_the_explorer_has_no_room_for_is_refused(words, settings):
    with pytest.raises(ValueError, match=words):
        unequal_explorer(**settings)
