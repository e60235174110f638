"""Sphinx extension: no line begins with the comma after a formula, or ends with its bracket.

A formula is a box to a browser, which may break the line on either side of it.
"""

import re

from docutils import nodes

_AFTER, _BEFORE = re.compile(r"[,.;:!?)\]’”]+"), re.compile(r"[(\[‘“]+$")


def _keep_together(app, doctree) -> None:
    """Wrap each formula in the line with the marks that touch it."""
    for formula in list(doctree.findall(nodes.math)):
        parent, at = formula.parent, formula.parent.index(formula)
        before = parent[at - 1] if at else None
        after = parent[at + 1] if at + 1 < len(parent) else None
        opens = _BEFORE.search(before) if isinstance(before, nodes.Text) else None
        closes = _AFTER.match(after) if isinstance(after, nodes.Text) else None
        if not opens and not closes:
            continue
        together = nodes.inline(classes=["unbroken"])
        parent[at] = together  # by place: texts that say the same count as equal
        if opens:
            together += nodes.Text(opens[0])
            parent[at - 1] = nodes.Text(before[: opens.start()])
        together += formula
        if closes:
            together += nodes.Text(closes[0])
            parent[at + 1] = nodes.Text(after[closes.end() :])


def setup(app):
    """Register the extension."""
    app.connect("doctree-read", _keep_together)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
