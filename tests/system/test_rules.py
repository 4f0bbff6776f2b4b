"""Rules through the real binary: alerts by a limit, and by the clock though nothing arrives, across kill -9."""

import pytest
from tidegate import ApiError, wait_for

SQL = """CREATE TABLE readings (device STRING, ts TIMESTAMP_LTZ(3), temp DOUBLE, WATERMARK FOR ts AS ts)
  WITH ('device' = 'device');
CREATE TABLE missing (device STRING, event STRING, at_time TIMESTAMP_LTZ(3), ms BIGINT);
INSERT INTO missing SELECT device, event, event_time, duration_ms
  FROM TABLE(DETECT_MISSING(TABLE readings PARTITION BY device, FOR => INTERVAL '1' SECOND));
CREATE TABLE hot (device STRING, event STRING, `value` DOUBLE, at_time TIMESTAMP_LTZ(3));
INSERT INTO hot SELECT device, event, `value`, event_time
  FROM TABLE(DETECT_THRESHOLD(TABLE readings PARTITION BY device, ON => DESCRIPTOR(temp),
    ABOVE => 80, CLEAR_BELOW => 75));
"""


def send(server, ts, temp, device="pump-1"):
    server.api("POST", "/streams/readings/records", {"device": device, "ts": ts, "temp": temp})


def alerts(server, stream, count):
    wait_for(lambda: len(server.records(stream)) >= count)
    found = server.records(stream)
    assert len(found) == count, found
    return found


def test_an_alert_is_raised_and_cleared_by_the_limits(server):
    server.sql(SQL)
    for second, temp in enumerate([70, 81, 90, 76, None, 74, 79]):
        send(server, second * 1000, temp)
    found = alerts(server, "hot", 2)
    assert [(one["event"], one["value"]) for one in found] == [("raised", 81), ("cleared", 74)]


def test_silence_raises_by_the_clock_once_also_across_kill_9(server):
    server.sql(SQL)
    send(server, 1000, 20)
    assert [one["event"] for one in alerts(server, "missing", 1)] == ["raised"]
    server.kill()
    server.start()
    send(server, 60000, 20)
    found = alerts(server, "missing", 3)  # back, and silent again; the first one is not raised twice
    assert [one["event"] for one in found] == ["raised", "cleared", "raised"]
    assert [one["ms"] for one in found] == [1000, 59000, 1000]


def test_a_rule_that_makes_no_sense_is_explained(server):
    server.sql(SQL)
    with pytest.raises(ApiError) as error:
        server.sql(
            "INSERT INTO hot SELECT device, event, `value`, event_time FROM TABLE(DETECT_THRESHOLD(TABLE readings "
            "PARTITION BY device, ON => DESCRIPTOR(temp), ABOVE => 80, CLEAR_BELOW => 85));"
        )
    assert "CLEAR_BELOW" in str(error.value.problem)
