"""Gateways: who sends for other devices, through the real binary."""

import json

import paho.mqtt.client as mqtt
import pytest
from test_cli import Cli
from test_device_state import connect, until


@pytest.fixture
def cli(server, tmp_path):
    server.sql("CREATE TABLE flow (device STRING, n BIGINT) WITH ('device' = 'device', 'mqtt.topic' = 'plant/+/flow')")
    return Cli(server, tmp_path)


def test_a_gateway_sends_for_its_devices_only(cli):
    server = cli.server
    token = cli.json("gateway", "add", "gw-1", "--devices", "pump-*,meter-01")["token"]
    listed = cli.run("gateway", "list")
    assert "pump-*, meter-01" in listed and token not in listed
    client = connect(server, "gw-1", token)
    for n, device in enumerate(["pump-1", "valve-9", "meter-01", None]):
        record = {"device": device, "n": n} if device else {"n": n}
        client.publish("plant/x/flow", json.dumps(record), qos=1).wait_for_publish(timeout=10)
    assert [(row["device"], row["n"]) for row in server.records("flow")] == [("pump-1", 0), ("meter-01", 2)]
    dead = server.records("flow_dead_letters")
    assert [(letter["device"], letter["code"]) for letter in dead] == [("valve-9", 7002), (None, 4010)]
    assert "the gateway 'gw-1', which sent it, may not send for it" in dead[0]["reason"]
    status, _, text = server.request(
        "POST",
        "/api/v1/streams/flow/records",
        '[{"device":"pump-2","n":7},{"device":"x","n":8}]',
        token=f"gw-1:{token}",
    )
    assert status == 200 and json.loads(text)["accepted"] == 1 and json.loads(text)["dead_letters"] == 1
    assert server.request("GET", "/api/v1/streams", token=f"gw-1:{token}")[0] == 403
    # A change reaches the connection that is open; so does the end.
    cli.run("gateway", "set", "gw-1", "--devices", "valve-9")
    for n, device in enumerate(["pump-1", "valve-9"], 10):
        client.publish("plant/x/flow", json.dumps({"device": device, "n": n}), qos=1).wait_for_publish(timeout=10)
    assert server.records("flow")[-1]["n"] == 11
    cli.run("gateway", "delete", "gw-1")
    client.publish("plant/x/flow", json.dumps({"device": "valve-9", "n": 20}), qos=1).wait_for_publish(timeout=10)
    assert server.records("flow")[-1]["n"] == 11
    client.disconnect()
    client.loop_stop()


def test_a_gateway_survives_a_restart_and_hears_only_its_devices(cli):
    server = cli.server
    token = cli.json("gateway", "add", "gw", "--devices", "pump-1")["token"]
    server.kill()
    server.start()
    heard = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="gw", protocol=mqtt.MQTTv5)
    subscribed = []
    client.on_message = lambda _client, _data, message: heard.append(message.topic)
    client.on_subscribe = lambda *_: subscribed.append(True)
    client.username_pw_set("gw", token)
    client.connect("127.0.0.1", server.mqtt_port)
    client.loop_start()
    client.subscribe("devices/+/note", qos=1)
    until(lambda: subscribed, bool)
    pump = connect(server, "pump-1", server.api("POST", "/devices", {"name": "pump-1"})["token"])
    valve = connect(server, "valve", server.api("POST", "/devices", {"name": "valve"})["token"])
    valve.publish("devices/valve/note", "x", qos=1).wait_for_publish(timeout=10)
    pump.publish("devices/pump-1/note", "x", qos=1).wait_for_publish(timeout=10)
    until(lambda: heard, lambda topics: topics == ["devices/pump-1/note"])
    for each in (client, pump, valve):
        each.disconnect()
        each.loop_stop()
    assert "TG6004" in cli.run("gateway", "add", "pump-1", "--devices", "x", code=1)
    assert "TG6001" in cli.run("gateway", "get", "nobody", code=1)


def test_the_audit_log_holds_what_gateways_did_and_what_was_done_to_them(cli):
    server = cli.server
    first = cli.json("gateway", "add", "gw", "--devices", "pump-1")["token"]
    cli.run("gateway", "set", "gw", "--devices", "pump-*")
    token = cli.json("gateway", "token", "gw")["token"]
    client = connect(server, "gw", token)
    client.publish("plant/x/flow", '{"device": "pump-1", "n": 1}', qos=1).wait_for_publish(timeout=10)
    for wrong in (first, "nonsense"):
        assert server.request("POST", "/api/v1/streams/flow/records", "{}", token=f"gw:{wrong}")[0] == 401
    assert server.request("GET", "/api/v1/devices/valve/twin", token=f"gw:{token}")[0] == 403
    assert server.request("GET", "/api/v1/audit", token=f"gw:{token}")[0] == 403
    refused = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="gw", protocol=mqtt.MQTTv5)
    codes = []
    refused.on_connect = lambda _client, _data, _flags, code, _properties: codes.append(code)
    refused.username_pw_set("gw", first)
    refused.connect("127.0.0.1", server.mqtt_port)
    refused.loop_start()
    until(lambda: codes, bool)
    refused.loop_stop()
    cli.run("gateway", "delete", "gw")
    client.disconnect()
    client.loop_stop()
    server.api("GET", "/audit?limit=1000")
    server.sql("CREATE TABLE synced (n INT)")  # a synced write of the store, and with it all events before it
    server.kill()
    server.start()
    events = cli.json("audit", "list", "--limit", "1000")
    found = [(event["who"], event["what"], event["target"], event["allowed"]) for event in reversed(events)]
    about = [event for event in found if "gw" in event[2] or event[0] in ("gw", "gateway/gw")]
    for wanted in [
        ("operator", "gateway.add", "gw", True),
        ("operator", "gateway.change", "gw", True),
        ("operator", "gateway.token", "gw", True),
        ("gateway/gw", "mqtt.connect", "gw-client", True),
        ("gw", "mqtt.connect", "gw", False),
        ("operator", "gateway.remove", "gw", True),
    ]:
        assert wanted in about, (wanted, found)
    places = [
        about.index(("operator", what, "gw", True)) for what in ("gateway.add", "gateway.change", "gateway.remove")
    ]
    assert places == sorted(places)
    assert ("gateway/gw", "http.denied", "/api/v1/devices/valve/twin", False) in about
    assert not any("plant/x/flow" in event["target"] for event in events), "never one per message"
    assert "gateway.remove" in cli.run("audit", "list", "--limit", "1000")
    assert f"{len(events)} events" in cli.run("audit", "verify")
