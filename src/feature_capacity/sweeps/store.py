"""Where a sweep is kept: a Zarr store that exists only when it is whole.

While a sweep runs, its rounds are beside the store, in ``NAME.partial``: one group a round, into
which each row is written together with its hash.  A row without its hash, or with another one, was
not finished and is computed again.  At the end the labelled dataset is written there too, in
regions of several rows, and renamed into place.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
import zarr
from filelock import FileLock, Timeout

from .._arrays import require
from .config import SweepConfig, SweepError, code_digest
from .dataset import HASH, blank_dataset, row_hash, row_hashes
from .rows import cell_dtype, fields_of

_FORMAT = 2
_MARK = "feature_capacity_sweep"
_CHUNK_BYTES = 2**20  # of a whole sweep, all fields together
_UNREADABLE = (OSError, ValueError, RuntimeError, LookupError, TypeError)  # what damage can raise


class DamagedStoreError(ValueError):
    """A store that was finished once and is no longer as it was written."""


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
        self.partial = self.path.with_name(f"{self.path.name}.partial")
        self._cell, self._rounds = cell_dtype(config), dict[int, tuple[zarr.Array, zarr.Array]]()
        require(self.path.parent.is_dir(), f"there is no folder {self.path.parent} to write to")
        for place in (self.path, self.partial):
            if place.exists() or place.is_symlink():
                self._require_ours(place)

    def _require_ours(self, place: Path) -> None:
        try:
            found = json.loads((place / "zarr.json").read_text(encoding="utf-8"))["attributes"]
            theirs, number = json.loads(found["config"]), found[_MARK]
        except _UNREADABLE:
            # The first format had another file in the folder of an unfinished sweep.
            theirs, number = {}, 1 if (place / "sweep.json").is_file() else None
        remedy = "choose another place or delete it"
        require(number is not None, f"{place} is not a sweep of this program; {remedy}")
        require(
            number == _FORMAT,
            f"{place} was written by another version of this program, in store format {number} "
            f"instead of {_FORMAT}; {remedy}",
        )
        mine, usual = json.loads(self.config.json()), vars(SweepConfig)
        # A setting that is younger than the store had its default there.
        other = sorted(name for name in mine if theirs.get(name, usual.get(name)) != mine[name])
        require(not other, f"{place} holds another sweep ({', '.join(other)} differ); {remedy}")
        require(
            found.get("code") == code_digest(),
            f"{place} was computed by another version of the code; {remedy}",
        )

    @property
    def finished(self) -> bool:
        """Whether the whole sweep is there."""
        return self.path.exists()

    @contextmanager
    def opened(self) -> Iterator[SweepStore]:
        """Hold the store for writing; a second process is refused."""
        with self._writing():
            lock = self._lock()
        try:
            yield self
        finally:
            if self.finished:
                # Before the lock goes, so that nobody who waits for it can begin in this folder.
                shutil.rmtree(self.partial, ignore_errors=True)
            lock.release()
            if self.finished:  # where no file can be removed that is open
                shutil.rmtree(self.partial, ignore_errors=True)

    def _lock(self) -> FileLock:
        """The lock of the unfinished sweep, held; its folder is made if it is not there."""
        while True:
            self._make_partial()
            place = self.partial / "lock"
            lock = FileLock(place, timeout=0)
            try:
                lock.acquire()
            except Timeout:
                raise SweepError(f"another process is computing {self.path}") from None
            except FileNotFoundError:
                continue  # the folder of a sweep that was finished just now
            if place.exists():
                return lock
            lock.release()

    def _make_partial(self) -> None:
        if self.partial.exists():
            return
        # A folder of its own first: what appears as the unfinished sweep says which one it is.
        with tempfile.TemporaryDirectory(
            prefix=f".{self.partial.name[:100]}.", dir=self.path.parent, ignore_cleanup_errors=True
        ) as folder:
            new = Path(folder) / "new"
            zarr.create_group(new, attributes=self._identity)
            try:
                os.replace(new, self.partial)
            except OSError:
                if not self.partial.is_dir():  # else another process was faster
                    raise

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SweepError(
                f"cannot write {self.path}: {error.strerror or error}; finished rows are kept, "
                "and the same command goes on from there"
            ) from error

    @property
    def _identity(self) -> dict[str, str | int]:
        return {_MARK: _FORMAT, "config": self.config.json(), "code": code_digest()}

    # ------------------------------------------------------------------------------------- rounds

    def read(self, round_: int, row: int) -> np.ndarray | None:
        """State of a row at the end of a round; None if it is not finished, or damaged."""
        try:
            state, hashes = self._round(round_)
            values, told = np.asarray(state[row]), hashes[row]
        except _UNREADABLE:
            return None
        return values.view(self._cell)[:, 0] if told == row_hash(values.tobytes()) else None

    def need(self, round_: int, row: int) -> np.ndarray:
        """State of a row that was finished."""
        values = self.read(round_, row)
        if values is None:
            raise SweepError(f"{self.partial} was damaged at row {row}; run the sweep again")
        return values

    def write(self, round_: int, row: int, values: np.ndarray) -> None:
        """Keep the state of a row; its hash comes last."""
        with self._writing():
            state, hashes = self._round(round_)
            state[row] = values.view(np.uint8).reshape(len(values), -1)
            hashes[row] = row_hash(values.tobytes())

    def improved(self, round_: int) -> bool:
        """Whether some cell has a lower loss at the end of a round than before."""
        rows = range(self.config.shape[0])
        return any((self.need(round_, row)["won_in_round"] == round_).any() for row in rows)

    def _round(self, round_: int) -> tuple[zarr.Array, zarr.Array]:
        """Bytes and hashes of the rows of a round; made anew if they are not there, or damaged."""
        if round_ not in self._rounds:
            try:
                self._rounds[round_] = self._arrays(round_, "a")
            except _UNREADABLE:
                self._rounds[round_] = self._arrays(round_, "w")
        return self._rounds[round_]

    def _arrays(self, round_: int, mode: Literal["a", "w"]) -> tuple[zarr.Array, zarr.Array]:
        group = zarr.open_group(self.partial / f"round_{round_}", mode=mode)
        (n_rows, n_cells), size = self.config.shape, self._cell.itemsize
        state: dict[str, Any] = {
            "shape": (n_rows, n_cells, size),
            "chunks": (1, n_cells, size),
            "dtype": "uint8",
        }
        hashes: dict[str, Any] = {"shape": (n_rows,), "chunks": (1,), "dtype": "uint64"}
        return group.require_array("state", **state), group.require_array(HASH, **hashes)

    # ---------------------------------------------------------------------------- the whole sweep

    def finish(self, last: int, rounds: int, settled: bool) -> None:
        """Write the whole sweep as it stands after its last round, and let it appear."""
        whole = blank_dataset(self.config).assign_attrs(
            self._identity, rounds=rounds, settled=int(settled)
        )
        n_rows, place = self.config.shape[0], self.partial / "whole"
        # Small files, one a row, would take long to read.
        step = min(n_rows, max(1, _CHUNK_BYTES * n_rows // whole.nbytes))
        with self._writing(), warnings.catch_warnings():
            # Zarr says that consolidated metadata are no standard yet; xarray looks for them first.
            warnings.filterwarnings("ignore", "Consolidated metadata")
            # Values that are still zero have no files.
            files = {
                name: {"chunks": (step, *values.shape[1:]), "_FillValue": None}
                for name, values in whole.data_vars.items()
            }
            whole.to_zarr(place, mode="w", encoding=files, consolidated=True)
            for start in range(0, n_rows, step):
                rows = slice(start, min(start + step, n_rows))
                values = np.stack([self.need(last, row) for row in range(n_rows)[rows]])
                block = whole.isel(probability=rows)
                for name in fields_of(self.config):
                    block[name] = block[name].copy(data=values[name])
                block[HASH] = block[HASH].copy(data=row_hashes(block))
                block.drop_vars(list(block.coords)).to_zarr(place, region={"probability": rows})
            os.replace(place, self.path)

    def dataset(self) -> xr.Dataset:
        """The whole sweep, checked row by row; values are read when they are needed."""
        try:
            self._require_same_metadata()
            data = xr.open_zarr(self.path, chunks=None)
            step = data[HASH].encoding["chunks"][0]
            for start in range(0, self.config.shape[0], step):
                block = data.isel(probability=slice(start, start + step)).load()
                for row in np.flatnonzero(block[HASH].values != row_hashes(block)):
                    raise ValueError(f"row {start + row} has changed")
        except _UNREADABLE as error:
            reason = (str(error).strip() or repr(error)).splitlines()[0]
            raise DamagedStoreError(
                f"{self.path} is damaged ({reason}); delete it and run the sweep again"
            ) from None
        return data.drop_vars(HASH)

    def _require_same_metadata(self) -> None:
        """Each array says of itself what the whole says of it; readers look at the one or other."""
        whole = json.loads((self.path / "zarr.json").read_text(encoding="utf-8"))
        for name, told in whole["consolidated_metadata"]["metadata"].items():
            own = json.loads((self.path / name / "zarr.json").read_text(encoding="utf-8"))
            if own != told:
                raise ValueError(f"{name}/zarr.json has changed")
