"""Whose days: the site's, through the real binary; and a pipeline keeps them."""

import json
import subprocess

from tidegate import BINARY, Server, wait_for

TABLES = """CREATE TABLE meter (device STRING, ts TIMESTAMP_LTZ(3), n BIGINT, WATERMARK FOR ts AS ts)
  WITH ('device' = 'device');
CREATE TABLE days (device STRING, window_start TIMESTAMP_LTZ(3), hours BIGINT, n BIGINT);"""
QUERY = """SELECT device, window_start, TIMESTAMPDIFF(HOUR, window_start, window_end) AS hours, SUM(n) AS n
FROM TABLE(TUMBLE(TABLE meter, DESCRIPTOR(ts), INTERVAL '1' DAY)) GROUP BY device, window_start, window_end"""


def push(server, *times):
    server.api("POST", "/streams/meter/records", [{"device": "a", "ts": time, "n": 1} for time in times])


def plan(server):
    return server.sql(f"EXPLAIN {QUERY}")["results"][0]["text"]


def days(server):
    return [(row["window_start"], row["hours"], row["n"]) for row in server.records("days")]


def test_days_are_the_sites_and_a_pipeline_keeps_them(tmp_path):
    with Server(tmp_path / "data") as server:
        server.sql(TABLES)
        assert "in " not in plan(server).split(" on ")[0]
        server.api("POST", "/sites", {"path": "north", "time_zone": "Europe/Paris"})
        assert "TUMBLE 1 d in Europe/Paris" in plan(server)
        server.sql(f"INSERT INTO days {QUERY};")
        assert server.api("GET", "/pipelines/days")["time_zone"] == "Europe/Paris"
        push(server, "2026-03-28T22:59:59.999Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z")
        wait_for(lambda: len(days(server)) == 1)
        server.kill()

        # Another site in another zone, and a server that is told a third one.
        server.options = ("--time-zone", "Asia/Tokyo")
        server.start()
        server.api("POST", "/sites", {"path": "south", "time_zone": "America/Lima"})
        assert "TUMBLE 1 d in Asia/Tokyo" in plan(server)
        assert server.api("GET", "/pipelines/days")["time_zone"] == "Europe/Paris"
        push(server, "2026-03-29T22:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59.999Z", "2026-10-25T23:00:00Z")
        wait_for(lambda: len(days(server)) == 4)
        assert days(server) == [
            ("2026-03-27T23:00:00.000Z", 24, 1),
            ("2026-03-28T23:00:00.000Z", 23, 2),
            ("2026-03-29T22:00:00.000Z", 24, 1),
            ("2026-10-24T22:00:00.000Z", 25, 2),
        ]
        # What is asked now goes by the zone that the server was told.
        stored = subprocess.run(
            [BINARY, "--data", server.data, "-o", "json", "sql", QUERY], capture_output=True, text=True, timeout=30
        )
        assert stored.returncode == 0, stored.stderr
        starts = [json.loads(line)["window_start"] for line in stored.stdout.splitlines()]
        assert starts and all(start.endswith("T15:00:00.000Z") for start in starts), starts


def test_a_zone_that_is_not_there_is_refused(tmp_path):
    refused = subprocess.run(
        [BINARY, "--data", tmp_path / "data", "serve", "--time-zone", "Mars/Base"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert refused.returncode == 2 and "there is no time zone 'Mars/Base'" in refused.stderr, refused.stderr
