"""A data folder that an earlier version left behind, killed in the middle of its work, opens and goes on.

`folders/NAME.tar.xz` is what that version's binary made of it by

    TIDEGATE_BINARY=... python tests/system/test_upgrade.py tests/system/folders/NAME.tar.xz

Its keys are of no other use than this test.
"""

import json
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest
from tidegate import Server, wait_for

FOLDERS = sorted((Path(__file__).parent / "folders").glob("*.tar.xz"))
HOUR_MS = 3_600_000
CORRECTED = "1970-01-01T01:00:00.005Z"
DEVICES = [f"meter-{number}" for number in range(40)]
FOR_EVER = "'close_after' = '30000 days', 'idle_timeout' = '30000 days', 'max_skew' = '30000 days'"
TABLES = f"""
CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3), kind STRING, v DOUBLE, cost DECIMAL(10, 2),
  samples ARRAY<INT>, place ROW<x DOUBLE, y DOUBLE>, quality STRING, WATERMARK FOR ts AS ts)
  WITH ('device' = 'device', 'quality' = 'quality', 'unit.v' = 'kW', 'range.v' = '-1000..100000', {FOR_EVER});
CREATE TABLE owners (device STRING, owner STRING, PRIMARY KEY (device) NOT ENFORCED)
  WITH ('connector' = 'filesystem', 'path' = 'owners.csv', 'format' = 'csv');
CREATE VIEW good AS SELECT * FROM readings WHERE quality = 'good';
CREATE TABLE days (device STRING, day_end TIMESTAMP_LTZ(3), n BIGINT, total DOUBLE, kinds BIGINT, latest DOUBLE);
CREATE TABLE kinds (kind STRING, hour_end TIMESTAMP_LTZ(3), n BIGINT, cost DECIMAL(38, 2));
CREATE TABLE moving (device STRING, ts TIMESTAMP_LTZ(3), total DOUBLE);
CREATE TABLE owned (owner STRING, v DOUBLE);
CREATE TABLE alerts (device STRING, state STRING, v DOUBLE);
INSERT INTO days SELECT device, window_end, COUNT(*), SUM(v), COUNT(DISTINCT kind), LAST_VALUE(v)
  FROM TABLE(TUMBLE(TABLE good, DESCRIPTOR(ts), INTERVAL '1' DAY)) GROUP BY device, window_start, window_end;
INSERT INTO kinds SELECT kind, window_end, COUNT(*), SUM(cost)
  FROM TABLE(HOP(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' HOUR, INTERVAL '2' HOUR))
  GROUP BY kind, window_start, window_end;
INSERT INTO moving SELECT device, ts, SUM(v) OVER (PARTITION BY device ORDER BY ts ROWS BETWEEN 2 PRECEDING AND
  CURRENT ROW) FROM readings;
INSERT INTO owned SELECT o.owner, r.v FROM readings AS r JOIN owners FOR SYSTEM_TIME AS OF r.ts AS o
  ON r.device = o.device;
"""


def push(server, hour):
    rows = [
        {
            "device": device,
            "ts": hour * HOUR_MS + number,
            "kind": f"k{(hour + number) % 3}",
            "v": hour * 10 + number,
            "cost": f"{hour}.25",
            "samples": [hour, number],
            "place": {"x": hour / 2, "y": number},
            "quality": "bad" if hour == 3 else "good",
        }
        for number, device in enumerate(DEVICES)
    ]
    server.api("POST", "/streams/readings/records", "\n".join(json.dumps(row) for row in rows))


def read_all(server, rows):
    for pipeline in ("days", "kinds", "moving", "owned"):
        wait_for(lambda name=pipeline: server.api("GET", f"/pipelines/{name}")["rows_in"] == rows)


def fill(data):
    """What an earlier version does before it is killed: two lives, in each of which windows stay open."""
    with Server(data) as server:
        (data / "lookups").mkdir(exist_ok=True)
        lines = "".join(f"{device},owner-{number % 4}\n" for number, device in enumerate(DEVICES))
        (data / "lookups/owners.csv").write_text("device,owner\n" + lines)
        server.sql(TABLES)
        server.api("POST", "/devices", {"name": "meter-0", "type": "meter", "labels": {"line": "7"}})
        server.api("POST", "/gateways", {"name": "gateway", "devices": ["meter-1"]})
        for hour in (1, 2):
            push(server, hour)
        read_all(server, 2 * len(DEVICES))
    server = Server(data)
    server.start()
    for hour in (3, 4):
        push(server, hour)
    read_all(server, 4 * len(DEVICES))
    wanted = {"device": "meter-5", "time": CORRECTED, "values": {"v": 77}, "reason": "read again"}
    server.api("POST", "/streams/readings/corrections", wanted)
    read_all(server, 4 * len(DEVICES) + 1)
    server.kill()


def rows(server, query):
    return [list(row.values()) for row in server.api("POST", "/query", {"sql": query})["rows"]]


def check(server):
    stored = rows(server, "SELECT device, v, cost, samples[2], place.x FROM readings WHERE kind = 'k1' AND v < 12")
    assert sorted(stored) == [["meter-0", 10, 1.25, 0, 0.5]]
    assert server.api("GET", "/devices/meter-0")["labels"] == {"line": "7"}
    corrected = "SELECT device, old_value, new_value FROM corrections"
    assert rows(server, corrected) == [["meter-5", "15", "77"]]
    assert len(rows(server, "SELECT * FROM owned")) == 4 * len(DEVICES) + 1
    push(server, 5)
    push(server, 25)
    read_all(server, 6 * len(DEVICES) + 1)
    wait_for(lambda: len(rows(server, "SELECT * FROM days")) == len(DEVICES))
    for device, n, total, kinds, latest in rows(server, "SELECT device, n, total, kinds, latest FROM days"):
        number = DEVICES.index(device)
        assert (n, total, latest) == (4, 120 + 4 * number, 50 + number)
        assert kinds == len({(hour + number) % 3 for hour in (1, 2, 4, 5)})
    hours = rows(server, "SELECT hour_end, SUM(n) FROM (SELECT hour_end, n FROM kinds) GROUP BY hour_end")
    assert sum(n for _, n in hours) == 2 * 5 * len(DEVICES)
    assert len(rows(server, "SELECT * FROM moving")) == 6 * len(DEVICES)


@pytest.mark.parametrize("archive", FOLDERS, ids=lambda path: path.name.removesuffix(".tar.xz"))
def test_a_folder_of_an_earlier_version_goes_on(tmp_path, archive):
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path)
    with Server(tmp_path / "data") as server:
        check(server)
    with Server(tmp_path / "data") as server:
        assert len(rows(server, "SELECT * FROM days")) == len(DEVICES)


def test_there_is_one():
    assert FOLDERS


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        fill(Path(scratch) / "data")
        with tarfile.open(sys.argv[1], "w:xz") as packed:
            packed.add(Path(scratch) / "data", "data")
