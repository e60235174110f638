"""Explorers opened in a browser, from a file."""

import pytest

from feature_capacity.explorers.html import module

HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"><title>x</title><main>'


@pytest.fixture
def show(browser, tmp_path):
    """Opens an explorer from a file, as a reader does from disk; nothing else may be asked for."""
    contexts, troubles = [], []

    def show(explorer, fragment="", width=1280, **more):
        context = browser.new_context(viewport={"width": width, "height": 900}, **more)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
        file = tmp_path / f"page{len(contexts)}.html"
        file.write_text(f"{HEAD}{explorer.html}</main></html>", encoding="utf-8")
        page.on(
            "request",
            lambda r: troubles.append(r.url) if not r.url.startswith(file.as_uri()) else None,
        )
        page.goto(file.as_uri() + fragment)
        return page

    yield show
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def names_of(browser):
    """A page in which what a module of the explorers defines can be called by name."""
    pages = []

    def names_of(kind):
        page = browser.new_page()
        pages.append(page)
        page.add_script_tag(content=module(kind))
        return page

    yield names_of
    for page in pages:
        page.close()
