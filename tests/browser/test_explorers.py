"""Explorers: what the browser computes and shows, against the package."""

import itertools
import json

import numpy as np
import pytest

import feature_capacity as fc
from feature_capacity.explorers import (
    PhaseMap,
    capacity_explorer,
    front_explorer,
    geometry_explorer,
    phase_explorer,
    unequal_explorer,
)
from feature_capacity.explorers.minimization import minimization_explorer
from feature_capacity.geometry.rotations import rotation_steps

pytestmark = pytest.mark.book

N_SETTINGS = 250


@pytest.fixture
def theory(names_of):
    """The closed forms of the explorers."""
    return names_of("theory")


def settings():
    """Random problems of every kind: distinct and equal importances, all kurtoses, zeros."""
    generator = np.random.default_rng(3)
    for _ in range(N_SETTINGS):
        n = int(generator.integers(2, 13))
        v = np.exp(generator.normal(size=n) * generator.choice([0.05, 0.5, 2.0]))
        if generator.random() < 0.3:
            v = np.round(v, 1) + 0.1  # ties
        if generator.random() < 0.1:
            v[generator.integers(n)] = 0.0
        k = float(generator.choice([generator.uniform(1.1, 6), 3.0, np.exp(generator.normal(3))]))
        yield v.clip(0, 100), int(generator.integers(1, n + 1)), min(k, 1000.0)


# ------------------------------------------------------------------------------- capacity


