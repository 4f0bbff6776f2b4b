"""The command line against a real server."""

import json
import subprocess

import pytest
from tidegate import BINARY

SQL = """CREATE TABLE readings (device STRING NOT NULL, n BIGINT) WITH ('device' = 'device');
CREATE TABLE big (device STRING, n BIGINT);
INSERT INTO big SELECT device, n FROM readings WHERE n > 1;
"""


class Cli:
    def __init__(self, server, folder):
        self.server = server
        self.folder = folder

    def run(self, *words, code=0):
        done = subprocess.run(
            [BINARY, "--data", self.server.data, *words], capture_output=True, text=True, timeout=30, cwd=self.folder
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stderr

    def json(self, *words):
        return json.loads(self.run(*words, "-o", "json"))


@pytest.fixture
def cli(server, tmp_path):
    (tmp_path / "site.sql").write_text(SQL)
    return Cli(server, tmp_path)


def test_apply_is_repeatable_and_explains_mistakes(cli, tmp_path):
    assert "created pipeline big" in cli.run("apply", "-f", "site.sql")
    assert "created" not in cli.run("apply", "-f", "site.sql")
    (tmp_path / "wrong.sql").write_text("CREATE VIEW v AS\n  SELECT devise FROM readings;\n")
    error = cli.run("apply", "-f", "wrong.sql", code=1)
    assert "TG2003" in error and "   2 |   SELECT devise FROM readings" in error and "^" in error and "device" in error


def test_streams_and_pipelines_are_listed_shown_stopped_and_dropped(cli):
    cli.run("apply", "-f", "site.sql")
    assert "readings" in cli.run("stream", "list")
    assert cli.json("stream", "get", "readings")["name"] == "readings"
    assert "running" in cli.run("pipeline", "list")
    cli.run("pipeline", "stop", "big")
    assert cli.json("pipeline", "get", "big")["state"] == "stopped"
    cli.run("pipeline", "start", "big")
    assert cli.json("pipeline", "get", "big")["state"] == "running"
    assert "TG6005" in cli.run("stream", "delete", "readings", code=1)
    cli.run("pipeline", "delete", "big")
    cli.run("stream", "delete", "big")
    cli.run("stream", "delete", "readings")
    assert "TG6001" in cli.run("stream", "get", "readings", code=1)


def test_devices_are_added_listed_and_deleted(cli):
    token = cli.json("device", "add", "pump-1")["token"]
    assert len(token) == 43
    assert "pump-1" in cli.run("device", "list") and token not in cli.run("device", "list")
    assert cli.json("device", "get", "pump-1")["name"] == "pump-1"
    assert "TG6004" in cli.run("device", "add", "pump-1", code=1)
    cli.run("device", "delete", "pump-1")
    assert "pump-1" not in cli.run("device", "list")


def test_queries_show_what_there_is_from_the_start(cli):
    cli.run("apply", "-f", "site.sql")
    for n in (1, 2, 3):
        cli.server.api("POST", "/streams/readings/records", {"device": "d", "n": n})
    lines = cli.run("sql", "SELECT n FROM readings", "--from-start", "--limit", "3", "-o", "json").splitlines()
    assert [json.loads(line)["n"] for line in lines] == [1, 2, 3]
    rows = cli.run("tail", "big", "--from-start", "--limit", "2", "-o", "json").splitlines()
    assert [json.loads(row)["n"] for row in rows] == [2, 3]
    assert "Filter" in cli.run("explain", "SELECT n FROM readings WHERE n > 1")
    assert "readings" in cli.run("status")


def test_a_command_that_cannot_be_understood_or_sent_says_so(cli, tmp_path):
    assert cli.run("stream", "lst", code=2)
    missing = subprocess.run(
        [BINARY, "--data", tmp_path / "nothing", "status"], capture_output=True, text=True, timeout=30
    )
    assert missing.returncode == 1 and "TG" in missing.stderr
