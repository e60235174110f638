"""The command line ``feature-capacity``, which is ``python -m feature_capacity``, too."""

import os
import signal


def main() -> None:
    """Run the command line.

    Loading it takes a while, in which there is nothing to put away; Ctrl-C then ends it without a
    word.  A command that has begun says itself what Ctrl-C does.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as it is in the background
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from .cli import app

    app(prog_name="feature-capacity")


if __name__ == "__main__":
    main()
