"""Sphinx extension: numpy-style docstrings in the reference of the package.

``sphinx.ext.napoleon`` does the work; loaded as an extension it would take "The share: ..." in the
docstring of a property for a type, and words in the types of parameters for names of classes.

A name may be written as it is imported, `feature_capacity.capacities`, and leads to the module that
defines it.
"""

import importlib
import re

from sphinx.ext.napoleon import Config, NumpyDocstring

SETTINGS = Config(
    napoleon_use_param=False,
    napoleon_use_rtype=False,
    napoleon_custom_sections=[("Attributes", "params_style")],
)


def _convert(app, what, name, obj, options, lines) -> None:
    for i, line in enumerate(lines):
        if "``" not in line and not line.lstrip().startswith((">>>", "...")):
            lines[i] = re.sub(r"\(\*(?=\w)", r"(\\*", line)  # the star of a shape is no emphasis
    what = "method" if what in ("attribute", "data", "property") else what
    lines[:] = NumpyDocstring(lines, SETTINGS, app, what, name, obj, options).lines()


def _shorten(app, what, name, obj, options, signature, returns):
    """Leave out of a signature that an argument may be anything: its description says more."""
    if signature is None:
        return None
    return re.sub(
        r": ~?typing\.Any\b", "", signature
    ), None if returns == "~typing.Any" else returns


def _resolve(app, env, node, content):
    """Find what is named through a module that only imports it."""
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"]
    if not target.startswith("feature_capacity."):
        target = f"{node.get('py:module')}.{target}"
    module, _, name = target.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
        defined = f"{found.__module__}.{found.__qualname__}"
    except (AttributeError, ImportError, ValueError):
        return None
    if defined == target or not defined.startswith("feature_capacity."):
        return None
    domain = env.get_domain("py")
    return domain.resolve_xref(
        env, node["refdoc"], app.builder, node["reftype"], defined, node, content
    )


def setup(app):
    """Register the extension."""
    app.connect("autodoc-process-signature", _shorten)
    app.connect("missing-reference", _resolve)
    app.connect("autodoc-process-docstring", _convert)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
