"""The browser that prints the book, films an explorer, and opens pages in tests."""

import shutil

from ..pages import PageError

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
"""Programs that serve, in the order of trying."""

BROWSER_OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
"""For pages of our own alone: the first is what lets it run as root, as in a container."""


def find_browser() -> str:
    """The path of a browser; raises ``PageError`` that tells how to get one."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise PageError(
            "this takes Chromium or Chrome, and there is none on this machine; on Debian and "
            "Ubuntu: apt-get install chromium, on a Mac: brew install --cask chromium"
        )
    return found
