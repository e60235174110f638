"""Run the cells of a page in this process, many times over, without starting kernels."""

import contextlib
import sys
import warnings
from collections.abc import Mapping
from typing import Any

from feature_capacity.book.claims.verdicts import Record
from feature_capacity.book.pages import Page, to_notebook


class CellError(AssertionError):
    """A cell that failed; says page, settings, cell and error."""


def run_page(
    page: Page, parameters: Mapping[str, Any], failed: list[CellError] | None = None
) -> dict[str, Record]:
    """Run every code cell as a kernel would, and return the verdicts.

    The first cell that fails ends it with an error; where a list is given, it and those that fail
    after it are written down there, and the cells that come after are still run.

    These are the cells that papermill makes of the page and the parameters, in an IPython shell,
    which is what a kernel runs them in. Pictures are drawn as PNG, since a figure may fail only
    when it is drawn; a warning counts as a failure. What a new kernel has and this has not is a
    fresh process: modules stay loaded, which is what makes hundreds of runs affordable.
    """
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output
    from matplotlib_inline.backend_inline import configure_inline_support
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    notebook = parameterize_notebook(load_notebook_node(to_notebook(page)), dict(parameters))
    # IPython takes the place of the main module, which processes started later would look for.
    main = sys.modules["__main__"]
    shell = InteractiveShell.instance()
    shell.reset(new_session=False)
    configure_inline_support(shell, "inline")
    sys.modules["__main__"] = shell.user_module
    errors: list[BaseException | None] = []
    shell.showtraceback = lambda *args, **kwargs: errors.append(sys.exc_info()[1])
    with (
        _put_back(main),
        contextlib.chdir(page.source.parent),
        capture_output(),
        warnings.catch_warnings(),
    ):
        for kind in (RuntimeWarning, UserWarning):
            warnings.simplefilter("error", kind)
        for cell in notebook.cells:
            if cell.cell_type != "code":
                continue
            result = shell.run_cell(cell.source)
            if not result.success or errors:
                error = result.error_before_exec or result.error_in_exec or errors[0]
                told = CellError(
                    f"{page.name} with {dict(parameters)}: {type(error).__name__}: {error}\n"
                    f"in the cell\n{cell.source}"
                )
                if failed is None:
                    raise told from error
                failed.append(told)
                errors.clear()
    return dict(shell.user_ns["run"].records) if "run" in shell.user_ns else {}


@contextlib.contextmanager
def _put_back(main):
    try:
        yield
    finally:
        sys.modules["__main__"] = main
