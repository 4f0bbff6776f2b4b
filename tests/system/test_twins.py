"""Twins and commands: with a real MQTT client against the real binary."""

import json

import paho.mqtt.client as mqtt
import pytest
from test_cli import Cli
from test_device_state import until


class Device:
    """An MQTT 5 client that keeps what it hears."""

    def __init__(self, server, name, token, *filters, clean=True):
        self.heard = []
        self.answered = []
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
        self.client.username_pw_set(name, token)
        self.client.on_message = lambda _client, _data, message: self.heard.append(message)
        self.client.on_connect = lambda client, *_: [client.subscribe(one, qos=1) for one in filters]
        self.client.connect("127.0.0.1", server.mqtt_port, clean_start=clean)
        self.client.loop_start()

    def wait(self, ending):
        return until(lambda: [one for one in self.heard if one.topic.endswith(ending)], bool)[-1]

    def publish(self, topic, payload, **more):
        self.client.publish(topic, payload, qos=1, **more).wait_for_publish(timeout=10)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def cli(server, tmp_path):
    return Cli(server, tmp_path)


def test_a_device_follows_its_twin_and_catches_up_after_a_restart(cli):
    server = cli.server
    token = server.api("POST", "/devices", {"name": "valve"})["token"]
    cli.run("device", "twin", "set", "valve", '{"interval_s": 30, "led": {"on": true}}')
    device = Device(server, "valve", token, "devices/valve/twin/#")
    delta = json.loads(device.wait("/twin/delta").payload)
    assert delta == {"revision": 1, "delta": {"interval_s": 30, "led": {"on": True}}}
    assert json.loads(device.wait("/twin/desired").payload)["desired"]["interval_s"] == 30
    device.publish("devices/valve/twin/reported", '{"interval_s": 30, "firmware": "1.2"}')
    assert json.loads(device.wait("/reported/accepted").payload) == {"revision": 1}
    device.publish("devices/valve/twin/reported", "[]")
    assert json.loads(device.wait("/reported/rejected").payload)["code"] == 6002
    twin = cli.json("device", "twin", "get", "valve")
    assert twin["delta"] == {"led": {"on": True}} and twin["reported"]["firmware"] == "1.2"
    device.close()
    server.kill()
    server.start()
    again = Device(server, "valve", token, "devices/valve/twin/delta")
    assert json.loads(again.wait("/twin/delta").payload)["delta"] == {"led": {"on": True}}
    again.close()
    assert '"firmware":"1.2"' in cli.run("device", "twin", "get", "valve")


def test_commands_are_delivered_answered_failed_and_expired(cli):
    server = cli.server
    token = server.api("POST", "/devices", {"name": "valve"})["token"]
    first = cli.json("device", "command", "send", "valve", "open", "--timeout", "60s")
    assert first["status"] == "pending"
    device = Device(server, "valve", token, "devices/valve/commands/+")
    message = device.wait(first["id"])
    assert message.payload == b"open"
    assert message.properties.ResponseTopic == f"devices/valve/commands/{first['id']}/answer"
    assert message.properties.CorrelationData.decode() == first["id"]
    device.publish(message.properties.ResponseTopic, "opened")
    second = cli.json("device", "command", "send", "valve", "close", "--timeout", "60s")
    device.publish(device.wait(second["id"]).properties.ResponseTopic, '{"status": "failed", "why": "stuck"}')
    third = cli.json("device", "command", "send", "valve", "blink", "--timeout", "1s")

    def states():
        return {one["id"]: one["status"] for one in server.api("GET", "/devices/valve/commands")["commands"]}

    expected = {first["id"]: "acked", second["id"]: "failed", third["id"]: "expired"}
    until(states, lambda found: found == expected)
    fourth = cli.json("device", "command", "send", "valve", "later", "--timeout", "1h")
    device.close()
    server.kill()
    server.start()
    assert states() == expected | {fourth["id"]: "pending"}
    back = Device(server, "valve", token, "devices/valve/#")
    assert back.wait(fourth["id"]).payload == b"later"
    back.close()
    listed = cli.run("device", "command", "list", "valve")
    assert "stuck" in listed and "expired" in listed and "operator" in listed


