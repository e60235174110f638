"""Where a sweep is kept: a Zarr store that exists only when it is whole.

While a sweep runs, its rounds are beside the store, in ``NAME.partial``: one group a round, a
dataset of the same form, into which each row is written as a region together with its hash.  A row
without its hash, or with another one, was not finished and is computed again.  At the end the
whole dataset is written there too, in larger pieces, and renamed into place.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import cached_property
from pathlib import Path

import numpy as np
import scipy
import torch
import xarray as xr
from filelock import FileLock, Timeout

from .. import __version__
from .._arrays import require
from .._digest import digest
from .config import SweepConfig, SweepError, code_digest
from .rows import WON_FROM, Row, fields_of, sizes_of

_FORMAT = 2
_MARK = "feature_capacity_sweep"
_HASH = "row_hash"
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
        self.partial = self.path.with_name(f"{self.path.name}.partial")
        self._rounds: dict[int, xr.Dataset] = {}
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
        mine = json.loads(self.config.json())
        # A setting that is younger than the store had its default there.
        usual = {field.name: field.default for field in fields(self.config)}
        other = sorted(name for name in mine if theirs.get(name, usual[name]) != mine[name])
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
            if not self.partial.exists():
                new = self.partial.with_name(f".{self.partial.name}.{os.getpid()}")
                try:
                    xr.Dataset(attrs=self._identity()).to_zarr(new, consolidated=False)
                    os.replace(new, self.partial)
                finally:
                    shutil.rmtree(new, ignore_errors=True)
            lock = FileLock(self.partial / "lock", timeout=0)
            try:
                lock.acquire()
            except Timeout:
                raise SweepError(f"another process is computing {self.path}") from None
        try:
            yield self
        finally:
            lock.release()
            if self.finished:
                shutil.rmtree(self.partial, ignore_errors=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SweepError(
                f"cannot write {self.path}: {error.strerror or error}; finished rows are kept, "
                "and the same command goes on from there"
            ) from error

    # ------------------------------------------------------------------------------------- labels

    def _identity(self) -> dict[str, str | int]:
        return {_MARK: _FORMAT, "config": self.config.json(), "code": code_digest()}

    @cached_property
    def _blank(self) -> xr.Dataset:
        """The whole sweep with its labels; all values are one zero, which takes no memory."""
        config, sizes = self.config, sizes_of(self.config)
        kurtosis = [config.inputs_of(row).kurtosis for row in range(config.shape[0])]
        coordinates = {
            "probability": ("probability", config.probability, "feature probability p"),
            "importance": ("importance", config.importance, "importance of the varied feature"),
            "kurtosis": (
                "probability",
                kurtosis,
                "kurtosis of a feature (fourth standardized moment)",
            ),
            "feature": ("feature", range(sizes["feature"]), "feature, the varied one first"),
            "dim": ("dim", range(sizes["dim"]), "embedding dimension"),
            "start": ("start", range(sizes["start"]), "random start"),
        }
        variables = {}
        for name, field in fields_of(config).items():
            shape = (*config.shape, *(sizes[dim] for dim in field.dims))
            zeros = np.broadcast_to(np.zeros((), field.dtype), shape)
            labels: dict[str, object] = {"long_name": field.meaning, "units": "1"}
            if name == "won_from":
                labels |= {"flag_values": list(range(len(WON_FROM)))}
                labels |= {"flag_meanings": " ".join(WON_FROM)}
            variables[name] = (("probability", "importance", *field.dims), zeros, labels)
        meaning = {"long_name": "start of the SHA-256 hash of the row and its labels"}
        hashes = ("probability", np.zeros(config.shape[0], "uint64"), meaning)
        versions = {"python": platform.python_version()}
        versions |= {module.__name__: module.__version__ for module in (np, scipy, torch)}
        versions["feature_capacity"] = __version__
        return xr.Dataset(
            {**variables, _HASH: hashes},
            {
                name: (dim, np.asarray(values), {"long_name": text, "units": "1"})
                for name, (dim, values, text) in coordinates.items()
            },
            {
                **self._identity(),
                "title": f"Lowest loss and feature capacities: {config.toy_model.name}, "
                f"{config.inputs} inputs",
                "seed": config.seed,
                "versions": json.dumps(versions),
            },
        )

    # ------------------------------------------------------------------------------------- rounds

    def read(self, round_: int, row: int) -> Row | None:
        """State of a row at the end of a round; None if it is not finished, or damaged."""
        try:
            found = self._round(round_)
            if not found[_HASH][row]:
                return None
            found = found.isel(probability=slice(row, row + 1)).load()
            if found[_HASH].item() == _row_hashes(found)[0]:
                return {name: found[name].values[0] for name in fields_of(self.config)}
        except _UNREADABLE:
            pass
        return None

    def need(self, round_: int, row: int) -> Row:
        """State of a row that was finished."""
        values = self.read(round_, row)
        if values is None:
            raise SweepError(f"{self.partial} was damaged at row {row}; run the sweep again")
        return values

    def write(self, round_: int, row: int, values: Row) -> None:
        """Keep the state of a row, with its hash."""
        with self._writing():
            self._round(round_)
            rows = slice(row, row + 1)
            _write_region(self._blank, rows, [values], self.partial, f"round_{round_}")

    def improved(self, round_: int) -> bool:
        """Whether some cell has a lower loss at the end of a round than before."""
        return bool((self._round(round_)["won_in_round"] == round_).any())

    def _round(self, round_: int) -> xr.Dataset:
        """A round, read when its values are used; made anew if it is not there, or damaged."""
        if round_ not in self._rounds:
            group = f"round_{round_}"
            try:
                found = _open(self.partial, group)
                require(found.sizes == self._blank.sizes, "other sizes")
                require(set(found.variables) == set(self._blank.variables), "other variables")
            except _UNREADABLE:
                with self._writing():
                    _create(self._blank, self.partial, 1, group)
                found = _open(self.partial, group)
            self._rounds[round_] = found
        return self._rounds[round_]

    # ---------------------------------------------------------------------------- the whole sweep

    def finish(self, round_: int, settled: bool) -> None:
        """Write the whole sweep from its last round, and let it appear."""
        whole = self._blank.assign_attrs(rounds=round_, settled=int(settled))
        place = self.partial / "whole"
        with self._writing():
            _create(whole, place, self._rows_at_once())
            for rows in self._blocks():
                values = [self.need(round_, row) for row in range(rows.start, rows.stop)]
                _write_region(whole, rows, values, place)
            os.replace(place, self.path)

    def _rows_at_once(self) -> int:
        """Rows in one chunk of the whole sweep; many small files would take long."""
        rows = self.config.shape[0]
        return min(rows, max(1, _CHUNK_BYTES * rows // self._blank.nbytes))

    def _blocks(self) -> Iterator[slice]:
        rows, step = self.config.shape[0], self._rows_at_once()
        return (slice(row, min(row + step, rows)) for row in range(0, rows, step))

    def dataset(self) -> xr.Dataset:
        """The whole sweep, checked row by row; values are read when they are needed."""
        try:
            data = _open(self.path)
            for rows in self._blocks():
                block = data.isel(probability=rows).load()
                changed = np.flatnonzero(block[_HASH].values != _row_hashes(block))
                require(not len(changed), f"row {rows.start + changed[:1]} has changed")
        except _UNREADABLE as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
            raise DamagedStoreError(
                f"{self.path} is damaged ({reason}); delete it and run the sweep again"
            ) from None
        return data.drop_vars(_HASH)


def _create(data: xr.Dataset, place: Path, rows_at_once: int, group: str | None = None) -> None:
    """Write the labels of a sweep; its values are not written as long as they are zero."""
    encoding = {
        name: {"chunks": (rows_at_once, *values.shape[1:]), "_FillValue": None}
        for name, values in data.data_vars.items()
    }
    with warnings.catch_warnings():
        # xarray looks for consolidated metadata first; Zarr says that they are no standard yet.
        warnings.filterwarnings("ignore", "Consolidated metadata")
        data.to_zarr(place, group=group, mode="w", encoding=encoding, consolidated=group is None)


def _open(place: Path, group: str | None = None) -> xr.Dataset:
    return xr.open_zarr(place, group=group, chunks=None, consolidated=group is None)


def _write_region(
    sweep: xr.Dataset, rows: slice, values: Sequence[Row], place: Path, group: str | None = None
) -> None:
    """Write some rows, with their hashes, into a store that was created."""
    data = sweep.isel(probability=rows)
    data = data.assign(
        {name: data[name].copy(data=np.stack([row[name] for row in values])) for name in values[0]}
    )
    data[_HASH] = data[_HASH].copy(data=_row_hashes(data))
    data.drop_vars(list(data.coords)).to_zarr(
        place, group=group, region={"probability": rows}, consolidated=group is None
    )


def _row_hashes(data: xr.Dataset) -> np.ndarray:
    """A hash a row, of all that a reader takes from it; never 0, which means that there is none."""
    names = sorted(str(name) for name in data.variables if name != _HASH)
    by_row = [name for name in names if "probability" in data[name].dims]
    labels = [(name, data[name].dims, str(data[name].dtype)) for name in names]
    attributes = [_sorted(data.attrs), *(_sorted(data[name].attrs) for name in names)]
    shared = [data[name].values.tobytes() for name in names if name not in by_row]
    common = digest(labels, attributes, shared)
    arrays = [data[name].values for name in by_row]
    rows = (digest(common, [a[row].tobytes() for a in arrays]) for row in range(len(arrays[0])))
    return np.array([int(row[:16], 16) | 1 for row in rows], dtype="uint64")


def _sorted(attributes: Mapping[str, object]) -> list[tuple[str, object]]:
    return sorted(attributes.items())
