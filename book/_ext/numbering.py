"""Sphinx extension: figures and equations of the paper keep its numbers, ours count by page."""

from docutils import nodes

from feature_capacity.book.numbering import equation_numbers, figure_numbers


def _renumber(app, env) -> list[str]:
    """Replace the numbers that Sphinx has given, which count through the whole book."""
    for docname, kinds in env.toc_fignumbers.items():
        page = docname.rpartition("/")[2]
        if figures := kinds.get("figure"):
            ids = sorted(figures, key=figures.get)
            captions = _captions(env.get_doctree(docname))
            numbers = figure_numbers(page, [captions.get(each, "") for each in ids])
            kinds["figure"] = {each: (n,) for each, n in zip(ids, numbers, strict=True)}
        if equations := kinds.get("displaymath"):
            ids = sorted(equations, key=equations.get)
            labels = [each.removeprefix("equation-") for each in ids]
            numbers = equation_numbers(page, labels)
            kinds["displaymath"] = {each: (n,) for each, n in zip(ids, numbers, strict=True)}
    return []


def _captions(doctree: nodes.document) -> dict[str, str]:
    return {
        figure["ids"][0]: caption.astext()
        for figure in doctree.findall(nodes.figure)
        if figure["ids"]
        for caption in figure.findall(nodes.caption)
    }


def setup(app):
    """Register the extension."""
    # After Sphinx has counted, before anything is written.
    app.connect("env-get-updated", _renumber, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
