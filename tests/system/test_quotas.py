"""Quotas through the real binary: set on the command line, felt by MQTT and HTTP senders."""

import json
import time

import paho.mqtt.client as mqtt
import pytest
from test_cli import Cli
from test_device_state import until
from tidegate import wait_for


@pytest.fixture
def cli(server, tmp_path):
    server.sql("CREATE TABLE flow (device STRING, n BIGINT) WITH ('device' = 'device', 'mqtt.topic' = 'plant/+/flow')")
    cli = Cli(server, tmp_path)
    cli.run("site", "add", "north", "--time-zone", "UTC")
    cli.run("site", "add", "north/pumping")
    return cli


def add_device(cli, name, device_type="meter", place="north/pumping"):
    return cli.json("device", "add", name, "--type", device_type, "--place", place)["token"]


class Sender:
    """A client whose answers are kept: packet id -> reason code."""

    def __init__(self, server, name, token, version=mqtt.MQTTv5, client_id=None):
        self.answers = {}
        self.connack = []
        self.closed = []
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id or name, protocol=version)
        self.client.username_pw_set(name, token)
        self.client.on_publish = lambda _c, _d, mid, reason, _p: self.answers.__setitem__(mid, reason.value)
        self.client.on_connect = lambda _c, _d, _f, reason, _p: self.connack.append(reason.value)
        self.client.on_disconnect = lambda *_: self.closed.append(True)
        self.client.connect("127.0.0.1", server.mqtt_port)
        self.client.loop_start()
        wait_for(lambda: self.connack)

    def send(self, numbers, qos=1, pad=""):
        return [self.client.publish("plant/x/flow", json.dumps({"n": n}) + pad, qos=qos).mid for n in numbers]

    def outcome(self, mids):
        wait_for(lambda: all(mid in self.answers for mid in mids))
        return [self.answers[mid] for mid in mids]

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def metric(server, name):
    lines = server.request("GET", "/metrics")[2].splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(name + " ")))


def test_mqtt_5_senders_are_told_and_the_rest_is_taken(cli):
    server = cli.server
    sender = Sender(server, "meter-1", add_device(cli, "meter-1"))
    assert sender.outcome(sender.send(range(50))) == [0] * 50
    # From the top down; each reaches the connection that is open.
    for subject in ["default", "site:north", "site:north/pumping", "type:meter", "device:meter-1"]:
        cli.run("quota", "set", subject, "--messages-per-s", "5")
        state = server.api("GET", "/devices/meter-1/state")["quota"]
        assert state["limits"]["messages_per_s"] == {"value": 5, "from": subject}
    codes = sender.outcome(sender.send(range(100, 130)))
    assert codes[:5] == [0] * 5 and codes.count(0x97) >= 20 and set(codes) == {0, 0x97}
    cli.run("quota", "set", "device:meter-1", "--messages-per-s", "1000")
    assert sender.outcome(sender.send(range(200, 210))) == [0] * 10
    # QoS 0 is dropped and counted.
    cli.run("quota", "set", "device:meter-1", "--messages-per-s", "0.001")
    assert sender.outcome(sender.send([300])) == [0]
    sender.send(range(301, 311), qos=0)
    state = until(lambda: server.api("GET", "/devices/meter-1/state")["quota"], lambda quota: quota["dropped"] == 10)
    assert state["refused"]["messages"] == codes.count(0x97)
    assert metric(server, "tidegate_quota_refused_messages_total") == codes.count(0x97)
    assert metric(server, "tidegate_quota_dropped_messages_total") == 10
    shown = cli.run("device", "get", "meter-1")
    assert "messages_per_s 0.001 (device:meter-1)" in shown and "10 dropped (QoS 0)" in shown
    taken = {row["n"] for row in server.records("flow")}
    assert taken == set(range(50)) | {100 + n for n, code in enumerate(codes) if code == 0} | set(range(200, 210)) | {
        300
    }
    sender.close()


def test_mqtt_3_1_1_senders_wait_and_lose_nothing(cli):
    server = cli.server
    sender = Sender(server, "meter-1", add_device(cli, "meter-1"), mqtt.MQTTv311)
    neighbour = Sender(server, "meter-2", add_device(cli, "meter-2"), mqtt.MQTTv311)
    cli.run("quota", "set", "device:meter-1", "--messages-per-s", "20", "--payload", "100")
    began = time.monotonic()
    mids = sender.send(range(60))
    assert neighbour.outcome(neighbour.send(range(1000, 1100))) == [0] * 100
    assert time.monotonic() - began < 1.5
    assert sender.outcome(mids) == [0] * 60
    assert 1.8 < time.monotonic() - began < 10  # 20 at once, 20 a second after that
    rows = [row["n"] for row in server.records("flow") if row["device"] == "meter-1"]
    assert rows == list(range(60)) and not sender.closed
    # What can never pass is kept as a dead letter instead of stopping everything behind it.
    mids = sender.send([70], pad=" " * 200) + sender.send([71])
    assert sender.outcome(mids) == [0, 0]
    letter = server.records("flow_dead_letters")[-1]
    assert letter["device"] == "meter-1" and letter["code"] == 4003 and "larger than the quota" in letter["reason"]
    assert [row["n"] for row in server.records("flow") if row["device"] == "meter-1"][-1] == 71
    # Raising the quota frees who waits.
    cli.run("quota", "set", "device:meter-1", "--messages-per-s", "0.01")
    mids = sender.send(range(200, 220))
    wait_for(lambda: metric(server, "tidegate_quota_held_total") > 0)
    cli.run("quota", "delete", "device:meter-1")
    assert sender.outcome(mids) == [0] * 20
    sender.close()
    neighbour.close()


