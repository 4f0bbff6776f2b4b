"""Webhooks of the real binary against a real HTTPS receiver."""

import json
import socket
import subprocess

import pytest
from receivers import certificate, receiver
from standardwebhooks.webhooks import Webhook
from tidegate import BINARY, ApiError, Server, wait_for

TABLE = "CREATE TABLE readings (device STRING NOT NULL, n BIGINT NOT NULL) WITH ('device' = 'device');"


def push(server, *numbers):
    body = "\n".join(json.dumps({"device": "a", "n": number}) for number in numbers)
    return server.api("POST", "/streams/readings/records", body)


def sink(server, name="hook"):
    return next(one for one in server.api("GET", "/status")["sinks"] if one["stream"] == name)


def hook(url, *options):
    lines = ", ".join(f"'{name}' = '{value}'" for name, value in (("connector", "webhook"), ("url", url), *options))
    return f"""{TABLE} CREATE TABLE hook (device STRING, n BIGINT) WITH ({lines});
        INSERT INTO hook SELECT device, n FROM readings;"""


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def command(server, *words, **keywords):
    return subprocess.run(
        [BINARY, "--data", server.data, *words], capture_output=True, text=True, timeout=30, **keywords
    )


def test_signed_batches_arrive_over_tls_and_verify_with_the_standard_library(tmp_path):
    tls = certificate(tmp_path)
    with receiver(tls) as got, Server(tmp_path / "data", "--allow-target", f"localhost:{got.port}") as server:
        made = command(server, "secret", "set", "hook-key", "--generate")
        key = next(line.split()[1] for line in made.stdout.splitlines() if line.startswith("key "))
        url = f"https://localhost:{got.port}/alarms?site=1"
        server.sql(hook(url, ("secret", "hook-key"), ("ca.file", tls[0])))
        push(server, 1, 2, 3)
        got.wait(lambda r: len(r.records()) == 3)
        request = got.requests[0]
        assert request["path"] == "/alarms?site=1"
        assert request["headers"]["webhook-id"] == f"hook:{request['json']['first']}-{request['json']['last']}"
        assert Webhook(key).verify(request["body"], request["headers"])["stream"] == "hook"
        assert [record["n"] for record in got.records()] == [1, 2, 3]
        wait_for(lambda: sink(server)["delivered"] == 3)
        # The key is nowhere to be seen: not in lists and definitions, not in the log.
        shown = command(server, "secret", "list").stdout + command(server, "stream", "get", "hook").stdout
        shown += json.dumps(server.api("GET", "/streams/hook")) + json.dumps(server.api("GET", "/secrets"))
        assert "hook-key" in shown and key not in shown + server.log_text() and key[6:] not in shown
        assert command(server, "secret", "delete", "hook-key").returncode == 1
        files = b"".join(path.read_bytes() for path in server.data.rglob("*") if path.is_file())
        assert key.encode() not in files


def test_nothing_leaves_without_the_administrator_of_the_machine(server):
    with pytest.raises(ApiError) as refused:
        server.sql(hook("https://hooks.example.org/x"))
    assert refused.value.problem["code"] == 7002 and "--allow-target" in refused.value.problem["hint"]
    assert "hook" not in [stream["name"] for stream in server.api("GET", "/streams")["streams"]]


def test_a_target_taken_off_the_list_gets_nothing_more_and_the_sink_says_so(tmp_path):
    with receiver() as got:
        allowed = ("--allow-target", f"127.0.0.1:{got.port}")
        with Server(tmp_path / "data", *allowed) as server:
            server.sql(hook(f"http://127.0.0.1:{got.port}/"))
            push(server, 1)
            wait_for(lambda: sink(server)["delivered"] == 1)  # its position is stored: it is not sent again
        with Server(tmp_path / "data") as server:
            push(server, 2)
            failing = wait_for(lambda: (now := sink(server))["retries"] > 0 and now["backlog_rows"] == 1 and now)
            assert "TG7002" in failing["last_error"]
        assert len(got.records()) == 1
        with Server(tmp_path / "data", *allowed) as server:
            got.wait(lambda r: [record["n"] for record in r.records()] == [1, 2])


def test_redirects_plain_text_and_unknown_certificates_are_refused(tmp_path):
    tls = certificate(tmp_path)
    with receiver(tls) as other, receiver() as got:
        targets = ("--allow-target", f"localhost:{other.port},localhost:{got.port}")
        with Server(tmp_path / "data", *targets) as server:
            got.answer = lambda _: (307, {"Location": f"https://localhost:{other.port}/"})
            server.sql(hook(f"http://localhost:{got.port}/"))
            server.sql(f"""CREATE TABLE untrusted (n BIGINT) WITH ('connector' = 'webhook',
                'url' = 'https://localhost:{other.port}/'); INSERT INTO untrusted SELECT n FROM readings;""")
            push(server, 1)
            moved = wait_for(lambda: (now := sink(server))["retries"] > 0 and now)
            assert "307" in moved["last_error"] and "redirects" in moved["last_error"]
            assert "TG5003" in wait_for(lambda: sink(server, "untrusted").get("last_error"))
            assert not other.requests


def test_kill_9_in_between_loses_nothing_and_repeats_only_whole_deliveries(tmp_path):
    with receiver() as got:
        server = Server(tmp_path / "data", "--allow-target", f"127.0.0.1:{got.port}").start()
        server.sql(hook(f"http://127.0.0.1:{got.port}/", ("batch.rows", 7)))
        sent = 0
        for _ in range(6):
            before = len(got.requests)
            push(server, *range(sent, sent + 50))
            sent += 50
            got.wait(lambda r: len(r.requests) > before)
            server.kill()
            server.start()
        got.wait(lambda r: len(r.records()) == sent)
        server.kill()
    assert [record["n"] for record in got.records()] == list(range(sent))
    bodies = {}
    for request in got.requests:
        assert bodies.setdefault(request["headers"]["webhook-id"], request["body"]) == request["body"]


def test_an_outage_and_a_poison_record(tmp_path):
    port = free_port()
    with Server(tmp_path / "data", "--allow-target", f"127.0.0.1:{port}") as server:
        server.sql(hook(f"http://127.0.0.1:{port}/", ("max_attempts", 2)))
        push(server, *range(10))
        wait_for(lambda: sink(server)["retries"] > 0)
        with receiver(port=port) as got:
            answers = [(429, {"Retry-After": "1"})]
            poison = lambda request: any(record["n"] == 4 for record in request["json"]["records"])
            got.answer = lambda request: answers.pop() if answers else (422 if poison(request) else 200, {})
            wait_for(lambda: sink(server)["delivered"] == 9 and sink(server)["dead_letters"] == 1)
            assert [record["n"] for record in got.records()] == [n for n in range(10) if n != 4]
        letter = server.records("hook_dead_letters")[0]
        assert letter["code"] == 4002 and json.loads(letter["payload"])["n"] == 4 and letter["device"] is None


def test_a_silent_receiver_holds_up_no_other_sink_and_no_stop(tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        with Server(tmp_path / "data", "--allow-target", f"127.0.0.1:{port}") as server:
            server.sql(hook(f"http://127.0.0.1:{port}/", ("timeout", "2 min")))
            server.sql("""CREATE TABLE kept (n BIGINT) WITH ('connector' = 'file', 'path' = 'kept.ndjson');
                INSERT INTO kept SELECT n FROM readings;""")
            push(server, 1)
            held, _ = silent.accept()
            wait_for(lambda: sink(server, "kept")["delivered"] == 1)
            assert sink(server)["state"] == "delivering"
            assert server.stop() == 0
            held.close()
