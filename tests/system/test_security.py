"""Closed by default: no anonymous access, plain text on loopback only, the one-time password."""

import json
import re
import socket
import ssl
import subprocess

from tidegate import BINARY, Server


def test_nothing_but_health_answers_without_credentials(server):
    for path in ("/healthz", "/readyz"):
        assert server.request("GET", path, token="")[0] == 200
    for path in (
        "/metrics",
        "/api/v1/streams",
        "/api/v1/status",
        "/api/v1/query/live?sql=SELECT%201",
        "/api/v1/devices",
    ):
        status, headers, text = server.request("GET", path, token="")
        assert status == 401, path
        assert "WWW-Authenticate" in headers and json.loads(text)["code"] == 7001
        assert server.request("GET", path, token="wrong")[0] == 401


def test_the_one_time_password_must_be_replaced(server):
    printed = "".join(server.output)
    password = re.search(r"one-time password:\s+(\S+)", printed).group(1)

    def login(secret):
        body = json.dumps({"user": "admin", "password": secret})
        return server.request("POST", "/api/v1/login", body, token="", headers={"Content-Type": "application/json"})

    status, _, text = login(password)
    assert status == 403 and json.loads(text)["code"] == 7005
    change = json.dumps({"user": "admin", "old_password": password, "new_password": "a longer one than ten"})
    assert server.request("POST", "/api/v1/password", change, token="")[0] in (200, 204)
    assert login(password)[0] == 401
    status, _, text = login("a longer one than ten")
    assert status == 200
    assert server.request("GET", "/api/v1/streams", token=json.loads(text)["token"])[0] == 200


def test_the_password_is_shown_at_the_first_start_only(tmp_path):
    server = Server(tmp_path / "data")
    with server:
        assert "one-time password" in "".join(server.output)
        server.stop()
        server.output.clear()
        server.start()
        assert "one-time password" not in "".join(server.output)


def test_older_tls_is_refused(server):
    context = ssl.create_default_context(cafile=server.data / "tls/ca.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    for port in (server.http_port, server.mqtts_port):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
            try:
                context.wrap_socket(plain, server_hostname="127.0.0.1")
                raise AssertionError("TLS 1.2 was accepted")
            except ssl.SSLError:
                pass


def test_a_device_may_only_send_its_own_records(server):
    server.sql("CREATE TABLE r (device STRING NOT NULL, v BIGINT) WITH ('device' = 'device');")
    token = server.add_device("meter-1")

    def post(record):
        return server.request("POST", "/api/v1/streams/r/records", json.dumps(record), token=f"meter-1:{token}")

    assert post({"v": 1})[0] == 200
    post({"device": "meter-2", "v": 2})
    assert [(r["device"], r["v"]) for r in server.records("r")] == [("meter-1", 1)]
    dead = server.records("r_dead_letters")
    assert len(dead) == 1 and dead[0]["code"] == 7002
    assert server.request("GET", "/api/v1/streams", token=f"meter-1:{token}")[0] == 403


def test_secrets_and_data_are_readable_by_their_owner_only(server):
    for path in server.data.rglob("*"):
        if path.is_file() and path.suffix in (".key", ".token"):
            assert path.stat().st_mode & 0o077 == 0, path
    assert server.data.stat().st_mode & 0o077 == 0


def test_no_record_is_readable_on_disk(server):
    server.sql("CREATE TABLE r (device STRING NOT NULL, note STRING) WITH ('device' = 'device');")
    secret = "patient-7781-diagnosis"
    assert server.api("POST", "/streams/r/records", {"device": "ward-9-bed-3", "note": secret})["accepted"] == 1
    server.stop()
    for path in server.data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert secret.encode() not in content and b"ward-9-bed-3" not in content, path


def test_a_file_sink_writes_only_where_the_operator_allows(tmp_path):
    def create(server, name, path):
        table = f"CREATE TABLE {name} (device STRING, v BIGINT) WITH ('connector' = 'file', 'path' = '{path}');"
        return server.request("POST", "/api/v1/statements", json.dumps({"sql": table}))

    exports = tmp_path / "exports"
    exports.mkdir()
    with Server(tmp_path / "data", "--sink-folder", exports) as server:
        assert create(server, "allowed", exports / "a.ndjson")[0] == 200
        for path in (tmp_path / "other.ndjson", "../../other.ndjson"):
            _, _, answer = create(server, "forbidden", path)
            assert "--sink-folder" in answer, answer
        assert not (tmp_path / "other.ndjson").exists()
        server.stop()
        server.options = ()  # the folder is allowed no more: the sink stops, the site starts
        server.start()
        assert server.request("GET", "/healthz", token="")[0] == 200 and "sink_failed" in server.log_text()


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def client_certificate(folder, name, authority, authority_key):
    """A key and a certificate for `name` that `authority` has signed, as an operator makes them."""
    key, request, certificate = (folder / f"{name}.{kind}" for kind in ("key", "csr", "pem"))
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request,
            "-subj", f"/CN={name}")  # fmt: skip
    openssl(
        "x509", "-req", "-in", request, "-CA", authority, "-CAkey", authority_key, "-days", "2", "-out", certificate
    )
    return key, certificate


def publish_with_certificate(server, key, certificate, topic):
    command = ["mosquitto_pub", "-h", "localhost", "-p", str(server.mqtts_port), "--cafile", server.data / "tls/ca.pem"]
    command += ["--key", key, "--cert", certificate, "-V", "mqttv5", "-q", "1", "-t", topic, "-m", '{"v": 7}']
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=20)


def test_a_client_certificate_is_an_identity_over_mqtt_with_tls(server, tmp_path):
    server.sql("CREATE TABLE r (device STRING NOT NULL, v BIGINT) WITH ('device' = 'device', 'mqtt.topic' = 'r/+');")
    authority = server.data / "tls/ca.pem"
    key, certificate = client_certificate(tmp_path, "pump-1", authority, server.data / "tls/ca.key")
    refused = publish_with_certificate(server, key, certificate, "r/pump-1")
    assert refused.returncode != 0, "a certificate that belongs to no device was let in"

    add = [BINARY, "--data", server.data, "device", "add", "pump-1", "--certificate", certificate]
    subprocess.run(list(map(str, add)), check=True, capture_output=True, timeout=20)
    assert publish_with_certificate(server, key, certificate, "r/pump-1").returncode == 0
    assert [(r["device"], r["v"]) for r in server.records("r")] == [("pump-1", 7)]

    # The same name, signed by somebody else.
    other_key, other = tmp_path / "other.key", tmp_path / "other.pem"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", other_key, "-out", other, "-subj", "/CN=other")
    key, certificate = client_certificate(tmp_path, "pump-1", other, other_key)
    assert publish_with_certificate(server, key, certificate, "r/pump-1").returncode != 0
    assert len(server.records("r")) == 1