def test_sizes_bytes_and_connections(cli):
    server = cli.server
    token = add_device(cli, "meter-1")
    cli.run("quota", "set", "type:meter", "--payload", "1kB", "--connections", "1", "--bytes-per-s", "10kB")
    sender = Sender(server, "meter-1", token)
    assert sender.outcome(sender.send([1]) + sender.send([2], pad=" " * 2000)) == [0, 0x97]
    assert sender.outcome(sender.send(range(10, 40), pad=" " * 900)).count(0x97) > 10
    second = Sender(server, "meter-1", token, client_id="second")
    assert second.connack[0] == 0x97
    old = Sender(server, "meter-1", token, mqtt.MQTTv311, client_id="third")
    assert old.connack[0] == 0x88  # paho's word for 3.1.1's "server unavailable"
    for each in (second, old):
        each.close()
    again = Sender(server, "meter-1", token)  # the same client comes back: its old connection ends for it
    assert again.connack[0] == 0
    quota = server.api("GET", "/devices/meter-1/state")["quota"]
    assert quota["refused"]["payload"] == 1 and quota["refused"]["bytes"] > 10
    assert quota["refused"]["connections"] >= 2
    for each in (sender, again):
        each.close()
    wait_for(lambda: server.api("GET", "/devices/meter-1/state")["connections"] == 0)
    last = Sender(server, "meter-1", token, client_id="fourth")
    assert last.connack[0] == 0
    last.close()


def test_http_senders_get_429_with_the_time_to_wait(cli):
    server = cli.server
    token = add_device(cli, "meter-1")
    cli.run("quota", "set", "device:meter-1", "--messages-per-s", "0.1", "--payload", "50")
    path = "/api/v1/streams/flow/records"
    assert server.request("POST", path, '{"n":1}', token=f"meter-1:{token}")[0] == 200
    status, headers, text = server.request("POST", path, '{"n":2}', token=f"meter-1:{token}")
    assert status == 429 and headers["Content-Type"] == "application/problem+json"
    assert 8 <= int(headers["Retry-After"]) <= 10
    problem = json.loads(text)
    assert problem["code"] == 3008 and "device:meter-1 has used up its quota of messages" in problem["detail"]
    status, headers, text = server.request("POST", path, '{"n":3}' + " " * 100, token=f"meter-1:{token}")
    assert status == 413 and "Retry-After" not in headers
    assert server.request("POST", path, '{"device":"meter-1","n":4}')[0] == 200  # an administrator has none
    assert [row["n"] for row in server.records("flow")] == [1, 4]


def test_gateways_have_their_own_only(cli):
    server = cli.server
    token = cli.json("gateway", "add", "gw", "--devices", "meter-*")["token"]
    cli.run("quota", "set", "default", "--messages-per-s", "1")
    path = "/api/v1/streams/flow/records"
    for n in range(5):
        assert server.request("POST", path, f'{{"device":"meter-9","n":{n}}}', token=f"gw:{token}")[0] == 200
    cli.run("quota", "set", "gateway:gw", "--messages-per-s", "0.01")
    assert server.request("POST", path, '{"device":"meter-9","n":5}', token=f"gw:{token}")[0] == 200
    assert server.request("POST", path, '{"device":"meter-9","n":6}', token=f"gw:{token}")[0] == 429


def test_quotas_are_documents_that_survive_a_kill(cli):
    server = cli.server
    add_device(cli, "meter-1")
    assert "nothing is limited" in cli.run("quota", "list")
    cli.run("quota", "set", "type:meter", "--messages-per-s", "10", "--bytes-per-s", "1.5MB", "--burst", "30s")
    cli.run("quota", "set", "type:meter", "--payload", "4kB", "--messages-per-s", "none")
    server.kill()
    server.start()
    row = next(line for line in cli.run("quota", "list").splitlines() if line.startswith("type:meter"))
    assert row.split() == ["type:meter", "-", "1.5MB", "4kB", "-", "30s"]
    quota = server.api("GET", "/quotas/type:meter")
    assert quota["revision"] == 2 and quota["messages_per_s"] is None
    # Wrong words, and what nobody can mean.
    assert "TG6001" in cli.run("quota", "set", "device:mter-1", "--payload", "10", code=1)
    assert "TG6001" in cli.run("quota", "set", "site:south", "--payload", "10", code=1)
    assert "TG6002" in cli.run("quota", "set", "meter-1", "--payload", "10", code=1)
    assert "TG6002" in cli.run("quota", "set", "type:meter", "--messages-per-s", "0", code=1)
    assert "no amount" in cli.run("quota", "set", "type:meter", "--payload", "lots", code=2)
    assert "no limit was given" in cli.run("quota", "set", "type:meter", code=2)
    status, _, text = server.request(
        "PATCH", "/api/v1/quotas/type:meter", '{"payload_bytes":1}', headers={"If-Match": '"1"'}
    )
    assert status == 412 and "revision 2" in text
    assert server.request("PATCH", "/api/v1/quotas/default", '{"mesages":1}')[0] == 400
    token = server.api("POST", "/devices/meter-1/token")["token"]
    assert server.request("PATCH", "/api/v1/quotas/default", '{"payload_bytes":1}', token=f"meter-1:{token}")[0] == 403
    cli.run("quota", "delete", "type:meter")
    assert "TG6001" in cli.run("quota", "get", "type:meter", code=1)
