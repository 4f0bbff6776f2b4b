"""Columns for streams whose devices send and whose pipelines run, through the real binary."""

import json
import os
import random
import subprocess
import threading

import paho.mqtt.client as mqtt
from tidegate import BINARY, ApiError, wait_for

ROUNDS = int(os.environ.get("TIDEGATE_KILL_ROUNDS", "5"))
TABLES = """CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3), n BIGINT, WATERMARK FOR ts AS ts)
  WITH ('device' = 'device', 'mqtt.topic' = 'in/{device}');
CREATE TABLE copies (device STRING, ts TIMESTAMP_LTZ(3), n BIGINT)
  WITH ('connector' = 'file', 'path' = 'copies.ndjson');
CREATE TABLE sums (device STRING, total BIGINT);
INSERT INTO copies SELECT * FROM readings;
INSERT INTO sums SELECT device, SUM(n) FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  GROUP BY device, window_start, window_end;"""


class Device:
    """One MQTT connection that stays open over whatever happens to its stream."""

    def __init__(self, server, name):
        self.name = name
        token = server.add_device(name)
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name)
        self.client.username_pw_set(name, token)
        self.lost = []
        self.client.on_disconnect = lambda *_: self.lost.append(True)
        self.client.connect("127.0.0.1", server.mqtt_port)
        self.client.loop_start()

    def send(self, second, n, **more):
        record = {"ts": f"2026-01-01T00:00:{second:02}Z", "n": n} | more
        self.client.publish(f"in/{self.name}", json.dumps(record), qos=1).wait_for_publish(10)

    def close(self):
        self.client.loop_stop()
        self.client.disconnect()


def command(server, *words, code=0):
    done = subprocess.run([BINARY, "--data", server.data, *words], capture_output=True, text=True, timeout=30)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def columns(server, stream):
    return [column["name"] for column in server.api("GET", f"/streams/{stream}")["schema"]["columns"]]


def running(server):
    return {one["name"]: one["state"] for one in server.api("GET", "/pipelines")["pipelines"]}


def delivered(server):
    path = server.data / "sinks/copies.ndjson"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_column_comes_while_devices_send_and_pipelines_run(server):
    server.sql(TABLES)
    device = Device(server, "m")
    device.send(1, 1)
    live = server.live("SELECT * FROM readings")
    assert [column["name"] for column in next(live)[1]["columns"]] == ["device", "ts", "n"]
    wait_for(lambda: len(delivered(server)) == 1)

    assert (
        command(server, "sql", "ALTER TABLE readings ADD (humidity DOUBLE, note STRING)") == "altered stream readings\n"
    )
    assert columns(server, "readings") == ["device", "ts", "n", "humidity", "note"]
    device.send(2, 2, humidity=40.5)
    assert not device.lost
    # Who reads already goes on with the columns that were asked for.
    assert next(live)[1] == [{"device": "m", "ts": "2026-01-01T00:00:02.000Z", "n": 2}]
    rows = command(server, "-o", "json", "sql", "SELECT n, humidity FROM readings ORDER BY n").splitlines()
    assert [json.loads(row) for row in rows] == [{"n": 1, "humidity": None}, {"n": 2, "humidity": 40.5}]
    last = server.api("GET", "/devices/m/state")["streams"]
    values = next(one for one in last if one["stream"] == "readings")
    assert "40.5" in json.dumps(values)

    # The sink's stream too; a pipeline that writes less goes on.
    assert "altered stream copies" in command(server, "sql", "ALTER TABLE copies ADD humidity DOUBLE")
    device.send(3, 4, humidity=41)
    wait_for(lambda: len(delivered(server)) == 3)
    assert [row.get("humidity", "none") for row in delivered(server)] == ["none", "none", None]
    assert running(server) == {"copies": "running", "sums": "running"}

    server.kill()
    server.start()
    assert running(server) == {"copies": "running", "sums": "running"}
    assert [row["humidity"] for row in server.records("readings")] == [None, 40.5, 41]
    server.sql("SET 'pipeline.name' = 'wide'; INSERT INTO copies SELECT device, ts, n, humidity FROM readings;")
    wait_for(lambda: len(delivered(server)) == 6)
    assert [row["humidity"] for row in delivered(server)[3:]] == [None, 40.5, 41]
    body = json.dumps({"device": "m", "ts": "2026-01-01T00:00:11Z", "n": 0})
    server.api("POST", "/streams/readings/records", body)
    wait_for(lambda: server.records("sums") != [])
    assert [row["total"] for row in server.records("sums")] == [7]  # the window that was open all the while
    device.close()


