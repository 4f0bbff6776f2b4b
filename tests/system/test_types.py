"""Types of columns through the real binary: in by HTTP and MQTT, out by live queries, files and reads, over kill -9."""

import base64
import json

import paho.mqtt.publish as publish

TABLES = """CREATE TABLE frames (device STRING NOT NULL, f FLOAT, b BYTES)
  WITH ('device' = 'device', 'mqtt.topic' = 'in/+');
CREATE TABLE copies (device STRING, f FLOAT, b BYTES, hex STRING) WITH ('connector' = 'file', 'path' = 'copies.ndjson');
INSERT INTO copies SELECT device, f * 2, b, HEX(b) FROM frames;"""


def test_float_and_bytes_come_out_as_they_went_in(server):
    server.sql(TABLES)
    live = server.live("SELECT device, f, b FROM frames")
    event, schema = next(live)
    assert [column["type"] for column in schema["columns"]] == ["STRING", "FLOAT", "BYTES"]
    frame = bytes(range(256))
    text = base64.b64encode(frame).decode()
    server.api("POST", "/streams/frames/records", json.dumps({"device": "a", "f": 0.1, "b": text}))
    assert next(live) == ("rows", [{"device": "a", "f": 0.1, "b": text}])
    token = server.add_device("m")
    publish.single(
        "in/m",
        json.dumps({"f": 3.4028234663852886e38, "b": base64.urlsafe_b64encode(frame).decode().rstrip("=")}),
        qos=1,
        hostname="127.0.0.1",
        port=server.mqtt_port,
        auth={"username": "m", "password": token},
    )
    assert next(live) == ("rows", [{"device": "m", "f": 3.4028235e38, "b": text}])
    server.kill()
    server.start()
    assert [(row["device"], row["f"], row["b"]) for row in server.records("frames")] == [
        ("a", 0.1, text),
        ("m", 3.4028235e38, text),
    ]
    again = server.live("SELECT hex FROM copies")
    next(again)
    server.api("POST", "/streams/frames/records", json.dumps({"device": "z", "f": 1, "b": ""}))
    assert next(again) == ("rows", [{"hex": ""}])
    server.stop()
    lines = [json.loads(line) for line in (server.data / "sinks/copies.ndjson").read_text().splitlines()]
    assert [(line["f"], line["b"]) for line in lines] == [(0.2, text), (None, text), (2, "")]
    assert lines[0]["hex"] == frame.hex().upper()
