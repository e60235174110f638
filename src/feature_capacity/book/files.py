"""Files that a command is asked to write: refused early where it cannot, and never half-written."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from .._arrays import require
from .unfinished import beside


def check_output(path: Path, endings: Sequence[str]) -> Path:
    """Return the absolute path if a file can be written there.

    Parameters
    ----------
    path : Path
    endings : sequence of str
        The endings allowed, the usual one first.

    Raises
    ------
    ValueError
        For another ending, a folder that is not there or cannot be written to, or a path that is
        itself a folder.

    Examples
    --------
    >>> check_output(Path("table.txt"), [".csv"])
    Traceback (most recent call last):
    ...
    ValueError: the output table.txt must end in .csv; write table.csv
    """
    if not path.name:
        raise ValueError(f"the output {str(path)!r} must name a file that ends in {endings[0]}")
    if path.suffix.lower() not in endings:
        raise ValueError(
            f"the output {path} must end in {' or '.join(endings)}; "
            f"write {Path(path.name).with_suffix(endings[0])}"
        )
    path = path.absolute()
    require(not path.is_dir(), f"{path} is a folder; name a file in it")
    check_folder(path.parent)
    return path


def check_folder(folder: Path) -> None:
    """Raise ``ValueError`` unless the folder is there and takes a new file."""
    require(folder.is_dir(), f"there is no folder {folder} to write to; make it first")
    try:
        # Only trying tells: permissions do not bind every user, nor cover read-only disks.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"cannot write to the folder {folder}: {error.strerror}") from None


def replace_file(path: Path, content: bytes) -> None:
    """Write a file in one step: it has the new content or the old one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_files({path: content})


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Write several files; where one cannot be written, none is changed."""
    with ExitStack() as unfinished:
        new = {path: unfinished.enter_context(beside(path)) for path in contents}
        for path, content in contents.items():
            new[path].write_bytes(content)
        for path in contents:
            os.replace(new[path], path)
