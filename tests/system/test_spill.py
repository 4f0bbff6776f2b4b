"""State larger than its memory goes into the store, and nothing of it is lost or counted twice."""

import json

from tidegate import Server, wait_for

DEVICES = 100
CODES = 2500
TABLES = """CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3), code INT, v BIGINT,
           WATERMARK FOR ts AS ts) WITH ('device' = 'device');
         CREATE TABLE days (device STRING, code INT, n BIGINT, v BIGINT, day_end TIMESTAMP_LTZ(3),
           WATERMARK FOR day_end AS day_end);
         INSERT INTO days SELECT device, code, COUNT(*), SUM(v), window_end
         FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' DAY))
         GROUP BY device, code, window_start, window_end;"""


def push(server, hour):
    """A reading of every code from every device."""
    for device in range(DEVICES):
        rows = (
            json.dumps({"device": f"d{device}", "ts": hour * 3_600_000, "code": code, "v": code + hour})
            for code in range(CODES)
        )
        server.api("POST", "/streams/readings/records", "\n".join(rows))


def read_all(server, hours):
    wait_for(lambda: server.api("GET", "/pipelines/days")["rows_in"] == hours * DEVICES * CODES, 60)


def test_a_day_of_more_groups_than_memory_takes(tmp_path):
    options = ("--pipeline-memory", "20MB", "--threads", "2")
    with Server(tmp_path / "data", *options) as server:
        server.sql(TABLES)
        push(server, 1)
        read_all(server, 1)
        wait_for(lambda: server.api("GET", "/pipelines/days")["spilled_bytes"] > 1_000_000)
        assert "tidegate_pipeline_spilled_bytes" in server.request("GET", "/metrics")[2]
        server.kill()
        server.start()
        push(server, 2)
        read_all(server, 2)
        server.kill()
        server.start()
        push(server, 3)
        read_all(server, 3)
        state = server.api("GET", "/pipelines/days")
        assert state["state"] == "running" and state["rows_out"] == 0
        assert state["memory_bytes"] < 20e6
        assert state["spilled_bytes"] > 5e6
        rows = "\n".join(json.dumps({"device": f"d{n}", "ts": 86_400_000, "code": 0, "v": 0}) for n in range(DEVICES))
        server.api("POST", "/streams/readings/records", rows)
        wait_for(lambda: server.api("GET", "/pipelines/days")["rows_out"] == DEVICES * CODES, 60)
        query = "SELECT COUNT(*), COUNT(DISTINCT device), MIN(n), MAX(n), SUM(v) FROM days"
        rows = server.api("POST", "/query", {"sql": query})["rows"]
        total = DEVICES * sum(3 * code + 6 for code in range(CODES))
        assert list(rows[0].values()) == [DEVICES * CODES, DEVICES, 3, 3, total]
