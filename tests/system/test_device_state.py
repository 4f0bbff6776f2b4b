"""Last values, online and offline: through the real binary."""

import json
import time

import paho.mqtt.client as mqtt
import pytest
from test_cli import Cli

SQL = """CREATE TABLE readings (device STRING, ts TIMESTAMP_LTZ(3), temp DOUBLE, note STRING,
  WATERMARK FOR ts AS ts) WITH ('device' = 'device');
CREATE TABLE offline (device STRING, ts TIMESTAMP_LTZ(3), why STRING);
INSERT INTO offline SELECT device, ts, reason FROM device_events WHERE event = 'offline';
"""
PATIENCE_S = 20


@pytest.fixture
def cli(server, tmp_path):
    server.sql(SQL)
    return Cli(server, tmp_path)


def until(what, seen):
    """The first answer of `what` that `seen` likes; the loop ends by the deadline, each round asks the server anew."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = what()
        if seen(answer):
            return answer
        assert time.monotonic() < deadline, answer


def values_of(server, device):
    state = server.api("GET", f"/devices/{device}/state")
    stream = next(one for one in state["streams"] if one["stream"] == "readings")
    return state, stream


def connect(server, device, token):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"{device}-client", protocol=mqtt.MQTTv5)
    client.username_pw_set(device, token)
    client.connect("127.0.0.1", server.mqtt_port)
    client.loop_start()
    return client


def test_last_values_of_a_device_and_after_a_restart(cli):
    server = cli.server
    server.api("POST", "/devices", {"name": "meter-01"})
    server.api("POST", "/devices", {"name": "quiet"})
    server.api("POST", "/streams/readings/records", {"device": "meter-01", "ts": 1000, "temp": 20.5, "note": "ok"})
    server.api("POST", "/streams/readings/records", {"device": "meter-01", "ts": 3000, "temp": 21.25})
    server.api("POST", "/streams/readings/records", {"device": "meter-01", "ts": 2000, "temp": 99.0})

    def both():
        state, stream = values_of(server, "meter-01")
        return stream["values"] if stream["offset"] == 2 else None

    values = until(both, lambda found: found is not None)
    assert values["temp"] == {"value": 21.25, "time_us": 3_000_000}
    assert values["note"] == {"value": "ok", "time_us": 1_000_000}
    shown = cli.run("device", "get", "meter-01")
    assert "21.25" in shown and "1970-01-01T00:00:03.000Z" in shown and "last heard" in shown
    assert cli.json("device", "get", "meter-01")["state"]["streams"][0]["current"] is True
    quiet = cli.run("device", "get", "quiet")
    assert "no record yet" in quiet and "never" in quiet
    server.kill()
    server.start()
    again = until(both, lambda found: found is not None)
    assert again == values
    status, _, text = server.request("GET", "/api/v1/devices/nobody/state")
    assert status == 404 and json.loads(text)["code"] == 6001


def test_silence_and_connections_are_events_that_pipelines_read(cli):
    server = cli.server
    server.api("POST", "/devices", {"name": "sensor", "interval_ms": 500, "token": False})
    token = server.api("POST", "/devices", {"name": "phone"})["token"]
    server.api("POST", "/streams/readings/records", {"device": "sensor", "ts": 1000, "temp": 1.0})
    client = connect(server, "phone", token)
    until(lambda: server.api("GET", "/devices/phone/state"), lambda state: state["online"] and state["connections"])
    client.disconnect()
    client.loop_stop()

    def told():
        return sorted((event["device"], event["event"], event["reason"]) for event in server.records("device_events"))

    expected = [
        ("phone", "offline", "disconnected"),
        ("phone", "online", "connected"),
        ("sensor", "offline", "silent"),
        ("sensor", "online", "record"),
    ]
    until(told, lambda events: events == expected)
    derived = until(lambda: server.records("offline"), lambda rows: len(rows) == 2)
    assert sorted((row["device"], row["why"]) for row in derived) == [("phone", "disconnected"), ("sensor", "silent")]
    state = server.api("GET", "/devices/sensor/state")
    assert state["online"] is False and state["reason"] == "silent"
    assert "no, since" in cli.run("device", "get", "sensor")


def test_the_server_s_own_stream_is_nobody_s_to_write_or_drop(cli):
    server = cli.server
    token = server.api("POST", "/devices", {"name": "liar"})["token"]
    lie = '{"device": "liar", "event": "online", "reason": "so there"}'
    status, _, _ = server.request("POST", "/api/v1/streams/device_events/records", lie, token=f"liar:{token}")
    assert status == 404
    assert "TG6005" in cli.run("stream", "delete", "device_events", code=1)
    server.sql(
        "CREATE TABLE told (d STRING NOT NULL, t TIMESTAMP_LTZ(3) NOT NULL, e STRING NOT NULL, r STRING NOT NULL)"
    )
    wrong = "INSERT INTO device_events SELECT d, t, e, r FROM told"
    assert "TG7002" in cli.run("sql", "SET 'pipeline.name' = 'p'; " + wrong, code=1)
    client = connect(server, "liar", token)
    done = client.publish("streams/device_events", lie, qos=1)
    done.wait_for_publish(timeout=10)
    client.disconnect()
    client.loop_stop()
    assert all(event["reason"] != "so there" for event in server.records("device_events"))


def test_a_server_that_stops_takes_no_device_offline(cli):
    server = cli.server
    token = server.api("POST", "/devices", {"name": "phone"})["token"]
    client = connect(server, "phone", token)
    until(lambda: server.records("device_events"), lambda events: len(events) == 1)
    assert server.stop() == 0
    client.loop_stop()
    server.start()
    assert [event["event"] for event in server.records("device_events")] == ["online"]
