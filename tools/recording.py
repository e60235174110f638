"""The README's moving picture: an explorer of the built book, operated and filmed in a browser."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from feature_capacity.book.export.browser import BROWSER_OPTIONS, find_browser
from feature_capacity.book.pages import PageError

# Along a row of the diagram, over the plateau at one half, and back.
_SETTINGS = "#phase-explorer?model=autoencoder, 6 in 3&activation=ReLU&V=0.01&p=0.02"
_WIDTH, _COLORS, _MILLISECONDS = 760, 200, 160


def film_explorer(html: Path, picture: Path) -> None:
    """Move through the phase-diagram explorer of section 3.7 and write what is seen as a GIF.

    Parameters
    ----------
    html
        Folder of the built book.
    picture
        File to write.

    Raises
    ------
    PageError
        If there is no built page, no Chromium or no playwright on this machine.
    """
    page_file = html / "notebooks" / "sec3_7_other_models.html"
    if not page_file.is_file():
        raise PageError(f"there is no {page_file}; build the book first (make book)")
    executable = find_browser()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise PageError("filming needs playwright; install the extra `test`") from None

    frames = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(BROWSER_OPTIONS))
        page = browser.new_page(viewport={"width": _WIDTH, "height": 900}, color_scheme="light")
        page.goto(page_file.as_uri() + _SETTINGS)
        explorer = page.locator("#phase-explorer")
        explorer.locator(".explorer-map").wait_for()
        # The book's top bar would lie across the picture.
        page.add_style_tag(content=".bd-header-article, .bd-header {display: none !important}")
        page.evaluate("() => window.MathJax?.startup?.promise")
        slider = explorer.get_by_label("importance V", exact=False)
        last = int(slider.get_attribute("max"))
        columns = range(last // 3, last - last // 6)
        for column in (*columns, *reversed(columns)):
            slider.evaluate(
                "(e, x) => { e.value = x; e.dispatchEvent(new Event('input')) }", column
            )
            height = explorer.evaluate(
                "e => e.querySelector('.explorer-summary').getBoundingClientRect().bottom"
                " - e.getBoundingClientRect().top + 10"
            )
            frame = Image.open(io.BytesIO(explorer.screenshot())).convert("RGB")
            frames.append(frame.crop((0, 0, frame.width, round(height))))
        browser.close()
    _write_gif(frames, picture)


def _write_gif(frames: list[Image.Image], picture: Path) -> None:
    palette = frames[len(frames) // 2].quantize(_COLORS)
    pictures = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    content = io.BytesIO()
    pictures[0].save(
        content,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=_MILLISECONDS,
        loop=0,
        optimize=True,
    )
    picture.write_bytes(content.getvalue())
