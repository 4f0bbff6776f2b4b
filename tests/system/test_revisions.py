"""ETag and If-Match of streams and pipelines: nobody deletes what somebody else has just changed."""

import json

import pytest

READINGS = "CREATE TABLE readings (device STRING, n INT) WITH ('device' = 'device');"
COPY = "CREATE TABLE copy (device STRING, n INT); INSERT INTO copy SELECT device, n FROM readings;"


def tag(server, path):
    status, headers, _ = server.request("GET", "/api/v1" + path)
    assert status == 200
    return {name.lower(): value for name, value in headers.items()}["etag"]


def attempt(server, method, path, expected):
    status, _, text = server.request(method, "/api/v1" + path, headers={"If-Match": expected})
    return status, json.loads(text)["code"] if status >= 400 else None


def test_a_stream_is_deleted_as_it_was_read_or_not_at_all(server):
    server.sql(READINGS)
    before = tag(server, "/streams/readings")
    server.api("POST", "/streams/readings/records", {"device": "a", "n": 1})
    assert tag(server, "/streams/readings") == before, "records do not change what a stream is"
    server.kill()
    server.start()
    assert tag(server, "/streams/readings") == before
    server.sql("ALTER TABLE readings ADD more INT")
    after = tag(server, "/streams/readings")
    assert after != before
    assert attempt(server, "DELETE", "/streams/readings", before) == (412, 6006)
    assert len(server.records("readings")) == 1
    for wrong in ("7, 8", after.strip('"'), "W/" + after, '"x"', '"-1"'):
        assert attempt(server, "DELETE", "/streams/readings", wrong) == (400, 6002), wrong
    assert attempt(server, "DELETE", "/streams/nothing", after) == (404, 6001)
    assert attempt(server, "DELETE", "/streams/readings", after) == (204, None)
    server.sql(READINGS)
    made_anew = tag(server, "/streams/readings")
    assert made_anew != before, "the same text, but another stream"
    assert attempt(server, "DELETE", "/streams/readings", before) == (412, 6006)
    assert attempt(server, "DELETE", "/streams/readings", "*") == (204, None)


@pytest.mark.parametrize("word", ["stop", "start"])
def test_a_pipeline_is_stopped_started_and_deleted_as_it_was_read(server, word):
    server.sql(READINGS + COPY)
    if word == "start":
        server.api("POST", "/pipelines/copy/stop")
    before = tag(server, "/pipelines/copy")
    assert attempt(server, "POST", f"/pipelines/copy/{word}", '"1"') == (412, 6006)
    assert tag(server, "/pipelines/copy") == before
    assert attempt(server, "POST", f"/pipelines/copy/{word}", before) == (204, None)
    after = tag(server, "/pipelines/copy")
    assert after != before
    assert attempt(server, "DELETE", "/pipelines/copy", before) == (412, 6006)
    assert server.api("GET", "/pipelines/copy")["wanted"] == ("stopped" if word == "stop" else "running")
    server.kill()
    server.start()
    assert attempt(server, "DELETE", "/pipelines/copy", after) == (204, None)
    assert attempt(server, "DELETE", "/pipelines/copy", after) == (404, 6001)
    assert attempt(server, "DELETE", "/streams/copy", tag(server, "/streams/copy")) == (204, None)
