"""Devices and sites: the command line and the API against a real server."""

import json
import stat
import time

import pytest
from test_cli import Cli
from tidegate import ApiError

MANY = 100_000
PAGE_BUDGET_S = 2.0  # measured 0.02 s; the machine of a test may be busy
START_BUDGET_S = 20.0


@pytest.fixture
def cli(server, tmp_path):
    return Cli(server, tmp_path)


@pytest.fixture
def site(cli):
    cli.run("site", "add", "north", "--time-zone", "Europe/Berlin")
    cli.run("site", "add", "north/pumping")
    cli.run("site", "add", "north/pumping/pump-3")
    return cli


def test_a_device_is_described_moved_and_found_again(site):
    site.run(
        *("device", "add", "meter-01", "--type", "flow meter", "--place", "north/pumping/pump-3"),
        *("--label", "vendor=acme", "--label", "line=3", "--interval", "30s"),
    )
    device = site.json("device", "get", "meter-01")
    assert device["type"] == "flow meter" and device["place"] == "north/pumping/pump-3"
    assert device["labels"] == {"vendor": "acme", "line": "3"} and device["interval_ms"] == 30_000
    assert device["token"] is True and device["revision"] == 1
    site.run("device", "add", "meter-02", "--no-token")
    listed = site.run("device", "list", "--type", "flow meter", "--site", "north", "--label", "vendor=acme")
    assert "meter-01" in listed and "30s" in listed and "meter-02" not in listed
    site.run("device", "set", "meter-01", "--label", "line-", "--interval", "none", "--revision", "1")
    assert "TG6006" in site.run("device", "set", "meter-01", "--type", "pump", "--revision", "1", code=1)
    site.run("device", "move", "meter-01", "north")
    assert "TG6001" in site.run("device", "move", "meter-01", "south", code=1)
    site.server.kill()
    site.server.start()
    device = site.json("device", "get", "meter-01")
    assert device["labels"] == {"vendor": "acme"} and device["interval_ms"] is None
    assert device["place"] == "north" and device["revision"] == 3


def test_moving_a_device_keeps_its_records(site):
    site.server.sql("CREATE TABLE r (device STRING, n BIGINT) WITH ('device' = 'device')")
    site.run("device", "add", "m", "--place", "north")
    site.server.api("POST", "/streams/r/records", {"device": "m", "n": 1})
    site.run("device", "move", "m", "north/pumping")
    site.server.api("POST", "/streams/r/records", {"device": "m", "n": 2})
    assert [record["n"] for record in site.server.records("r")] == [1, 2]


def test_the_site_tree(site):
    tree = site.json("site", "list")
    assert [(place["path"], place["kind"]) for place in tree] == [
        ("north", "site"),
        ("north/pumping", "area"),
        ("north/pumping/pump-3", "asset"),
    ]
    assert {place["time_zone"] for place in tree} == {"Europe/Berlin"}
    assert "Europe/Berlin" in site.run("site", "list")
    assert "TG6002" in site.run("site", "add", "south", code=1)
    assert "TG6002" in site.run("site", "add", "south", "--time-zone", "Berlin/Mitte", code=1)
    assert "TG6005" in site.run("site", "delete", "north/pumping", code=1)
    site.run("site", "set", "north", "--time-zone", "America/New_York")
    assert site.json("site", "get", "north/pumping")["time_zone"] == "America/New_York"
    site.run("site", "delete", "north/pumping/pump-3")
    assert len(site.json("site", "list")) == 2


def test_a_new_token_ends_the_old_one(site):
    server = site.server
    server.sql("CREATE TABLE r (device STRING, n BIGINT) WITH ('device' = 'device')")
    old = site.json("device", "add", "m")["token"]
    new = site.json("device", "token", "m")["token"]

    def send(token):
        return server.request("POST", "/api/v1/streams/r/records", '{"n": 1}', token=f"m:{token}")[0]

    assert send(old) == 401 and send(new) == 200
    site.run("device", "delete", "m")
    assert send(new) == 401


