"""The signals that ask a process to stop (time limit, preemption, Ctrl-C), and the one that nobody reads any more."""

from __future__ import annotations

import signal

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


def end_with_reader() -> None:
    """End without a word when nobody reads any more what is printed, as with ``| head``.

    Not for commands that use the network: a connection that is lost would end them too.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
