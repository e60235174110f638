"""Claims: every kind can hold and can fail, and what is wrong in a registry is said."""

import json
import math
import re

import numpy as np
import pytest
import yaml

from feature_capacity.book.claims.checks import PageRun, open_page
from feature_capacity.book.claims.claim import N_EQUATIONS
from feature_capacity.book.claims.kinds import KINDS
from feature_capacity.book.claims.registry import load_claims, parse_claim
from feature_capacity.book.claims.tables import (
    FAILS,
    HOLDS,
    NOT_ATTEMPTED,
    NOT_CHECKED,
    QUALIFIED,
    ClaimTable,
    collect,
    read_records,
    row_of,
)
from feature_capacity.book.claims.verdicts import AGREES, DIFFERS, NOT_APPLICABLE
from feature_capacity.book.pages import list_pages

ENTRY = {
    "id": "a-claim",
    "section": "2.1",
    "source": "eq 3",
    "statement": "Something holds.",
    "kind": "bound",
}

# kind, more fields, arguments that hold, arguments that do not
CASES = [
    ("identity", {}, ([1.0, 2.0], [1.0, 2.0 + 1e-12]), ([1.0, 2.0], [1.0, 2.0 + 1e-9])),
    ("definition", {}, (3.0, 3.0), (3.0, 3.1)),
    ("value", {"expected": 0.5, "tolerance": 0.01}, (0.509,), ([0.5, 0.511],)),
    ("bound", {}, ([0.0, 3.0, -1e-12],), ([0.0, -1e-6],)),
    ("limit", {"expected": 2, "tolerance": 0.1}, (1.95,), (1.5,)),
    ("sampled", {}, (1.03, 1.0, 0.01), (1.05, 1.0, 0.01)),
    ("trained", {"band": [0.4, 0.6]}, (0.5,), (0.61,)),
    ("shape", {"at_least": 0.9}, (0.95,), (0.85,)),
    ("shape", {"at_most": 0.1}, (0.05,), (0.15,)),
    ("shape", {"band": [1, 2]}, (1.5,), (0.5,)),
]


def claim_of(kind, more=(), page="tiny", **fields):
    return parse_claim({**ENTRY, "kind": kind, **dict(more), **fields}, page)


def measurement_of(kind, more=()):
    (measurement,) = claim_of(kind, more).measurements
    return measurement


def claim_with(**measurements):
    """A claim with several measurements, which are bounds."""
    entry = {name: value for name, value in ENTRY.items() if name != "kind"}
    fields = {n: {"what": n, "kind": "bound", **more} for n, more in measurements.items()}
    return parse_claim({**entry, "measurements": fields}, "tiny")


def run_of(*claims, **parameters):
    return PageRun("tiny", parameters, claims)


def row(run):
    (claim,) = run.claims.values()
    return row_of(claim, run.records)


def test_every_kind_is_tried():
    assert {kind for kind, *_ in CASES} == set(KINDS)


@pytest.mark.parametrize(("kind", "more", "holds", "fails"), CASES)
def test_every_kind_can_hold_and_can_fail(kind, more, holds, fails):
    claim = measurement_of(kind, more)
    for arguments, verdict in [(holds, True), (fails, False)]:
        held, detail = claim.compare(*arguments)
        assert held is verdict, detail


@pytest.mark.parametrize(("kind", "more", "holds", "fails"), CASES)
def test_what_is_not_a_number_is_refused(kind, more, holds, fails):
    """It can neither agree nor differ; a page says where it cannot measure."""
    measured = np.full_like(np.asarray(holds[0], dtype=float), math.nan)
    with pytest.raises(ValueError, match=r"not a number; .*run\.not_applicable"):
        measurement_of(kind, more).compare(measured, *holds[1:])


@pytest.mark.parametrize("standard_error", [math.nan, -0.01, 0.0])
def test_a_spread_that_cannot_be_differs(standard_error):
    held, _ = measurement_of("sampled").compare(1.01, 1.0, standard_error)
    assert held is False


