"""Parameters of a page: what is read from it, and what is refused."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from papermill import inspect_notebook

from feature_capacity.book.pages import list_pages, to_notebook
from feature_capacity.book.parameters import Parameter, parse_parameters, read_parameters, unknown

SOURCE = """
n_dims: int = 3  # embedding dimensions [1 .. 12]
kurtosis: float = 9.0  # fourth moment [1 .. inf]
device: str = "auto"  # where torch computes {auto, cpu}
starts: int = 8  # random starts {4, 8}
sampled: bool = True  # also sample
plain: float = -2.5
"""


@pytest.fixture
def parameters():
    return parse_parameters(SOURCE)


def test_everything_declared_is_read(parameters):
    assert list(parameters) == ["n_dims", "kurtosis", "device", "starts", "sampled", "plain"]
    assert parameters["n_dims"] == Parameter("n_dims", int, 3, "embedding dimensions", 1, 12)
    assert parameters["kurtosis"].high == math.inf
    assert parameters["device"].choices == ("auto", "cpu")
    assert parameters["starts"].choices == (4, 8)
    assert parameters["sampled"].comment == "also sample"
    assert parameters["plain"].default == -2.5


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("n_dims", 12, 12),
        ("kurtosis", 4, 4.0),
        ("device", "cpu", "cpu"),
        ("starts", 4, 4),
        ("sampled", False, False),
    ],
)
def test_good_values_are_kept_in_their_type(parameters, name, value, kept):
    checked = parameters[name].check(value)
    assert checked == kept
    assert type(checked) is type(kept)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("n_dims", 0, "a whole number from 1 to 12; got 0"),
        ("n_dims", 13, "from 1 to 12"),
        ("n_dims", 5.0, "a whole number"),
        ("n_dims", True, "a whole number"),
        ("n_dims", "5", "a whole number"),
        ("kurtosis", math.nan, "a number from 1 to inf; got nan"),
        ("kurtosis", "9", "a number"),
        ("device", "gpu", "one of auto, cpu; got 'gpu'"),
        ("starts", 5, "one of 4, 8"),
        ("sampled", 1, "true or false"),
    ],
)
def test_bad_values_are_refused_with_the_rule(parameters, name, value, rule):
    with pytest.raises(ValueError, match=rule):
        parameters[name].check(value)


@given(st.integers(1, 12))
def test_typed_whole_numbers_are_read_back(value):
    assert Parameter("n", int, 3, "", 1, 12).parse(str(value)) == value


@given(st.floats(allow_nan=False))
def test_typed_numbers_are_read_back(value):
    assert Parameter("x", float, 0.0).parse(repr(value)) == value


@given(st.one_of(st.integers(max_value=0), st.integers(min_value=13)))
def test_numbers_out_of_range_are_refused(value):
    with pytest.raises(ValueError, match="from 1 to 12"):
        Parameter("n", int, 3, "", 1, 12).parse(str(value))


@pytest.mark.parametrize("text", ["five", "5.5", "", "nan"])
def test_text_that_is_no_whole_number_is_refused(text):
    with pytest.raises(ValueError, match="n must be a whole number; got"):
        Parameter("n", int, 3).parse(text)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("n = 3", "name: type = value"),
        ("n: list = 3", "name: type = value"),
        ("n: int", "name: type = value"),
        ("import os", "name: type = value"),
        ("n: int = 2 + len('a')", "plain value"),
        ("n: int = 0  # too small [1 .. 5]", "from 1 to 5; got 0"),
        ("n: int = 3.0", "a whole number; got 3.0"),
    ],
)
def test_a_wrong_declaration_is_refused(source, message):
    with pytest.raises(ValueError, match=message):
        parse_parameters(source)


def test_nearest_names_are_named():
    assert unknown("parameter", "n_dim", ["n_dims", "grid"]).endswith("did you mean n_dims?")
    assert unknown("parameter", "xyz", ["n_dims"]).endswith("known: n_dims")


def test_cell_of_a_page(tiny):
    cell = read_parameters(tiny.notebooks / "tiny.py")
    assert cell.defaults == {"n_dims": 3, "scale": 1.0, "mode": "plain"}
    assert cell.quick == {"n_dims": 2}
    assert cell.check({"scale": "2"}, text=True) == {"scale": 2.0}
    with pytest.raises(ValueError, match="did you mean n_dims"):
        cell.check({"ndims": 2})


def test_bad_quick_settings_name_the_page(tiny):
    page = tiny.notebooks / "tiny.py"
    page.write_text(page.read_text().replace('{"n_dims": 2}', '{"n_dims": 200}'))
    with pytest.raises(ValueError, match=r"parameter cell of tiny\.py: n_dims must be"):
        read_parameters(page)


def test_parameters_of_every_page_can_be_read_and_say_what_they_mean(project):
    for page in list_pages(project):
        parameters = page.parameters.parameters
        for parameter in parameters.values():
            assert parameter.comment, f"{page.name}: {parameter.name} has no comment"
        seen = inspect_notebook(to_notebook(page))
        assert {name: entry["inferred_type_name"] for name, entry in seen.items()} == {
            name: parameter.type.__name__ for name, parameter in parameters.items()
        }, f"papermill reads the parameters of {page.name} otherwise"


def test_a_file_is_made_absolute_and_must_be_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.npy").touch()
    weights = parse_parameters('weights: str = ""  # a file of your own {file}')["weights"]
    assert weights.comment == "a file of your own"
    assert weights.parse("w.npy") == str(tmp_path / "w.npy")
    assert weights.check("") == ""
    for bad in ("none.npy", str(tmp_path), "a\0b", "x" * 5000, 3):
        with pytest.raises(ValueError, match="weights must be a file that is there, or empty; got"):
            weights.check(bad)
