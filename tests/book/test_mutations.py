"""The list of wrong changes that `make mutate` plants, and how it counts."""

import importlib

import pytest


@pytest.fixture
def mutate(project, monkeypatch):
    monkeypatch.syspath_prepend(project.root / "tools")
    return importlib.import_module("mutate")


def test_every_change_can_be_planted_and_is_python(mutate, tmp_path):
    mutations = mutate.load()
    assert len(mutations) >= 60
    assert len({mutation.name for mutation in mutations}) == len(mutations)
    for mutation in mutations:
        copy = tmp_path / mutation.file
        copy.parent.mkdir(parents=True, exist_ok=True)
        before = (mutate.PACKAGE / mutation.file).read_text(encoding="utf-8")
        copy.write_text(before, encoding="utf-8")
        mutation.plant(tmp_path)
        after = copy.read_text(encoding="utf-8")
        assert after != before
        compile(after, mutation.file, "exec")


def test_a_change_whose_place_is_gone_is_named(mutate, tmp_path):
    (tmp_path / "a.py").write_text("x = 1\nx = 1\n")
    twice = mutate.Mutation("a.py", "x = 1", "x = 2", "factor")
    with pytest.raises(ValueError, match=r"a\.py: x = 1  ->  x = 2: .* it stands 2 times"):
        twice.plant(tmp_path)


def test_a_solver_is_reached_by_its_tests_and_pages_and_a_closed_form_is_nearest_to_its_own(mutate):
    files = [path.name for path in mutate.tests_that_reach("theory/phases.py")]
    assert files[0] == "test_phases.py"
    assert "sec3_5_phase_diagrams" in mutate.pages_that_reach("theory/phases.py")
    assert "sec2_capacity" not in mutate.pages_that_reach("solvers/gauss_newton.py")


def test_the_counts_ask_for_tests_and_claims_apart(mutate):
    change = mutate.Mutation("a.py", "x", "y", "sign", survives="no page has it")
    seen, unseen = mutate.Outcome(change, "t", "c", 1), mutate.Outcome(change, "t", "", 1)
    said, enough = mutate.summary([seen] * 4 + [unseen])
    assert enough
    assert "noticed by a test: 5 of 5 (100%" in said
    assert "noticed by a claim: 4 of 5 (80%" in said
    assert "no claim noticed a.py: x  ->  y: no page has it" in said
    assert not mutate.summary([seen, unseen])[1]