def test_an_exact_estimate_without_spread_agrees():
    assert measurement_of("sampled").compare(1.0, 1.0, 0.0)[0] is True


@pytest.mark.parametrize(
    ("kind", "more", "arguments"),
    [
        ("identity", {}, (1.0,)),
        ("identity", {}, (1.0, 1.0, 0.1)),
        ("bound", {}, (1.0, 1.0)),
        ("value", {"expected": 1, "tolerance": 1}, (1.0, 1.0)),
        ("sampled", {}, (1.0, 1.0)),
        ("sampled", {}, (1.0, None, 0.1)),
        ("shape", {"at_least": 1}, ([1.0, 2.0],)),
        ("identity", {}, ([1.0, 2.0], [1.0, 2.0, 3.0])),
        ("bound", {}, ([],)),
    ],
)
def test_arguments_that_the_kind_does_not_take_are_refused(kind, more, arguments):
    with pytest.raises(ValueError, match="a-claim"):
        measurement_of(kind, more).compare(*arguments)


def test_tensors_are_taken():
    torch = pytest.importorskip("torch")
    assert measurement_of("bound").compare(torch.ones(3, requires_grad=True))[0] is True


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "Not_an_id"}, "an id is"),
        ({"id": None}, "'id' is missing"),
        ({"statement": " "}, "'statement' is missing"),
        ({"group": "ourselves"}, "did you mean ours"),
        ({"page": "tiny"}, "unknown field 'page'"),
        ({"refuted": 1}, "true or false"),
        ({"kind": None}, "'kind' is missing"),
        ({"source": "eqs 90–92"}, "equations are 1 to 91"),
        ({"kind": "bounds"}, "did you mean bound"),
        ({"toleranse": 1}, "did you mean tolerance"),
        ({"tolerance": "1e-3"}, r"1\.0e-3"),
        ({"tolerance": -1}, "not negative"),
        ({"tolerance": math.nan}, "is a number"),
        ({"kind": "value", "expected": 1}, "needs the field 'tolerance'"),
        ({"kind": "value", "tolerance": 1}, "needs the field 'expected'"),
        ({"kind": "trained"}, "needs the field 'band'"),
        ({"kind": "trained", "band": [2, 1]}, "from low to high"),
        ({"kind": "trained", "band": 1}, "a pair"),
        ({"kind": "trained", "band": [1, 2], "at_most": 1}, "no field at_most"),
        ({"kind": "shape"}, "at_least, at_most or band"),
        ({"band": [1, 2]}, "no field band"),
        ({"expected": 1}, "no field expected"),
        ({"applies_when": 3}, "a mapping"),
    ],
)
def test_a_wrong_entry_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        parse_claim({**ENTRY, **change}, "tiny")


def test_the_registry_names_the_entry_that_is_wrong(tmp_path):
    path = tmp_path / "tiny.yml"
    path.write_text(yaml.safe_dump([ENTRY, ENTRY]))
    with pytest.raises(ValueError, match=r"tiny\.yml, entry 2 \(a-claim\): the id is used twice"):
        load_claims(tmp_path)
    path.write_text("a: 1")
    with pytest.raises(ValueError, match="a list of entries"):
        load_claims(tmp_path)
    path.write_text("- {id: a, id: b}")
    with pytest.raises(ValueError, match="given twice"):
        load_claims(tmp_path)


def test_an_id_means_one_measurement_in_the_whole_book(tmp_path):
    (tmp_path / "one.yml").write_text(yaml.safe_dump([ENTRY]))
    entry = {**ENTRY, "id": "a", "measurements": {"claim": {"what": "it", "kind": "bound"}}}
    del entry["kind"]
    (tmp_path / "two.yml").write_text(yaml.safe_dump([entry]))
    with pytest.raises(ValueError, match="the id a-claim is used twice"):
        load_claims(tmp_path)
    assert list(load_claims(tmp_path, "two")) == ["a"]
    assert load_claims(tmp_path, "three") == {}


