"""Real MQTT clients: Mosquitto's command-line clients and paho, MQTT 3.1.1 and 5, plain and TLS."""

import subprocess
import threading

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from tidegate import Server

TABLE = """CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3) NOT NULL, value DOUBLE,
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('device' = 'device', 'mqtt.topic' = 'site/+');"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("site") / "data") as server:
        server.sql(TABLE)
        server.tokens = {name: server.add_device(name) for name in ("m1", "m2", "m3")}
        yield server


def mosquitto(site, program, device, *arguments, tls=False):
    port = site.mqtts_port if tls else site.mqtt_port
    command = [
        program,
        "-h",
        "localhost" if tls else "127.0.0.1",
        "-p",
        str(port),
        "-u",
        device,
        "-P",
        site.tokens[device],
    ]
    if tls:
        command += ["--cafile", str(site.data / "tls/ca.pem")]
    return command + list(arguments)


def values_of(site, device):
    return [record["value"] for record in site.records("readings") if record["device"] == device]


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
@pytest.mark.parametrize("qos", ["0", "1", "2"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_mosquitto_pub_reaches_the_log(site, version, qos, tls):
    number = 1000 + len(site.records("readings"))
    payload = '{"ts": 1700000000000, "value": %d}' % number
    with_live = site.live("SELECT device, `value` FROM readings")
    assert next(with_live)[0] == "schema"
    done = subprocess.run(
        mosquitto(site, "mosquitto_pub", "m1", "-V", version, "-q", qos, "-t", "site/m1", "-m", payload, tls=tls),
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 0, done.stderr
    event, rows = next(with_live)
    assert event == "rows" and rows[0]["value"] == number and rows[0]["device"] == "m1"


def test_a_wrong_token_is_refused(site):
    wrong = [
        "mosquitto_pub",
        "-h",
        "127.0.0.1",
        "-p",
        str(site.mqtt_port),
        "-u",
        "m1",
        "-P",
        "wrong",
        "-t",
        "site/m1",
        "-m",
        "{}",
        "-q",
        "1",
    ]
    done = subprocess.run(wrong, capture_output=True, text=True, timeout=20)
    assert done.returncode != 0
    nobody = subprocess.run(wrong[:5] + wrong[9:], capture_output=True, text=True, timeout=20)
    assert nobody.returncode != 0


def test_mosquitto_sub_hears_its_own_command_topic_and_retained_messages(site):
    publish = mosquitto(site, "mosquitto_pub", "m2", "-q", "1", "-r", "-t", "devices/m2/last", "-m", "kept")
    subprocess.run(publish, check=True, timeout=20)
    heard = subprocess.run(
        mosquitto(site, "mosquitto_sub", "m2", "-q", "1", "-C", "1", "-W", "10", "-t", "devices/m2/#"),
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert heard.stdout.strip() == "kept"


class Paho:
    """A paho client whose events can be waited for."""

    def __init__(self, site, device, client_id, version=mqtt.MQTTv5):
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id, protocol=version)
        self.client.username_pw_set(device, site.tokens[device])
        self.connected, self.subscribed, self.gone = threading.Event(), threading.Event(), threading.Event()
        self.messages, self.arrived = [], threading.Semaphore(0)
        self.session_present = None
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_disconnect = lambda *_: self.gone.set()
        self.client.on_message = self._on_message
        self.port = site.mqtt_port

    def _on_connect(self, _client, _data, flags, *_):
        self.session_present = flags.session_present
        self.connected.set()

    def _on_message(self, _client, _data, message):
        self.messages.append(message)
        self.arrived.release()

    def connect(self, **options):
        self.connected.clear()
        self.client.connect("127.0.0.1", self.port, **options)
        self.client.loop_start()
        assert self.connected.wait(10)
        return self

    def subscribe(self, *topics):
        self.client.subscribe(list(topics))
        assert self.subscribed.wait(10)

    def wait_messages(self, count):
        for _ in range(count):
            assert self.arrived.acquire(timeout=10), f"{len(self.messages)} messages came"

    def disconnect(self):
        self.client.disconnect()
        self.gone.wait(10)
        self.client.loop_stop()


def test_paho_round_trips_every_quality_of_service(site):
    listener = Paho(site, "m2", "listener").connect(clean_start=True)
    listener.subscribe(("devices/m2/+/in", 2))
    talker = Paho(site, "m2", "talker").connect(clean_start=True)
    for qos in (0, 1, 2):
        talker.client.publish(f"devices/m2/{qos}/in", f"qos {qos}", qos=qos).wait_for_publish(10)
    listener.wait_messages(3)
    assert sorted((m.payload.decode(), m.qos) for m in listener.messages) == [("qos 0", 0), ("qos 1", 1), ("qos 2", 2)]
    listener.disconnect()
    talker.disconnect()


def test_a_session_resumes_with_what_it_missed(site):
    session = Properties(PacketTypes.CONNECT)
    session.SessionExpiryInterval = 600
    sleeper = Paho(site, "m3", "sleeper").connect(clean_start=True, properties=session)
    sleeper.subscribe(("devices/m3/#", 1))
    sleeper.disconnect()
    talker = Paho(site, "m3", "waker").connect(clean_start=True)
    for number in range(20):
        talker.client.publish("devices/m3/news", str(number), qos=1).wait_for_publish(10)
    again = Paho(site, "m3", "sleeper").connect(clean_start=False, properties=session)
    again.wait_messages(20)
    assert again.session_present
    assert [m.payload.decode() for m in again.messages] == [str(number) for number in range(20)]
    again.disconnect()
    talker.disconnect()


def test_the_will_is_published_when_a_client_vanishes(site):
    listener = Paho(site, "m2", "heir").connect(clean_start=True)
    listener.subscribe(("devices/m2/will", 1))
    dying = Paho(site, "m2", "dying")
    dying.client.will_set("devices/m2/will", "gone", qos=1)
    dying.connect(clean_start=True)
    dying.client.socket().close()
    listener.wait_messages(1)
    assert listener.messages[0].payload == b"gone"
    listener.disconnect()
    dying.client.loop_stop()


def test_retained_messages_and_sessions_survive_a_kill(tmp_path):
    server = Server(tmp_path / "data")
    with server:
        server.sql(TABLE)
        server.tokens = {"m3": server.add_device("m3")}
        session = Properties(PacketTypes.CONNECT)
        session.SessionExpiryInterval = 600
        sleeper = Paho(server, "m3", "sleeper").connect(clean_start=True, properties=session)
        sleeper.subscribe(("devices/m3/#", 1))
        sleeper.disconnect()
        talker = Paho(server, "m3", "waker").connect(clean_start=True)
        talker.client.publish("devices/m3/kept", "kept", qos=1, retain=True).wait_for_publish(10)
        server.kill()
        talker.client.loop_stop()
        server.start()
        again = Paho(server, "m3", "sleeper").connect(clean_start=False, properties=session)
        again.wait_messages(1)
        assert again.session_present and again.messages[0].payload == b"kept"
        again.disconnect()
