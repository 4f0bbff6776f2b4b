"""Units, ranges and the quality of records, through the real binary."""

import http.client
import json
import os
import re
import subprocess
import threading

import paho.mqtt.client as mqtt
from tidegate import BINARY, ApiError, wait_for

ROUNDS = int(os.environ.get("TIDEGATE_KILL_ROUNDS", "5"))
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


CORRECTED = """CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3), temp DOUBLE, n BIGINT,
    price DECIMAL(6, 2), note STRING, quality STRING, entered_by STRING, WATERMARK FOR ts AS ts)
  WITH ('device' = 'device', 'mqtt.topic' = 'plant/{device}', 'quality' = 'quality', 'author' = 'entered_by',
        'range.temp' = '-40..85');
CREATE TABLE plain (device STRING, ts TIMESTAMP_LTZ(3), v DOUBLE, WATERMARK FOR ts AS ts) WITH ('device' = 'device');"""
NOON = "2026-01-01T12:00:00.000Z"


def correct(server, stream="readings", **members):
    wanted = {"device": "p1", "time": NOON, "values": {"temp": 21.5}, "reason": "sensor was wet"} | members
    return server.api("POST", f"/streams/{stream}/corrections", wanted)


def refused(server, **members):
    try:
        correct(server, **members)
    except ApiError as error:
        return error.status, error.problem
    raise AssertionError("it was taken")


def send(server, device, *records):
    token = server.add_device(device)
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=device)
    client.username_pw_set(device, token)
    client.connect("127.0.0.1", server.mqtt_port)
    client.loop_start()
    for record in records:
        client.publish(f"plant/{device}", json.dumps(record), qos=1).wait_for_publish(10)
    client.loop_stop()
    client.disconnect()


def test_a_correction_keeps_the_original_and_the_author(server):
    server.sql(CORRECTED)
    # A device cannot say who entered its records.
    send(
        server,
        "p1",
        {"ts": NOON, "temp": 99, "n": 9007199254740993, "price": "12.30", "note": "x", "entered_by": "eve"},
    )
    before = server.records("readings")
    settings = "--set", "temp=21.5", "--set", "note=", "--reason", "wet"
    done = command(server, "correct", "readings", "--device", "p1", "--at", NOON, *settings)
    assert done == f"corrected p1 at {NOON} in readings\n  temp  99 -> 21.5\n  note  x -> -\n"
    query = "SELECT temp, n, price, note, quality, entered_by FROM readings"
    original = {"temp": 99, "n": 9007199254740993, "price": 12.3, "note": "x", "quality": "bad", "entered_by": None}
    author = "operator"  # whose token the command line has on this machine
    corrected = original | {"temp": 21.5, "note": None, "quality": "substituted", "entered_by": author}
    assert rows(server, query) == [original, corrected]
    assert server.records("readings")[0] == before[0]

    # Corrected once more: the newest value is the old one.
    answer = correct(server, values={"temp": "20"}, reason="read wrongly")
    assert answer["changed"] == [{"column": "temp", "before": "21.5", "after": "20"}]
    assert answer["found"] and answer["author"] == author
    server.kill()
    server.start()
    notes = rows(
        server,
        "SELECT stream, device, record_time, column_name, old_value, new_value, author, reason FROM corrections",
    )
    base = {"stream": "readings", "device": "p1", "record_time": NOON, "author": author}
    assert notes == [
        base | {"column_name": "temp", "old_value": "99", "new_value": "21.5", "reason": "wet"},
        base | {"column_name": "note", "old_value": "x", "new_value": None, "reason": "wet"},
        base | {"column_name": "temp", "old_value": "21.5", "new_value": "20", "reason": "read wrongly"},
    ]
    assert [row["temp"] for row in rows(server, query)] == [99, 21.5, 20]
    newest = rows(
        server,
        "SELECT device, window_start, LAST_VALUE(temp) AS temp "
        "FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' SECOND)) "
        "GROUP BY device, window_start, window_end",
    )
    assert [row["temp"] for row in newest] == [20]
    # What nobody measured may be read by a person.
    assert correct(server, time="2026-01-01T13:00:00Z")["found"] is False
    assert correct(server, device="p9")["found"] is False
    assert rows(server, "SELECT old_value FROM corrections WHERE device = 'p9'") == [{"old_value": None}]