@pytest.mark.parametrize(
    ("measurements", "message"),
    [
        ({}, "mapping of name to fields"),
        ([1], "mapping of name to fields"),
        ({"one": {"kind": "bound"}}, "measurement one needs the field 'what'"),
        ({"One": {"kind": "bound", "what": "it"}}, "an id is"),
        ({"one": {"kind": "bound", "what": "it", "statement": "x"}}, "unknown field 'statement'"),
    ],
)
def test_wrong_measurements_are_refused(measurements, message):
    entry = {name: value for name, value in ENTRY.items() if name != "kind"}
    with pytest.raises(ValueError, match=message):
        parse_claim({**entry, "measurements": measurements}, "tiny")


def test_check_records_the_verdict_and_shows_it(capsys, monkeypatch):
    # Other tests of this process may have made a shell.
    monkeypatch.setattr("feature_capacity.book.claims.checks._in_notebook", lambda: False)
    run = run_of(claim_of("bound"), n=1)
    run.check("a-claim", 0.5)
    assert run.records["a-claim"].status == AGREES
    assert run.records["a-claim"].parameters == {"n": 1}
    assert capsys.readouterr().out.startswith("✓ agrees: Something holds.")


def test_the_worst_of_several_checks_counts():
    run = run_of(claim_of("bound"))
    for slack in (1.0, -1.0, 2.0):
        run.check("a-claim", slack)
    assert run.records["a-claim"].status == DIFFERS
    assert run.records["a-claim"].detail == "broken by 1"


def test_a_measurement_is_not_compared_with_itself():
    torch = pytest.importorskip("torch")
    run = run_of(claim_of("identity"))
    for measured in (np.arange(3.0), torch.arange(3.0), [1.0, 2.0]):
        with pytest.raises(ValueError, match="compared with itself"):
            run.check("a-claim", measured, measured)
        again = measured.clone() if hasattr(measured, "clone") else measured.copy()
        run.check("a-claim", measured, again)
    whole = np.arange(3.0)
    with pytest.raises(ValueError, match="compared with itself"):
        run.check("a-claim", whole, whole[:])
    run.check("a-claim", 1.0, 1.0)


def test_an_unknown_id_is_refused():
    run = run_of(claim_of("bound"), claim_of("bound", page="other", id="elsewhere"))
    with pytest.raises(ValueError, match="did you mean a-claim"):
        run.check("a-clam", 1.0)
    with pytest.raises(ValueError, match="unknown claim"):
        run.check("elsewhere", 1.0)


@pytest.mark.parametrize(
    ("applies_when", "status"),
    [
        ({"grid": 64}, AGREES),
        ({"grid": [32, 64]}, AGREES),
        ({"grid": {"at_least": 64}}, AGREES),
        ({"grid": 32}, NOT_APPLICABLE),
        ({"grid": {"at_most": 63}}, NOT_APPLICABLE),
    ],
)
def test_claims_are_made_only_where_they_apply(applies_when, status):
    run = run_of(claim_of("bound", applies_when=applies_when), grid=64)
    run.check("a-claim", 1.0)
    assert run.records["a-claim"].status == status


def test_a_condition_on_an_unknown_parameter_is_refused():
    with pytest.raises(ValueError, match="did you mean grid"):
        run_of(claim_of("bound", applies_when={"gird": 64}), grid=64)


def test_where_nothing_can_be_measured_a_page_says_why():
    run = run_of(claim_of("bound"))
    run.not_applicable("a-claim", "the grid has no such cell")
    assert row(run).status == NOT_APPLICABLE
    assert "the grid has no such cell" in run.badge().html()
    with pytest.raises(ValueError, match="did you mean a-claim"):
        run.not_applicable("a-clam", "why")


@pytest.mark.parametrize(
    ("slacks", "status"),
    [
        ((1.0, 1.0), HOLDS),
        ((1.0, -1.0), QUALIFIED),
        ((-1.0, -1.0), FAILS),
        ((1.0, None), NOT_CHECKED),
    ],
)
def test_a_claim_is_decided_by_all_its_measurements(slacks, status):
    run = run_of(claim_with(relu={}, gelu={}))
    for name, slack in zip(("relu", "gelu"), slacks, strict=True):
        if slack is not None:
            run.check(f"a-claim-{name}", slack)
    assert row(run).status == status
    assert row(run).unexplained == (status != HOLDS)


