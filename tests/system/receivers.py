"""Servers that sinks of the real binary send to: a web hook's receiver and a mail server."""

import contextlib
import http.server
import json
import ssl
import subprocess
import threading


def certificate(folder, name="localhost"):
    """A certificate of its own authority for localhost; (certificate, key) as files."""
    files = folder / f"{name}.pem", folder / f"{name}.key"
    if not files[0].exists():
        subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
        how = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        out = ["-out", str(files[0]), "-keyout", str(files[1])]
        subprocess.run(["openssl", "req", *how, *subject, *out], check=True, capture_output=True)
    return files


class Receiver:
    """Keeps every request; `answer` gives (status, headers) for one."""

    def __init__(self):
        self.requests = []
        self.answer = lambda request: (204, {})
        self.changed = threading.Condition()

    def records(self):
        """What was taken, in order, repetitions left out."""
        seen = {}
        for request in self.requests:
            for record in request["json"]["records"] if request["status"] < 300 else []:
                seen.setdefault(record["_id"], record)
        return list(seen.values())

    def wait(self, condition, timeout_s=30):
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self), timeout_s), self.requests
        return self


@contextlib.contextmanager
def receiver(tls_files=None, port=0):
    """A running Receiver; its address is `port`."""
    kept = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = {"path": self.path, "headers": dict(self.headers), "body": body, "json": json.loads(body)}
            request["status"], headers = kept.answer(request)
            self.send_response(request["status"])
            for name, value in ({"Content-Length": "0"} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            with kept.changed:
                kept.requests.append(request)
                kept.changed.notify_all()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    if tls_files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls_files)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
