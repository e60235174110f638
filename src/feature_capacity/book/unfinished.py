"""Files that are written for a while beside the place where they are to be."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MARK = "unfinished"


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A new, empty file in the folder of `path`, with its ending, that goes when it is not renamed.

    Nobody can know its name before.  It is locked as long as this process lives, and what earlier
    processes that were killed have left there for the same `path` is removed.
    """
    stem = f".{path.stem[:100]}.{_MARK}."
    _remove_left(path.parent, stem, path.suffix)
    file, handle = _new_and_locked(path, stem)
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)
        os.close(handle)


def _new_and_locked(path: Path, stem: str) -> tuple[Path, int]:
    while True:
        file = path.with_name(f"{stem}{secrets.token_hex(8)}{path.suffix}")
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        _lock(handle)
        if file.exists():
            return file, handle
        os.close(handle)  # another process was between the two, and took it for left


def _remove_left(folder: Path, stem: str, ending: str) -> None:
    for name in os.listdir(folder):
        file = folder / name if name.startswith(stem) and name.endswith(ending) else None
        if file is None or file.is_symlink():
            continue
        try:
            handle = os.open(file, os.O_RDWR)
        except OSError:
            continue
        try:
            if _lock(handle):
                file.unlink(missing_ok=True)
        finally:
            os.close(handle)


def _lock(handle: int) -> bool:
    """Whether the file could be locked: no living process has it."""
    try:
        import fcntl
    except ModuleNotFoundError:  # where an open file cannot be removed, nor be locked like this
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
