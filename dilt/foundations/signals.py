"""The signals that ask a process to stop: time limit, preemption, Ctrl-C."""

from __future__ import annotations

import signal

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
