"""An event time that is computed from what devices send, through the real binary."""

import json
import os
import subprocess
from collections import defaultdict

import paho.mqtt.client as mqtt
from tidegate import BINARY, wait_for

ROUNDS = int(os.environ.get("TIDEGATE_KILL_ROUNDS", "5"))
TABLES = """CREATE TABLE meter (device STRING NOT NULL, epoch BIGINT, ts AS TO_TIMESTAMP_LTZ(epoch, 3), n BIGINT,
  WATERMARK FOR ts AS ts) WITH ('device' = 'device', 'mqtt.topic' = 'in/{device}');
CREATE TABLE written (device STRING, s BIGINT, n BIGINT, ts AS TO_TIMESTAMP_LTZ(s, 0), WATERMARK FOR ts AS ts)
  WITH ('device' = 'device', 'connector' = 'file', 'path' = 'written.ndjson');
CREATE TABLE sums (device STRING, window_start TIMESTAMP_LTZ(3), total BIGINT);
INSERT INTO written SELECT device, epoch / 1000, n FROM meter WHERE epoch IS NOT NULL;
INSERT INTO sums SELECT device, window_start, SUM(n)
  FROM TABLE(TUMBLE(TABLE written, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  GROUP BY device, window_start, window_end;"""


def text(second):
    return f"1970-01-01T00:{second // 60:02}:{second % 60:02}.000Z"


def command(server, *words):
    done = subprocess.run(
        [BINARY, "--data", server.data, *words],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_counts_from_the_door_on_and_over_kill_9(server):
    server.sql(TABLES)
    token = server.add_device("a")
    live = server.live("SELECT device, ts, n FROM meter")
    next(live)

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="a")
    client.username_pw_set("a", token)
    client.connect("127.0.0.1", server.mqtt_port)
    client.loop_start()
    client.publish("in/a", '{"epoch":1000,"n":1,"ts":"not looked at"}', qos=1).wait_for_publish(10)
    client.loop_stop()
    client.disconnect()
    assert next(live)[1] == [{"device": "a", "ts": text(1), "n": 1}]
    answer = server.api(
        "POST",
        "/streams/meter/records",
        [
            {"device": "b", "epoch": 2000, "n": 2},
            {"device": "b", "epoch": 9_000_000_000_000_000_000, "n": 3},
            {"device": "b", "n": 4},
        ],
    )
    assert (answer["accepted"], answer["dead_letters"]) == (2, 1), answer
    assert [row["ts"] for row in next(live)[1]] == [text(2), None]
    dead = server.records("meter_dead_letters")
    assert [row["code"] for row in dead] == [4002] and "epoch = 9000000000000000000" in dead[0]["reason"], dead

    expected = defaultdict(int)
    expected["a", 0], expected["b", 0] = 1, 2
    for turn in range(1, ROUNDS + 1):
        records = [
            {"device": device, "epoch": (turn * 10 + at % 10) * 1000, "n": turn * at}
            for at in range(200)
            for device in "ab"
        ]
        records.sort(key=lambda record: record["epoch"])
        server.api("POST", "/streams/meter/records", records)
        for record in records:
            expected[record["device"], turn * 10] += record["n"]
        server.kill()
        server.start()
    server.api(
        "POST",
        "/streams/meter/records",
        [{"device": device, "epoch": 999_000, "n": 0} for device in "ab"],
    )

    wait_for(lambda: len(server.records("sums")) >= len(expected))
    sums = {(row["device"], row["window_start"]): row["total"] for row in server.records("sums")}
    assert sums == {(device, text(second)): total for (device, second), total in expected.items()}
    stored = command(
        server,
        *("-o", "json", "sql"),
        "SELECT device, window_start, SUM(n) AS total "
        "FROM TABLE(TUMBLE(TABLE meter, DESCRIPTOR(ts), INTERVAL '10' SECOND)) "
        "WHERE epoch < 999000 GROUP BY device, window_start, window_end",
    )
    rows = [json.loads(line) for line in stored.splitlines()]
    assert {(row["device"], row["window_start"]): row["total"] for row in rows} == sums
    delivered = [json.loads(line) for line in (server.data / "sinks/written.ndjson").read_text().splitlines()]
    assert all(row["ts"] == text(row["s"]) for row in delivered)
    assert len(delivered) >= 2 + 400 * ROUNDS
