"""Arrays taken apart through the real binary: live, in pipelines over kill -9, and over what is stored."""

import json
import os
import random
import subprocess

from tidegate import BINARY, wait_for

ROUNDS = int(os.environ.get("TIDEGATE_KILL_ROUNDS", "5"))
TABLES = """CREATE TABLE bursts (device STRING NOT NULL, ts TIMESTAMP_LTZ(3), note STRING, samples ARRAY<DOUBLE>,
  WATERMARK FOR ts AS ts) WITH ('device' = 'device');
CREATE TABLE peaks (device STRING, window_start TIMESTAMP_LTZ(3), n BIGINT, peak DOUBLE, last_at INT);
INSERT INTO peaks SELECT device, window_start, COUNT(*), MAX(sample), MAX(at)
  FROM TABLE(TUMBLE(TABLE bursts, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  CROSS JOIN UNNEST(samples) WITH ORDINALITY AS s (sample, at) GROUP BY device, window_start, window_end;"""


def query(server, sql):
    done = subprocess.run(
        [BINARY, "--data", server.data, "-o", "json", "sql", sql], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def push(server, *records):
    answer = server.api("POST", "/streams/bursts/records", list(records))
    assert answer["dead_letters"] == 0, answer


def test_bursts_become_rows_live_and_over_kill_9(server):
    server.sql(TABLES)
    live = server.live(
        "SELECT device, at, sample FROM bursts CROSS JOIN UNNEST(samples) WITH ORDINALITY AS s (sample, at)"
    )
    next(live)
    push(server, {"device": "a", "ts": 1, "samples": [1.5, None]}, {"device": "b", "ts": 1, "samples": []})
    assert next(live)[1] == [
        {"device": "a", "at": 1, "sample": 1.5},
        {"device": "a", "at": 2, "sample": None},
    ]
    expected = {("a", 0): (2, 1.5, 2)}
    chance = random.Random(7)
    for turn in range(1, ROUNDS + 1):
        for device in "ab":
            samples = [round(chance.uniform(-100, 100), 3) for _ in range(chance.randrange(1, 3000))]
            half = len(samples) // 2
            push(
                server,
                {"device": device, "ts": turn * 10_000, "samples": samples[:half]},
                {"device": device, "ts": turn * 10_000 + 1, "samples": samples[half:]},
            )
            expected[device, turn * 10] = (len(samples), max(samples), max(half, len(samples) - half))
        server.kill()
        server.start()
    push(server, *({"device": device, "ts": 900_000, "samples": [0]} for device in "ab"))
    wait_for(lambda: len(server.records("peaks")) >= len(expected))
    peaks = {
        (row["device"], int(row["window_start"][14:16]) * 60 + int(row["window_start"][17:19])): (
            row["n"],
            row["peak"],
            row["last_at"],
        )
        for row in server.records("peaks")
    }
    assert peaks == expected
    stored = query(server, "SELECT COUNT(*) AS n FROM bursts CROSS JOIN UNNEST(samples) AS s (sample)")
    assert stored == [{"n": sum(n for n, _, _ in expected.values()) + 2}]


def test_a_record_that_would_become_too_much_gives_nothing_and_harms_nobody(server):
    server.sql("""CREATE TABLE bursts (device STRING NOT NULL, note STRING, samples ARRAY<DOUBLE>)
          WITH ('device' = 'device');
        CREATE TABLE taken (device STRING, note STRING, sample DOUBLE);
        INSERT INTO taken SELECT device, note, sample FROM bursts CROSS JOIN UNNEST(samples) AS s (sample);""")
    # 640 KB of text beside 60,000 numbers, each of which would have the text beside it.
    huge = {"device": "evil", "note": "x" * 640_000, "samples": [1] * 60_000}
    push(server, {"device": "a", "note": "n", "samples": [1]}, huge, {"device": "b", "note": "n", "samples": [2]})
    wait_for(lambda: len(server.records("taken")) == 2)
    assert [row["device"] for row in server.records("taken")] == ["a", "b"]
    assert "a record is not taken apart" in server.log_text()
    # The numbers alone are no trouble.
    numbers = "SELECT sample FROM bursts CROSS JOIN UNNEST(samples) AS s (sample) WHERE device = 'evil'"
    rows = query(server, numbers)
    assert len(rows) == 60_000
