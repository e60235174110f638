"""A page runs to its end with any parameters in range."""

import dataclasses
import math
import sys

import numpy as np
import pytest

from feature_capacity.book.claims.registry import load_claims
from feature_capacity.book.claims.tables import read_records
from feature_capacity.book.pages import execute, list_pages
from feature_capacity.book.parameters import Parameter
from feature_capacity.book.project import find_project
from feature_capacity.sweeps import run as sweeps

from ..in_process import CellError, run_page

PAGES = list_pages(find_project())
DRAWS = 10
CASES = [
    pytest.param(page, number, id=f"{page.name}-{number}")
    for page in PAGES
    for number in range(DRAWS)
]


def generator(page, number):
    """Random numbers that depend on nothing but the page and the number of the draw."""
    return np.random.default_rng([*page.name.encode(), number])


def draw(page, rng):
    """Draw values for all parameters of a page.

    A number that the page makes smaller for trial builds costs time, and is drawn up to that
    value; a choice or a flag that is set there stays. All others are drawn from the whole range.
    The device stays too: not every machine has another; and so do files and other free texts.
    """
    cell, settings = page.parameters, {}
    for name, parameter in cell.parameters.items():
        small = cell.quick.get(name)
        if name == "device" or (parameter.type is str and not parameter.choices):
            continue
        if small is not None and (parameter.choices or parameter.type is bool):
            settings[name] = small
        elif parameter.choices:
            settings[name] = parameter.choices[rng.integers(len(parameter.choices))]
        elif parameter.type is bool:
            settings[name] = bool(rng.integers(2))
        else:
            high = parameter.high if small is None else small
            settings[name] = draw_number(parameter, high, rng)
    return cell.check(settings)


def draw_number(parameter: Parameter, high: float, rng):
    """An end of the range in three draws out of ten; spread over its decades where it has some."""
    low = parameter.low
    where = rng.random()
    if where < 0.15:
        value = low
    elif where < 0.3:
        value = high
    elif low > 0 and high / low >= 100:
        value = math.exp(rng.uniform(math.log(low), math.log(high)))
    else:
        value = rng.uniform(low, high)
    value = min(max(value, low), high)
    return round(value) if parameter.type is int else float(value)


@pytest.mark.thorough
@pytest.mark.parametrize(("page", "number"), CASES)
def test_a_page_runs_to_its_end_with_random_parameters(page, number, tmp_path, monkeypatch):
    # Sweeps are kept in a folder of their own, not among those of the book.
    cached_sweep = sweeps.cached_sweep
    monkeypatch.setattr(
        sweeps,
        "cached_sweep",
        lambda config, _, **options: cached_sweep(config, tmp_path, **options),
    )
    records = run_page(page, draw(page, generator(page, number)))
    claims = load_claims(page=page.name).values()
    checked = {measurement.id for claim in claims for measurement in claim.measurements}
    assert records.keys() == checked


def test_draws_stay_in_range_and_meet_the_ends():
    page = next(page for page in PAGES if page.name == "sec2_capacity")
    draws = [draw(page, generator(page, number)) for number in range(200)]
    for name, parameter in page.parameters.parameters.items():
        values = [settings[name] for settings in draws]
        high = page.parameters.quick.get(name, parameter.high)
        assert min(values) == parameter.low
        assert max(values) == high
        assert 0.1 < np.mean(np.isin(values, (parameter.low, high))) < 0.9


def test_a_page_in_this_process_gives_the_verdicts_of_papermill(tiny):
    page = list_pages(tiny)[0]
    for settings in ({"n_dims": 5}, {"n_dims": 1, "scale": 0.5}):
        out = tiny.root / "out.ipynb"
        execute(page, out, tiny.root / "failed.ipynb", settings)
        main = sys.modules["__main__"]
        assert verdicts(run_page(page, settings)) == verdicts(read_records(out))
        assert sys.modules["__main__"] is main  # or no process could be started any more


def verdicts(records):
    """All that records hold but the versions, which name torch wherever it is loaded."""
    return {name: dataclasses.replace(record, versions={}) for name, record in records.items()}


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ("1 / (n_dims - 5)", "ZeroDivisionError"),
        ("1 +", "SyntaxError"),
        ("import numpy as np\n\nnp.log(np.zeros(n_dims))", "RuntimeWarning"),
        (
            "from matplotlib.figure import Figure\n\n"
            "figure = Figure()\nfigure.add_subplot().set_title('$\\\\nothing$')\nfigure",
            "ValueError",
        ),
        ("open_page('tiny', n_dims=n_dims)", "ValueError: .* was not given mode, scale"),
    ],
)
def test_a_failing_cell_fails_in_this_process_too(tiny, cell, error):
    page = list_pages(tiny)[0]
    page.source.write_text(page.source.read_text() + f"\n# %%\n{cell}\n")
    with pytest.raises(CellError, match=rf"tiny with \{{'n_dims': 5\}}: {error}"):
        run_page(page, {"n_dims": 5})
