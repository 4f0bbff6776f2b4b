"""The server holds up: many devices at once, and their return after every connection was cut."""

import json
import subprocess

from tidegate import BINARY, ROOT, Server

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
