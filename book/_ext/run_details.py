"""Sphinx extension: each executed page ends with the folded box that tells how it was run.

`make book` writes the boxes into its stage. A build without them shows the pages without a box.
"""

from pathlib import Path

from docutils import nodes


def _append(app, doctree) -> None:
    name = app.env.docname
    if not name.startswith("notebooks/"):
        return
    file = f"run-{name.removeprefix('notebooks/')}.html"
    path = Path(app.srcdir) / "book" / "_generated" / file
    app.env.note_dependency(str(path))
    if path.is_file():
        section = next(doctree.findall(nodes.section))
        section += nodes.raw("", path.read_text(encoding="utf-8"), format="html")


def setup(app):
    """Register the extension."""
    app.connect("doctree-read", _append)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
