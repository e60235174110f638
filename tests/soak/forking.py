"""Starts command lines in processes of their own, at little cost; run as a script.

It has loaded what they take (with the argument ``warm``) or nothing, and forks one for each
request, a line of JSON on the standard input.  A forked process goes on as the installed command
would: its own session, its own files, Python's usual end.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import sys
import threading
import time
import traceback

MEMORY = 12 * 2**30  # of addresses; more than any case takes, and less than a bomb


def main() -> None:
    # What Python does before the first line of the program runs is not the program's: until then
    # SIGINT ends a forked process at once, and how it ends shows that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if warm := "warm" in sys.argv:
        import papermill  # noqa: F401

        import feature_capacity.book.build
        import feature_capacity.cli
        import feature_capacity.measure.report
        import feature_capacity.sweeps.run  # noqa: F401
    print("true", flush=True)  # ready
    gc.freeze()  # what is shared with the forked processes is not written to
    for line in sys.stdin:
        request = json.loads(line)
        if "pid" in request:
            answer = _wait(**request)
        else:
            answer = os.fork()
            if not answer:
                break
        print(json.dumps(answer), flush=True)
    else:
        return
    _become(request)
    from feature_capacity.__main__ import main as command

    if not warm:
        sys.exit(command())
    _quickly(command)


def _quickly(command) -> None:
    """Run it without the last part of Python's end, which takes the loaded libraries apart."""
    code: object = 1
    try:
        command()
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else bool(code))


def _wait(pid: int, seconds: float) -> int | None:
    """The exit status, negative for a signal; None if the process goes on."""
    end = time.monotonic() + seconds
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            return None
        time.sleep(0.01)


def _become(request: dict) -> None:
    import resource
    import tempfile

    os.setsid()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for number, path in enumerate((os.devnull, request["out"], request["err"])):
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["folder"])
    os.environ.update(request["environment"])
    tempfile.tempdir = None
    sys.argv = ["feature-capacity", *request["words"]]


if __name__ == "__main__":
    main()