def log_in(server):
    """A session of the person who is called admin."""
    password = re.search(r"one-time password:\s+(\S+)", "".join(server.output)).group(1)
    change = {"user": "admin", "old_password": password, "new_password": "a longer one than ten"}
    assert server.request("POST", "/api/v1/password", json.dumps(change), token="")[0] in (200, 204)
    body = json.dumps({"user": "admin", "password": "a longer one than ten"})
    return json.loads(server.request("POST", "/api/v1/login", body, token="")[2])["token"]


def test_people_sign_their_readings_and_nobody_else_does(server):
    server.sql(CORRECTED)
    send(server, "p1", {"ts": NOON, "temp": 1, "entered_by": "eve"}, {"ts": NOON, "temp": 2})
    person = log_in(server)
    records = [{"device": "p2", "ts": NOON, "temp": 3, "entered_by": "eve"}, {"device": "p2", "ts": NOON, "temp": 4}]
    assert server.request("POST", "/api/v1/streams/readings/records", json.dumps(records), token=person)[0] == 200
    # A service is no person either.
    server.api("POST", "/streams/readings/records", {"device": "p2", "ts": NOON, "temp": 5, "entered_by": "eve"})
    signed = {row["temp"]: row["entered_by"] for row in rows(server, "SELECT temp, entered_by FROM readings")}
    assert signed == {1: None, 2: None, 3: "admin", 4: "admin", 5: None}
    wanted = {"device": "p2", "time": NOON, "values": {"temp": 6}, "reason": "typed wrongly"}
    status, _, text = server.request("POST", "/api/v1/streams/readings/corrections", json.dumps(wanted), token=person)
    assert status == 201
    assert json.loads(text)["author"] == "admin"
    assert rows(server, "SELECT author FROM corrections") == [{"author": "admin"}]
    assert rows(server, "SELECT entered_by FROM readings WHERE temp = 6") == [{"entered_by": "admin"}]


def test_wrong_corrections_are_explained_and_leave_nothing(server):
    server.sql(CORRECTED)
    send(server, "p1", {"ts": NOON, "temp": 20})
    for members, status, words in (
        ({"values": {"temp": 86}}, 400, "outside of its range -40..85"),
        ({"values": {"temp": "warm"}}, 400, "expects DOUBLE"),
        ({"values": {"temp": "1e400"}}, 400, 'expects DOUBLE, but \\"1e400\\" came'),
        ({"values": {"tmp": 1}}, 400, "no column 'tmp'"),
        ({"values": {"quality": "good"}}, 400, "cannot be corrected"),
        ({"values": {"entered_by": "eve"}}, 400, "cannot be corrected"),
        ({"values": {"device": "p2"}}, 400, "cannot be corrected"),
        ({"values": {"ts": NOON}}, 400, "cannot be corrected"),
        ({"values": {"temp": 1, "TEMP": 2}}, 400, "set twice"),
        ({"values": {}}, 400, "'values' must be an object"),
        ({"values": [1]}, 400, "'values' must be an object"),
        ({"time": "noon"}, 400, "'ts'"),
        ({"time": "2099-01-01T00:00:00Z"}, 400, "later than"),
        ({"time": None}, 400, "'time' is missing"),
        ({"reason": ""}, 400, "'reason' is missing"),
        ({"reason": "x" * 1001}, 400, "at most 1000 bytes"),
        ({"device": ""}, 400, "'device' is missing"),
        ({"more": 1}, 400, "more"),
        ({"stream": "plain", "values": {"v": 1}}, 400, "cannot be corrected"),
        ({"stream": "nowhere"}, 404, "no stream 'nowhere'"),
        ({"stream": "corrections"}, 400, "cannot be corrected"),
    ):
        got, problem = refused(server, **members)
        assert (got, words in json.dumps(problem)) == (status, True), (members, got, problem)
    assert len(rows(server, "SELECT * FROM readings")) == 1
    assert rows(server, "SELECT * FROM corrections") == []
    assert rows(server, "SELECT * FROM readings_dead_letters") == []
    # A device may not, and the stream of corrections takes nothing from outside.
    token = server.add_device("p3")
    body = json.dumps({"device": "p3", "time": NOON, "values": {"temp": 1}, "reason": "x"})
    assert server.request("POST", "/api/v1/streams/readings/corrections", body, token=f"p3:{token}")[0] == 403
    assert server.request("POST", "/api/v1/streams/corrections/records", "{}")[0] == 404
    said = command(
        server, "correct", "readings", "--device", "p1", "--at", NOON, "--set", "temp", "--reason", "x", code=2
    )
    assert "--set takes column=value" in said


