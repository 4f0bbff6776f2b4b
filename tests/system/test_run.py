"""`make run` as a person sees it: first live result within 20 s, a clean stop, and going on where it was."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
import time

from tidegate import BINARY, ROOT


def end_session(session):
    """Kills all processes of a session: the jobs of a shell have process groups of their own."""
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(pid) == session:
                os.kill(pid, signal.SIGKILL)


class Run:
    """One run of the grid example in a terminal of its own."""

    def __init__(self, data):
        environment = os.environ | {"TIDEGATE_DATA": str(data)}
        command = [ROOT / "examples/grid/run", BINARY]
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # A shell cannot trap what was ignored when it started, as it is for jobs in the background.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.lines = []

    def wait_for(self, pattern):
        with self.watchdog():
            for line in self.process.stdout:
                self.lines.append(line)
                if re.match(pattern, line):
                    return line
        raise AssertionError(f"'{pattern}' did not come:\n{''.join(self.lines[-40:])}")

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        with self.watchdog():
            self.lines += self.process.stdout.readlines()
            return self.process.wait()

    @contextlib.contextmanager
    def watchdog(self):
        """Ends everything that was started if it takes longer than a minute."""
        timer = threading.Timer(60, lambda: end_session(self.process.pid))
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def text(self):
        return "".join(self.lines)


ROW = r"meter-\d\d +(\S+Z) +[\d.]+ +[\d.]+ +1$"


def test_the_first_run_and_the_next(tmp_path):
    first = Run(tmp_path / "grid")
    first.wait_for(ROW)
    assert time.monotonic() - first.started < 20
    for _ in range(30):
        last = first.wait_for(ROW)
    assert first.interrupt() == 0
    assert "one-time password" in first.text() and "shifting it in time" in first.text()
    assert "stopped. Start again" in first.text()

    again = Run(tmp_path / "grid")
    row = again.wait_for(ROW)
    assert again.interrupt() == 0
    assert "one-time password" not in again.text()
    assert "3 pipelines" in again.text()
    assert re.match(ROW, row).group(1) >= re.match(ROW, last).group(1)


def test_a_port_that_another_program_has_is_no_obstacle(tmp_path):
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # taken already: all the better
            stack.enter_context(socket.create_server(("127.0.0.1", 1883)))
        run = Run(tmp_path / "grid")
        run.wait_for(ROW)
        assert run.interrupt() == 0
    assert "port 1883 is taken by another program: using a free one" in run.text()
