"""Where a page can be opened elsewhere: everything hangs on one setting, ``repository.url``.

``_config.yml`` leaves it empty until the project has an address; no button that leads nowhere is
shown before.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

BINDER, COLAB = "https://mybinder.org", "https://colab.research.google.com"

_GITHUB = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)/?")


def repository(config: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Owner, name and branch of the repository that ``_config.yml`` names; None if it names none.

    Raises ``ValueError`` for an address that no launch button can be made of.

    >>> repository({"repository": {"url": "https://github.com/ada/notes"}})
    ('ada', 'notes', 'main')
    >>> repository({"repository": {"url": ""}})
    """
    setting = config.get("repository") or {}
    url = setting.get("url") or ""
    if not url:
        return None
    match = _GITHUB.fullmatch(url)
    if not match:
        raise ValueError(
            f"repository.url in _config.yml must look like https://github.com/OWNER/NAME; "
            f"got {url!r}: correct it, or leave it empty"
        )
    return match[1], match[2], setting.get("branch") or "main"


def launch_addresses(config: Mapping[str, Any], path: str) -> dict[str, str]:
    """Addresses that open a file of the repository in a notebook server; none without a setting.

    Parameters
    ----------
    config
        The content of ``_config.yml``.
    path
        A notebook, relative to the root of the repository.

    >>> config = {"repository": {"url": "https://github.com/ada/notes"}}
    >>> launch_addresses(config, "a.ipynb")["Colab"]
    'https://colab.research.google.com/github/ada/notes/blob/main/a.ipynb'
    """
    found = repository(config)
    if found is None:
        return {}
    owner, name, branch = found
    return {
        "Binder": f"{BINDER}/v2/gh/{owner}/{name}/{branch}?urlpath=lab/tree/{path}",
        "Colab": f"{COLAB}/github/{owner}/{name}/blob/{branch}/{path}",
    }


def launch_html(config: Mapping[str, Any]) -> str:
    """What to know of the launch buttons, as a paragraph; nothing without a setting.

    >>> launch_html({"repository": {"url": ""}})
    ''
    """
    found = repository(config)
    if found is None:
        return ""
    owner, name, branch = found
    address = f"feature-capacity @ git+https://github.com/{owner}/{name}@{branch}"
    return (
        "<p>Nothing need be installed on your machine: the rocket at the top of each page opens it "
        "on Binder, which takes some minutes to start, or in Colab. "
        "Colab does not have this package; there, first run this in a cell of its own:</p>"
        f'<pre>%pip install "{html.escape(address)}"</pre>'
    )


def with_launch_buttons(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a book whose pages have launch buttons, if there is an address."""
    if repository(config) is None:
        return dict(config)
    return {
        **config,
        "html": {**config.get("html", {}), "use_repository_button": True},
        "launch_buttons": {
            "notebook_interface": "jupyterlab",
            "binderhub_url": BINDER,
            "colab_url": COLAB,
        },
    }
