"""Badges of the README: small pictures made here, so that no service has to be asked."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

GREEN, BLUE, GRAY = "#1b6e3a", "#1f5f99", "#3d444d"

_PER_LETTER = 6.6  # px of a letter of 11 px Verdana, on average; the text is stretched to fit


def badge(label: str, value: str, color: str = BLUE) -> str:
    """A picture of a label and its value, as SVG.

    >>> badge("license", "MIT").count("MIT")
    3
    """
    left, right = (round(10 + _PER_LETTER * len(text)) for text in (label, value))
    text = escape(f"{label}: {value}")
    parts = "".join(
        f'<text x="{x}" y="14" textLength="{width - 10}">{escape(words)}</text>'
        for x, width, words in ((left / 2, left, label), (left + right / 2, right, value))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="{text}"><title>{text}</title>'
        f'<clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="{GRAY}"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{color}"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" '
        f'font-size="11" lengthAdjust="spacingAndGlyphs">{parts}</g></svg>\n'
    )


def badge_line(badges: Mapping[str, tuple[str, str]], folder: str) -> str:
    """The line of Markdown that shows badges: name -> (text for who cannot see it, link or "").

    >>> badge_line({"license": ("MIT license", "LICENSE")}, "pictures")
    '[![MIT license](pictures/badge-license.svg)](LICENSE)'
    """
    shown = []
    for name, (text, link) in badges.items():
        picture = f"![{text}]({folder}/badge-{name}.svg)"
        shown.append(f"[{picture}]({link})" if link else picture)
    return "\n".join(shown)
