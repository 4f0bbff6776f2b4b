"""Types of columns through the real binary: in by HTTP and MQTT, out by live queries, files and reads, over kill -9."""

import base64
import json

import paho.mqtt.publish as publish
from tidegate import wait_for

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


NESTED = """CREATE TABLE bursts (device STRING NOT NULL, samples ARRAY<DOUBLE>, motor ROW<rpm INT, at TIMESTAMP_LTZ(3)>)
  WITH ('device' = 'device', 'mqtt.topic' = 'bursts/+');
CREATE TABLE packed (device STRING NOT NULL, samples ARRAY<FLOAT>) WITH ('device' = 'device', 'format' = 'cbor');
CREATE TABLE copies (device STRING, n INT, peak DOUBLE, samples ARRAY<DOUBLE>, motor ROW<rpm INT, at TIMESTAMP_LTZ(3)>)
  WITH ('connector' = 'file', 'path' = 'copies.ndjson');
INSERT INTO copies SELECT device, CARDINALITY(samples), ARRAY_MAX(samples), samples, motor FROM bursts;"""


def test_arrays_and_rows_come_out_as_they_went_in(server):
    server.sql(NESTED)
    live = server.live("SELECT device, samples, motor.rpm FROM bursts WHERE CARDINALITY(samples) > 0")
    _, schema = next(live)
    assert [column["type"] for column in schema["columns"]] == ["STRING", "ARRAY<DOUBLE>", "INT"]
    samples = [round(0.1 * number, 1) for number in range(20_000)] + [None]
    motor = {"rpm": 1450, "at": "2026-01-31T12:00:00.000Z"}
    server.api("POST", "/streams/bursts/records", json.dumps({"device": "a", "samples": samples, "motor": motor}))
    assert next(live) == ("rows", [{"device": "a", "samples": samples, "rpm": 1450}])
    token = server.add_device("m")
    publish.multiple(
        [
            {"topic": "bursts/m", "payload": payload, "qos": 1}
            for payload in ('{"samples":[1,"x"]}', '{"samples":[[1]]}', '{"samples":[1', '{"samples":[1,2.5]}')
        ],
        hostname="127.0.0.1",
        port=server.mqtt_port,
        auth={"username": "m", "password": token},
    )
    assert next(live) == ("rows", [{"device": "m", "samples": [1, 2.5], "rpm": None}])
    # {"device": "c", "samples": [0.5, null, 2, 1e3 as a half]} in CBOR.
    cbor = bytes.fromhex("a26664657669636561636773616d706c657384f93800f602f963d0")
    status, _, _ = server.request("POST", "/api/v1/streams/packed/records", cbor)
    assert status == 200
    server.kill()
    server.start()
    kept = [(row["device"], row["samples"], row["motor"]) for row in server.records("bursts")]
    assert kept == [("a", samples, motor), ("m", [1, 2.5], None)]
    assert [row["samples"] for row in server.records("packed")] == [[0.5, None, 2, 1000]]
    dead = [letter["reason"] for letter in server.records("bursts_dead_letters")]
    assert dead[:2] == [
        "column 'samples[2]' expects DOUBLE, but \"x\" came",
        "column 'samples[1]' expects DOUBLE, but an array came",
    ]
    assert len(dead) == 3 and "not valid JSON" in dead[2]
    again = server.live("SELECT device FROM copies WHERE n = 0")
    next(again)
    server.api("POST", "/streams/bursts/records", '{"device":"z","samples":[]}')
    assert next(again) == ("rows", [{"device": "z"}])
    server.stop()
    lines = [json.loads(line) for line in (server.data / "sinks/copies.ndjson").read_text().splitlines()]
    assert [(line["device"], line["n"], line["peak"]) for line in lines] == [
        ("a", 20_001, 1999.9),
        ("m", 2, 2.5),
        ("z", 0, None),
    ]
    assert lines[0]["samples"] == samples and lines[0]["motor"] == motor


def test_what_cannot_be_computed_is_null_and_counted(server):
    server.sql("""CREATE TABLE texts (device STRING, t STRING) WITH ('device' = 'device');
      CREATE TABLE numbers (device STRING, n INT);
      INSERT INTO numbers SELECT device, CAST(t AS INT) FROM texts WHERE t <> ''""")
    rows = [{"device": "a", "t": text} for text in ("7", "x", "y", "")]
    server.api("POST", "/streams/texts/records", "\n".join(json.dumps(row) for row in rows))
    wait_for(lambda: server.api("GET", "/pipelines/numbers")["rows_out"] == 3)
    assert [row["n"] for row in server.records("numbers")] == [7, None, None]
    operators = server.api("GET", "/pipelines/numbers")["operators"]
    assert sum(operator["errors"] for operator in operators) == 2
    assert "tidegate_operator_errors_total" in server.request("GET", "/metrics")[2]
