"""Sinks of the real binary: what they say of themselves, and what arrives at real peers."""

import json
import subprocess

from tidegate import BINARY, wait_for

TABLE = "CREATE TABLE readings (device STRING NOT NULL, n BIGINT NOT NULL) WITH ('device' = 'device');"


def push(server, *numbers):
    body = "\n".join(json.dumps({"device": "a", "n": number}) for number in numbers)
    return server.api("POST", "/streams/readings/records", body)


def sink(server, name):
    return next(one for one in server.api("GET", "/status")["sinks"] if one["stream"] == name)


def test_a_failing_sink_is_named_with_its_error_and_backlog(server):
    folder = server.data / "sinks"
    folder.mkdir(parents=True)
    (folder / "blocked").write_text("a file where a folder should be")
    server.sql(TABLE + """CREATE TABLE good (n BIGINT) WITH ('connector' = 'file', 'path' = 'good.ndjson');
        CREATE TABLE bad (n BIGINT) WITH ('connector' = 'file', 'path' = 'blocked/bad.ndjson');
        INSERT INTO good SELECT n FROM readings; INSERT INTO bad SELECT n FROM readings;""")
    push(server, 1, 2, 3)
    wait_for(lambda: sink(server, "good")["delivered"] == 3)
    failing = wait_for(lambda: (now := sink(server, "bad"))["backlog_rows"] == 3 and now["retries"] > 0 and now)
    assert failing["state"] == "retrying" and "blocked" in failing["last_error"] and failing["failing_since"]
    shown = subprocess.run([BINARY, "--data", server.data, "status"], capture_output=True, text=True, timeout=30).stdout
    line = next(line for line in shown.splitlines() if line.startswith("bad ") and "retrying" in line)
    assert "blocked" in line and "idle" in next(x for x in shown.splitlines() if x.startswith("good ") and "idle" in x)
    metrics = server.request("GET", "/metrics")[2]
    assert 'tidegate_sink_up{stream="bad"} 0' in metrics and 'tidegate_sink_up{stream="good"} 1' in metrics
    (folder / "blocked").unlink()
    wait_for(lambda: sink(server, "bad")["delivered"] == 3)
    assert sink(server, "bad")["state"] == "idle" and "last_error" not in sink(server, "bad")
    assert [json.loads(line)["n"] for line in (folder / "blocked/bad.ndjson").read_text().splitlines()] == [1, 2, 3]
