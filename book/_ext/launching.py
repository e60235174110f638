"""Sphinx extension: what opens a page elsewhere is shown only where the project has an address.

``repository.url`` in ``_config.yml`` is the one setting. While it is empty the theme gets neither
launch buttons nor the link to the source, and the directive ``{where-launched}`` shows nothing;
afterwards its text, with ``OWNER/NAME@BRANCH`` replaced.
"""

import re

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.errors import ConfigError
from sphinx.util.docutils import SphinxDirective

_GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)/?")


def repository(options: dict) -> str:
    """``OWNER/NAME@BRANCH`` of the repository that the theme's options name, "" if they name none.

    Raises ``ConfigError`` for an address that no launch button can be made of.
    """
    url = options.get("repository_url")
    if not url:
        return ""
    match = _GITHUB.fullmatch(url)
    if not match:
        raise ConfigError(
            f"repository.url in _config.yml must look like https://github.com/OWNER/NAME; "
            f"got {url!r}: correct it, or leave it empty"
        )
    return f"{match[1]}@{options.get('repository_branch') or 'main'}"


class WhereLaunched(SphinxDirective):
    """Show the content if there is a repository."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the content, or nothing."""
        found = repository(self.config.html_theme_options)
        if not found:
            return []
        shown = nodes.container()
        lines = [line.replace("OWNER/NAME@BRANCH", found) for line in self.content]
        self.state.nested_parse(StringList(lines), self.content_offset, shown)
        return shown.children


def _buttons(app, config) -> None:
    if repository(config.html_theme_options):
        config.html_theme_options["use_repository_button"] = True
    else:
        config.html_theme_options.pop("launch_buttons", None)


def setup(app):
    """Register the extension."""
    app.connect("config-inited", _buttons)
    app.add_directive("where-launched", WhereLaunched)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
