"""Claims: every kind can hold and can fail, and what is wrong in a registry is said."""

import json
import math
import re

import numpy as np
import pytest
import yaml

from feature_capacity.book.claims.checks import PageRun, open_page
from feature_capacity.book.claims.kinds import KINDS
from feature_capacity.book.claims.registry import N_EQUATIONS, load_claims, parse_claim
from feature_capacity.book.claims.tables import ClaimTable, collect, read_records
from feature_capacity.book.claims.verdicts import (
    AGREES,
    DIFFERS,
    NOT_APPLICABLE,
    NOT_ATTEMPTED,
    NOT_CHECKED,
)
from feature_capacity.book.pages import list_pages

ENTRY = {
    "id": "a-claim",
    "section": "2.1",
    "source": "eq 3",
    "statement": "Something holds.",
    "kind": "bound",
    "page": "tiny",
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


def claim_of(kind, more=(), **fields):
    return parse_claim({**ENTRY, "kind": kind, **dict(more), **fields})


def run_of(*claims, **parameters):
    return PageRun("tiny", parameters, claims)


def test_every_kind_is_tried():
    assert {kind for kind, *_ in CASES} == set(KINDS)


@pytest.mark.parametrize(("kind", "more", "holds", "fails"), CASES)
def test_every_kind_can_hold_and_can_fail(kind, more, holds, fails):
    claim = claim_of(kind, more)
    for arguments, verdict in [(holds, True), (fails, False)]:
        held, detail = claim.compare(*arguments)
        assert held is verdict, detail


@pytest.mark.parametrize(("kind", "more", "holds", "fails"), CASES)
def test_a_measurement_that_is_not_a_number_differs(kind, more, holds, fails):
    claim = claim_of(kind, more)
    measured = np.full_like(np.asarray(holds[0], dtype=float), math.nan)
    held, _ = claim.compare(measured, *holds[1:])
    assert held is False


@pytest.mark.parametrize("standard_error", [math.nan, -0.01, 0.0])
def test_a_spread_that_cannot_be_differs(standard_error):
    held, _ = claim_of("sampled").compare(1.01, 1.0, standard_error)
    assert held is False


def test_an_exact_estimate_without_spread_agrees():
    assert claim_of("sampled").compare(1.0, 1.0, 0.0)[0] is True


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
        claim_of(kind, more).compare(*arguments)


def test_tensors_are_taken():
    torch = pytest.importorskip("torch")
    assert claim_of("bound").compare(torch.ones(3, requires_grad=True))[0] is True


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "Not_an_id"}, "an id is"),
        ({"id": None}, "'id' is missing"),
        ({"page": " "}, "'page' is missing"),
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
        parse_claim({**ENTRY, **change})


def test_the_registry_names_the_entry_that_is_wrong(tmp_path):
    path = tmp_path / "claims.yml"
    path.write_text(yaml.safe_dump([ENTRY, ENTRY]))
    with pytest.raises(ValueError, match=r"entry 2 \(a-claim\): the id is used twice"):
        load_claims(path)
    path.write_text("a: 1")
    with pytest.raises(ValueError, match="a list of entries"):
        load_claims(path)


def test_check_records_the_verdict_and_shows_it(capsys):
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
    assert "-1" in run.records["a-claim"].detail


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
    run = run_of(claim_of("bound"), claim_of("bound", id="elsewhere", page="other"))
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


def test_the_table_lists_what_was_not_checked():
    table = run_of(claim_of("bound")).table()
    assert [row.status for row in table.rows] == [NOT_CHECKED]
    assert ClaimTable(table.rows).problems
    assert NOT_CHECKED in table.html()


def test_an_explained_difference_is_no_problem():
    run = run_of(claim_of("bound", explained="why-not"))
    run.check("a-claim", -1.0)
    table = ClaimTable(run.table().rows)
    assert table.problems == []
    assert "deviations.html#why-not" in run.table().html()
    assert table.score() == "0 of 1 claims agree; differs: 1 (explained)."
    run = run_of(claim_of("bound"))
    run.check("a-claim", -1.0)
    assert len(ClaimTable(run.table().rows).problems) == 1


