"""The real pages, as executed for the book: no errors, figures captioned, claims checked."""

import json

import pytest

from feature_capacity.book.claims.tables import NOT_ATTEMPTED, read_records

ANALYTIC = {
    "sec1_introduction",
    "sec2_capacity",
    "sec2_2_allocation",
    "appA_expected_loss",
    "appB_correlations",
    "appD_kurtosis_sparsity",
    "appE_correlation_coefficient",
    "appH_feasibility",
    "errata",
    "sec4_geometry",
    "ext4_many_features",
}


def pictures(cell):
    return [
        kind
        for output in cell.get("outputs", ())
        for kind in output.get("data", {})
        if kind.startswith("image/")
    ]


def test_every_page_ran_without_error_or_warning(book):
    build, _, all_pages = book
    for page in all_pages:
        for cell in json.loads(build.executed(page).read_text())["cells"]:
            for output in cell.get("outputs", ()):
                assert output["output_type"] != "error", page.name
                assert output.get("name") != "stderr", (page.name, output)
            if cell["cell_type"] == "code" and "".join(cell["source"]).strip():
                assert cell["execution_count"], f"{page.name}: a cell was not executed"


@pytest.mark.thorough
def test_the_small_settings_make_a_whole_book(quick_book):
    """Which everyday tests look at only where the published one is not there."""
    build, table, _ = quick_book
    assert build.quick
    assert build.index.is_file()
    assert [row.claim.id for row in table.problems] == []


def test_a_figure_cell_shows_exactly_one_captioned_picture(book):
    build, _, all_pages = book
    names = []
    for page in all_pages:
        for cell in json.loads(build.executed(page).read_text())["cells"]:
            metadata = cell["metadata"].get("mystnb", {})
            figure = metadata.get("figure")
            assert len(pictures(cell)) == bool(figure), f"{page.name}: {figure or cell['source']}"
            if figure:
                assert figure["caption"].strip(), page.name
                assert metadata["image"]["alt"].strip(), figure["name"]
                names.append(figure["name"])
    assert len(names) == len(set(names))


def test_every_page_checks_its_claims(book):
    _, table, _ = book
    assert [row.claim.id for row in table.problems] == []
    assert table.count(NOT_ATTEMPTED) == 0


def test_analytic_pages_do_not_import_torch(book):
    build, _, all_pages = book
    without = set()
    for page in all_pages:
        records = read_records(build.executed(page)).values()
        if records and not any("torch" in record.versions for record in records):
            without.add(page.name)
    assert without == ANALYTIC
