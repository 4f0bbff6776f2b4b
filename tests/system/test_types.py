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


def test_decimals_keep_every_digit_and_add_up_exactly(server):
    server.sql("""CREATE TABLE bills (device STRING NOT NULL, ts TIMESTAMP_LTZ(3), amount DECIMAL(20, 2),
             WATERMARK FOR ts AS ts) WITH ('device' = 'device');
           CREATE TABLE totals (device STRING, total DECIMAL(38, 2), mean DECIMAL(38, 6));
           INSERT INTO totals SELECT device, SUM(amount), AVG(amount)
           FROM TABLE(TUMBLE(TABLE bills, DESCRIPTOR(ts), INTERVAL '10' SECOND))
           GROUP BY device, window_start, window_end;""")
    live = server.live("SELECT amount, amount * 1.19 AS gross FROM bills")
    _, schema = next(live)
    assert [column["type"] for column in schema["columns"]] == ["DECIMAL(20, 2)", "DECIMAL(24, 4)"]
    records = '{"device":"a","ts":1000,"amount":100000000000000000.07}\n{"device":"a","ts":2000,"amount":"0.01"}'
    server.api("POST", "/streams/bills/records", records)
    server.kill()
    server.start()
    status, _, text = server.request("GET", "/api/v1/streams/bills/records?from=0")
    assert status == 200 and '"amount":100000000000000000.07' in text and '"amount":0.01' in text
    totals = server.live("SELECT total, mean FROM totals")
    next(totals)
    server.api("POST", "/streams/bills/records", '{"device":"a","ts":10000}')
    assert next(totals)[0] == "rows"
    _, _, text = server.request("GET", "/api/v1/streams/totals/records?from=0")
    assert '"total":100000000000000000.08,"mean":50000000000000000.040000' in text
