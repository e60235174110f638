"""Sphinx extension: the built book needs no network, and its pages are light.

MathJax is taken from the ``sphinx-mathjax-offline`` wheel. Its full bundle is used, because the
plain one fetches extensions such as ``boldsymbol`` while the page is shown.

The theme brings its icons twice, as a font and as a script of 1.5 MB that must be read before
anything is shown. The font is enough, and of its 1,500 names a book uses some thirty. Pictures are
written with a palette; the notebooks keep them as they were drawn.
"""

import importlib.util
import re
import shutil
from pathlib import Path

from PIL import Image  # comes with matplotlib

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


ICON_NAMES = re.compile(
    r'\.fa-[\w-]+:+before(?:,\.fa-[\w-]+:+before)*\{content:"[^"]*"\}', re.IGNORECASE
)


# Names and punctuation in code have the color of plain text; marking each doubles a page of code.
PLAIN_CODE = re.compile(r'<span class="(?:n|nn|p|w)">([^<]*)</span>')


def _make_light(app, error) -> None:
    if error or app.builder.format != "html":
        return
    html = Path(app.outdir)
    used = set()
    for path in html.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        used.update(re.findall(r"fa-[\w-]+", text))
        lighter = PLAIN_CODE.sub(r"\1", ICONS_TWICE.sub("", text))
        if lighter != text:
            path.write_text(lighter, encoding="utf-8")
    for path in html.glob("_static/scripts/*.js"):
        used.update(re.findall(r"fa-[\w-]+", path.read_text(encoding="utf-8")))
    for path in html.glob("_static/vendor/fontawesome/*/css/all.min.css"):
        text = path.read_text(encoding="utf-8")
        path.write_text(ICON_NAMES.sub(lambda rule: _kept(rule[0], used), text), encoding="utf-8")
    for path in html.glob("_images/*.png"):
        _use_palette(path)


def _kept(rule: str, used: set[str]) -> str:
    return rule if used.intersection(re.findall(r"fa-[\w-]+", rule)) else ""


def _use_palette(path: Path) -> None:
    """Write a picture with its 256 best colors: drawings have few, and weigh less than half."""
    with Image.open(path) as picture:
        if picture.mode == "P" or (picture.mode == "RGBA" and picture.getextrema()[3][0] < 255):
            return
        few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(path, optimize=True)


def setup(app):
    """Register the extension."""
    app.connect("config-inited", _use_bundle)
    app.connect("builder-inited", _copy_bundle)
    app.connect("build-finished", _make_light)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
