"""Sphinx extension: the built book needs no network, and its pages are light.

MathJax is taken from the ``sphinx-mathjax-offline`` wheel. Its full bundle is used, because the
plain one fetches extensions such as ``boldsymbol`` while the page is shown.

The theme brings its icons twice, as a font and as a script of 1.5 MB that must be read before
anything is shown. The font is enough.
"""

import importlib.util
import re
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


ICONS_TWICE = re.compile(
    r" *<script[^>]*vendor/fontawesome/[^>]*></script>\n?"
    # A browser refuses these where the book is opened from disk; the styles ask for what they need.
    r'|<link rel="preload" as="font"[^>]*>\n?'
)


def _drop_second_icons(app, error) -> None:
    if error or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if (lighter := ICONS_TWICE.sub("", text)) != text:
            path.write_text(lighter, encoding="utf-8")


def setup(app):
    """Register the extension."""
    app.connect("config-inited", _use_bundle)
    app.connect("builder-inited", _copy_bundle)
    app.connect("build-finished", _drop_second_icons)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