def test_over_kill_9_a_correction_is_there_with_its_note_or_not_at_all(server):
    server.sql(CORRECTED)
    send(server, "p1", {"ts": NOON, "temp": 20})
    answered = []

    def keep_correcting(first):
        try:
            for number in range(first, first + 10_000):
                correct(server, values={"n": number}, reason=f"number {number}")
                answered.append(number)
        except (OSError, http.client.HTTPException):
            pass  # the server is gone

    for turn in range(ROUNDS):
        before = len(answered)
        people = [threading.Thread(target=keep_correcting, args=(turn * 100_000 + 20_000 * n,)) for n in range(3)]
        for person in people:
            person.start()
        wait_for(lambda: len(answered) >= before + 5)
        server.kill()
        for person in people:
            person.join()
        server.start()
    records = [row["n"] for row in rows(server, "SELECT n FROM readings WHERE quality = 'substituted'")]
    notes = rows(server, "SELECT old_value, new_value FROM corrections")
    assert records == [int(note["new_value"]) for note in notes]
    # What one wrote is the old value of the next.
    assert [note["old_value"] for note in notes] == [None] + [note["new_value"] for note in notes[:-1]]
    assert set(answered) <= set(records)
    assert len(records) == len(set(records))


def test_what_pipelines_write_is_held_to_the_ranges_once_also_over_kill_9(server):
    server.sql("""CREATE TABLE raw (device STRING NOT NULL, n BIGINT, temp DOUBLE) WITH ('device' = 'device');
      CREATE TABLE strict (device STRING, n BIGINT, temp DOUBLE)
        WITH ('device' = 'device', 'unit.temp' = 'Cel', 'range.temp' = '-40..85');
      CREATE TABLE marked (device STRING, n BIGINT, temp DOUBLE, quality STRING)
        WITH ('device' = 'device', 'range.temp' = '-40..85', 'quality' = 'quality');
      SET 'pipeline.name' = 'to_strict'; INSERT INTO strict SELECT device, n, temp FROM raw;
      SET 'pipeline.name' = 'to_marked'; INSERT INTO marked SELECT device, n, temp, CAST(NULL AS STRING) FROM raw;""")
    batch = 300
    for round_number in range(ROUNDS):
        first = round_number * batch
        records = [{"device": f"d{n % 7}", "n": n, "temp": 20 if n % 3 else 99} for n in range(first, first + batch)]
        server.api("POST", "/streams/raw/records", records)
        server.kill()  # in the middle of whatever the pipelines are doing
        server.start()
    total = ROUNDS * batch
    wait_for(lambda: len(server.records("marked")) >= total)
    wait_for(lambda: len(server.records("strict")) + len(server.records("strict_dead_letters")) >= total)
    assert sorted(row["n"] for row in server.records("strict")) == [n for n in range(total) if n % 3]
    dead = server.records("strict_dead_letters")
    assert sorted(json.loads(letter["payload"])["n"] for letter in dead) == [n for n in range(total) if n % 3 == 0]
    assert {letter["code"] for letter in dead} == {4013}
    assert dead[0]["reason"] == "column 'temp' is 99 Cel, outside of its range -40..85 (pipeline 'to_strict')"
    assert all(letter["device"] == json.loads(letter["payload"])["device"] for letter in dead)
    marked = sorted((row["n"], row["quality"]) for row in server.records("marked"))
    assert marked == [(n, "good" if n % 3 else "bad") for n in range(total)]
    assert server.records("marked_dead_letters") == []
    server.api("POST", "/streams/raw/records", [{"device": "d1", "n": -1, "temp": -41}, {"device": "d1", "n": -2}])
    wait_for(lambda: len(server.records("strict_dead_letters")) == len(dead) + 1)
    assert re.search(r"dead_letters\s+\d", command(server, "pipeline", "get", "to_strict"))
    assert server.api("GET", "/pipelines/to_strict")["dead_letters"] >= 1