def test_commands_are_answered_over_http_by_the_device_alone(cli):
    server = cli.server
    mine = server.api("POST", "/devices", {"name": "mine"})["token"]
    other = server.api("POST", "/devices", {"name": "other"})["token"]

    def send(payload):
        return server.api("POST", "/devices/mine/commands", {"payload": payload, "timeout_ms": 600_000})["id"]

    def ask(method, path, body=None, token=f"mine:{mine}"):
        status, _, text = server.request(method, "/api/v1/devices" + path, body, token=token)
        return status, json.loads(text)

    first, second, third, fourth = send("open"), send("close"), send("blink"), send("turn")
    status, listed = ask("GET", "/mine/commands")
    assert status == 200 and {one["id"] for one in listed["commands"]} == {first, second, third, fourth}
    status, answered = ask("POST", f"/mine/commands/{first}/answer", "opened \u00b0".encode())
    assert (status, answered["status"], answered["answer"]) == (200, "acked", "opened \u00b0")
    assert (
        ask("POST", f"/mine/commands/{second}/answer", '{"status": "failed", "why": "stuck"}')[1]["status"] == "failed"
    )
    assert ask("POST", f"/mine/commands/{third}/answer")[1]["status"] == "acked"
    # What is wrong changes nothing.
    for command, body, token, wanted in [
        (first, "again", f"mine:{mine}", 404),
        (fourth, "x" * 70_000, f"mine:{mine}", 413),
        (fourth, "not mine", f"other:{other}", 403),
        (fourth, "nobody", "", 401),
        ("0" * 16, "", f"mine:{mine}", 404),
        ("%2e%2e%2f", "", f"mine:{mine}", 404),
    ]:
        assert ask("POST", f"/mine/commands/{command}/answer", body, token)[0] == wanted, (command, wanted)
    assert ask("POST", "/other/commands/1/answer", "", server.token)[0] == 404
    server.kill()
    server.start()
    states = {one["id"]: one["status"] for one in server.api("GET", "/devices/mine/commands")["commands"]}
    assert states == {first: "acked", second: "failed", third: "acked", fourth: "pending"}
    assert ask("POST", f"/mine/commands/{fourth}/answer", "", server.token)[1]["status"] == "acked"
    # A gateway answers for its devices, and for no others.
    gateway = server.api("POST", "/gateways", {"name": "gw", "devices": ["mine"]})["token"]
    fifth = send("stop")
    assert ask("POST", f"/mine/commands/{fifth}/answer", "", f"gw:{gateway}")[1]["status"] == "acked"
    sixth = server.api("POST", "/devices/other/commands", {"payload": "x", "timeout_ms": 600_000})["id"]
    assert ask("POST", f"/other/commands/{sixth}/answer", "", f"gw:{gateway}")[0] == 403
    assert server.api("GET", "/devices/other/commands")["commands"][0]["status"] == "pending"


def test_a_device_sees_only_its_own(cli):
    server = cli.server
    mine = server.api("POST", "/devices", {"name": "mine"})["token"]
    server.api("POST", "/devices", {"name": "other"})
    command = server.api("POST", "/devices/other/commands", {"payload": {"go": 1}, "timeout_ms": 60_000})
    assert command["payload"] == '{"go":1}'

    def ask(method, path, body=None):
        return server.request(method, "/api/v1/devices" + path, body, token=f"mine:{mine}")[0]

    assert ask("GET", "/mine/twin") == 200 and ask("GET", "/other/twin") == 403
    assert ask("PATCH", "/mine/twin/reported", '{"a": 1}') == 200 and ask("PATCH", "/other/twin/reported", "{}") == 403
    assert ask("GET", "/mine/commands") == 200 and ask("GET", "/other/commands") == 403
    assert ask("PATCH", "/mine/twin", "{}") == 403 and ask("POST", "/mine/commands", "{}") == 403
    device = Device(server, "mine", mine, "devices/other/#", "devices/mine/#")
    server.api("POST", "/devices/mine/commands", {"payload": "hello", "timeout_ms": 60_000})
    until(lambda: device.heard, bool)
    assert all(message.topic.startswith("devices/mine/") for message in device.heard)
    device.close()
    until(lambda: server.api("GET", "/devices/other/commands")["commands"], lambda all: all[0]["status"] == "pending")
    assert "TG6001" in cli.run("device", "command", "send", "nobody", "x", code=1)
    cli.run("device", "delete", "other")
    server.api("POST", "/devices", {"name": "other"})
    assert server.api("GET", "/devices/other/commands")["commands"] == []
