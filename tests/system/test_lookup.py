"""Lookup tables of the real binary: files that change while it runs, kill -9, and what an operator sees of them."""

import json
import os
import random
import subprocess

import pytest
from tidegate import BINARY, ApiError, Server, wait_for

ROUNDS = int(os.environ.get("TIDEGATE_KILL_ROUNDS", "20"))
START_MS = 1_700_000_000_000
TARIFFS = """CREATE TABLE tariffs (zone STRING, price DOUBLE, PRIMARY KEY (zone) NOT ENFORCED)
  WITH ('connector' = 'filesystem', 'path' = 'tariffs.csv', 'format' = 'csv', 'csv.header' = 'true',
        'source.monitor-interval' = '1 s');"""
READINGS = """CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3) NOT NULL, seq BIGINT NOT NULL,
  zone STRING, WATERMARK FOR ts AS ts) WITH ('device' = 'device');"""


def write_tariffs(server, prices, folder=None):
    """As a careful operator does it: beside the file, then into its place."""
    folder = folder or server.data / "lookups"
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / "tariffs.csv.new"
    new.write_text("zone,price\n" + "".join(f"{zone},{price}\n" for zone, price in prices.items()))
    new.rename(folder / "tariffs.csv")


def push(server, rows):
    server.api("POST", "/streams/readings/records", "\n".join(json.dumps(row) for row in rows))


def reading(seq, zone="north", device="m1", time_ms=None):
    return {"device": device, "ts": time_ms or START_MS + seq * 1000, "seq": seq, "zone": zone}


def cli(server, *arguments):
    return subprocess.run([BINARY, "--data", server.data, *arguments], capture_output=True, text=True, timeout=60)


def test_a_file_that_changes_is_taken_and_a_broken_one_is_not(server):
    write_tariffs(server, {"north": 1, "south": 2})
    server.sql(TARIFFS + READINGS + """CREATE TABLE priced (seq BIGINT, price DOUBLE);
        INSERT INTO priced SELECT r.seq, t.price
        FROM readings AS r JOIN tariffs FOR SYSTEM_TIME AS OF r.ts AS t ON r.zone = t.zone;""")
    prices = lambda: {row["seq"]: row["price"] for row in server.records("priced")}
    push(server, [reading(1), reading(2, "south"), reading(3, "west")])
    assert wait_for(lambda: len(now := prices()) == 2 and now) == {1: 1, 2: 2}

    write_tariffs(server, {"north": 10, "west": 30})
    wait_for(lambda: server.api("GET", "/tables/tariffs")["version"] == 2)
    push(server, [reading(4), reading(5, "south"), reading(6, "west")])
    assert wait_for(lambda: len(now := prices()) == 4 and now) == {1: 1, 2: 2, 4: 10, 6: 30}

    (server.data / "lookups/tariffs.csv").write_text("zone,price\nnorth,cheap\n")
    failing = wait_for(lambda: (now := server.api("GET", "/tables/tariffs")).get("last_error") and now)
    assert failing["version"] == 2 and failing["rows"] == 2 and failing["failing_since"]
    assert "tariffs.csv: line 2:" in failing["last_error"] and "price" in failing["last_error"]
    metrics = server.request("GET", "/metrics")[2]
    assert 'tidegate_lookup_table_up{table="tariffs"} 0' in metrics
    assert 'tidegate_lookup_table_rows{table="tariffs"} 2' in metrics
    assert "tariffs.csv: line 2:" in cli(server, "status").stdout
    refused = cli(server, "table", "reload", "tariffs")
    assert refused.returncode == 1 and "TG4012" in refused.stderr and "Version 2 stays in use" in refused.stderr
    push(server, [reading(7)])
    assert wait_for(lambda: len(now := prices()) == 5 and now)[7] == 10

    write_tariffs(server, {"north": 100})
    done = cli(server, "table", "reload", "tariffs")
    assert done.returncode == 0 and "version 3 with 1 rows" in done.stdout
    assert "last_error" not in server.api("GET", "/tables/tariffs")
    push(server, [reading(8)])
    assert wait_for(lambda: len(now := prices()) == 6 and now)[8] == 100
    listed = cli(server, "table", "list").stdout
    assert any(line.split()[:4] == ["tariffs", "file", "3", "1"] for line in listed.splitlines())

    with pytest.raises(ApiError) as used:
        server.api("DELETE", "/tables/tariffs")
    assert used.value.problem["code"] == 6005 and "priced" in used.value.problem["detail"]
    server.sql("DROP PIPELINE priced; DROP TABLE tariffs;")
    assert cli(server, "table", "get", "tariffs").returncode == 1


def test_files_stay_in_their_folders(tmp_path):
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    secret = tmp_path / "secret.csv"
    secret.write_text("north,1\n")
    with Server(tmp_path / "data", "--lookup-folder", allowed) as server:
        table = """CREATE TABLE t (zone STRING, price DOUBLE, PRIMARY KEY (zone) NOT ENFORCED)
            WITH ('connector' = 'filesystem', 'path' = '%s', 'format' = 'csv');"""
        (allowed / "link.csv").symlink_to(secret)
        for path in [secret, "../../secret.csv", "/etc/passwd", allowed / "../secret.csv", allowed / "link.csv"]:
            with pytest.raises(ApiError) as refused:
                server.sql(table % path)
            assert refused.value.problem["code"] == 2010, path
            assert "secret" not in refused.value.problem["detail"].replace(str(path), "")
        (allowed / "prices.csv").write_text("north,1\n")
        server.sql(table % (allowed / "prices.csv"))
        assert server.api("GET", "/tables/t")["rows"] == 1
        with pytest.raises(ApiError) as missing:
            server.sql((table % "missing.csv").replace(" t ", " other "))
        assert missing.value.problem["code"] == 4012
        assert [one["name"] for one in server.api("GET", "/tables")["tables"]] == ["devices", "t"]


