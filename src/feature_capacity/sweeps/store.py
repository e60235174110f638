"""Where a sweep is kept: a Zarr store that exists only when it is whole.

While a sweep runs, its rounds are beside the store, in ``NAME.partial``: a file a row, which begins
with a hash.  A row that is cut off, damaged or in another's place does not match its hash, and is
computed again.  At the end the labelled dataset is written there too and renamed into place.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from filelock import FileLock, Timeout

from .._arrays import require
from .._signals import held_back
from .config import SweepConfig, SweepError, code_digest
from .dataset import read_dataset, write_dataset
from .rows import cell_dtype

_FORMAT = 3
_MARK = "feature_capacity_sweep"
_PARTS = re.compile(r"lock|whole|round_\d+|zarr\..+")  # of an unfinished sweep
_UNREADABLE = (OSError, ValueError, RuntimeError, LookupError, TypeError)  # what damage can raise

_LOOKS, _SECONDS_BETWEEN_LOOKS = 10, 0.05


class DamagedStoreError(ValueError):
    """A store that was finished once and is no longer as it was written."""


@dataclass(frozen=True)
class _Told:
    """What a store says that it is: its format, None where there is none, and what made it."""

    number: int | None
    config: Mapping[str, Any]
    code: str | None


def _is_there(place: Path) -> bool:
    return place.exists() or place.is_symlink()


class SweepStore:
    """One sweep on disk.

    Nothing is written before :meth:`opened` is entered.

    Parameters
    ----------
    path : Path
        The Zarr store.
    config : SweepConfig
        What it has to hold.

    Raises
    ------
    ValueError
        If something else is there: another sweep, or no sweep at all.
    """

    def __init__(self, path: Path, config: SweepConfig) -> None:
        self.path, self.config = Path(path).absolute(), config
        require(self.path.name, f"{self.path} is no place for a sweep; name a folder in it")
        require(self.path.parent.is_dir(), f"there is no folder {self.path.parent} to write to")
        self.partial = self.path.with_name(f"{self.path.name}.partial")
        if _is_there(self.path):
            self._require_ours(self.path, self._told(self.path))
        elif (told := self._told_when_quiet()) is not None:
            self._require_ours(self.partial, told)

    def _told_when_quiet(self) -> _Told | None:
        """What an unfinished sweep says that it is; None where there is none, or a finished one.

        Another process may be about to begin it, or to remove it because it is finished: what can
        not be read now may be gone, or readable, a moment later.
        """
        for left in reversed(range(_LOOKS)):
            if self.finished or self._is_unmarked() or not _is_there(self.partial):
                return None
            told = self._told(self.partial)
            if told.number is not None or not left:
                return told
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        return None

    @staticmethod
    def _told(place: Path) -> _Told:
        try:
            found = json.loads((place / "zarr.json").read_text(encoding="utf-8"))["attributes"]
            return _Told(found[_MARK], json.loads(found["config"]), found.get("code"))
        except _UNREADABLE:
            # The first format had another file in the folder of an unfinished sweep.
            return _Told(1 if (place / "sweep.json").is_file() else None, {}, None)

    def _require_ours(self, place: Path, told: _Told) -> None:
        number, theirs = told.number, told.config
        remedy = "choose another place or delete it"
        require(number is not None, f"{place} is not a sweep of this program; {remedy}")
        require(
            number == _FORMAT,
            f"{place} was written by another version of this program, in store format {number} "
            f"instead of {_FORMAT}; {remedy}",
        )
        require(
            told.code == code_digest(),
            f"{place} was computed by another version of the code; {remedy}",
        )
        mine = json.loads(self.config.json())
        other = sorted(name for name in mine if theirs.get(name) != mine[name])
        require(not other, f"{place} holds another sweep ({', '.join(other)} differ); {remedy}")

    @property
    def _identity(self) -> dict[str, str | int]:
        return {_MARK: _FORMAT, "config": self.config.json(), "code": code_digest()}

    @property
    def finished(self) -> bool:
        """Whether the whole sweep is there."""
        return self.path.exists()

    @contextmanager
    def opened(self) -> Iterator[SweepStore]:
        """Hold the store for writing; a second process is refused."""
        lock = FileLock(self.partial / "lock", timeout=0)
        try:
            with self._writing():
                lock.acquire()  # makes the folder, too
                if not self.finished:  # another process may have been faster
                    self._begin()
            yield self
        finally:
            lock.release()

    def _begin(self) -> None:
        """Let the unfinished sweep say which one it is."""
        if self._is_unmarked():
            with held_back():
                zarr.create_group(self.partial, attributes=self._identity)
        self._require_ours(self.partial, self._told(self.partial))

    def _parts(self) -> set[str] | None:
        """What is there of an unfinished sweep; None where it is not one."""
        try:
            names = {place.name for place in self.partial.iterdir()}
        except OSError:
            return None
        return names if all(map(_PARTS.fullmatch, names)) else None

    def _is_unmarked(self) -> bool:
        """Whether it does not say which one it is: just begun, or left when it was removed."""
        parts = self._parts()
        return parts is not None and "zarr.json" not in parts

    def _put_away(self) -> None:
        """Remove what is left of it beside the finished sweep, unless a living process holds it."""
        if self._parts() is None:
            return
        try:
            with FileLock(self.partial / "lock", timeout=0):
                pass
        except OSError:
            return  # held, or in a place that may only be read
        # After the lock has gone, because not every system removes a file that is open.
        shutil.rmtree(self.partial, ignore_errors=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except Timeout:
            raise SweepError(f"another process is computing {self.path}") from None
        except OSError as error:
            raise SweepError(
                f"cannot write {self.path}: {error.strerror or error}; finished rows are kept, "
                "and the same command goes on from there"
            ) from error

    # ------------------------------------------------------------------------------------- rounds

    def read(self, round_: int, row: int) -> np.ndarray | None:
        """State of a row at the end of a round; None if it is not finished, or damaged."""
        try:
            content = self._file(round_, row).read_bytes()
        except OSError:
            return None
        told, values = content[:32], content[32:]
        if told != self._hash(round_, row, values):
            return None
        return np.frombuffer(values, cell_dtype(self.config)).copy()

    def need(self, round_: int, row: int) -> np.ndarray:
        """State of a row that was finished."""
        values = self.read(round_, row)
        if values is None:
            raise SweepError(f"{self.partial} was damaged at row {row}; run the sweep again")
        return values

    def write(self, round_: int, row: int, values: np.ndarray) -> None:
        """Keep the state of a row."""
        file, content = self._file(round_, row), values.tobytes()
        with self._writing():
            file.parent.mkdir(exist_ok=True)
            file.unlink(missing_ok=True)
            with file.open("xb") as new:  # which follows no link
                new.write(self._hash(round_, row, content) + content)

    def improved(self, round_: int, spacing: tuple[int, int]) -> float:
        """The share of the cells of a grid whose loss a round has lowered."""
        rows = range(0, self.config.shape[0], spacing[0])
        won_in = [self.need(round_, row)["won_in_round"][:: spacing[1]] for row in rows]
        return float((np.array(won_in) == round_).mean())

    def _file(self, round_: int, row: int) -> Path:
        return self.partial / f"round_{round_}" / str(row)

    def _hash(self, round_: int, row: int, values: bytes) -> bytes:
        """Of a row and of what tells it apart from all others."""
        return sha256(repr((self._identity, round_, row)).encode() + values).digest()

    # ---------------------------------------------------------------------------- the whole sweep

    def finish(self, last: int, settled: bool) -> None:
        """Write the whole sweep as it stands after its last round, and let it appear."""
        attributes = self._identity | {"rounds": last, "settled": int(settled)}
        place = self.partial / "whole"
        with self._writing(), held_back():
            write_dataset(place, self.config, attributes, partial(self.need, last))
            os.replace(place, self.path)

    def dataset(self) -> xr.Dataset:
        """The whole sweep, its files checked; values are read when they are needed."""
        try:
            with held_back():
                data = read_dataset(self.path)
        except _UNREADABLE as error:
            reason = (str(error).strip() or repr(error)).splitlines()[0]
            raise DamagedStoreError(
                f"{self.path} is damaged ({reason}); delete it and run the sweep again"
            ) from None
        self._put_away()
        return data