def test_statements_are_escaped():
    run = run_of(claim_of("bound", statement="1 < 2 & <script>"))
    assert "1 &lt; 2 &amp; &lt;script&gt;" in run.table().html()


def test_the_whole_table_is_in_reading_order():
    sections = ["C.0.1", "10", "3.4", "abstract", "3.10", "A", "3.4"]
    claims = {f"c{i}": claim_of("bound", id=f"c{i}", section=s) for i, s in enumerate(sections)}
    text = collect(claims, {}).by_section_html(root="../")
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
                    "claim": {"id": "a-claim", "page": "tiny", "status": s, "detail": ""}
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
    claims = {
        c.id: c
        for c in [
            claim_of("bound"),
            claim_of("bound", id="forgotten"),
            claim_of("bound", id="later", page="later"),
        ]
    }
    table = collect(claims, {"tiny": page})
    assert [row.status for row in table.rows] == [DIFFERS, NOT_CHECKED, NOT_ATTEMPTED]
    assert [row.claim.id for row in table.problems] == ["a-claim", "forgotten"]
    assert table.score() == ("0 of 2 claims agree; differs: 1; not checked: 1; not attempted: 1.")


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
    claims = load_claims(project.registry)
    pages = {page.name: page for page in list_pages(project)}
    anchors = set(
        re.findall(r"^\(([\w-]+)\)=$", (project.book / "deviations.md").read_text(), re.M)
    )
    for claim in claims.values():
        assert claim.explained is None or claim.explained in anchors, claim.id
        assert claim.page in pages, claim.id
        assert set(claim.applies_when) <= set(pages[claim.page].parameters.parameters), claim.id


def edges(claim):
    """Arguments just inside of what the entry allows, and just outside, on every side it has."""
    allowed = claim.tolerance
    if claim.kind in ("identity", "definition"):
        return [(1 + 0.9 * allowed, 1.0)], [(1 + 1.1 * allowed + 1e-15, 1.0), (0.5, 1.0)]
    if claim.kind == "sampled":
        return [(1 + 0.9 * allowed, 1.0, 1.0)], [(1 + 1.1 * allowed, 1.0, 1.0)]
    if claim.kind == "bound":
        return [(-0.9 * allowed,)], [(-1.1 * allowed - 1e-300,), ([1.0, -1.0],)]
    if claim.kind in ("value", "limit"):
        low, high = claim.expected - allowed, claim.expected + allowed
        inside = claim.expected
    else:
        low, high = claim.limits
        inside = max(low, min(high, 0.0))
    step = 1e-6 * max([1.0, *(abs(x) for x in (low, high) if math.isfinite(x))])
    outside = [(x,) for x in (low - step, high + step) if math.isfinite(x)]
    return [(inside,)], outside


@pytest.mark.parametrize("claim", load_claims().values(), ids=lambda claim: claim.id)
def test_every_check_of_the_book_fails_on_a_wrong_value(claim):
    right, wrong = edges(claim)
    assert wrong
    for arguments in right:
        assert claim.compare(*arguments)[0], arguments
    for arguments in [*wrong, (math.nan, *wrong[0][1:])]:
        assert not claim.compare(*arguments)[0], arguments


def test_every_numbered_equation_of_the_paper_has_a_claim(project):
    covered = {n for claim in load_claims(project.registry).values() for n in claim.equations}
    assert covered == set(range(1, N_EQUATIONS + 1))


def test_equations_are_listed_by_number_with_what_is_missing():
    run = run_of(claim_of("bound", source="eqs 2–3 against 90"))
    run.check("a-claim", 1.0)
    table = ClaimTable(run.table().rows)
    assert [n for n, rows in table.by_equation().items() if rows] == [2, 3, 90]
    assert table.coverage().startswith("3 of 91 equations have a verdict (not yet: 1, 4, 5,")
    text = table.by_equation_html(root="../")
    assert text.count('href="../notebooks/tiny.html#claim-a-claim"') == 3
    assert 'id="equation-91"' in text
