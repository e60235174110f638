"""Render one executed page to one HTML file that needs nothing beside it.

The page goes through Jupyter Book with the settings and extensions of the book, so that it looks
as it does there; then styles, scripts, fonts and pictures are put into the file itself.
"""

import base64
import json
import mimetypes
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote

import yaml

from ..files import replace_file
from ..pages import Page, PageError
from ..project import Project
from .links import places

_UNUSED_SCRIPTS = re.compile(r"searchtools|language_data|sphinx_highlight|filter_claims")
_URL = re.compile(r"""url\(\s*(['"]?)([^'")]+)\1\s*\)""")
_IMPORT = re.compile(r"""@import\s+(?:url\()?["']([^"']+)["']\)?\s*;""")
_CITES = re.compile(r"\{cite(?::\w+)?\}`")


def render_page(project: Project, page: Page, executed: Path) -> Path:
    """Write the executed notebook as one HTML file beside it; return the file.

    Raises
    ------
    PageError
        If Jupyter Book cannot render it.
    """
    with tempfile.TemporaryDirectory(prefix="render-") as folder:
        stage, output = Path(folder) / "stage", Path(folder) / "out"
        _stage(project, page, executed, stage)
        program = "from jupyter_book.cli.main import main; main()"
        command = [sys.executable, "-c", program, "build", stage, "--path-output", output, "-q"]
        done = subprocess.run(command, capture_output=True, text=True)
        html = output / "_build" / "html" / "notebooks" / f"{page.name}.html"
        if done.returncode or not html.is_file():
            told = done.stderr.strip() or done.stdout.strip() or "no reason given"
            raise PageError(f"page {page.name} could not be rendered: {told.splitlines()[-1]}")
        destination = executed.with_suffix(".html")
        replace_file(destination, _inlined(html).encode())
    return destination


def _stage(project: Project, page: Page, executed: Path, stage: Path) -> None:
    """A book of this one page, with the settings of the whole."""
    config = project.configuration()
    config["execute"] = {**config.get("execute", {}), "execute_notebooks": "off"}
    sphinx = config.setdefault("sphinx", {}).setdefault("config", {})
    ours = "feature_capacity.book.export.links"
    if "extensions" in sphinx:
        sphinx["extensions"].append(ours)
    else:
        config["sphinx"]["extra_extensions"] = [ours]
    sources = [*project.book.glob("*.md"), *project.notebooks.glob("*.py")]
    sphinx["standalone_places"] = places(sorted(sources))
    (stage / "notebooks").mkdir(parents=True)
    (stage / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    toc = {"format": "jb-book", "root": f"notebooks/{page.name}"}
    (stage / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    shutil.copytree(
        project.book, stage / "book", ignore=shutil.ignore_patterns("*.md", "__pycache__")
    )
    notebook = json.loads(executed.read_text(encoding="utf-8"))
    if _CITES.search(json.dumps(notebook["cells"])):
        references = "## References\n\n```{bibliography}\n:filter: docname in docnames\n```\n"
        notebook["cells"].append(
            {"cell_type": "markdown", "id": "references", "metadata": {}, "source": references}
        )
    (stage / "notebooks" / f"{page.name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")


def _inlined(html: Path) -> str:
    """The page with everything that it loads inside it, and without what leads elsewhere."""
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(html.read_text(encoding="utf-8"), "html.parser")
    for link in soup.find_all("link"):
        path = _local(html.parent, link.get("href", ""))
        if path and "stylesheet" in link.get("rel", ()):
            style = soup.new_tag("style")
            style.string = _css(path)
            link.replace_with(style)
        elif path and "icon" in link.get("rel", ()):
            link["href"] = _data(path)
        else:
            link.decompose()
    for script in soup.find_all("script", src=True):
        path = _local(html.parent, script["src"])
        if not path or _UNUSED_SCRIPTS.search(path.name):
            script.decompose()
            continue
        # Within a string of a script the end tag would end the script.
        script.string = re.sub(r"</(script)", r"<\\/\1", path.read_text("utf-8"), flags=re.I)
        late = script.has_attr("defer") or script.has_attr("async")
        for name in ("src", "defer", "async"):
            del script[name]
        if late:
            soup.body.append(script.extract())
    for picture in soup.find_all("img", src=True):
        if path := _local(html.parent, picture["src"]):
            picture["src"] = _data(path)
    names = {element["id"] for element in soup.find_all(id=True)}
    for anchor in soup.find_all("a", href=True):
        here = anchor["href"].startswith("#") and anchor["href"][1:] in {"", *names}
        if not here and not anchor["href"].startswith(("http:", "https:", "mailto:", "data:")):
            if "deviations.html" in anchor["href"]:
                anchor.string = "explained in the book"
            anchor.unwrap()
    style = soup.new_tag("style")
    style.string = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
    soup.head.append(style)
    return str(soup)


def _local(folder: Path, address: str) -> Path | None:
    """The file that a relative address names, if there is one."""
    if not address or re.match(r"[a-z]+:|//|#", address, re.IGNORECASE):
        return None
    path = (folder / unquote(re.split(r"[?#]", address)[0])).resolve()
    return path if path.is_file() else None


def _css(path: Path) -> str:
    def embed(match: re.Match[str]) -> str:
        found = _local(path.parent, match[2])
        # Every browser of today reads woff2; older formats of a font would only add weight.
        if found is None or found.suffix in (".woff", ".ttf", ".eot"):
            return match[0] if match[2].startswith(("data:", "#")) else "url(data:,)"
        return f"url({_data(found)})"

    def include(match: re.Match[str]) -> str:
        found = _local(path.parent, match[1])
        return _css(found) if found else ""

    return _URL.sub(embed, _IMPORT.sub(include, path.read_text(encoding="utf-8")))


def _data(path: Path) -> str:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
