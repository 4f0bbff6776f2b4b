"""Queries over what is stored, through the real binary: pages, limits, cancel, kill -9, wrong input."""

import json
import signal
import subprocess
import threading
from collections import defaultdict
from datetime import datetime

import pytest
from tidegate import BINARY, ApiError, wait_for

TABLE = """CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3), n BIGINT, v DOUBLE, price DECIMAL(30, 2),
  WATERMARK FOR ts AS ts) WITH ('device' = 'device', 'max_skew' = '36500 d');"""
BY_DEVICE = """SELECT device, window_start, COUNT(*) AS n, SUM(v) AS total
  FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY device, window_start, window_end"""
# Every row is in ten thousand windows, none of which comes out: works for much longer than anybody here waits.
SLOW = """SELECT device, COUNT(*) AS n FROM TABLE(HOP(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' SECOND,
  INTERVAL '10000' SECOND)) GROUP BY device, window_start, window_end HAVING COUNT(*) < 0"""
SPREAD_MS = 10_000_000  # from row to row, for SLOW


@pytest.fixture
def site(server):
    server.sql(TABLE)
    return server


def push(server, first, last, time_ms=lambda n: n):
    rows = [
        {"device": f"d{n % 7}", "ts": time_ms(n), "n": n, "v": n * 0.25, "price": f"{n}.10"} for n in range(first, last)
    ]
    body = "\n".join(json.dumps(row) for row in rows)
    assert server.api("POST", "/streams/readings/records", body)["accepted"] == len(rows)


def push_for_slow(server):
    for first in range(0, 20_000, 5_000):
        push(server, first, first + 5_000, lambda n: n * SPREAD_MS)


def pages(server, **query):
    page = server.api("POST", "/query", query)
    yield page
    while page["next"]:
        page = server.api("GET", f"/query/{page['id']}?cursor={page['next']}")
        yield page


def refused(server, **query):
    with pytest.raises(ApiError) as error:
        server.api("POST", "/query", query)
    return error.value


def listed(server):
    return [entry["id"] for entry in server.api("GET", "/query")["queries"]]