def test_measurements_of_one_claim_are_checked_by_their_names():
    run = run_of(claim_with(relu={}, gelu={}))
    run.check_each("a-claim", {"relu": 1.0, "gelu": -1.0})
    assert [run.records[f"a-claim-{name}"].status for name in ("relu", "gelu")] == [
        "agrees",
        "differs",
    ]
    with pytest.raises(ValueError, match="a-claim-tanh"):
        run.check_each("a-claim", {"tanh": 1.0})


def test_measurements_that_do_not_apply_decide_nothing():
    run = run_of(claim_with(relu={}, gelu={"applies_when": {"n": 8}}), n=4)
    run.check("a-claim-relu", 1.0)
    run.check("a-claim-gelu", -1.0)
    assert row(run).status == HOLDS


def test_a_qualification_is_said_wherever_the_claim_is():
    run = run_of(claim_of("bound", qualification="for k above 3"))
    run.check("a-claim", 1.0)
    badge = run.badge().html()
    assert badge.count("for k above 3") == 2, "in the list, and spelled out beneath it"
    assert row(run).status == QUALIFIED
    assert not row(run).unexplained
    assert "for k above 3" in ClaimTable([row(run)]).by_section_html(root="../")


def test_a_printed_slip_is_expected_to_fail():
    run = run_of(claim_with(corrected={}, printed={"refuted": True}))
    run.check("a-claim-corrected", 1.0)
    run.check("a-claim-printed", -1.0)
    assert row(run).status == HOLDS
    run.check("a-claim-printed", 1.0)
    assert row(run).unexplained


def test_a_badge_shows_the_checks_since_the_last_one():
    run = run_of(claim_of("bound"), claim_of("bound", id="second", explained="why-not"))
    run.check("a-claim", 1.0)
    run.check("a-claim", 2.0)
    first = run.badge()
    assert first.summary() == "2 checks agree"
    assert first.html().count('id="claim-a-claim"') == 1
    assert '<div class="claim">' not in first.html()
    run.check("second", -1.0)
    second = run.badge()
    assert second.summary() == "1 check differs"
    assert '<div class="claim">' in second.html()
    assert "deviations.html#why-not" in second.html()
    data, metadata = second._repr_mimebundle_()
    assert [r["id"] for r in metadata["feature_capacity"]["checks"]] == ["second"]
    assert data["text/plain"].startswith("✗ differs: Something holds.")
    assert run.badge().summary() == "nothing was checked here"


def test_the_table_lists_what_was_not_checked():
    run = run_of(claim_of("bound"))
    assert row(run).status == NOT_CHECKED
    assert ClaimTable([row(run)]).problems
    assert NOT_CHECKED in ClaimTable([row(run)]).text()


def test_an_explained_difference_is_no_problem():
    run = run_of(claim_of("bound", explained="why-not"))
    run.check("a-claim", -1.0)
    table = ClaimTable([row(run)])
    assert table.problems == []
    assert "deviations.html#why-not" in table.by_section_html(root="../")
    assert table.score() == "Of 1 statements of the paper, 0 hold and 1 do not hold."
    run = run_of(claim_of("bound"))
    run.check("a-claim", -1.0)
    assert len(ClaimTable([row(run)]).problems) == 1


def test_only_statements_of_the_paper_are_scored():
    claims = [claim_of("bound", id=g, group=g) for g in ("paper", "other", "ours")]
    run = run_of(*claims)
    for claim in claims:
        run.check(claim.id, -1.0 if claim.group == "ours" else 1.0)
    table = ClaimTable([row_of(claim, run.records) for claim in claims])
    assert table.score() == "Of 1 statements of the paper, 1 hold."
    assert [each.claim.id for each in table.group("other").rows] == ["other"]
    assert len(table.problems) == 1


