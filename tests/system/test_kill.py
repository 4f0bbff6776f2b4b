"""The real binary is killed with -9 at random points under load. Nothing acknowledged may be lost."""

import os
import random
import threading

import duckdb
import paho.mqtt.client as mqtt
from tidegate import Server

ROUNDS = int(os.environ.get("TIDEGATE_KILL_ROUNDS", "50"))
SEED = int(os.environ.get("TIDEGATE_KILL_SEED", "1"))
DEVICES = 8
START_MS = 1_700_000_000_000

SQL = """
CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3) NOT NULL, seq BIGINT NOT NULL, value DOUBLE,
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('device' = 'device', 'mqtt.topic' = 'kill/+');
CREATE TABLE averages (device STRING, window_start TIMESTAMP_LTZ(3), readings BIGINT, average DOUBLE, least DOUBLE,
  greatest DOUBLE);
INSERT INTO averages SELECT device, window_start, COUNT(*), AVG(value), MIN(value), MAX(value)
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY device, window_start, window_end;
CREATE TABLE big (device STRING, ts TIMESTAMP_LTZ(3), seq BIGINT, doubled DOUBLE);
INSERT INTO big SELECT device, ts, seq, value * 2 FROM readings WHERE value > 50;
"""


class Load:
    """Publishes readings of one device at QoS 1 with unique numbers and remembers what became of each."""

    def __init__(self, device, seed):
        self.device = device
        self.random = random.Random(seed)
        self.token = None
        self.next_seq = 0
        self.sent = {}  # seq -> (payload, times sent)
        self.acked = set()

    def payload(self, seq):
        time_ms = START_MS + seq * 100 - (self.random.randrange(5000) if self.random.random() < 0.1 else 0)
        return '{"device":"%s","ts":%d,"seq":%d,"value":%.2f}' % (self.device, time_ms, seq, self.random.random() * 100)

    def run(self, port, enough):
        """Until the server dies: first what was sent and never acknowledged, then new readings."""
        by_mid, acked_mids, gone = {}, [], threading.Event()
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=self.device, reconnect_on_failure=False)
        client.username_pw_set(self.device, self.token)
        client.max_inflight_messages_set(200)
        connected = threading.Event()
        window = threading.Semaphore(200)

        def on_publish(_client, _data, mid, *_):
            acked_mids.append(mid)
            enough.note()
            window.release()

        def on_disconnect(*_):
            gone.set()
            connected.set()
            window.release()

        client.on_publish, client.on_disconnect = on_publish, on_disconnect
        client.on_connect = lambda *_: connected.set()
        try:
            client.connect("127.0.0.1", port)
        except OSError:
            return
        client.loop_start()
        connected.wait(20)
        again = [seq for seq in self.sent if seq not in self.acked]
        while not gone.is_set():
            window.acquire()
            if gone.is_set():
                break
            if again:
                seq = again.pop(0)
                payload, times = self.sent[seq]
            else:
                seq, self.next_seq = self.next_seq, self.next_seq + 1
                payload, times = self.payload(seq), 0
            self.sent[seq] = (payload, times + 1)
            by_mid[client.publish(f"kill/{self.device}", payload, qos=1).mid] = seq
        client.loop_stop()
        self.acked.update(by_mid[mid] for mid in acked_mids)


class Enough:
    """Set when a round has seen as many acknowledgements as it was to live for."""

    def __init__(self, acknowledgements):
        self.left = acknowledgements
        self.lock = threading.Lock()
        self.reached = threading.Event()

    def note(self):
        with self.lock:
            self.left -= 1
            if self.left <= 0:
                self.reached.set()


def one_round(server, loads, acknowledgements):
    enough = Enough(acknowledgements)
    threads = [threading.Thread(target=load.run, args=(server.mqtt_port, enough)) for load in loads]
    for thread in threads:
        thread.start()
    assert enough.reached.wait(60), f"the server stopped acknowledging\n{server.log_text()[-3000:]}"
    server.kill()
    for thread in threads:
        thread.join(30)


def wait_for_input(server):
    """Blocks until every pipeline has read all that is in the log, told by live results of a last probe."""
    for _ in range(20000):
        pipelines = server.api("GET", "/pipelines")["pipelines"]
        if all(pipeline["lag_rows"] == 0 for pipeline in pipelines):
            return
    raise AssertionError(f"the pipelines do not catch up: {pipelines}")


