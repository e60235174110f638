"""Command lines as processes: started, killed, waited for, and what they leave looked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psutil

_MARK = "SOAK_MARK"


@dataclass
class Command:
    """One command line, begun."""

    starter: Starter
    pid: int
    mark: str
    scratch: Path
    out: Path
    err: Path

    def wait(self, seconds: float) -> int | None:
        """Its exit status; None if it goes on."""
        return self.starter.ask({"pid": self.pid, "seconds": seconds})

    def said(self) -> str:
        """What it wrote to its standard error; nothing if it ended before it had one."""
        return self.err.read_text(errors="replace") if self.err.exists() else ""

    def send(self, number: int, to_all: bool = False) -> None:
        """Send it a signal, if it has not ended; as a terminal does, or to itself alone."""
        with suppress(ProcessLookupError):
            (os.killpg if to_all else os.kill)(self.pid, number)

    def family(self) -> list[psutil.Process]:
        """Processes that it started, directly or not, and that are there."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(_MARK) == self.mark:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def left(self, seconds: float) -> list[str]:
        """What is left of them after some seconds; it is ended."""
        end = time.monotonic() + seconds
        while (family := self.family()) and time.monotonic() < end:
            time.sleep(0.1)
        left = []
        for process in family:
            try:
                left.append(" ".join(process.cmdline())[:100])
                process.kill()
            except psutil.Error:
                continue
        return left


class Starter:
    """Starts commands; see :mod:`tests.soak.forking`."""

    def __init__(self, warm: bool) -> None:
        script = Path(__file__).with_name("forking.py")
        self.process = subprocess.Popen(
            [sys.executable, script, *["warm"] * warm],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.process.stdout.readline()  # it is ready

    def ask(self, request: dict):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def start(self, words, folder: Path, aside: Path) -> Command:
        """Start a command in a folder; what it says and its temporary files go aside."""
        mark, scratch = uuid4().hex, aside / "tmp"  # short: kernels have their sockets there
        scratch.mkdir(parents=True, exist_ok=True)
        environment = {
            _MARK: mark, "TMPDIR": str(scratch),
            "IPYTHONDIR": str(aside / "ipython"), "JUPYTER_RUNTIME_DIR": str(aside / "jupyter"),
        }  # fmt: skip
        out, err = aside / "out", aside / "err"
        pid = self.ask({
            "words": [str(word) for word in words], "folder": str(folder),
            "environment": environment, "out": str(out), "err": str(err),
        })  # fmt: skip
        return Command(self, pid, mark, scratch, out, err)


@contextmanager
def starter(warm: bool):
    """A starter that ends with the test."""
    running = Starter(warm)
    try:
        yield running
    finally:
        running.process.stdin.close()
        running.process.wait(timeout=20)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, and every empty folder as ""."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in sorted(folder.rglob("*"))
        if path.is_file() or (path.is_dir() and not os.listdir(path))
    }
