"""What goes wrong in the field: garbage, giants, full disks, moved clocks, second servers, broken records."""

import json
import os
import re
import socket
import subprocess
from email.utils import parsedate_to_datetime

import pytest
from tidegate import BINARY, ApiError, Server

TABLE = """CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3) NOT NULL, value DOUBLE,
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('device' = 'device', 'mqtt.topic' = 'site/+');"""


def good(value):
    return {"device": "m1", "ts": 1_700_000_000_000 + value, "value": value}


def still_works(server):
    before = len(server.records("readings"))
    assert server.api("POST", "/streams/readings/records", good(before))["accepted"] == 1
    assert len(server.records("readings")) == before + 1


def raw(port, data):
    """Sends bytes and returns what came back before the server closed, at most 4 KiB."""
    with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            return connection.recv(4096)
        except ConnectionError:
            return b""


def connect_packet(server, device="m1"):
    token = server.tokens[device]
    body = b"\x00\x04MQTT\x05\xc2\x00\x3c\x00" + b"".join(
        len(part).to_bytes(2, "big") + part for part in (b"raw", device.encode(), token.encode())
    )
    assert len(body) < 128
    return bytes([0x10, len(body)]) + body


@pytest.fixture
def site(server):
    server.sql(TABLE)
    server.tokens = {"m1": server.add_device("m1")}
    return server


