"""Badges of the README: small pictures made here, so that no service has to be asked."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

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
    """The line of Markdown that shows badges: name -> (text in its place, link or "").

    >>> badge_line({"license": ("MIT license", "LICENSE")}, "pictures")
    '[![MIT license](pictures/badge-license.svg)](LICENSE)'
    """
    shown = []
    for name, (text, link) in badges.items():
        picture = f"![{text}]({folder}/badge-{name}.svg)"
        shown.append(f"[{picture}]({link})" if link else picture)
    return "\n".join(shown)


def launch_addresses(config: Mapping[str, Any], path: str) -> dict[str, str]:
    """Addresses that open a notebook of the repository elsewhere; none if there is no repository.

    Parameters
    ----------
    config
        The content of ``_config.yml``.
    path
        The notebook, relative to the root of the repository.

    >>> config = {"repository": {"url": "https://github.com/ada/notes", "branch": "main"}}
    >>> config["launch_buttons"] = {"binderhub_url": "https://b.org", "colab_url": "https://c.com"}
    >>> launch_addresses(config, "a.ipynb")["Colab"]
    'https://c.com/github/ada/notes/blob/main/a.ipynb'
    >>> launch_addresses({"repository": {"url": ""}}, "a.ipynb")
    {}
    """
    repository = config.get("repository", {})
    if not repository.get("url"):
        return {}
    name = repository["url"].removeprefix("https://github.com/").rstrip("/")
    branch, servers = repository["branch"], config["launch_buttons"]
    return {
        "Binder": f"{servers['binderhub_url']}/v2/gh/{name}/{branch}?urlpath=lab/tree/{path}",
        "Colab": f"{servers['colab_url']}/github/{name}/blob/{branch}/{path}",
    }
