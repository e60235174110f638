"""Sphinx extension: a page that is rendered alone says where its references would have led.

References to other pages of the book become the title of the place, without a link.
"""

import re
from pathlib import Path

from docutils import nodes

_HEADING = re.compile(r"\(([\w-]+)\)=\s+(?:#\s+)?(?:# %% \[markdown\]\s+(?:# )?)?#+ (.+)")
_TITLES = {
    ".md": re.compile(r"^# (.+)$", re.MULTILINE),
    ".py": re.compile(r"^# # (.+)$", re.MULTILINE),
}
_INSIDE = re.compile(r'"name": "([\w-]+)"|\$\$ \(([\w-]+)\)|:(?:name|label): ([\w-]+)')


def places(sources: list[Path]) -> dict[str, str]:
    """Title of the place that every label of the book is at.

    Parameters
    ----------
    sources
        Pages, as ``.md`` or in the percent format.
    """
    found = {}
    for source in sources:
        text = source.read_text(encoding="utf-8")
        title = _plain(match[1]) if (match := _TITLES[source.suffix].search(text)) else source.stem
        for label in _INSIDE.finditer(text):
            found[next(filter(None, label.groups()))] = title
        for match in _HEADING.finditer(text):
            found[match[1]] = _plain(match[2])
    return found


def _plain(heading: str) -> str:
    return re.sub(r"\{\w+\}`([^`<]*)[^`]*`|[`*$]", r"\1", heading).strip()


def _tell(app, env, node, contnode):
    if node.get("refexplicit"):
        return contnode
    place = app.config.standalone_places.get(node["reftarget"])
    if place is None:
        return None
    if node["reftype"] in ("eq", "numref"):
        what = "Figure " if node["reftype"] == "numref" else ""
        return nodes.inline("", f"{what}(in “{place}”)")
    return nodes.emphasis("", place)


def setup(app):
    """Register the extension."""
    app.add_config_value("standalone_places", {}, "env")
    app.connect("missing-reference", _tell)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
