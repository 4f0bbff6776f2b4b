"""The server holds up: many devices at once, and their return after every connection was cut."""

import json
import subprocess

from tidegate import BINARY, ROOT, Server, wait_for

BENCH = BINARY.parents[1] / "bench/tidegate_bench"


def run_case(name, tmp_path):
    """The metrics of a benchmark case; it ends with an error of its own when something acknowledged is lost."""
    figures = tmp_path / "bench.jsonl"
    done = subprocess.run(
        [BENCH, BINARY, figures, "test", name], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(line) for line in figures.read_text().splitlines()]
    return {line["metric"]: line["value"] for line in lines}


def test_500_devices_come_back_after_a_cut_and_after_kill_9(tmp_path):
    figures = run_case("many_devices_500", tmp_path)
    assert figures["acknowledged"] > 5000
    assert figures["storm_resumed"] == 500
    assert figures["storm_s"] < 10 and figures["restart_storm_s"] < 15
    assert figures["bystander_most_ms"] < 2000


def test_open_files_are_raised_and_the_limit_is_said(tmp_path):
    with Server(tmp_path / "data", "--max-connections", "3") as server:
        limits = open(f"/proc/{server.process.pid}/limits").read().splitlines()
        soft, hard = next(line.split()[3:5] for line in limits if line.startswith("Max open files"))
        assert soft == hard
        metrics = server.request("GET", "/metrics")[2]
        assert "tidegate_mqtt_connections_limit 3\n" in metrics
        assert "tidegate_mqtt_connections_refused_total 0\n" in metrics


def test_more_connections_than_descriptors_are_said_at_the_start(tmp_path):
    with Server(tmp_path / "data", "--max-connections", "1000000") as server:
        assert "fewer MQTT connections than wanted" in server.log_text()


def test_ten_times_too_much_leaves_room_for_the_others(tmp_path):
    figures = run_case("overload_10s", tmp_path)
    assert figures["offered_per_s"] > 5 * figures["taken_per_s"]
    assert figures["steady_share"] >= 0.9
    assert figures["administrator_most_ms"] < 1000
    assert figures["recovery_s"] < 30
    assert figures["rss_most_bytes"] < 1e9


def test_a_pipeline_that_outgrows_its_memory_stops_alone_and_says_why(tmp_path):
    with Server(tmp_path / "data", "--pipeline-memory", "1MB") as server:
        server.sql("""CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3), v DOUBLE,
                 WATERMARK FOR ts AS ts) WITH ('device' = 'device');
               CREATE TABLE sums (device STRING, v DOUBLE);
               CREATE TABLE copies (device STRING, v DOUBLE);
               INSERT INTO copies SELECT device, v FROM readings;
               INSERT INTO sums SELECT device, SUM(v)
               FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' DAY))
               GROUP BY device, window_start, window_end;""")
        rows = "\n".join(json.dumps({"device": f"d{n}", "ts": 1000, "v": 1}) for n in range(30_000))
        server.api("POST", "/streams/readings/records", rows)
        server.api("POST", "/streams/readings/records", rows)
        wait_for(lambda: server.api("GET", "/pipelines/sums")["state"] == "failed")
        assert "--pipeline-memory" in server.api("GET", "/pipelines/sums")["error"]
        wait_for(lambda: server.api("GET", "/pipelines/copies")["rows_out"] == 60_000)
