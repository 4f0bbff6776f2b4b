"""A pipeline whose results do not come says what it waits for."""

import subprocess

from tidegate import BINARY, wait_for

READINGS = """
CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3) NOT NULL, v DOUBLE, WATERMARK FOR ts AS ts)
  WITH ('device' = 'device', 'idle_timeout' = '{idle}');
CREATE TABLE per_device (device STRING, n BIGINT);
INSERT INTO per_device SELECT device, COUNT(*) FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  GROUP BY device, window_start, window_end;
CREATE TABLE overall (n BIGINT);
INSERT INTO overall SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  GROUP BY window_start, window_end;
"""

RULE = """
CREATE TABLE gone (device STRING, event STRING);
INSERT INTO gone SELECT device, event
  FROM TABLE(DETECT_MISSING(TABLE readings PARTITION BY device, FOR => INTERVAL '1' HOUR));
"""


def push(server, device, at):
    server.api("POST", "/streams/readings/records", [{"device": device, "ts": f"2026-01-01T00:{at}Z", "v": 1}])


def waits(server, pipeline):
    return {wait["reason"]: wait for wait in server.api("GET", f"/pipelines/{pipeline}")["waits"]}


def test_a_silent_source_and_a_silent_device_are_named(server):
    server.sql(READINGS.format(idle="1 s"))
    push(server, "m-7", "00:01")
    wait_for(lambda: waits(server, "per_device").keys() == {"source_silent", "device_silent"})
    silent = waits(server, "per_device")["device_silent"]
    assert silent["device"] == "m-7" and "open windows of device 'm-7' of 'readings' wait" in silent["text"]
    assert "no record in 'readings' for" in waits(server, "per_device")["source_silent"]["text"]
    shown = [BINARY, "--data", server.data, "pipeline", "get", "per_device"]
    out = subprocess.run(shown, capture_output=True, text=True, timeout=30).stdout
    assert "waits for" in out and "m-7" in out
    _, _, page = server.request("GET", "/metrics")
    assert 'tidegate_pipeline_waits{pipeline="per_device",reason="device_silent",stream="readings"} 1' in page


def test_a_detection_does_not_wait_for_a_silent_device(server):
    server.sql(READINGS.format(idle="1 s") + RULE)
    push(server, "m-7", "00:01")
    wait_for(lambda: "device_silent" in waits(server, "per_device"))
    assert waits(server, "gone").keys() == {"source_silent"}


def test_a_device_whose_clock_is_behind_is_named_where_it_holds_the_others(server):
    server.sql(READINGS.format(idle="1 h"))
    push(server, "quick", "30:00")
    push(server, "slow", "10:00")
    wait_for(lambda: waits(server, "overall"))
    held = waits(server, "overall")["watermark_held"]
    assert held["device"] == "slow" and "20 min 0 s behind the newest" in held["text"]
    assert waits(server, "per_device") == {}
    push(server, "slow", "30:00")
    wait_for(lambda: waits(server, "overall") == {})
