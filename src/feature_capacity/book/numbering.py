"""Numbers of figures and equations: the paper's keep the paper's, ours are counted by page.

The paper's Figure 4 is *Figure P4* wherever it stands, its equation 12 is *(P12)*; the second
figure of our own on the page of section 3.5 is *Figure 3.5-2*.
"""

import re
from collections.abc import Iterable, Iterator

_PAPER_FIGURE = re.compile(r"paper['\u2019]s Figure (\d)|Figure (\d) of the paper")
_PAPER_EQUATION = re.compile(r"eq-paper-(\d+)")

# Further pages of one section, in the order of the table of contents.
_FURTHER = {
    "sec3_7_jump": "b",
    "sec3_7_choices": "c",
    "sec3_7_blog": "d",
    "sec3_7_two_in_one": "e",
}


def paper_figure(caption: str) -> int | None:
    """Which figure of the paper a figure reproduces, as its caption says; None for our own.

    Sphinx sets the apostrophe as a typographer does.

    >>> paper_figure("Two circles (the paper's Figure 6)."), paper_figure("The paper’s Figure 4.")
    (6, 4)
    """
    match = _PAPER_FIGURE.search(caption)
    return int(match[1] or match[2]) if match else None


def page_number(page: str) -> str:
    """What stands before the numbers of a page's own figures and equations.

    Further pages of one section have a letter behind its number.

    >>> page_number("sec3_7_other_models"), page_number("sec3_7_jump")
    ('3.7', '3.7b')
    >>> [page_number(name) for name in ("sec3_5_phase_diagrams", "appG_alternative", "errata")]
    ['3.5', 'G', 'Errata']
    """
    if match := re.match(r"sec(\d+(?:_\d+)*)_", page):
        return match[1].replace("_", ".") + _FURTHER.get(page, "")
    if match := re.match(r"app([A-Z])_", page):
        return match[1]
    if match := re.match(r"ext(\d+)_", page):
        return f"X{match[1]}"
    return page.replace("_", " ").capitalize()


def figure_numbers(page: str, captions: Iterable[str]) -> Iterator[str]:
    """The numbers of a page's figures, in their order; parts of one of the paper's get letters.

    >>> list(figure_numbers("sec2_1_capacity", ["the paper's Figure 6", "", ""]))
    ['P6', '2.1-1', '2.1-2']
    """
    found = [paper_figure(caption) for caption in captions]
    own, parts = 0, dict.fromkeys(found, 0)
    for paper in found:
        if paper is None:
            own += 1
            yield f"{page_number(page)}-{own}"
        else:
            letter = chr(ord("a") + parts[paper]) if found.count(paper) > 1 else ""
            parts[paper] += 1
            yield f"P{paper}{letter}"


def equation_numbers(page: str, labels: Iterable[str]) -> Iterator[str]:
    """The numbers of a page's labeled equations, in their order.

    >>> list(equation_numbers("sec3_1_model", ["eq-paper-12", "eq-loss", "eq-paper-13"]))
    ['P12', '3.1-1', 'P13']
    """
    own = 0
    for label in labels:
        if match := _PAPER_EQUATION.fullmatch(label):
            yield f"P{match[1]}"
        else:
            own += 1
            yield f"{page_number(page)}-{own}"
