"""Units, ranges and the quality of records, through the real binary."""

import json
import subprocess

import paho.mqtt.client as mqtt
from tidegate import BINARY, ApiError

TABLE = """CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3), temp DOUBLE, flow DOUBLE, quality STRING,
    WATERMARK FOR ts AS ts)
  WITH ('device' = 'device', 'mqtt.topic' = 'plant/{device}', 'quality' = 'quality',
        'unit.temp' = 'Cel', 'range.temp' = '-40..85', 'resolution.temp' = '0.1',
        'unit.flow' = 'm3/h', 'range.flow' = '0..');
CREATE TABLE levels (device STRING NOT NULL, level INT)
  WITH ('device' = 'device', 'unit.level' = '%', 'range.level' = '0..100');"""


def command(server, *words, code=0):
    done = subprocess.run([BINARY, "--data", server.data, *words], capture_output=True, text=True, timeout=30)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def rows(server, query):
    return [json.loads(line) for line in command(server, "-o", "json", "sql", query).splitlines()]


def test_records_have_a_quality_and_numbers_a_meaning(server):
    server.sql(TABLE)
    answer = server.api(
        "POST",
        "/streams/readings/records",
        [
            {"device": "p1", "ts": 1000, "temp": 20.5, "flow": 3},
            {"device": "p1", "ts": 2000, "temp": 120, "flow": 3},
            {"device": "p1", "ts": 3000, "temp": 21.5, "quality": "uncertain"},
            {"device": "p1", "ts": 4000, "temp": 22, "quality": "perhaps"},
        ],
    )
    assert answer["accepted"] == 3
    # A device over MQTT, on the topic that says who it is.
    token = server.add_device("p2")
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="p2")
    client.username_pw_set("p2", token)
    client.connect("127.0.0.1", server.mqtt_port)
    client.loop_start()
    client.publish("plant/p2", json.dumps({"ts": 1000, "temp": -41}), qos=1).wait_for_publish(10)
    client.loop_stop()
    client.disconnect()

    wanted = [("p1", 20.5, "good"), ("p1", 120, "bad"), ("p1", 21.5, "uncertain"), ("p2", -41, "bad")]
    query = "SELECT device, temp, quality FROM readings ORDER BY device, ts"
    assert [tuple(row.values()) for row in rows(server, query)] == wanted
    server.kill()
    server.start()
    assert [tuple(row.values()) for row in rows(server, query)] == wanted

    hourly = rows(
        server,
        "SELECT device, COUNT(*) AS n, AVG(temp) FILTER (WHERE quality = 'good') AS mean "
        "FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' HOUR)) "
        "GROUP BY device, window_start, window_end ORDER BY device",
    )
    assert hourly == [{"device": "p1", "n": 3, "mean": 20.5}, {"device": "p2", "n": 1, "mean": None}]

    # The stream says what it knows, to programs and to people.
    stream = server.api("GET", "/streams/readings")
    assert stream["quality_column"] == "quality"
    assert stream["values"] == [
        {
            "column": "temp",
            "unit": "Cel",
            "unit_name": "degree Celsius",
            "least": "-40",
            "greatest": "85",
            "resolution": "0.1",
        },
        {"column": "flow", "unit": "m3/h", "unit_name": "metre^3 per hour", "least": "0"},
    ]
    shown = command(server, "stream", "get", "readings")
    assert "temp  DOUBLE, Cel (degree Celsius), -40..85, steps of 0.1\n" in shown
    assert "flow  DOUBLE, m3/h (metre^3 per hour), 0..\n" in shown


def test_without_a_quality_what_is_outside_is_a_dead_letter(server):
    server.sql(TABLE)
    try:
        server.api("POST", "/streams/levels/records", {"device": "tank", "level": 101})
        raise AssertionError("a level of 101 % was taken")
    except ApiError as error:
        assert error.status == 422
        assert "TG4013" in json.dumps(error.problem)
        assert "column 'level' is 101 %, outside of its range 0..100" in json.dumps(error.problem)
    server.api("POST", "/streams/levels/records", {"device": "tank", "level": 100})
    letters = rows(server, "SELECT device, code, reason, payload FROM levels_dead_letters")
    assert letters == [
        {
            "device": "tank",
            "code": 4013,
            "reason": "column 'level' is 101 %, outside of its range 0..100",
            "payload": '{"device": "tank", "level": 101}',
        }
    ]
    assert [row["level"] for row in rows(server, "SELECT level FROM levels")] == [100]


def test_what_is_no_unit_is_explained(server):
    said = command(server, "sql", "CREATE TABLE t (device STRING, temp DOUBLE) WITH ('unit.temp' = '°C')", code=1)
    assert "TG2010" in said and "'°C' is no unit of UCUM" in said
    assert "Did you mean 'Cel' (degree Celsius)? 'C' is coulomb" in said
    said = command(server, "sql", "CREATE TABLE t (device STRING, temp DOUBLE) WITH ('units.temp' = 'Cel')", code=1)
    assert "unknown option 'units.temp'" in said
