"""The list of wrong changes that `make mutate` plants, and how it counts."""

import importlib
import subprocess
import sys
from dataclasses import replace

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


def test_pages_that_name_the_changed_function_come_first(mutate):
    change = mutate.Mutation("theory/capacity.py", "inverse.mT * W", "inverse.mT * inverse.mT", "a")
    assert mutate.function_of(change) == "leverage_capacities"
    pages = mutate.pages_that_reach(change.file, mutate.function_of(change))
    naming = [name for name in pages if "leverage_capacities" in _source(mutate, name)]
    assert 0 < len(naming) < len(pages)
    assert set(pages[: len(naming)]) == set(naming)


def _source(mutate, name):
    return (mutate.ROOT / "notebooks" / f"{name}.py").read_text()


def test_the_counts_ask_for_tests_and_claims_apart(mutate):
    changes = [mutate.Mutation("a.py", "x", "y", "sign", survives="no page has it")]
    seen = mutate.Outcome("a.py: x  ->  y", "t", "c", "", 1)
    stopped = replace(seen, claim="", page="sec2: an error")
    said, enough = mutate.summary(changes, [seen] * 4 + [stopped])
    assert enough
    assert "noticed by a test: 5 of 5 (100%" in said
    assert "noticed by a claim: 4 of 5 (80%" in said
    last = " ".join(said.split())
    assert "no claim noticed a.py: x -> y (sec2: an error): no page has it" in last
    assert not mutate.summary(changes, [seen, stopped])[1]


def test_a_record_forgets_what_was_judged_before_the_code_changed(mutate, tmp_path, monkeypatch):
    file, outcome = tmp_path / "new" / "record", mutate.Outcome("a.py: x  ->  y", "t", "c", "", 1)
    mutate.Record(file, keep=False).add(outcome)
    assert mutate.Record(file, keep=False).outcomes == {outcome.name: outcome}
    monkeypatch.setattr(mutate, "_state", lambda: "another")
    assert mutate.Record(file, keep=False).outcomes == {}
    assert mutate.Record(file, keep=True).outcomes == {outcome.name: outcome}


def test_a_trial_says_how_it_ended(mutate, tmp_path):
    run, said = mutate.trials.run, tmp_path / "said"
    assert run(lambda: print("here"), said, 60) == (0, "here\n")
    assert run(lambda: sys.exit(3), said, 60) == (3, "")
    status, words = run(lambda: 1 / 0, said, 60)
    assert status == 70
    assert "ZeroDivisionError" in words
    assert run(lambda: sum(iter(int, 1)), said, 0.1)[0] is None


def test_a_word_that_no_change_contains_is_named(mutate, project):
    command = [sys.executable, project.root / "tools" / "mutate.py"]
    listed = subprocess.run([*command, "--list", "phases"], capture_output=True, text=True)
    assert listed.returncode == 0
    assert "theory/phases.py: " in listed.stdout
    done = subprocess.run([*command, "phazes"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "no mutation contains 'phazes'; see tools/mutations.yml" in done.stderr
