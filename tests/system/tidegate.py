"""Drives the real binary: starts it on free ports, talks to its API, kills it."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("TIDEGATE_BINARY", ROOT / "build/release/bin/tidegate"))
READY_TIMEOUT_S = 30


class ApiError(Exception):
    def __init__(self, status, problem):
        super().__init__(f"{status}: {problem}")
        self.status = status
        self.problem = problem


class Server:
    """One data folder; the process may be started and killed many times."""

    def __init__(self, data, *options, environment=None):
        self.data = Path(data)
        self.options = options
        self.environment = environment or {}
        self.process = None
        self.output = []

    def start(self):
        command = [
            BINARY,
            "serve",
            "--data",
            self.data,
            "--http",
            "127.0.0.1:0",
            "--mqtt",
            "127.0.0.1:0",
            "--mqtts",
            "127.0.0.1:0",
            *self.options,
        ]
        log = open(self.data.parent / f"{self.data.name}.log", "ab")
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            bufsize=1,
            env=os.environ | self.environment,
        )
        self._read_until("ready")
        addresses = json.loads((self.data / "server.json").read_text())
        self.http_port = addresses["http_port"]
        self.mqtt_port = addresses["mqtt_port"]
        self.mqtts_port = addresses["mqtts_port"]
        self.token = (self.data / "operator.token").read_text().strip()
        return self

    def _read_until(self, word):
        watchdog = threading.Timer(READY_TIMEOUT_S, self.process.kill)
        watchdog.start()
        for line in self.process.stdout:
            self.output.append(line)
            if line.strip() == word:
                watchdog.cancel()
                return
        raise AssertionError(f"the server did not say '{word}':\n{''.join(self.output)}\n{self.log_text()[-4000:]}")

    def log_text(self):
        return (self.data.parent / f"{self.data.name}.log").read_text(errors="replace")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        return code

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()

    def connection(self):
        context = ssl.create_default_context(cafile=self.data / "tls/ca.pem")
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return http.client.HTTPSConnection("127.0.0.1", self.http_port, context=context, timeout=60)

    def request(self, method, path, body=None, token=None, headers=None):
        """Status, headers and body text of one request."""
        connection = self.connection()
        bearer = self.token if token is None else token
        all_headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        connection.request(method, path, body, all_headers | (headers or {}))
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, dict(answer.getheaders()), text

    def api(self, method, path, body=None):
        data = None if body is None else body if isinstance(body, (str, bytes)) else json.dumps(body)
        status, _, text = self.request(method, "/api/v1" + path, data, headers={"Content-Type": "application/json"})
        if status >= 400:
            raise ApiError(status, json.loads(text))
        return json.loads(text) if text else None

    def sql(self, script):
        return self.api("POST", "/statements", {"sql": script})

    def add_device(self, name):
        return self.api("POST", "/devices", {"name": name})["token"]

    def live(self, query, receive_buffer=None):
        """Server-sent events of a live query as (event, data) pairs, for as long as the caller reads."""
        connection = self.connection()
        connection.connect()
        if receive_buffer:  # or the kernel takes up to 32 MB for a reader that does not read
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        path = "/api/v1/query/live?sql=" + urllib.parse.quote(query)
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise ApiError(answer.status, json.loads(answer.read()))
        return events_of(answer)

    def records(self, stream):
        """Every record of a stream, oldest first, with its offset as _offset."""
        found, offset = [], 0
        while True:
            page = self.api("GET", f"/streams/{stream}/records?from={offset}&limit=10000")
            found += page["records"]
            if page["next"] is None or not page["records"]:
                return found
            offset = page["next"]


def wait_for(condition, timeout_s=30):
    """What `condition` gives once it is true; asks again every 20 ms."""
    pause, until = threading.Event(), time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < until, "it did not come true in time"
        pause.wait(0.02)
    return found


def events_of(answer):
    event, data = "message", []
    for raw in answer:
        line = raw.decode().rstrip("\r\n")
        if line.startswith("event:"):
            event = line[6:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].strip())
        elif line == "" and data:
            yield event, json.loads("\n".join(data))
            event, data = "message", []
