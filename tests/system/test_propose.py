"""A stream proposed from messages, on the command line and over MQTT."""

import json
import threading

import paho.mqtt.client as mqtt
import pytest
from test_cli import Cli
from tidegate import ROOT, ApiError


@pytest.fixture
def cli(server, tmp_path):
    return Cli(server, tmp_path)


def test_a_file_becomes_a_stream_that_takes_it(cli, server):
    path = ROOT / "examples/grid/data/household_power_consumption.csv"
    shown = cli.run("stream", "propose", "-f", path, "--name", "power")
    assert "CREATE TABLE power (" in shown and "'timestamp.format.Datetime' = 'dd/MM/yyyy HH:mm:ss'" in shown
    assert " rows, 0 dead letters" in shown
    assert "power" not in cli.run("stream", "list")
    cli.run("stream", "propose", "-f", path, "--name", "power", "--apply")
    token = server.add_device("meter-1")
    lines = path.read_text().splitlines()[:51]
    server.request("POST", "/api/v1/streams/power/records", "\n".join(lines), token=f"meter-1:{token}")
    assert len(server.records("power")) == 50


def test_messages_without_a_stream_are_captured_and_proposed(cli, server):
    token = server.add_device("m1")
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="m1")
    client.username_pw_set("m1", token)
    client.connect("127.0.0.1", server.mqtt_port)
    client.loop_start()
    done = threading.Event()

    def send():
        while not done.is_set():
            sent = client.publish("devices/m1/state", json.dumps({"temp": 21.5, "ts": 1767225600}), qos=1)
            sent.wait_for_publish(10)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        answer = cli.json(
            "stream", "propose", "--topic", "devices/#", "--capture", "3", "--for", "20s", "--name", "state"
        )
    finally:
        done.set()
        sender.join()
        client.loop_stop()
    assert answer["messages"] == 3 and answer["preview"]["dead"] == 0
    assert answer["preview"]["rows"][0] == {"device": "m1", "ts": "2026-01-01T00:00:00.000Z", "temp": 21.5}
    assert "'mqtt.topic' = 'devices/{device}/state'" in answer["sql"]
    server.sql(answer["sql"])


def test_mistakes_are_told(cli, server, tmp_path):
    assert "-f" in cli.run("stream", "propose", code=2)
    (tmp_path / "x").write_bytes(b"\x00\x01 no format")
    assert "begins with" in cli.run("stream", "propose", "-f", "x", code=1)
    assert "no message came" in cli.run("stream", "propose", "--topic", "nobody/#", "--for", "1s", code=1)
    assert "a/#/b" in cli.run("stream", "propose", "--topic", "a/#/b", code=1)
    for body in [
        "[]",
        "{}",
        '{"samples":[{}]}',
        '{"samples":[]}',
        '{"samples":[{"base64":"%"}]}',
        '{"capture":{"topic":1}}',
    ]:
        with pytest.raises(ApiError) as refused:
            server.api("POST", "/streams/propose", body)
        assert refused.value.status == 400
    status, _, _ = server.request("POST", "/api/v1/streams/propose", "{}", token="d:" + server.add_device("d"))
    assert status == 403


def test_a_mistyped_command_is_named(cli):
    error = cli.run("stream", "lst", code=2)
    assert "'lst' is no command of 'tidegate stream'; did you mean 'list'?" in error
    assert "did you mean 'stream'" in cli.run("straem", code=2)