def test_what_cannot_be_added_is_told(server):
    server.sql(TABLES)
    for text, code in [
        ("ALTER TABLE readings ADD n BIGINT", 2013),
        ("ALTER TABLE readings ADD x INT NOT NULL", 2006),
        ("ALTER TABLE readings DROP n", 2006),
        ("ALTER TABLE nothing ADD x INT", 2002),
        ("ALTER TABLE device_events ADD x INT", 2006),
        ("ALTER TABLE sums_late ADD x INT", 2006),
    ]:
        try:
            server.sql(text)
            raise AssertionError(text)
        except ApiError as error:
            assert error.problem["code"] == code, (text, error.problem)
            assert error.problem["hint"]
    told = command(server, "sql", "ALTER TABLE readings\n  ADD (a INT,\n n INT)", code=1)
    assert "line 3" in told or "   3 |" in told, told
    assert columns(server, "readings") == ["device", "ts", "n"]


def test_files_that_declare_a_column_add_it(server, tmp_path):
    site = tmp_path / "site.sql"
    site.write_text(TABLES)
    assert "created pipeline sums" in command(server, "apply", "-f", site)
    server.api("POST", "/streams/readings/records", json.dumps({"device": "m", "ts": 1000, "n": 1}))
    site.write_text(TABLES.replace("n BIGINT, WATERMARK", "n BIGINT, humidity DOUBLE, WATERMARK"))
    planned = command(server, "plan", "-f", site, code=2).splitlines()
    assert planned == [
        "~ change stream readings: adds humidity DOUBLE; devices and pipelines go on",
        "0 to create, 1 to change, 0 to delete; 4 unchanged",
    ]
    assert columns(server, "readings") == ["device", "ts", "n"]
    assert command(server, "apply", "-f", site).splitlines() == [
        "altered stream readings",
        "unchanged stream copies",
        "unchanged stream sums",
        "unchanged pipeline copies",
        "unchanged pipeline sums",
    ]
    assert "no changes" in command(server, "plan", "-f", site)
    # Now the copy has a place for it, too.
    grown = site.read_text().replace(
        "ts TIMESTAMP_LTZ(3), n BIGINT)", "ts TIMESTAMP_LTZ(3), n BIGINT, humidity DOUBLE)"
    )
    site.write_text(grown)
    assert command(server, "plan", "-f", site, code=2).splitlines()[:2] == [
        "~ change stream copies: adds humidity DOUBLE; devices and pipelines go on",
        "~ change pipeline copies: goes on where it is and keeps its state",
    ]
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "all.sql").write_text(grown)
    command(server, "apply", "-f", folder)
    server.kill()
    server.start()
    assert "no changes" in command(server, "plan", "-f", site)
    server.api("POST", "/streams/readings/records", json.dumps({"device": "m", "ts": 2000, "n": 2, "humidity": 7}))
    wait_for(lambda: len(delivered(server)) == 2)
    assert [row.get("humidity") for row in delivered(server)] == [None, 7]
    # A column does not go again.
    site.write_text(TABLES)
    assert "has columns that its file does not declare: humidity DOUBLE" in command(server, "plan", "-f", site, code=1)


def test_kill_while_columns_come_under_load(server):
    server.sql(TABLES)
    names, acknowledged, count = [], [], 0
    for round_number in range(ROUNDS):
        stop = threading.Event()

        def load():
            number = count
            while not stop.is_set():
                try:
                    record = {"device": "m", "ts": 1000, "n": number} | {name: number for name in names}
                    server.api("POST", "/streams/readings/records", json.dumps(record))
                    acknowledged.append(number)
                except (OSError, ApiError):
                    return
                number += 1

        sender = threading.Thread(target=load)
        sender.start()
        killer = threading.Timer(random.uniform(0.05, 0.4), server.kill)
        killer.start()
        wanted = list(names)
        try:
            while len(wanted) < 200:
                wanted.append(f"c{len(wanted)}")
                server.sql(f"ALTER TABLE readings ADD {wanted[-1]} BIGINT")
                names.append(wanted[-1])
        except (OSError, ApiError):
            pass
        killer.join()
        stop.set()
        sender.join()
        server.start()
        have = columns(server, "readings")[3:]
        assert have in (names, wanted), f"{have} after {names} were acknowledged"
        names[:] = have
        assert running(server) == {"copies": "running", "sums": "running"}
        assert server.api("GET", "/status")["warnings"] == []
        count = max(acknowledged, default=-1) + 2  # one may have been stored without an answer
    records = server.records("readings")
    assert {row["n"] for row in records} >= set(acknowledged)
    for row in records:
        assert all(value in (None, row["n"]) for name, value in row.items() if name.startswith("c")), row
    wait_for(lambda: len(server.records("copies")) == len(records))
    print(f"\nALTER and kill -9: {ROUNDS} rounds, {len(names)} columns, {len(acknowledged)} records acknowledged")
