"""Ways out: live queries with slow readers, sinks, status and metrics."""

import json
import threading

import paho.mqtt.client as mqtt
import pytest

TABLE = """CREATE TABLE readings (device STRING NOT NULL, n BIGINT NOT NULL, note STRING)
  WITH ('device' = 'device');"""


def push(server, records):
    body = "\n".join(json.dumps(record) for record in records)
    return server.api("POST", "/streams/readings/records", body)


def test_live_results_arrive_as_they_are_committed(server):
    server.sql(TABLE)
    live = server.live("SELECT device, n * 2 AS doubled FROM readings WHERE n > 1")
    event, schema = next(live)
    assert event == "schema" and [column["name"] for column in schema["columns"]] == ["device", "doubled"]
    push(server, [{"device": "a", "n": 1}, {"device": "b", "n": 2}])
    assert next(live) == ("rows", [{"device": "b", "doubled": 4}])
    push(server, [{"device": "c", "n": 3}])
    assert next(live) == ("rows", [{"device": "c", "doubled": 6}])


def test_a_slow_reader_is_told_what_it_missed_and_slows_nobody(server):
    server.sql(TABLE)
    slow = server.live("SELECT n, note FROM readings", receive_buffer=65536)
    fast = server.live("SELECT n FROM readings WHERE n % 1000 = 0")
    assert next(slow)[0] == "schema" and next(fast)[0] == "schema"
    note = "x" * 900
    rounds, size = 80, 1000
    for number in range(rounds):
        push(server, [{"device": "d", "n": number * size + at, "note": note} for at in range(size)])
        event, rows = next(fast)
        assert event == "rows" and rows[0]["n"] == number * size
    got = missed = 0
    for event, data in slow:
        got += len(data) if event == "rows" else 0
        missed += data["rows"] if event == "missed" else 0
        if got + missed == rounds * size:
            break
    assert missed > 0 and got > 0


def test_a_file_sink_holds_every_record_once(server):
    server.sql(
        TABLE + """CREATE TABLE kept (device STRING, n BIGINT) WITH ('connector' = 'file', 'path' = 'kept.ndjson');
        INSERT INTO kept SELECT device, n FROM readings WHERE n >= 10;"""
    )
    live = server.live("SELECT n FROM kept")
    next(live)
    push(server, [{"device": "a", "n": n} for n in range(20)])
    assert next(live)[0] == "rows"
    server.stop()
    lines = (server.data / "sinks/kept.ndjson").read_text().splitlines()
    assert [json.loads(line)["n"] for line in lines] == list(range(10, 20))


def test_an_mqtt_sink_reaches_the_device(server):
    server.sql(TABLE + """CREATE TABLE commands (device STRING, n BIGINT)
        WITH ('connector' = 'mqtt', 'topic' = 'devices/{device}/in', 'device' = 'device');
        INSERT INTO commands SELECT device, n FROM readings WHERE n > 5;""")
    token = server.add_device("pump")
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="pump")
    client.username_pw_set("pump", token)
    ready, heard, messages = threading.Event(), threading.Event(), []
    client.on_connect = lambda *_: client.subscribe("devices/pump/in", 1)
    client.on_subscribe = lambda *_: ready.set()

    def on_message(_client, _data, message):
        messages.append(json.loads(message.payload))
        heard.set()

    client.on_message = on_message
    client.connect("127.0.0.1", server.mqtt_port)
    client.loop_start()
    assert ready.wait(10)
    push(server, [{"device": "pump", "n": 4}, {"device": "pump", "n": 6}, {"device": "other", "n": 7}])
    assert heard.wait(10)
    client.disconnect()
    client.loop_stop()
    assert [message["n"] for message in messages] == [6] and messages[0]["_id"].startswith("commands:")


def test_status_and_metrics_count_what_happened(server):
    server.sql(TABLE + """CREATE TABLE out1 (n BIGINT); INSERT INTO out1 SELECT n FROM readings WHERE n > 0;""")
    live = server.live("SELECT n FROM out1")
    next(live)
    push(server, [{"device": "a", "n": 0}, {"device": "a", "n": 1}, {"device": "a", "n": "one"}])
    next(live)
    metrics = server.request("GET", "/metrics")[2]
    for line in (
        'tidegate_stream_rows_total{stream="readings"} 2',
        'tidegate_stream_dead_letters_total{stream="readings"} 1',
        'tidegate_pipeline_rows_in_total{pipeline="out1"} 2',
        'tidegate_pipeline_rows_out_total{pipeline="out1"} 1',
        "tidegate_mqtt_connections 0",
        "tidegate_sinks_failing 0",
    ):
        assert line in metrics.splitlines(), metrics
    status = server.api("GET", "/status")
    assert status


def test_a_dropped_stream_is_gone_and_what_uses_it_protects_it(server):
    from tidegate import ApiError

    server.sql(TABLE + "CREATE TABLE out2 (n BIGINT); INSERT INTO out2 SELECT n FROM readings;")
    with pytest.raises(ApiError) as used:
        server.sql("DROP TABLE readings")
    assert used.value.problem["code"] == 6005 and "out2" in used.value.problem["detail"]
    server.sql("DROP PIPELINE out2; DROP TABLE out2; DROP TABLE readings;")
    names = [stream["name"] for stream in server.api("GET", "/streams")["streams"]]
    assert sorted(names) == ["corrections", "device_events"]  # the platform's own


def test_readers_that_come_and_go_while_rows_flow_leave_the_server_well(server):
    server.sql(TABLE)
    stop = threading.Event()

    def pusher():
        number = 0
        while not stop.is_set():
            push(server, [{"device": "d", "n": number + at} for at in range(50)])
            number += 50

    pushing = threading.Thread(target=pusher)
    pushing.start()
    try:
        for _ in range(60):
            live = server.live("SELECT n FROM readings")
            assert next(live)[0] == "schema" and next(live)[0] == "rows"
            live.close()
    finally:
        stop.set()
        pushing.join()
    assert server.stop() == 0
