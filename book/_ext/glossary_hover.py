"""Sphinx extension: a term linked to the glossary carries its definition to where it is used.

The definition becomes the title of the link, so that it is there without the network and without a
script; ``glossary.js`` shows it nicely, also to the keyboard.
"""

from docutils import nodes
from sphinx import addnodes

GLOSSARY = "book/glossary"


def _note_dependency(app, doctree) -> None:
    """Render a page again when the glossary changes, if it uses a term."""
    terms = doctree.findall(addnodes.pending_xref)
    if app.env.docname != GLOSSARY and any(node.get("reftype") == "term" for node in terms):
        app.env.note_dependency(app.env.doc2path(GLOSSARY))


def _definitions(app) -> dict[str, str]:
    """The first paragraph of each definition, by the anchor of its term."""
    found = {}
    for item in app.env.get_doctree(GLOSSARY).findall(nodes.definition_list_item):
        paragraph = next(item.findall(nodes.paragraph))
        for term in item.findall(nodes.term):
            for anchor in term["ids"]:
                found[anchor] = " ".join(paragraph.astext().split())
    return found


def _carry(app, doctree, docname) -> None:
    if docname == GLOSSARY or GLOSSARY not in app.env.all_docs:
        return
    definitions = None
    for reference in doctree.findall(nodes.reference):
        address, hash_, anchor = reference.get("refuri", "").partition("#")
        if hash_ and address.endswith("glossary.html") and anchor.startswith("term-"):
            definitions = definitions or _definitions(app)
            reference["reftitle"] = definitions[anchor]
            reference["classes"].append("glossary-term")


def setup(app):
    """Register the extension."""
    app.connect("doctree-read", _note_dependency)
    app.connect("doctree-resolved", _carry)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
