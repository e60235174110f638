"""What a soak counts: cases, and those that went wrong, each with what repeats it."""

from __future__ import annotations

import os
import sys
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

SEED = int(os.environ.get("SOAK_SEED", "14"))
"""All cases follow from it; another one tries other cases."""

_SHOWN = 40  # cases that a failing test lists


def chosen(count: int) -> list[int]:
    """The numbers of the cases: those named in ``SOAK_CASES``, else the first ``count``."""
    named = os.environ.get("SOAK_CASES", "")
    return [int(number) for number in named.split(",")] if named else list(range(count))


def generator(kind: str, number: int) -> np.random.Generator:
    """Random numbers of one case, which do not depend on the cases before it."""
    return np.random.default_rng([SEED, number, *kind.encode()])


@dataclass
class Tally:
    """Counts of one soak.

    Parameters
    ----------
    kind : str
        What the cases are: calls, command lines, signals.
    faults : tuple of str
        What can be wrong with one; each is counted, and has to be 0.
    """

    kind: str
    faults: tuple[str, ...]
    cases: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    found: list[tuple[str, str]] = field(default_factory=list)

    def add(self, number: int, what: str, end: str, faults: list[tuple[str, str]]) -> None:
        """One case: how it ended, and (fault, how it shows) for everything wrong with it."""
        self.cases += 1
        self.ends[end] += 1
        for fault, how in faults:
            assert fault in self.faults, fault
            self.found.append((fault, f"{fault}: case {number}: {what}: {how}"))

    def close(self, capsys) -> None:
        """Print the counts, and fail, listing what was found, unless all of them are 0."""
        counts = Counter(fault for fault, _ in self.found)
        zeros = ", ".join(f"{counts[fault]} {fault}" for fault in self.faults)
        ends = ", ".join(f"{count} {end}" for end, count in sorted(self.ends.items()))
        line = f"soak of {self.cases} {self.kind} (seed {SEED}): {zeros}; {ends}"
        with capsys.disabled():  # of the error stream, which processes of xdist do not lose
            print(f"\n{line}", file=sys.stderr, flush=True)
        listed = "\n".join(f"  {text}" for _, text in self.found[:_SHOWN])
        more = f"\n  and {len(self.found) - _SHOWN} more" if len(self.found) > _SHOWN else ""
        again = f"SOAK_SEED={SEED} SOAK_CASES=number,... repeats some cases"
        assert not self.found, f"{line}\n{listed}{more}\n{again}"