@pytest.mark.parametrize(
    "garbage",
    [b"\x00" * 64, b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff\xff\xff\xff", b"\x30\x02\x00\x05", os.urandom(4096)],
    ids=["zeros", "http", "length", "early", "noise"],
)
def test_malformed_packets_close_only_their_own_connection(site, garbage):
    raw(site.mqtt_port, garbage)
    raw(site.mqtt_port, connect_packet(site) + garbage)
    raw(site.http_port, garbage)
    still_works(site)


@pytest.mark.parametrize("length,reason", [((256 << 20) - 1, 0x95), (300 << 20, 0x81)], ids=["256MB", "300MB"])
def test_a_giant_publish_is_refused_from_its_header(site, length, reason):
    """256 MB is the most that MQTT can announce (packet too large); 300 MB does not fit the length's four bytes."""
    header = bytes(
        [0x32, (length & 0x7F) | 0x80, ((length >> 7) & 0x7F) | 0x80, ((length >> 14) & 0x7F) | 0x80, length >> 21]
    )
    answer = raw(site.mqtt_port, connect_packet(site) + header + b"\x00\x07site/m1")
    assert answer[-4] == 0xE0 and answer[-2] == reason
    still_works(site)


def test_a_300_mb_body_is_refused_from_its_header(site):
    connection = site.connection()
    connection.putrequest("POST", "/api/v1/streams/readings/records")
    connection.putheader("Authorization", f"Bearer {site.token}")
    connection.putheader("Content-Length", str(300 << 20))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413 and json.loads(answer.read())["code"] == 4003
    still_works(site)


def test_unknown_streams_are_named_and_the_nearest_suggested(site):
    with pytest.raises(ApiError) as missing:
        site.api("POST", "/streams/reading/records", good(1))
    assert missing.value.status == 404 and "reading" in missing.value.problem["detail"]


def test_what_does_not_fit_becomes_a_dead_letter_and_the_rest_counts(site):
    lines = [
        json.dumps(good(1)),
        '{"device": "m1", "ts": "yesterday", "value": 1}',
        "not json",
        json.dumps(good(2)),
        '{"device": "m1", "value": 3}',
        json.dumps(good(3) | {"value": "warm"}),
    ]
    answer = site.api("POST", "/streams/readings/records", "\n".join(lines))
    assert answer["accepted"] == 2 and answer["dead_letters"] == 4
    dead = site.records("readings_dead_letters")
    assert len(dead) == 4
    assert all(letter["reason"] and letter["payload"] for letter in dead)
    assert [r["value"] for r in site.records("readings")] == [1, 2]


def test_a_clock_in_2099_is_a_dead_letter(site):
    record = json.dumps({"device": "m1", "ts": "2099-01-01T00:00:00Z", "value": 1})
    status, _, text = site.request("POST", "/api/v1/streams/readings/records", record)
    answer = json.loads(text)
    assert status == 422 and answer["accepted"] == 0 and answer["dead_letters"] == 1
    assert site.records("readings_dead_letters")[0]["code"] == 4004
    still_works(site)


def test_a_clock_that_jumps_back_loses_nothing_and_keeps_the_order(tmp_path):
    """The server's own wall clock (libfaketime) goes back an hour under load of records that carry their own time."""
    offset = tmp_path / "clock"
    offset.write_text("+0")
    fake = {
        "LD_PRELOAD": "/usr/$LIB/faketime/libfaketime.so.1",
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with Server(tmp_path / "data", environment=fake) as server:
        server.sql(TABLE)
        server.sql(
            "CREATE TABLE sums (device STRING, start_at TIMESTAMP_LTZ(3), total DOUBLE);"
            "INSERT INTO sums SELECT device, window_start, SUM(`value`) FROM"
            " TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' SECOND))"
            " GROUP BY device, window_start, window_end;"
        )
        live = server.live("SELECT device, total FROM sums")
        assert next(live)[0] == "schema"
        start = 1_700_000_000_000
        for second in range(30):
            if second == 15:
                before = clock_of(server)
                offset.write_text("-1h")
                assert clock_of(server) < before
            record = {"device": "m1", "ts": start + second * 1000, "value": 1}
            assert server.api("POST", "/streams/readings/records", record)["accepted"] == 1
        totals = []
        while len(totals) < 2:
            totals += [row["total"] for row in next(live)[1]]
        assert totals == [10, 10]
        assert server.stop() == 0
        server.start()  # the clock is still an hour behind the last record
        assert server.api("POST", "/streams/readings/records", {"device": "m1", "ts": start + 50_000, "value": 1})
        times = [record["ts"] for record in server.records("readings")]
        assert len(times) == 31 and times == sorted(times)


def clock_of(server):
    return parsedate_to_datetime(server.request("GET", "/healthz")[1]["Date"])


def test_a_second_server_on_the_same_folder_is_refused(site):
    done = subprocess.run(
        [BINARY, "serve", "--data", site.data, "--http", "127.0.0.1:0", "--mqtt", "off", "--mqtts", "off"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode != 0 and "TG1002" in done.stderr
    still_works(site)


def test_plain_text_off_loopback_is_refused(tmp_path):
    done = subprocess.run(
        [BINARY, "serve", "--data", tmp_path / "data", "--http", "127.0.0.1:0", "--mqtt", "0.0.0.0:0"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode != 0 and "TG7007" in done.stderr


@pytest.mark.parametrize(
    "sql,code,words",
    [
        ("SELEC 1", 2001, "SELEC"),
        ("INSERT INTO readings SELECT device, ts, valeu FROM readings", 2003, "value"),
        ("SELECT * FROM nowhere", 2002, "nowhere"),
        ("CREATE TABLE t (a MAP<STRING, INT>)", 2006, "MAP"),
        ("CREATE TABLE t (a INT) WITH ('devise' = 'a')", 2010, "device"),
    ],
)
def test_bad_sql_is_explained_with_its_place(site, sql, code, words):
    with pytest.raises(ApiError) as wrong:
        site.sql(sql)
    problem = wrong.value.problem
    assert problem["code"] == code and problem["line"] == 1 and problem["column"] >= 1
    assert words in problem["detail"] + problem.get("hint", "")


def can_mount(folder):
    return (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", folder], capture_output=True).returncode == 0
    )


def test_a_full_disk_refuses_records_and_recovers_when_there_is_room(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if not can_mount(disk):
        print("not run: this user may not mount a small tmpfs")
        return
    try:
        with Server(disk / "data") as server:
            server.sql("CREATE TABLE readings (device STRING NOT NULL, note STRING) WITH ('device' = 'device');")
            fill_until_refused(server, disk)
            assert server.stop() == 0
    finally:
        subprocess.run(["umount", disk], check=True)


def fill_until_refused(server, disk):
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    ballast.write_bytes(b"\0" * max(0, free.f_bavail * free.f_frsize - (2 << 20)))
    accepted = 0
    for number in range(200):
        note = os.urandom(200_000).hex()
        try:
            accepted += server.api("POST", "/streams/readings/records", {"device": f"d{number}", "note": note})[
                "accepted"
            ]
        except ApiError as full:
            assert full.status in (507, 503) and full.problem["code"] in (4007, 4008)
            break
    else:
        raise AssertionError("the disk never filled")
    ballast.unlink()
    for _ in range(2000):
        try:
            accepted += server.api("POST", "/streams/readings/records", {"device": "after", "note": "room again"})[
                "accepted"
            ]
            break
        except ApiError as still:
            assert still.problem["code"] in (4007, 4008)
    else:
        raise AssertionError("records are still refused although there is room")
    assert len(server.records("readings")) == accepted


def damage(folder):
    """Flips a bit every three megabytes in the files that hold the records."""
    files = sorted(folder.rglob("*.blob"))
    assert files, "nothing was written to blob files yet"
    for file in files:
        content = bytearray(file.read_bytes())
        for at in range(1 << 20, len(content), 3 << 20):
            content[at] ^= 0x40
        file.write_bytes(content)


def test_damaged_records_are_found_named_and_stepped_over(server):
    server.sql("CREATE TABLE readings (device STRING NOT NULL, n BIGINT, note STRING) WITH ('device' = 'device');")
    for n in range(120):
        server.api("POST", "/streams/readings/records", {"device": "d", "n": n, "note": os.urandom(200_000).hex()})
    server.stop()
    damage(server.data / "store")
    server.start()
    offset, found, lost = 0, [], 0
    while offset < 120:
        try:
            page = server.api("GET", f"/streams/readings/records?from={offset}&limit=1")
            found.append(page["records"][0]["n"])
            offset += 1
        except ApiError as broken:
            assert broken.problem["code"] == 4005 and "Read on from offset" in broken.problem["hint"]
            first, last = re.search(r"offsets (\d+) to (\d+)", broken.problem["detail"]).groups()
            assert int(first) == offset
            lost += int(last) + 1 - offset
            offset = int(last) + 1
    assert lost > 0 and len(found) + lost == 120
    assert found == sorted(found)
    quarantined = re.search(r"^tidegate_log_quarantined_ranges (\d+)$", server.request("GET", "/metrics")[2], re.M)
    assert int(quarantined.group(1)) > 0 and "log.quarantined" in server.log_text()
    assert server.api("POST", "/streams/readings/records", {"device": "d", "n": 1000})["accepted"] == 1


def test_a_damaged_write_ahead_log_of_the_store_is_reported_and_kept(server):
    """Acknowledged, then damaged behind the killed server: it starts with what is whole and says what is lost."""
    server.sql("CREATE TABLE readings (device STRING NOT NULL, n BIGINT) WITH ('device' = 'device');")
    for n in range(60):
        server.api("POST", "/streams/readings/records", {"device": "d", "n": n})
    assert server.api("GET", "/status")["warnings"] == []
    server.kill()
    logs = [log for log in (server.data / "store/db").glob("*.log") if log.stat().st_size]
    log = max(logs, key=lambda file: file.name)
    content = bytearray(log.read_bytes())
    content[len(content) - len(content) // 4] ^= 0x40
    log.write_bytes(content)
    server.start()
    found = [record["n"] for record in server.records("readings")]
    assert 0 < len(found) < 60 and found == list(range(len(found)))
    assert "store.damaged" in server.log_text() and "TG4015" in server.log_text()
    metrics = server.request("GET", "/metrics")[2]
    assert re.search(r"^tidegate_store_lost_changes [1-9]", metrics, re.M)
    assert re.search(r"^tidegate_store_quarantines 1$", metrics, re.M)
    assert any("TG4015" in warning for warning in server.api("GET", "/status")["warnings"])
    assert (server.data / "store/quarantine/000001" / log.name).read_bytes() == content
    still_works(server)
    server.stop()
    server.start()
    assert len(server.api("GET", "/status")["warnings"]) == 1, "the loss is said once, the log kept until deleted"
    still_works(server)