def test_statements_are_escaped_and_formulas_are_set():
    run = run_of(claim_of("bound", statement="1 < 2 & <script> for $k > 3$"))
    run.check("a-claim", 1.0)
    html = run.badge().html()
    assert "1 &lt; 2 &amp; &lt;script&gt; for" in html
    assert r"\(k &gt; 3\)" in html


def test_the_whole_table_is_in_reading_order():
    sections = ["C.0.1", "10", "3.4", "abstract", "3.10", "A", "3.4"]
    claims = {f"c{i}": claim_of("bound", id=f"c{i}", section=s) for i, s in enumerate(sections)}
    text = collect(claims.values(), {}).by_section_html(root="../")
    heads = re.findall(r'<th colspan="3">(.*?)</th>', text)
    assert heads == [
        "Abstract",
        "Section 3.4",
        "Section 3.10",
        "Section 10",
        "Appendix A",
        "Appendix C.0.1",
    ]


def executed_page(path, *statuses):
    outputs = [
        {
            "metadata": {
                "feature_capacity": {
                    "checks": [{"id": "a-claim", "page": "tiny", "status": s, "detail": ""}]
                }
            }
        }
        for s in statuses
    ]
    path.write_text(json.dumps({"cells": [{"outputs": outputs}, {"cell_type": "markdown"}]}))
    return path


def test_records_are_read_from_executed_pages(tmp_path):
    page = executed_page(tmp_path / "tiny.ipynb", AGREES, DIFFERS, AGREES)
    assert read_records(page)["a-claim"].status == DIFFERS
    claims = [
        claim_of("bound"),
        claim_of("bound", id="forgotten"),
        claim_of("bound", page="later", id="later"),
    ]
    table = collect(claims, {"tiny": page})
    assert [row.status for row in table.rows] == [FAILS, NOT_CHECKED, NOT_ATTEMPTED]
    assert [row.claim.id for row in table.problems] == ["a-claim", "forgotten"]
    assert table.score() == (
        "Of 3 statements of the paper, 0 hold, 1 do not hold, 1 were not checked "
        "and 1 were not attempted."
    )


def test_open_page_checks_its_parameters(tiny):
    run = open_page("tiny", n_dims=3, scale=1, mode="plain")
    assert run.parameters == {"n_dims": 3, "scale": 1.0, "mode": "plain"}
    with pytest.raises(ValueError, match="from 1 to 12; got 13"):
        open_page("tiny", n_dims=13, scale=1.0, mode="plain")
    with pytest.raises(ValueError, match="was not given mode"):
        open_page("tiny", n_dims=3, scale=1.0)
    with pytest.raises(ValueError, match="did you mean tiny"):
        open_page("tinny")


def test_the_registry_of_the_book_is_valid(project):
    claims = load_claims(project.claims)
    pages = {page.name: page for page in list_pages(project)}
    anchors = set(
        re.findall(r"^\(([\w-]+)\)=$", (project.book / "deviations.md").read_text(), re.M)
    )
    for claim in claims.values():
        assert claim.explained is None or claim.explained in anchors, claim.id
        assert claim.page in pages, claim.id
        for measurement in claim.measurements:
            known = pages[claim.page].parameters.parameters
            assert set(measurement.applies_when) <= set(known), measurement.id


def test_every_numbered_equation_of_the_paper_has_a_claim(project):
    covered = {n for claim in load_claims(project.claims).values() for n in claim.equations}
    assert covered == set(range(1, N_EQUATIONS + 1))


def test_equations_are_listed_by_number_with_what_is_missing():
    run = run_of(claim_of("bound", source="eqs 2–3 against 90"))
    run.check("a-claim", 1.0)
    table = ClaimTable([row(run)])
    assert [n for n, rows in table.by_equation().items() if rows] == [2, 3, 90]
    assert table.coverage().startswith("3 of 91 equations have a verdict (not yet: 1, 4, 5,")
    text = table.by_equation_html(root="../")
    assert text.count('href="../notebooks/tiny.html#claim-a-claim"') == 3
    assert 'id="equation-91"' in text
