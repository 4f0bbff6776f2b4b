"""E-mail of the real binary through a real SMTP server."""

import contextlib
import email
import email.policy
import json
import socket
import ssl
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from receivers import certificate
from tidegate import Server, wait_for

TABLE = "CREATE TABLE readings (device STRING NOT NULL, n BIGINT NOT NULL) WITH ('device' = 'device');"


class Mailbox:
    """Takes mail, unless `refuse` names a reply for one."""

    def __init__(self, implicit_tls):
        self.implicit_tls = implicit_tls
        self.mails, self.logins = [], []
        self.refuse = lambda message: None
        self.changed = threading.Condition()

    def is_secure(self, session):
        return self.implicit_tls or session.ssl is not None

    def authenticate(self, _server, session, _envelope, _mechanism, data):
        self.logins.append((data.login.decode(), data.password.decode(), self.is_secure(session)))
        return AuthResult(success=data.password == b"correct horse", handled=False)

    async def handle_DATA(self, _server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        if reply := self.refuse(message):
            return reply
        with self.changed:
            self.mails.append((message, envelope.rcpt_tos, self.is_secure(session)))
            self.changed.notify_all()
        return "250 taken"

    def wait(self, count, timeout_s=30):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.mails) >= count, timeout_s), len(self.mails)
        return [mail for mail, _, _ in self.mails]


@contextlib.contextmanager
def mail_server(tls_files=None, implicit=False):
    box = Mailbox(implicit)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = None
    if tls_files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls_files)
    options = {"ssl_context": context} if implicit else {"tls_context": context, "require_starttls": bool(context)}
    if tls_files:
        options |= {"authenticator": box.authenticate, "auth_required": True, "auth_require_tls": not implicit}
    controller = Controller(box, hostname="127.0.0.1", port=port, **options)
    controller.start()
    box.port = port
    try:
        yield box
    finally:
        controller.stop()


def push(server, *records):
    return server.api("POST", "/streams/readings/records", "\n".join(json.dumps(record) for record in records))


def mail_table(url, *options):
    fixed = (("connector", "email"), ("url", url), ("from", "tidegate@example.org"), ("to", "duty@example.org"))
    lines = ", ".join(f"'{name}' = '{value}'" for name, value in (*fixed, *options))
    return f"""{TABLE} CREATE TABLE mails (device STRING, n BIGINT) WITH ({lines});
        INSERT INTO mails SELECT device, n FROM readings;"""


def sink(server):
    return next(one for one in server.api("GET", "/status")["sinks"] if one["stream"] == "mails")


def content(message):
    return message.get_content().replace("\r\n", "\n")


def send_one(tmp_path, scheme, implicit):
    tls = certificate(tmp_path)
    with mail_server(tls, implicit) as box:
        with Server(tmp_path / "data", "--allow-target", f"localhost:{box.port}") as server:
            server.api("PUT", "/secrets/mail", {"value": "correct horse"})
            text = ("subject", "Überlauf an {device}: {n}"), ("body", "{device} meldet {n} m³.")
            login = ("user", "tidegate"), ("secret", "mail"), ("ca.file", tls[0])
            server.sql(mail_table(f"{scheme}://localhost:{box.port}", *login, *text))
            push(server, {"device": "pump\r\nBcc: spy@example.net", "n": 7})
            message = box.wait(1)[0]
            assert message["Subject"] == "Überlauf an pump  Bcc: spy@example.net: 7" and message["Bcc"] is None
            assert content(message) == "pump\nBcc: spy@example.net meldet 7 m³.\n"
            assert message["To"].addresses[0].addr_spec == "duty@example.org" and box.mails[0][1] == [
                "duty@example.org"
            ]
            assert message["Message-ID"].startswith("<tidegate.mails.") and box.mails[0][2]
            assert box.logins[0] == ("tidegate", "correct horse", True)
            assert "correct horse" not in server.log_text()
            wait_for(lambda: sink(server)["delivered"] == 1)


def test_starttls_with_login(tmp_path):
    send_one(tmp_path, "smtp", implicit=False)


def test_implicit_tls_with_login(tmp_path):
    send_one(tmp_path, "smtps", implicit=True)


def test_a_wrong_password_and_a_server_without_starttls_get_no_mail(tmp_path):
    tls = certificate(tmp_path)
    with mail_server(tls) as box, mail_server() as plain:
        targets = ("--allow-target", f"localhost:{box.port}", "--allow-target", f"localhost:{plain.port}")
        with Server(tmp_path / "data", *targets) as server:
            server.api("PUT", "/secrets/mail", {"value": "wrong"})
            login = ("user", "tidegate"), ("secret", "mail"), ("ca.file", tls[0])
            server.sql(mail_table(f"smtp://localhost:{box.port}", *login))
            push(server, {"device": "a", "n": 1})
            assert "TG7001" in wait_for(lambda: sink(server).get("last_error"))
            server.api("PUT", "/secrets/mail", {"value": "correct horse"})
            box.wait(1)
            server.sql("DROP PIPELINE mails; DROP TABLE mails; DROP TABLE readings;")
            server.sql(mail_table(f"smtp://localhost:{plain.port}", *login))
            push(server, {"device": "a", "n": 2})
            assert "STARTTLS" in wait_for(lambda: sink(server).get("last_error"))
            assert not plain.mails


def test_a_digest_gathers_and_a_refused_mail_becomes_a_dead_letter(tmp_path):
    with mail_server() as box:
        with Server(tmp_path / "data", "--allow-target", f"127.0.0.1:{box.port}") as server:
            box.refuse = lambda message: "554 unlucky" if "n: 13\n" in content(message) else None
            options = ("digest", "2 s"), ("subject", "alarm {n}"), ("max_attempts", 1)
            server.sql(mail_table(f"smtp://127.0.0.1:{box.port}", *options))
            push(server, {"device": "a", "n": 1})
            box.wait(1)
            push(server, *({"device": "a", "n": n} for n in (2, 3, 4)))
            second = box.wait(2)[1]
            assert second["Subject"] == "alarm 2 (and 2 more)" and "n: 4\n" in content(second)
            push(server, {"device": "a", "n": 13})
            wait_for(lambda: sink(server)["dead_letters"] == 1)
            letter = server.records("mails_dead_letters")[0]
            assert "554 unlucky" in letter["reason"] and json.loads(letter["payload"])["n"] == 13
            push(server, {"device": "a", "n": 14})
            assert "n: 14\n" in content(box.wait(3)[2])