def test_nothing_acknowledged_is_lost_and_windows_equal_a_batch_recomputation(tmp_path):
    pick = random.Random(SEED)
    server = Server(tmp_path / "data")
    loads = [Load(f"device-{number}", SEED * 1000 + number) for number in range(DEVICES)]
    with server:
        server.sql(SQL)
        for load in loads:
            load.token = server.add_device(load.device)
        one_round(server, loads, pick.randrange(50, 1500))
        for _ in range(ROUNDS - 1):
            server.start()
            one_round(server, loads, pick.randrange(50, 1500))
        server.start()
        wait_for_input(server)
        check(server, loads)
        assert server.stop() == 0


def check(server, loads):
    logged = server.records("readings")
    sent = {(load.device, seq): times for load in loads for seq, (_, times) in load.sent.items()}
    acked = {(load.device, seq) for load in loads for seq in load.acked}
    counts = {}
    for record in logged:
        key = (record["device"], record["seq"])
        counts[key] = counts.get(key, 0) + 1
    lost = acked - counts.keys()
    assert not lost, f"{len(lost)} acknowledged records are lost, e.g. {sorted(lost)[:5]}"
    made_up = counts.keys() - sent.keys()
    assert not made_up, f"{len(made_up)} records were never sent, e.g. {sorted(made_up)[:5]}"
    extra = {key for key, count in counts.items() if count > sent[key]}
    assert not extra, f"{len(extra)} records are there more often than they were sent, e.g. {sorted(extra)[:5]}"
    compare_windows(server, logged)
    print(
        f"\nkill -9: {ROUNDS} rounds, {len(acked)} acknowledged, {len(sent)} sent, {len(logged)} logged, "
        f"{sum(counts.values()) - len(counts)} duplicates from resends"
    )


def compare_windows(server, logged):
    db = duckdb.connect()
    db.execute("CREATE TABLE r (device TEXT, ts TIMESTAMPTZ, value DOUBLE, seq BIGINT, place BIGINT)")
    db.executemany(
        "INSERT INTO r VALUES (?, ?, ?, ?, ?)",
        [(r["device"], r["ts"], r["value"], r["seq"], r["_offset"]) for r in logged],
    )
    big = {(r["device"], r["seq"], r["doubled"]) for r in server.records("big")}
    expected_big = set(db.execute("SELECT device, seq, value * 2 FROM r WHERE value > 50").fetchall())
    assert big == expected_big
    assert len(server.records("big")) == db.execute("SELECT count(*) FROM r WHERE value > 50").fetchone()[0]
    # A window is closed once the device's greatest time so far, less two seconds, reaches its end; what comes for it
    # later in the log is late. Recomputed from the log alone.
    expected = db.execute("""
        WITH w AS (SELECT *, time_bucket(INTERVAL 5 SECOND, ts) AS start FROM r),
             m AS (SELECT *, max(ts) OVER before - INTERVAL 2 SECOND AS mark FROM w
                   WINDOW before AS (PARTITION BY device ORDER BY place
                                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
             f AS (SELECT device, max(ts) - INTERVAL 2 SECOND AS final FROM r GROUP BY device)
        SELECT device, epoch_ms(start), count(*), round(avg(value), 6), min(value), max(value)
        FROM m JOIN f USING (device)
        WHERE (mark IS NULL OR mark < start + INTERVAL 5 SECOND - INTERVAL 1 MILLISECOND)
          AND final >= start + INTERVAL 5 SECOND - INTERVAL 1 MILLISECOND
        GROUP BY device, start ORDER BY ALL""").fetchall()
    db.execute(
        "CREATE TABLE a (device TEXT, start TIMESTAMPTZ, n BIGINT, average DOUBLE, least DOUBLE, greatest DOUBLE)"
    )
    averages = server.records("averages")
    db.executemany(
        "INSERT INTO a VALUES (?, ?, ?, ?, ?, ?)",
        [(a["device"], a["window_start"], a["readings"], a["average"], a["least"], a["greatest"]) for a in averages],
    )
    found = db.execute(
        "SELECT device, epoch_ms(start), n, round(average, 6), least, greatest FROM a ORDER BY ALL"
    ).fetchall()
    assert len(found) > 10
    assert found == expected
