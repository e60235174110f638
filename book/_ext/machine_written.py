"""Sphinx extension: the directive ``{machine-written} NAME`` shows ``book/_generated/NAME.html``.

`make book` writes those files into its stage from the executed pages. In a build without them the
directive says so in their place.
"""

from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class MachineWritten(SphinxDirective):
    """Insert a generated piece of HTML."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the piece, or a sentence that tells how to get it."""
        path = Path(self.env.srcdir) / "book" / "_generated" / f"{self.arguments[0]}.html"
        self.env.note_dependency(str(path))
        if not path.is_file():
            return [nodes.paragraph(text="Written by `make book` from the executed pages.")]
        return [nodes.raw("", path.read_text(encoding="utf-8"), format="html")]


def _load_mathjax(app, doctree) -> None:
    """Sphinx loads MathJax where it sees a formula, and it does not see into our pieces."""
    if any('class="math' in node.astext() for node in doctree.findall(nodes.raw)):
        app.env.get_domain("math").data["has_equations"][app.env.docname] = True


def setup(app):
    """Register the extension."""
    app.connect("doctree-read", _load_mathjax)
    app.add_directive("machine-written", MachineWritten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