def cli(server, *words, code=0):
    done = subprocess.run([BINARY, "--data", server.data, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def milliseconds(text):
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def test_windows_are_the_same_as_worked_out_from_the_records(site):
    for first in range(0, 20_000, 5_000):  # far out of order, and some without a time
        push(site, first, first + 5_000, lambda n: None if n % 101 == 0 else n * 7919 % 10007 * 100)
    tail = cli(site, "tail", "readings", "--from", "earliest", "--limit", "20000", "-o", "json").stdout.splitlines()
    expected = defaultdict(lambda: [0, 0.0])
    for record in map(json.loads, tail):
        if record["ts"] is not None:
            window = expected[record["device"], milliseconds(record["ts"]) // 10_000 * 10_000]
            window[0] += 1
            window[1] += record["v"]
    found = {}
    for page in pages(site, sql=BY_DEVICE, page_rows=100):
        for row in page["rows"]:
            key = row["device"], milliseconds(row["window_start"])
            assert key not in found
            found[key] = [row["n"], row["total"]]
    assert found == expected and len(found) > 700
    assert page["progress"]["timeless"] == len(range(0, 20_000, 101))
    whole = cli(
        site, "sql", "SELECT device, COUNT(*) AS n, SUM(v) AS total FROM readings GROUP BY device", "-o", "json"
    )
    sums = defaultdict(lambda: [0, 0.0])
    for record in map(json.loads, tail):
        sums[record["device"]][0] += 1
        sums[record["device"]][1] += record["v"]
    assert {row["device"]: [row["n"], row["total"]] for row in map(json.loads, whole.stdout.splitlines())} == sums
    assert cli(site, "sql", "SELECT COUNT(*) AS n FROM readings", "-o", "json").stdout == '{"n":20000}\n'
    lines = cli(site, "sql", BY_DEVICE, "-o", "json").stdout.splitlines()
    by_cli = {
        (row["device"], milliseconds(row["window_start"])): [row["n"], row["total"]] for row in map(json.loads, lines)
    }
    assert by_cli == found


def test_a_query_of_a_stream_that_is_written_to_sees_what_was_there_when_it_began(site):
    push(site, 0, 5_000)
    stop = threading.Event()

    def write():
        first = 5_000
        while not stop.is_set():
            push(site, first, first + 500)
            first += 500

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = 0
        for _ in range(20):
            all_pages = list(pages(site, sql="SELECT n FROM readings", page_rows=1000))
            rows = [row["n"] for page in all_pages for row in page["rows"]]
            assert rows == list(range(len(rows))) and len(rows) % 500 == 0
            assert len(rows) == all_pages[0]["progress"]["rows_to_read"] and len(rows) >= seen
            seen = len(rows)
    finally:
        stop.set()
        writer.join()


def test_pages_do_not_survive_a_kill_and_say_so_while_the_records_do(site):
    push(site, 0, 5_000)
    first = site.api("POST", "/query", {"sql": "SELECT n FROM readings", "page_rows": 10})
    site.kill()
    site.start()
    with pytest.raises(ApiError) as error:
        site.api("GET", f"/query/{first['id']}?cursor={first['next']}")
    assert error.value.status == 404 and "ask again" in error.value.problem["hint"]
    assert sum(len(page["rows"]) for page in pages(site, sql="SELECT n FROM readings")) == 5_000


def test_a_kill_while_the_command_line_waits_is_an_error_of_it_and_loses_nothing(site):
    push_for_slow(site)
    asking = subprocess.Popen(
        [BINARY, "--data", site.data, "sql", SLOW], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: listed(site))
    site.kill()
    out, error = asking.communicate(timeout=60)
    assert asking.returncode == 1 and "TG5" in error and out == ""
    site.start()
    assert len(cli(site, "sql", "SELECT n FROM readings", "-o", "json").stdout.splitlines()) == 20_000


def test_a_stream_that_is_dropped_while_it_is_read_ends_the_query_and_nothing_else(site):
    site.sql("CREATE TABLE gone (n BIGINT)")
    for _ in range(50):  # more than waits for its reader at once
        site.api("POST", "/streams/gone/records", [{"n": n} for n in range(5_000)])
    query = pages(site, sql="SELECT n FROM gone", page_rows=10_000)
    assert len(next(query)["rows"]) == 10_000
    site.sql("DROP TABLE gone")
    with pytest.raises(ApiError) as error:
        list(query)
    assert error.value.status == 404 and "'gone' was dropped" in error.value.problem["detail"]
    assert listed(site) == []


def test_a_query_at_work_is_cancelled_by_its_id(site):
    push_for_slow(site)
    outcome = []
    query = {"sql": SLOW, "id": "mine-to-end", "timeout": "10 min"}
    asking = threading.Thread(target=lambda: outcome.append(refused(site, **query)))
    asking.start()
    wait_for(lambda: listed(site) == ["mine-to-end"])
    assert refused(site, **query).status == 409
    site.api("DELETE", "/query/mine-to-end")
    asking.join(timeout=30)
    assert outcome[0].problem["code"] == 3005 and listed(site) == []
    with pytest.raises(ApiError) as error:
        site.api("DELETE", "/query/mine-to-end")
    assert error.value.status == 404


def test_who_goes_away_has_ended_the_query(site):
    push_for_slow(site)
    connection = site.connection()
    headers = {"Authorization": f"Bearer {site.token}", "Content-Type": "application/json"}
    connection.request("POST", "/api/v1/query", json.dumps({"sql": SLOW, "timeout": "10 min"}), headers)
    wait_for(lambda: listed(site))
    connection.close()
    wait_for(lambda: listed(site) == [])
    asking = subprocess.Popen([BINARY, "--data", site.data, "sql", SLOW], stdout=subprocess.PIPE)
    wait_for(lambda: listed(site))
    asking.kill()
    asking.communicate(timeout=30)
    wait_for(lambda: listed(site) == [])


@pytest.mark.parametrize("sql", [SLOW, "SELECT * FROM readings"], ids=["at work", "between pages"])
def test_ctrl_c_ends_the_query_on_the_server(site, sql):
    push_for_slow(site)
    asking = subprocess.Popen(
        [BINARY, "--data", site.data, "sql", sql], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: listed(site))
    if sql != SLOW:  # nobody takes its output, so that it cannot end
        wait_for(lambda: [entry["state"] for entry in site.api("GET", "/query")["queries"]] == ["resting"])
    asking.send_signal(signal.SIGINT)
    out, error = asking.communicate(timeout=30)
    assert asking.returncode == 130 and error == "cancelled\n"
    assert len(out.splitlines()) < 20_000 and listed(site) == []


def test_whoever_has_seen_enough_leaves_nothing_behind(site):
    push_for_slow(site)
    command = f"'{BINARY}' --data '{site.data}' sql 'SELECT * FROM readings' | head -3"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30)
    assert len(done.stdout.splitlines()) == 3 and listed(site) == []


def test_time_memory_and_number_have_limits(site):
    push_for_slow(site)
    late = cli(site, "sql", SLOW, "--timeout", "200ms", code=1).stderr
    assert "TG3011" in late and "longer timeout" in late
    large = SLOW.replace("TABLE readings", "TABLE (SELECT * FROM readings WHERE n < 2000)")
    large = large.replace("HAVING COUNT(*) < 0", "ORDER BY n")
    assert refused(site, sql=large).problem["code"] == 3010
    assert len(site.api("POST", "/query", {"sql": large + " LIMIT 3"})["rows"]) == 3
    open_queries = [site.api("POST", "/query", {"sql": "SELECT n FROM readings", "page_rows": 1}) for _ in range(8)]
    assert refused(site, sql="SELECT n FROM readings").problem["code"] == 3002
    for query in open_queries:
        site.api("DELETE", f"/query/{query['id']}")
    assert listed(site) == []


def test_the_command_line_prints_tables_json_and_yaml_with_all_digits(site):
    push(site, 0, 12_000)
    table = cli(site, "sql", "SELECT device, price, n FROM readings ORDER BY n DESC LIMIT 2")
    assert table.stdout.splitlines() == [
        "device     price      n",
        "d1      11999.10  11999",
        "d0      11998.10  11998",
    ]
    assert table.stderr.startswith("2 rows; 12000 stored records read in ")
    assert cli(site, "sql", "SELECT price FROM readings", "--limit", "1", "-o", "json").stdout == '{"price":0.10}\n'
    assert cli(site, "sql", "SELECT price FROM readings", "--limit", "1", "-o", "yaml").stdout == "---\nprice: 0.10\n"
    lines = cli(site, "sql", "SELECT n FROM readings").stdout.splitlines()  # several pages, one header
    assert [line.strip() for line in lines] == ["n"] + [str(n) for n in range(12_000)]
    empty = cli(site, "sql", "SELECT n FROM readings WHERE n < 0")
    assert empty.stdout == "n\n" and empty.stderr.startswith("0 rows; ")


def test_from_and_to_go_by_arrival(site):
    push(site, 0, 3)

    def count(*words):
        return len(cli(site, "sql", "SELECT n FROM readings", "-o", "json", *words).stdout.splitlines())

    assert count("--from", "1h") == 3 and count("--from", "latest") == 0
    assert count("--to", "1h") == 0 and count("--from", "2020-01-01T00:00:00Z", "--to", "latest") == 3
    live = cli(site, "sql", "SELECT n FROM readings", "--live", "--from", "10 min", "--limit", "2", "-o", "json")
    assert [json.loads(line)["n"] for line in live.stdout.splitlines()] == [0, 1]
    tail = cli(site, "tail", "readings", "--from", "10 min", "--limit", "3", "-o", "json")
    assert len(tail.stdout.splitlines()) == 3
    for command in (
        ["sql", "SELECT n FROM readings"],
        ["tail", "readings"],
        ["sql", "SELECT n FROM readings", "--live"],
    ):
        assert "how long ago" in cli(site, *command, "--from", "soon", code=1).stderr


def test_wrong_input_is_explained(site):
    error = cli(site, "sql", "SELECT\n  nn FROM readings", code=1).stderr
    assert "TG2003" in error and "   2 |   nn FROM readings" in error and "^" in error
    assert "is not supported" in cli(site, "sql", "SELECT n FROM (SELECT n FROM readings LIMIT 1)", code=1).stderr
    refused = cli(site, "sql", "SELECT n FROM readings LIMIT 1", "--live", code=1).stderr
    assert "Without --live" in refused and "rows as they come" not in refused
    assert "rows as they come" in cli(site, "sql", "SELECT n FROM readings", "--live", "--for", "1s").stderr
    assert "Without --live" in cli(site, "sql", "SELECT COUNT(*) FROM readings", "--live", code=1).stderr
    assert "TG1005" in cli(site, "sql", "SHOW TABLES", "--live", code=2).stderr
    assert "TG1005" in cli(site, "sql", "SELECT n FROM readings", "--live", "--to", "1h", code=2).stderr
    for body in ("", "[]", "{", '{"sql": 1}', '{"sql": "SELECT n FROM readings", "limit": 1.5}', '{"sql": ""}'):
        with pytest.raises(ApiError) as problem:
            site.api("POST", "/query", body)
        assert problem.value.status == 400, body
    for path in ("/query/nothing?cursor=x", "/query/%00?cursor=x", "/query/" + "x" * 5000 + "?cursor=x"):
        with pytest.raises(ApiError) as problem:
            site.api("GET", path)
        assert problem.value.status in (400, 404, 414, 431)
