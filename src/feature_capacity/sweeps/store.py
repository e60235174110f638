"""Where a sweep is kept: a Zarr store that exists only when it is whole.

While a sweep runs, its rounds are beside the store, in ``NAME.partial``: one array a round, one
chunk a row, and for each row a hash that is written after it.  A row without its hash, or with
another one, was not finished and is computed again.  At the end the labelled store is written
there too and renamed into place.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import torch
import xarray as xr
import zarr
from filelock import FileLock, Timeout

from .. import __version__
from .._arrays import require
from .config import SweepConfig, SweepError, code_digest
from .rows import WON_FROM, fields_of, sizes_of, unpack

_FORMAT = 1
_MARK = "feature_capacity_sweep"
_HASH = "row_hash"
_CHUNK_BYTES = 2**20  # of a whole sweep, all fields together
_UNREADABLE = (OSError, ValueError, RuntimeError, KeyError, TypeError)  # what damage can raise


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
        self._rounds: dict[int, tuple[Any, Any]] = {}
        require(self.path.parent.is_dir(), f"there is no folder {self.path.parent} to write to")
        for place, file in {self.path: "zarr.json", self.partial: "sweep.json"}.items():
            if place.exists() or place.is_symlink():
                self._require_ours(place, place / file)

    def _require_ours(self, place: Path, file: Path) -> None:
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
            found = found.get("attributes", found)
            theirs = json.loads(found["config"])
            ours = found[_MARK] == _FORMAT and isinstance(theirs, Mapping)
        except (*_UNREADABLE, AttributeError):
            ours = False
        remedy = "choose another place or delete it"
        require(ours, f"{place} is not a sweep of this program; {remedy}")
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
                _appear(self.partial, self._start)
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

    def _start(self, folder: Path) -> None:
        text = json.dumps(self._identity(), indent=1)
        (folder / "sweep.json").write_text(text, encoding="utf-8")

    def _identity(self) -> dict[str, Any]:
        return {_MARK: _FORMAT, "config": self.config.json(), "code": code_digest()}

    # --------------------------------------------------------------------------------------- rounds

    def read(self, round_: int, row: int) -> np.ndarray | None:
        """State of a row at the end of a round; None if it is not finished, or damaged."""
        try:
            states, hashes = self._round(round_)
            state = states[row]
            return state if hashes[row] == _hash(state) else None
        except _UNREADABLE:
            return None

    def need(self, round_: int, row: int) -> np.ndarray:
        """State of a row that was finished."""
        state = self.read(round_, row)
        if state is None:
            raise SweepError(f"{self.partial} was damaged at row {row}; run the sweep again")
        return state

    def write(self, round_: int, row: int, state: np.ndarray) -> None:
        """Keep the state of a row; its hash comes last."""
        with self._writing():
            states, hashes = self._round(round_)
            states[row] = state
            hashes[row] = _hash(state)

    def _round(self, round_: int) -> tuple[Any, Any]:
        if round_ not in self._rounds:
            place = self.partial / f"round_{round_}"
            rows, cells = self.config.shape
            numbers = sum(_size(self.config, name) for name in fields_of(self.config))
            try:
                group = zarr.open_group(place, mode="r+")
                arrays = group["state"], group[_HASH]
                require(arrays[0].shape == (rows, cells, numbers), "other shape")
                require(arrays[1].shape == (rows,), "other shape")
            except _UNREADABLE:

                def create(folder: Path) -> None:
                    group = zarr.open_group(folder, mode="w")
                    shape = {"shape": (rows, cells, numbers), "chunks": (1, cells, numbers)}
                    group.create_array("state", dtype="float64", **shape)
                    group.create_array(_HASH, shape=(rows,), chunks=(1,), dtype="uint64")

                shutil.rmtree(place, ignore_errors=True)
                _appear(place, create)
                group = zarr.open_group(place, mode="r+")
                arrays = group["state"], group[_HASH]
            self._rounds[round_] = arrays
        return self._rounds[round_]

    # ------------------------------------------------------------------------------ the whole sweep

    def finish(self, round_: int, settled: bool) -> None:
        """Write the labelled store from the last round, and let it appear."""
        with self._writing():
            _appear(self.path, lambda folder: self._label(folder, round_, settled), self.partial)

    def _label(self, folder: Path, round_: int, settled: bool) -> None:
        config = self.config
        model = config.toy_model.name
        versions = {"python": platform.python_version()}
        versions |= {module.__name__: module.__version__ for module in (np, scipy, torch)}
        versions["feature_capacity"] = __version__
        attributes = {
            **self._identity(),
            "title": f"Lowest loss and feature capacities: {model}, {config.inputs} inputs",
            "seed": config.seed,
            "rounds": round_,
            "settled": int(settled),
            "versions": json.dumps(versions),
            "coordinates": "kurtosis",
        }
        group = zarr.open_group(folder, mode="w", attributes=attributes)
        rows, cells = config.shape
        for name, (values, meaning) in self._coordinates().items():
            dim = "probability" if name == "kurtosis" else name
            array = group.create_array(
                name,
                data=np.asarray(values),
                dimension_names=[dim],
                attributes={"long_name": meaning, "units": "1"},
            )
        arrays = {}
        for name, field in fields_of(config).items():
            sizes = [sizes_of(config)[dim] for dim in field.dims]
            arrays[name] = group.create_array(
                name,
                shape=(rows, cells, *sizes),
                chunks=(self._rows_at_once(), cells, *sizes),
                dtype=field.dtype,
                dimension_names=["probability", "importance", *field.dims],
                attributes={"long_name": field.meaning, "units": "1", **_flags(name)},
            )
        array = group.create_array(
            _HASH,
            shape=(rows,),
            chunks=(self._rows_at_once(),),
            dtype="uint64",
            dimension_names=["probability"],
            attributes={"long_name": "start of the SHA-256 hash of the row"},
        )
        for block in self._blocks():
            states = [unpack(config, self.need(round_, row)) for row in range(rows)[block]]
            for name in arrays:
                arrays[name][block] = np.stack([state[name] for state in states])
            array[block] = np.array([_hash_fields(state) for state in states], dtype="uint64")
        with warnings.catch_warnings():
            # xarray looks for consolidated metadata first, and warns when there is none.
            warnings.filterwarnings("ignore", "Consolidated metadata")
            zarr.consolidate_metadata(group.store)

    def _rows_at_once(self) -> int:
        """Rows in one chunk of the whole sweep; many small files would take long."""
        _, cells = self.config.shape
        numbers = sum(_size(self.config, name) for name in fields_of(self.config))
        return min(self.config.shape[0], max(1, _CHUNK_BYTES // (8 * cells * numbers)))

    def _blocks(self) -> Iterator[slice]:
        step = self._rows_at_once()
        return (slice(row, row + step) for row in range(0, self.config.shape[0], step))

    def _coordinates(self) -> dict[str, tuple[Any, str]]:
        config = self.config
        kurtosis = [config.inputs_of(row).kurtosis for row in range(config.shape[0])]
        counts = {
            "feature": "feature, the varied one first",
            "dim": "embedding dimension",
            "start": "random start",
        }
        return {
            "probability": (config.probability, "feature probability p"),
            "importance": (config.importance, "importance of the varied feature"),
            "kurtosis": (kurtosis, "kurtosis of a feature (fourth standardized moment)"),
            **{name: (np.arange(sizes_of(config)[name]), text) for name, text in counts.items()},
        }

    def dataset(self) -> xr.Dataset:
        """The whole sweep, checked row by row; values are read when they are needed."""
        try:
            data = xr.open_zarr(self.path, chunks=None)
            for block in self._blocks():
                values = {name: data[name][block].to_numpy() for name in fields_of(self.config)}
                for i, expected in enumerate(data[_HASH][block].to_numpy()):
                    row = {name: value[i] for name, value in values.items()}
                    require(
                        int(expected) == _hash_fields(row), f"row {block.start + i} has changed"
                    )
        except _UNREADABLE as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
            raise DamagedStoreError(
                f"{self.path} is damaged ({reason}); delete it and run the sweep again"
            ) from None
        return data.drop_vars(_HASH)


def _appear(place: Path, fill: Any, within: Path | None = None) -> None:
    """Fill a folder and rename it into place, so that it is there whole or not at all."""
    temporary = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=within or place.parent))
    try:
        os.chmod(temporary, 0o777 & ~_umask())  # mkdtemp keeps others out
        fill(temporary)
        os.replace(temporary, place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _size(config: SweepConfig, name: str) -> int:
    return int(np.prod([sizes_of(config)[dim] for dim in fields_of(config)[name].dims]))


def _hash(state: np.ndarray) -> int:
    """Never 0, which is what an unwritten hash reads as."""
    return int.from_bytes(hashlib.sha256(state.tobytes()).digest()[:8]) | 1


def _hash_fields(values: Mapping[str, np.ndarray]) -> int:
    joined = b"".join(np.ascontiguousarray(value).tobytes() for value in values.values())
    return int.from_bytes(hashlib.sha256(joined).digest()[:8]) | 1


def _flags(name: str) -> dict[str, Any]:
    if name != "won_from":
        return {}
    return {"flag_values": list(range(len(WON_FROM))), "flag_meanings": " ".join(WON_FROM)}
