"""Sphinx extension: the built book needs no network.

MathJax is taken from the ``sphinx-mathjax-offline`` wheel. Its full bundle is used, because the
plain one fetches extensions such as ``boldsymbol`` while the page is shown.
"""

import importlib.util
import shutil
from pathlib import Path

BUNDLE = "mathjax/tex-svg-full.js"


def _mathjax_bundle() -> Path:
    # The module's name has hyphens, so that `import` cannot name it.
    spec = importlib.util.find_spec("sphinx-mathjax-offline")
    if spec is None or spec.origin is None:
        raise RuntimeError("sphinx-mathjax-offline is not installed; run `make book`")
    return Path(spec.origin).parent / "static" / BUNDLE


def _use_bundle(app, config) -> None:
    config.mathjax_path = BUNDLE


def _copy_bundle(app) -> None:
    if app.builder.format == "html":
        copy = Path(app.outdir) / "_static" / BUNDLE
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_mathjax_bundle(), copy)


def setup(app):
    """Register the extension."""
    app.connect("config-inited", _use_bundle)
    app.connect("builder-inited", _copy_bundle)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