def test_the_browser_allocates_capacity_as_the_package_does(theory):
    problems = [(v.tolist(), D, max(k, 1.1)) for v, D, k in settings()]
    found = theory.evaluate("all => all.map((one) => solveAllocation(...one))", problems)
    assert len(problems) >= 200
    seen = set()
    for (v, D, k), one in zip(problems, found, strict=True):
        best = fc.solve_allocation(v, D, k)
        np.testing.assert_allclose(one["capacity"], best.capacity, rtol=0, atol=1e-9)
        np.testing.assert_allclose(one["sqNorm"], best.sq_norm, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(one["multiplier"], best.multiplier, rtol=1e-9)
        np.testing.assert_allclose(one["threshold"], best.threshold, rtol=1e-9)
        np.testing.assert_allclose(one["loss"], best.loss, rtol=1e-9, atol=1e-9 * max(v) ** 2)
        assert one["phase"] == best.phase.tolist()
        seen.add((k > 3, k == 3, bool((best.phase == fc.POLYSEMANTIC).any())))
    assert {(True, False, True), (False, False, False), (False, True, True)} <= seen


def test_the_capacity_explorer_shows_what_the_package_computes(show):
    page = show(capacity_explorer([1, 0.8, 0.6, 0.4], 2, 9))
    problems = [(v.tolist(), D, max(k, 1.1)) for v, D, k in settings()]
    addresses = [f"k={k!r}&D={D}&v={','.join(map(repr, v))}" for v, D, k in problems]
    found = page.evaluate(
        """async (addresses) => {
          const found = [];
          for (const address of addresses) {
            const heard = new Promise((done) => {
              addEventListener("hashchange", done, { once: true });
            });
            location.hash = `#capacity-explorer?${address}`;
            await heard;
            const rows = [...document.querySelectorAll(".explorer li")];
            found.push({
              capacity: rows.map((row) => Number(row.dataset.capacity)),
              phases: rows.map((row) => row.querySelector(".explorer-phase").textContent),
              multiplier: Number(document.querySelector(".explorer-body").dataset.multiplier),
            });
          }
          return found;
        }""",
        addresses,
    )
    for (v, D, k), one in zip(problems, found, strict=True):
        best = fc.solve_allocation(v, D, k)
        np.testing.assert_allclose(one["capacity"], best.capacity, rtol=0, atol=1e-9)
        assert one["phases"] == [fc.PHASES[code] for code in best.phase]
        assert one["multiplier"] == pytest.approx(best.multiplier, rel=1e-9)


def test_fields_sliders_and_buttons_of_the_capacity_explorer(show):
    page = show(capacity_explorer([1, 0.8, 0.6, 0.4], 2, 9))

    def shown():
        return page.eval_on_selector_all(
            ".explorer li", "all => all.map(e => Number(e.dataset.capacity))"
        )

    np.testing.assert_allclose(
        shown(), fc.solve_allocation([1, 0.8, 0.6, 0.4], 2, 9).capacity, atol=1e-9
    )
    field = page.get_by_label("importance of feature 1, as a number")
    field.fill("5.25")
    field.press("Enter")
    np.testing.assert_allclose(
        shown(), fc.solve_allocation([5.25, 0.8, 0.6, 0.4], 2, 9).capacity, atol=1e-9
    )
    assert "v=5.25,0.8,0.6,0.4" in page.evaluate("location.hash")
    page.get_by_label("kurtosis k of the inputs", exact=True).focus()
    page.keyboard.press("ArrowRight")
    k = float(page.get_by_label("kurtosis k of the inputs, as a number").input_value())
    assert k > 9
    np.testing.assert_allclose(
        shown(), fc.solve_allocation([5.25, 0.8, 0.6, 0.4], 2, k).capacity, atol=1e-9
    )
    probability = page.get_by_label("the same as probability p", exact=False).last
    probability.fill("0.9")
    probability.press("Enter")
    np.testing.assert_allclose(
        shown(), fc.solve_allocation([5.25, 0.8, 0.6, 0.4], 2, 2.0).capacity, atol=1e-9
    )
    # What is out of range is brought back into it, and what is no number changes nothing.
    field.fill("1e9")
    field.press("Enter")
    assert field.input_value() == "100"
    field.fill("")
    field.press("Enter")
    assert field.input_value() == "100"
    page.get_by_role("button", name="Add a feature").click()
    assert len(shown()) == 5
    page.get_by_role("button", name="Remove feature 2").click()
    assert len(shown()) == 4
    page.get_by_role("button", name="one against five").click()
    np.testing.assert_allclose(
        shown(), fc.solve_allocation([4, 1, 1, 1, 1, 1], 3, 9).capacity, atol=1e-9
    )
    widths = page.eval_on_selector_all(".explorer-stack span", "all => all.map(e => e.offsetWidth)")
    assert sum(widths) == pytest.approx(
        page.locator(".explorer-stack").evaluate("e => e.clientWidth"), abs=2
    )
    same = show(
        capacity_explorer([1, 0.8, 0.6, 0.4], 2, 9), fragment=page.evaluate("location.hash")
    )
    assert same.eval_on_selector_all(
        ".explorer li", "all => all.map(e => e.dataset.capacity)"
    ) == list(
        map(
            str,
            page.eval_on_selector_all(".explorer li", "all => all.map(e => e.dataset.capacity)"),
        )
    )


# ------------------------------------------------------------------------------- geometry


def random_division(generator):
    """Capacities with a whole sum of at most 3, some of them at 0 or 1."""
    n_dims = int(generator.integers(1, 4))
    n = int(generator.integers(n_dims + 1, 9))
    q = np.linalg.qr(generator.standard_normal((n, n_dims)))[0]
    c = (q**2).sum(axis=1).clip(0, 1)
    if generator.random() < 0.3 and n_dims < 3:
        c = generator.permutation([*c, 1.0])
    if generator.random() < 0.3:
        c = generator.permutation([*c, 0.0])
    return c


def test_the_browser_turns_columns_as_the_package_does(theory):
    generator = np.random.default_rng(5)
    divisions = [random_division(generator) for _ in range(N_SETTINGS)]
    films = theory.evaluate(
        """all => all.map((c) => {
          const film = rotationSteps(c);
          const n = film.steps.length;
          const end = afterRotations(film, n);
          return {
            stages: Array.from({ length: n + 1 }, (_, s) => afterRotations(film, s)),
            half: afterRotations(film, n / 2),
            mixed: mixColumns(end, randomNumbers(7)),
          };
        })""",
        [c.tolist() for c in divisions],
    )
    moved = 0
    for c, film in zip(divisions, films, strict=True):
        stages = rotation_steps(c)
        assert len(film["stages"]) == len(stages)
        for ours, theirs in zip(film["stages"], stages, strict=True):
            W = np.transpose(ours)
            # Squared lengths are capacities. An entry is the root of what may be rounding alone,
            # 1e-16, in a sum of capacities: which root of it depends on the order of the sum.
            np.testing.assert_allclose(np.sign(W) * W**2, np.sign(theirs) * theirs**2, atol=1e-12)
            np.testing.assert_allclose(W, theirs, rtol=0, atol=1e-7)
        for columns in (film["half"], film["mixed"]):
            W = np.transpose(columns)
            np.testing.assert_allclose(W @ W.T, np.eye(len(W)), rtol=0, atol=1e-9)
        W = np.transpose(film["mixed"])
        np.testing.assert_allclose(fc.capacities(W), c, rtol=0, atol=1e-9)
        moved += not np.allclose(W, stages[-1])
    assert moved > N_SETTINGS / 2


def test_the_geometry_explorer_keeps_the_sum_and_splits_what_is_whole(show):
    page = show(geometry_explorer([0.3, 0.9, 0.5, 0.6, 0.45, 0.25]))
    body = page.locator(".explorer-body")

    def state():
        W = np.transpose(json.loads(body.get_attribute("data-matrix")))
        found = [tuple(f) for f in json.loads(body.get_attribute("data-blocks"))]
        assert found == [b.features for b in fc.blocks(W)]
        return W, found

    def drag(i, to):
        field = page.get_by_label(f"capacity of feature {i}, as a number")
        field.fill(str(to))
        field.press("Enter")

    W, found = state()
    np.testing.assert_allclose(fc.capacities(W), [0.3, 0.9, 0.5, 0.6, 0.45, 0.25], atol=1e-9)
    assert found == [(0, 1, 2, 3, 4, 5)]
    generator = np.random.default_rng(2)
    for _ in range(40):
        drag(int(generator.integers(1, 7)), round(float(generator.random()), 3))
        W, _ = state()
        np.testing.assert_allclose(W @ W.T, np.eye(3), atol=1e-9)
        assert fc.capacities(W).sum() == pytest.approx(3, abs=1e-9)
    drag(2, 1)
    assert (1,) in state()[1]
    drag(5, 0)
    assert all(4 not in members for members in state()[1])
    page.get_by_label("hold the capacity of feature 2").check()
    drag(1, 0.11)
    assert fc.capacities(state()[0])[1] == pytest.approx(1, abs=1e-9)
    film = page.get_by_label("rotations done, as a number")
    film.fill("0")
    film.press("Enter")
    assert set(np.unique(np.abs(state()[0]))) == {0, 1}  # axes, of either sign
    film.fill("1.5")
    film.press("Enter")
    W, _ = state()
    np.testing.assert_allclose(W @ W.T, np.eye(3), atol=1e-9)
    page.get_by_role("button", name="Another one").click()
    other, _ = state()
    assert not np.allclose(other, W)
    held = fc.capacities(other)
    page.get_by_role("button", name="Another one").click()
    np.testing.assert_allclose(fc.capacities(state()[0]), held, atol=1e-9)
    again = show(geometry_explorer([0.5, 0.5]), fragment=page.evaluate("location.hash"))
    shared = np.transpose(json.loads(again.locator(".explorer-body").get_attribute("data-matrix")))
    np.testing.assert_allclose(shared, state()[0], atol=1e-9)


def test_pairs_that_share_a_line_are_antipodal(show):
    page = show(geometry_explorer([0.5, 0.75, 0.75]))
    page.get_by_role("button", name="three pairs").click()
    body = page.locator(".explorer-body")
    W = np.transpose(json.loads(body.get_attribute("data-matrix")))
    cosines = (W.T @ W) / np.outer(*[np.linalg.norm(W, axis=0)] * 2)
    np.testing.assert_allclose(np.sort(cosines[np.triu_indices(6, 1)])[:3], -1, atol=1e-7)
    np.testing.assert_allclose(np.sort(cosines[np.triu_indices(6, 1)])[3:], 0, atol=1e-7)


def test_labels_of_vectors_do_not_collide(names_of):
    """Nine tips anywhere on the picture; those in one place have one label together."""
    page = names_of("vectors")
    generator = np.random.default_rng(0)
    size, touching = 300, 0
    for _ in range(200):
        tips = generator.uniform(-0.4, 0.4, (6, 2)) * size
        tips[5] = tips[4] + generator.uniform(-1, 1, 2)
        given = [{"names": [i + 1], "x": x, "y": y} for i, (x, y) in enumerate(tips.tolist())]
        placed = page.evaluate("([tips, size]) => placedLabels(tips, size)", [given, size])
        named = sorted(int(i) for one in placed for i in one["text"].split(", "))
        assert named == [1, 2, 3, 4, 5, 6]
        assert any({"5", "6"} <= set(one["text"].split(", ")) for one in placed)
        for a, b in itertools.combinations(placed, 2):
            near = abs(a["x"] - b["x"]) < a["half"] + b["half"]
            touching += near and abs(a["y"] - b["y"]) < 12
    assert touching == 0


def test_the_film_plays_to_its_end(show):
    page = show(geometry_explorer([0.5, 0.75, 0.75]))
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Pause").wait_for()
    page.get_by_text("All 2 rotations done").wait_for(timeout=20_000)
    page.get_by_role("button", name="Play").wait_for()


# ---------------------------------------------------------------------------------- phases


@pytest.fixture(scope="module")
def diagrams():
    """Two models with two routes on a small grid of unequal sides."""
    generator = np.random.default_rng(11)
    maps = {}
    for model, D in (("plane", 2), ("space", 3)):
        W = generator.standard_normal((4, 5, D, 6)) * np.geomspace(0.01, 10, 5)[:, None, None]
        W[0, 0] = 0.0
        W[1, :, 1:, :3] = W[1, :, :1, 3:] = 0.0
        c = fc.capacities(W)[..., 0]
        loss = generator.random((4, 5))
        maps[model, "found"] = PhaseMap(c, loss, W)
        gap = np.where(np.arange(5) == 2, np.nan, 10.0 ** -generator.integers(1, 17, (4, 5)))
        maps[model, "difference"] = PhaseMap(gap, loss, W, scale="difference")
    return maps, np.geomspace(0.1, 10, 5), np.geomspace(0.001, 1, 4)


def phase_page(show, diagrams, **more):
    maps, v, p = diagrams
    axes = {"model": "model", "route": "route"}
    return show(phase_explorer(maps, axes, v, p, 9 / (5 * p), start=(1, 0.01)), **more)


def test_every_cell_shows_its_own_embedding(show, diagrams):
    maps, v, p = diagrams
    page = phase_page(show, diagrams)
    for (model, route), one in maps.items():
        page.get_by_role("radio", name=model, exact=True).check(force=True)
        page.get_by_role("radio", name=route, exact=True).check(force=True)
        found = page.evaluate(
            """([rows, columns]) => {
              const [byImportance, byProbability] = document.querySelectorAll("input[type=range]");
              const move = (slider, to) => {
                slider.value = to;
                slider.dispatchEvent(new Event("input"));
              };
              const found = [];
              for (let r = 0; r < rows; r++) {
                for (let c = 0; c < columns; c++) {
                  move(byImportance, c);
                  move(byProbability, r);
                  const features = [...document.querySelectorAll("tr[data-capacity]")];
                  found.push({
                    ...document.querySelector(".explorer-readout").dataset,
                    each: features.map((row) => Number(row.dataset.capacity)),
                    summary: document.querySelector(".explorer-summary").textContent,
                  });
                }
              }
              return found;
            }""",
            [len(p), len(v)],
        )
        for (r, c), shown in zip(np.ndindex(len(p), len(v)), found, strict=True):
            assert float(shown["importance"]) == pytest.approx(v[c])
            assert float(shown["probability"]) == pytest.approx(p[r])
            assert float(shown["value"]) == pytest.approx(one.values[r, c], rel=1e-6, nan_ok=True)
            assert float(shown["loss"]) == pytest.approx(one.loss[r, c], rel=1e-6)
            W = one.W[r, c]
            np.testing.assert_allclose(shown["each"], fc.capacities(W), atol=2e-3)
            blocks = fc.blocks(W, 0.1)
            for block in blocks:
                assert ", ".join(str(i + 1) for i in block.features) in shown["summary"]
            assert ("ignored" in shown["summary"]) == (sum(len(b.features) for b in blocks) < 6)


def test_a_map_is_read_by_pointing_clicking_and_arrow_keys(show, diagrams):
    _, v, p = diagrams
    page = phase_page(show, diagrams)
    readout = page.locator(".explorer-readout")
    cells = page.locator(".explorer-map")
    box = cells.bounding_box()
    inner = {"x": box["x"] + 54, "w": box["width"] - 62, "y": box["y"] + 8, "h": box["height"] - 70}

    def point(c, r):
        return inner["x"] + inner["w"] * (c + 0.5) / len(v), inner["y"] + inner["h"] * (
            1 - (r + 0.5) / len(p)
        )

    def where():
        found = readout.evaluate("e => [e.dataset.importance, e.dataset.probability]")
        return [float(x) for x in found]

    page.mouse.move(*point(4, 3))
    assert where() == pytest.approx([v[4], p[3]])
    page.mouse.move(5, 5)
    assert where() == pytest.approx([v[2], p[1]])
    page.mouse.click(*point(0, 3))
    page.mouse.move(5, 5)
    assert where() == pytest.approx([v[0], p[3]])
    cells.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert where() == pytest.approx([v[1], p[2]])
    again = phase_page(show, diagrams, fragment=page.evaluate("location.hash"))
    found = again.locator(".explorer-readout").evaluate(
        "e => [e.dataset.importance, e.dataset.probability]"
    )
    assert [float(x) for x in found] == pytest.approx([v[1], p[2]])


def test_nine_large_maps_take_less_than_a_megabyte():
    generator = np.random.default_rng(0)
    v, p = np.geomspace(0.01, 100, 32), np.geomspace(0.001, 1, 32)
    maps = {}
    for model, D in (("a", 3), ("b", 3), ("c", 5)):
        for activation in "xyz":
            W = generator.standard_normal((32, 32, D, 6))
            maps[model, activation] = PhaseMap(
                generator.random((32, 32)), generator.random((32, 32)), W
            )
    assert len(phase_explorer(maps, {"m": "m", "f": "f"}, v, p, 9 / (5 * p)).html) < 1_000_000


def test_maps_that_do_not_fit_are_refused(diagrams):
    maps, v, p = diagrams
    with pytest.raises(ValueError, match=r"values of .* must begin with \(4, 4\); got \(4, 5\)"):
        phase_explorer(maps, {"model": "model", "route": "route"}, v[:4], p, 9 / (5 * p))
    with pytest.raises(ValueError, match="named by 1 words"):
        phase_explorer(maps, {"model": "model"}, v, p, 9 / (5 * p))
    with pytest.raises(ValueError, match="2 to 9 features in up to 3 dimensions; got 8 in 4"):
        geometry_explorer([0.5] * 8)


# --------------------------------------------------------------------------- for every reader


KINDS = ["capacity", "geometry", "phases", "front", "minimization", "unequal"]


def explorers(diagrams):
    maps, v, p = diagrams
    return {
        "capacity": capacity_explorer(0.8 ** np.arange(12), 5, 9),
        "geometry": geometry_explorer([0.3, 0.9, 0.5, 0.6, 0.45, 0.25]),
        "phases": phase_explorer(maps, {"model": "model", "route": "route"}, v, p, 9 / (5 * p)),
        "front": front_explorer(),
        "minimization": minimization_explorer(4, 2),
        "unequal": unequal_explorer(),
    }


# The colors of the book at night, as its theme names them.
NIGHT = """
:root {
  --pst-color-text-base: #ced6dd; --pst-color-text-muted: #9ca4af; --pst-color-link: #86b3f5;
  --pst-color-background: #14181e; --pst-color-surface: #222832; --pst-color-border: #48566b;
}
body { background: #14181e; }
"""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_explorers_keep_nobody_out(show, diagrams, kind, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = show(explorers(diagrams)[kind], width=390, color_scheme=scheme)
    if scheme == "dark":
        page.add_style_tag(content=NIGHT)
    rules = {"page-has-heading-one": {"enabled": False}}
    found = Axe().run(page, options={"resultTypes": ["violations"], "rules": rules}).response
    assert [(v["id"], n["html"][:120]) for v in found["violations"] for n in v["nodes"]] == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


@pytest.mark.parametrize("kind", KINDS)
def test_without_scripts_a_still_picture_stands_in(show, diagrams, kind):
    page = show(explorers(diagrams)[kind], width=390, java_script_enabled=False)
    still = page.locator(".explorer-still")
    assert still.is_visible()
    assert len(still.get_attribute("alt")) > 60
    box = still.bounding_box()
    assert 300 < box["width"] < 390
    assert box["height"] / box["width"] == pytest.approx(2.9 / 6.2, abs=0.01)
    assert "With scripts on" in page.locator(".explorer").inner_text()


@pytest.mark.parametrize("kind", KINDS)
def test_the_still_picture_is_what_is_printed(show, diagrams, kind):
    page = show(explorers(diagrams)[kind])
    page.locator(".explorer-body").wait_for()
    assert not page.locator(".explorer-still").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".explorer-still").is_visible()
    assert not page.locator(".explorer-body").is_visible()


def test_the_still_picture_is_the_opening_setting(diagrams):
    found = fc.solve_allocation([4.0, 1.0, 1.0], 2, 9.0)
    told = ", ".join(f"{i} {c:.2f}" for i, c in enumerate(found.capacity, start=1))
    assert f"Capacities: {told}." in capacity_explorer([4.0, 1.0, 1.0], 2, 9.0).html


def test_a_touch_chooses_a_cell(show, diagrams):
    _, v, p = diagrams
    page = phase_page(show, diagrams, width=390, has_touch=True)
    box = page.locator(".explorer-map").bounding_box()
    x = box["x"] + 54 + (box["width"] - 62) * (0.5 / len(v))
    y = box["y"] + 8 + (box["height"] - 70) * (1 - 0.5 / len(p))
    page.touchscreen.tap(x, y)
    assert f"V={v[0]:g}&p={p[0]:g}" in page.evaluate("location.hash")