def test_windows_over_a_join_survive_kill_9_while_the_table_changes(tmp_path):
    """Each row is in two windows, which close at different times, often with a kill and another tariff in between: its
    price must be the same in both, and one that the table had when the row came."""
    rounds = random.Random(ROUNDS)
    with Server(tmp_path / "data") as server:
        write_tariffs(server, {"north": 0})
        server.sql(
            TARIFFS + READINGS + """CREATE TABLE sums (seq BIGINT, starts TIMESTAMP_LTZ(3), n BIGINT, price DOUBLE);
            INSERT INTO sums SELECT seq, window_start, COUNT(*), SUM(price)
            FROM TABLE(HOP(TABLE (SELECT r.device, r.ts, r.seq, t.price FROM readings AS r
                JOIN tariffs FOR SYSTEM_TIME AS OF r.ts AS t ON r.zone = t.zone),
              DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '20' SECOND))
            GROUP BY device, seq, window_start, window_end;"""
        )
        seq, price, sent = 0, 0, {}

        def another_tariff():
            write_tariffs(server, {"north": price + 1})
            return price + 1

        for _ in range(ROUNDS):
            for _ in range(rounds.randrange(1, 6)):
                seq += 1
                sent[seq] = price
                push(server, [reading(seq)])
                if rounds.random() < 0.5:
                    price = another_tariff()
                    server.api("POST", "/tables/tariffs/reload")
            server.kill()
            if rounds.random() < 0.5:
                price = another_tariff()
            server.start()
        push(server, [reading(seq + 100)])
        seen = {}

        def complete():
            seen.clear()
            for row in server.records("sums"):
                seen.setdefault(row["seq"], []).append(row)
            return all(len(seen.get(number, [])) == 2 for number in range(1, seq + 1))

        wait_for(complete)
        for number in range(1, seq + 1):
            first, second = seen[number]
            assert first["n"] == second["n"] == 1 and first["starts"] != second["starts"]
            assert first["price"] == second["price"], f"row {number} was found at two prices"
            assert sent[number] <= first["price"] <= price
        assert len({rows[0]["price"] for rows in seen.values()}) > 3
        server.kill()
        # Without its file, and broken beside: the last good version is there.
        (server.data / "lookups/tariffs.csv").write_text("nonsense")
        server.start()
        held = server.api("GET", "/tables/tariffs")
        assert held["rows"] == 1 and held["version"] > 3 and "tariffs.csv" in held["last_error"]
        assert server.stop() == 0


def test_the_device_registry_is_a_table(server):
    server.sql(READINGS + """CREATE TABLE by_type (seq BIGINT, type STRING, floor STRING);
        CREATE TABLE unknown (device STRING);
        INSERT INTO by_type SELECT r.seq, d.type, JSON_VALUE(d.labels, '$.floor')
        FROM readings AS r LEFT JOIN devices FOR SYSTEM_TIME AS OF r.ts AS d ON r.device = d.id;
        INSERT INTO unknown SELECT device FROM readings WHERE device NOT IN (SELECT id FROM devices);""")
    server.api("POST", "/devices", {"name": "m1", "type": "flow meter", "labels": {"floor": "3"}})
    wait_for(lambda: server.api("GET", "/tables/devices")["rows"] == 1)
    push(server, [reading(1), reading(2, device="stranger")])
    rows = wait_for(lambda: len(now := server.records("by_type")) == 2 and now)
    assert {row["seq"]: (row["type"], row["floor"]) for row in rows} == {1: ("flow meter", "3"), 2: (None, None)}
    wait_for(lambda: [row["device"] for row in server.records("unknown")] == ["stranger"])
    version = server.api("GET", "/tables/devices")["version"]
    server.api("PATCH", "/devices/m1", {"labels": {"floor": "4"}})
    wait_for(lambda: server.api("GET", "/tables/devices")["version"] > version)
    push(server, [reading(3)])
    rows = wait_for(lambda: len(now := server.records("by_type")) == 3 and now)
    assert rows[-1]["floor"] == "4"
    with pytest.raises(ApiError) as refused:
        server.sql("DROP TABLE devices;")
    assert refused.value.problem["code"] == 6005


def test_a_live_query_joins_and_a_folder_of_definitions_has_tables(server, tmp_path):
    write_tariffs(server, {"north": 5})
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "b_tables.sql").write_text(TARIFFS + READINGS)
    (folder / "a_pipeline.sql").write_text("""CREATE TABLE priced (seq BIGINT, price DOUBLE);
        INSERT INTO priced SELECT r.seq, t.price
        FROM readings AS r JOIN tariffs FOR SYSTEM_TIME AS OF r.ts AS t ON r.zone = t.zone;""")
    assert cli(server, "plan", "-f", folder).returncode == 2
    applied = cli(server, "apply", "-f", folder)
    assert applied.returncode == 0, applied.stderr
    assert cli(server, "plan", "-f", folder).returncode == 0
    events = server.live(
        "SELECT r.seq, t.price FROM readings AS r JOIN tariffs FOR SYSTEM_TIME AS OF r.ts AS t "
        "ON r.zone = t.zone WHERE t.price > 1"
    )
    push(server, [reading(1), reading(2, "nowhere")])
    rows = next(data for event, data in events if event == "rows")
    assert rows == [{"seq": 1, "price": 5}]
    explained = cli(
        server,
        "explain",
        "SELECT r.seq, t.price FROM readings AS r JOIN tariffs FOR SYSTEM_TIME AS OF " "r.ts AS t ON r.zone = t.zone",
    ).stdout
    assert "Lookup join tariffs on zone = zone, newest rows: price" in explained