def test_etags_over_rest(site):
    server = site.server
    server.api("POST", "/devices", {"name": "m", "type": "valve"})
    status, headers, _ = server.request("GET", "/api/v1/devices/m")
    assert status == 200 and headers["ETag"] == '"1"'
    change = {"If-Match": headers["ETag"], "Content-Type": "application/merge-patch+json"}
    path = "/api/v1/devices/m"
    status, headers, text = server.request("PATCH", path, '{"type": null, "labels": {"a": "b"}}', headers=change)
    assert status == 200 and headers["ETag"] == '"2"' and json.loads(text)["type"] == ""
    status, headers, text = server.request("PATCH", path, '{"type": "pump"}', headers=change)
    assert status == 412 and json.loads(text)["code"] == 6006
    assert headers["Content-Type"] == "application/problem+json"
    assert server.request("DELETE", path, headers={"If-Match": '"1"'})[0] == 412
    assert server.request("DELETE", path, headers={"If-Match": "W/abc"})[0] == 400
    assert server.request("DELETE", path, headers={"If-Match": '"2"'})[0] == 204
    with pytest.raises(ApiError, match="no meaning"):
        server.api("POST", "/devices", {"name": "n", "colour": "red"})


def test_import_takes_all_lines_or_none(site, tmp_path):
    (tmp_path / "bad.csv").write_text("name,place\ngood,north\ntwo words,\nlost,south\ngood,\n")
    error = site.run("device", "import", "bad.csv", code=1)
    assert "bad.csv:3: TG6002" in error and "bad.csv:4: TG6001" in error and "bad.csv:5: TG6004" in error
    assert "3 lines" in error and site.json("device", "list") == []
    (tmp_path / "good.csv").write_text(
        'name,type,place,interval,label.vendor,description\na,meter,north,30s,acme,"left, up"\nb,,,,,\n'
    )
    assert "2 devices would be added" in site.run("device", "import", "good.csv", "--dry-run")
    assert site.json("device", "list") == []
    printed = site.run("device", "import", "good.csv", "--tokens", "tokens.csv")
    assert "added 2 devices" in printed
    tokens = tmp_path / "tokens.csv"
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o600
    lines = tokens.read_text().splitlines()
    assert lines[0] == "name,token" and len(lines) == 3
    token = lines[1].split(",")[1]
    assert len(token) == 43 and token not in printed
    server = site.server
    server.sql("CREATE TABLE r (device STRING) WITH ('device' = 'device')")
    assert server.request("POST", "/api/v1/streams/r/records", "{}", token=f"a:{token}")[0] == 200
    assert "exists already" in site.run("device", "import", "good.csv", "--tokens", "tokens.csv", code=1)
    assert "TG6004" in site.run("device", "import", "good.csv", code=1)
    (tmp_path / "more.csv").write_text("name\na\nb\nc\n")
    assert "added 1 device" in site.run("device", "import", "more.csv", "--skip-existing")
    assert site.json("device", "get", "a")["description"] == "left, up"
    assert site.json("device", "get", "c")["token"] is False


def test_a_hundred_thousand_devices_list_in_pages_and_start_quickly(site):
    server = site.server
    rows = "".join(f"meter-{n:06},type-{n % 7},north/pumping,{n % 50 + 1}s,v{n % 11}\n" for n in range(MANY))
    assert server.api("POST", "/device-imports", "name,type,place,interval,label.vendor\n" + rows)["added"] == MANY
    server.kill()
    began = time.monotonic()
    server.start()
    start_s = time.monotonic() - began
    began = time.monotonic()
    page = server.api("GET", "/devices?limit=1000&cursor=meter-050000")
    page_s = time.monotonic() - began
    assert len(page["devices"]) == 1000 and page["next"] == "meter-051000"
    began = time.monotonic()
    few = server.api("GET", "/devices?limit=1000&type=type-3&label=vendor%3Dv10&name=*99")["devices"]
    filter_s = time.monotonic() - began
    expected = [n for n in range(MANY) if n % 7 == 3 and n % 11 == 10 and n % 100 == 99]
    assert [device["name"] for device in few] == [f"meter-{n:06}" for n in expected]
    print(f"start {start_s:.2f} s, page {page_s:.3f} s, filter {filter_s:.3f} s")
    assert start_s < START_BUDGET_S and page_s < PAGE_BUDGET_S and filter_s < PAGE_BUDGET_S
