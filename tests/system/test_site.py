"""A site's definitions in files: plan and apply."""

import json
import subprocess
import time
from datetime import UTC, datetime

import pytest
from tidegate import BINARY, wait_for

READINGS = """-- what the meters send
CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3), n BIGINT, WATERMARK FOR ts AS ts)
WITH ('device' = 'device');
"""
HOT = "CREATE VIEW hot AS SELECT device, ts, n FROM readings WHERE n > {least};\n"
COUNTS = """CREATE TABLE counts (device STRING, n BIGINT);
INSERT INTO counts SELECT device, COUNT(*) FROM TABLE(TUMBLE(TABLE {source}, DESCRIPTOR(ts), INTERVAL '{size}' SECOND))
{where}GROUP BY device, window_start, window_end;
"""


class Site:
    def __init__(self, server, folder):
        self.server = server
        self.folder = folder
        folder.mkdir()

    def write(self, name, text):
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def run(self, *words, code=0):
        command = [BINARY, "--data", self.server.data, *words, "-f", self.folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def plan(self, *words, code=2):
        return self.run("plan", *words, code=code).splitlines()


@pytest.fixture
def site(server, tmp_path):
    made = Site(server, tmp_path / "site")
    # The names sort against what needs what.
    made.write("a/counts.sql", COUNTS.format(source="hot", size=10, where=""))
    made.write("b_hot.sql", HOT.format(least=0))
    made.write("c_readings.sql", READINGS)
    made.write("notes.txt", "not SQL")
    made.write(".git/x.sql", "not SQL")
    return made


def push(server, *records):
    lines = (json.dumps({"device": "a", "ts": f"2026-01-01T00:00:{s:02}Z", "n": n}) for s, n in records)
    return server.api("POST", "/streams/readings/records", "\n".join(lines))


def streams(server):
    """All but the server's own."""
    return {stream["name"] for stream in server.api("GET", "/streams")["streams"]} - {"corrections", "device_events"}


def counts(server):
    return [record["n"] for record in server.records("counts")]


def test_a_folder_is_planned_applied_once_and_left_alone_after_that(site):
    planned = site.plan()
    assert planned == [
        "+ create stream counts",
        "+ create stream readings",
        "+ create view hot",
        "+ create pipeline counts",
        "4 to create, 0 to change, 0 to delete; 0 unchanged",
    ]
    assert streams(site.server) == set()
    assert site.run("apply").splitlines()[-1] == "4 created, 0 changed, 0 deleted; 0 unchanged"
    assert site.plan(code=0) == ["no changes; 4 as they are"]
    site.write("c_readings.sql", "/* other\n words */" + READINGS.replace(", n BIGINT", ",\n\n   n BIGINT"))
    assert site.plan(code=0) == ["no changes; 4 as they are"]
    assert "no changes" in site.run("apply")


def test_what_is_in_no_file_is_deleted_by_prune_only(site):
    site.run("apply")
    site.server.sql("CREATE TABLE stray (n INT); CREATE VIEW aside AS SELECT n FROM stray;")
    assert site.plan(code=0) == ["no changes; 4 as they are"]
    assert site.plan("--prune")[:2] == ["- delete view aside", "- delete stream stray: with its records"]
    site.run("apply", "--prune")
    assert site.plan("--prune", code=0) == ["no changes; 4 as they are"]
    names = streams(site.server)
    assert "stray" not in names and {"readings", "counts", "counts_late"} <= names
    assert "device_events" in [stream["name"] for stream in site.server.api("GET", "/streams")["streams"]]


def test_a_compatible_change_keeps_open_windows(site):
    site.run("apply")
    push(site.server, (1, 5), (2, 5))
    wait_for(lambda: site.server.api("GET", "/pipelines/counts")["rows_in"] == 2)
    changed = COUNTS.format(source="hot", size=10, where="").replace("COUNT(*)", "COUNT(*) * 100")
    site.write("a/counts.sql", changed)
    assert site.plan()[0] == "~ change pipeline counts: goes on where it is and keeps its state"
    assert site.run("pipeline", "plan", code=2).splitlines()[-1].startswith("0 to create, 1 to change")
    site.run("apply")
    push(site.server, (3, 5), (11, 5))
    wait_for(lambda: counts(site.server))
    assert counts(site.server) == [300]
    site.server.kill()
    site.server.start()
    push(site.server, (21, 5))
    wait_for(lambda: len(counts(site.server)) == 2)
    assert counts(site.server) == [300, 100]


def test_any_other_change_needs_the_explicit_choice_to_start_anew(site):
    site.run("apply")
    push(site.server, (1, 5), (2, 5), (11, 5))
    wait_for(lambda: counts(site.server) == [2])
    site.write("a/counts.sql", COUNTS.format(source="hot", size=5, where=""))
    assert "needs --from current, earliest or a time" in site.plan()[0]
    refused = site.run("apply", code=1)
    assert "TG3007" in refused and "a/counts.sql" in refused and "^" in refused
    assert site.server.api("GET", "/pipelines/counts")["state"] == "running"
    site.run("apply", "--from", "earliest")
    wait_for(lambda: counts(site.server) == [2, 2])
    assert site.plan(code=0) == ["no changes; 4 as they are"]


def test_a_restart_from_the_current_record_begins_with_empty_windows(site):
    site.run("apply")
    push(site.server, (1, 5), (2, 5), (11, 5))
    wait_for(lambda: counts(site.server) == [2])
    site.write("a/counts.sql", COUNTS.format(source="hot", size=5, where=""))
    assert site.plan("--from", "current")[0].endswith("goes on where it is, with empty windows")
    site.run("apply", "--from", "current")
    push(site.server, (12, 5), (16, 5))
    wait_for(lambda: counts(site.server) == [2, 1])


def between():
    """A time after all that has arrived, and before all that is still to arrive."""
    now = time.time_ns() // 1_000_000 + 1
    wait_for(lambda: time.time_ns() // 1_000_000 > now)
    return datetime.fromtimestamp(now / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{now % 1000:03}Z"


def test_a_restart_from_a_time_reads_what_arrived_since_then(site):
    site.run("apply")
    push(site.server, (1, 5), (2, 5))
    since = between()
    push(site.server, (3, 5))
    later = between()
    push(site.server, (4, 5), (11, 5))
    wait_for(lambda: counts(site.server) == [4])
    site.write("a/counts.sql", COUNTS.format(source="hot", size=5, where=""))
    planned = site.plan("--from", since)
    assert planned[0] == (
        f"~ change pipeline counts: starts anew with what arrived at {since} or later (3 records of readings); "
        "what it has written stays"
    )
    assert site.run("pipeline", "plan", "--from", later, code=2).splitlines()[0].count("(2 records of readings)")
    site.run("apply", "--from", since)
    site.server.kill()  # before or after its first epoch: it is the same
    site.server.start()
    wait_for(lambda: counts(site.server) == [4, 2])
    site.server.kill()
    site.server.start()
    push(site.server, (16, 5))
    wait_for(lambda: counts(site.server) == [4, 2, 1])
    assert site.plan(code=0) == ["no changes; 4 as they are"]


def test_a_restart_may_be_told_how_long_ago_and_to_begin_with_what_comes(site):
    site.run("apply")
    push(site.server, (1, 5), (2, 5), (11, 5))
    wait_for(lambda: counts(site.server) == [2])
    site.write("a/counts.sql", COUNTS.format(source="hot", size=5, where=""))
    assert "(0 records of readings)" in site.plan("--from", "latest")[0]
    assert "(3 records of readings)" in site.plan("--from", "2h")[0]
    site.run("apply", "--from", "latest")
    site.server.kill()
    site.server.start()
    push(site.server, (12, 5), (16, 5))
    wait_for(lambda: counts(site.server) == [2, 1])
    site.write("a/counts.sql", COUNTS.format(source="hot", size=2, where=""))
    site.run("apply", "--from", "1 h")
    wait_for(lambda: counts(site.server) == [2, 1, 1, 1, 1, 1])


def test_a_restart_from_nowhere_is_refused_and_leaves_everything_as_it_was(site):
    site.run("apply")
    push(site.server, (1, 5), (2, 5), (11, 5))
    wait_for(lambda: counts(site.server) == [2])
    site.write("a/counts.sql", COUNTS.format(source="hot", size=5, where=""))
    for wrong, why in [
        ("yesterday", "no place in the log"),
        ("2999-01-01", "no place in the log"),
        ("2999-01-01T00:00:00Z", "still to come"),
        ("-2h", "no place in the log"),
    ]:
        assert why in site.run("apply", f"--from={wrong}", code=1), wrong
    status, _, text = site.server.request("POST", "/api/v1/definitions", json.dumps({"files": [], "from": 5}))
    assert status == 400 and "'from' is not a text" in text
    push(site.server, (12, 5), (21, 5))
    wait_for(lambda: counts(site.server) == [2, 2])


def restart(site, name, *words, code=0):
    command = [BINARY, "--data", site.server.data, "pipeline", "restart", name, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_pipeline_begins_anew_from_a_time_without_a_change(site):
    site.run("apply")
    push(site.server, (1, 5), (2, 5))
    since = between()
    push(site.server, (3, 5), (11, 5))
    wait_for(lambda: counts(site.server) == [3])
    said = restart(site, "counts", "--from", since, "--dry-run")
    assert said == (
        f"pipeline counts starts anew with what arrived at {since} or later (2 records of readings); what it has "
        "written stays (nothing was done)\n"
    )
    assert site.server.api("GET", "/pipelines/counts")["rows_in"] == 4
    assert "(2 records of readings)" in restart(site, "counts", "--from", since)
    site.server.kill()
    site.server.start()
    wait_for(lambda: counts(site.server) == [3, 1])
    assert site.plan(code=0) == ["no changes; 4 as they are"]
    # One that is stopped stays so, and begins there when it is started.
    site.server.api("POST", "/pipelines/counts/stop")
    restart(site, "counts", "--from", "earliest")
    assert site.server.api("GET", "/pipelines/counts")["state"] == "stopped"
    site.server.kill()
    site.server.start()
    assert counts(site.server) == [3, 1]
    site.server.api("POST", "/pipelines/counts/start")
    wait_for(lambda: counts(site.server) == [3, 1, 3])
    for from_, why in [
        ("soon", "no place"),
        ("current", "for pipelines that change"),
        ("2999-01-01T00:00:00Z", "to come"),
    ]:
        assert why in restart(site, "counts", "--from", from_, code=1)
    assert "TG6001" in restart(site, "nothing", "--from", "earliest", code=1)
    status, _, text = site.server.request(
        "POST", "/api/v1/pipelines/counts/restart", '{"from": "earliest"}', headers={"If-Match": '"1"'}
    )
    assert (status, json.loads(text)["code"]) == (412, 6006)
    for body in ("{}", "[]", '{"from": 5}', '{"from": "2h", "dry_run": 1}', "x"):
        assert site.server.request("POST", "/api/v1/pipelines/counts/restart", body)[0] == 400, body
    assert counts(site.server) == [3, 1, 3]
    events = site.server.api("GET", "/audit?limit=100")["events"]
    assert [event["allowed"] for event in events if event["what"] == "pipeline.restarted"].count(True) == 2


def test_late_records_outlive_a_restart_and_another_target_is_no_stream_of_the_servers(site):
    site.run("apply")
    push(site.server, (1, 5), (11, 5), (2, 5))
    wait_for(lambda: len(site.server.records("counts_late")) == 1)
    site.write("a/counts.sql", COUNTS.format(source="hot", size=5, where=""))
    site.run("apply", "--from", "latest")
    assert len(site.server.records("counts_late")) == 1
    at = "COALESCE(ts, TIMESTAMP '2026-01-01 00:00:00')"
    into_own = f"INSERT INTO device_events SELECT device, {at}, 'x', 'y' FROM readings;"
    site.write("a/counts.sql", "SET 'pipeline.name' = 'counts';\n" + into_own)
    assert "a stream of the server's own" in site.run("apply", "--from", "latest", code=1)
    assert site.server.api("GET", "/pipelines/counts")["target"] == "counts"
    site.write("a/counts.sql", COUNTS.format(source="hot", size=5, where=""))
    assert site.plan(code=0) == ["no changes; 4 as they are"]


def test_a_changed_view_changes_the_pipelines_that_read_it(site):
    site.run("apply")
    site.write("b_hot.sql", HOT.format(least=10))
    planned = site.plan()
    assert planned[0] == "~ change view hot" and planned[1].startswith("~ change pipeline counts")
    site.run("apply", "--from", "earliest")
    push(site.server, (1, 5), (2, 15), (11, 15))
    wait_for(lambda: counts(site.server) == [1])


def test_mistakes_name_file_line_and_leave_everything_as_it_was(site):
    site.write("d.sql", "CREATE VIEW cold AS\n  SELECT devise FROM readings;\n")
    said = site.run("apply", code=1)
    assert "d.sql:" in said and "TG2003" in said and "   2 |   SELECT devise FROM readings" in said
    assert streams(site.server) == set()
    site.write("d.sql", "CREATE VIEW cold AS SELECT n FROM nowhere;")
    assert "TG2002" in site.run("plan", code=1)
    site.write("d.sql", "DROP TABLE readings;")
    assert "TG2006" in site.run("plan", code=1)
    site.write("d.sql", READINGS)
    assert "declared twice" in site.run("plan", code=1)
    (site.folder / "d.sql").unlink()
    site.run("apply")
    site.write("c_readings.sql", READINGS.replace("n BIGINT", "n INT"))
    assert "holds records made for it" in site.run("plan", code=1)
    empty = site.folder / "empty"
    empty.mkdir()
    command = [BINARY, "--data", site.server.data, "plan", "-f", empty]
    assert subprocess.run(command, capture_output=True, timeout=30).returncode == 1
