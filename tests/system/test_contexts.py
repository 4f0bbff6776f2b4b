"""People at the command line: log in, change the password, several servers, YAML, completion."""

import json
import os
import subprocess

import pytest
import yaml
from tidegate import BINARY, Server


class Person:
    """Somebody with a home of their own, away from the server's data folder."""

    def __init__(self, home):
        self.home = home
        home.mkdir()
        self.environment = {"HOME": str(home), "PATH": os.environ["PATH"]}

    def run(self, *words, code=0, stdin=""):
        done = subprocess.run(
            [BINARY, *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=30,
            cwd=self.home,
            env=self.environment,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stderr


@pytest.fixture
def person(tmp_path):
    return Person(tmp_path / "home")


def one_time_password(server):
    return next(line.split(": ")[1].strip() for line in server.output if "one-time password" in line)


def where(server):
    return "--server", f"https://127.0.0.1:{server.http_port}", "--ca", server.data / "tls/ca.pem"


def test_first_login_replaces_the_one_time_password_and_passwd_changes_it_again(server, person):
    assert "TG7001" in person.run("login", *where(server), "--password-stdin", code=1, stdin="wrong password\n")
    first = one_time_password(server)
    assert "10 characters" in person.run("login", *where(server), "--password-stdin", code=1, stdin=f"{first}\nshort\n")
    said = person.run("login", *where(server), "--password-stdin", stdin=f"{first}\ncorrect horse\n")
    assert "logged in" in said and "admin" in said
    session = person.home / ".config/tidegate/session.json"
    assert session.stat().st_mode & 0o777 == 0o600 and "correct horse" not in session.read_text()
    # The session knows the server and its authority: nothing else is needed.
    assert "streams" in person.run("status")
    person.run("passwd", "--password-stdin", stdin="correct horse\nbattery staple\n")
    assert "TG7001" in person.run("status", code=1)
    assert "TG7001" in person.run("login", "--password-stdin", code=1, stdin="correct horse\n")
    person.run("login", "--password-stdin", stdin="battery staple\n")
    assert "streams" in person.run("status")
    assert "TG7001" in person.run("passwd", "--password-stdin", code=1, stdin="wrong password\nanother one 1\n")
    assert "no terminal" in person.run("login", code=2)


def test_contexts_name_servers_and_keep_their_sessions_apart(server, person, tmp_path):
    with Server(tmp_path / "other") as other:
        other.sql("CREATE TABLE only_here (n INT)")
        assert "no contexts yet" in person.run("context", "list")
        person.run("context", "add", "works", *where(server))
        person.run("context", "add", "town", *where(other), "--token-stdin", stdin=other.token + "\n")
        stored = person.home / ".config/tidegate/contexts.json"
        assert stored.stat().st_mode & 0o777 == 0o600 and stored.parent.stat().st_mode & 0o777 == 0o700
        listed = json.loads(person.run("context", "list", "-o", "json"))
        assert [(one["name"], one["current"], one["logged_in"]) for one in listed] == [
            ("town", False, True),
            ("works", True, False),
        ]
        assert "TG7001" in person.run("stream", "list", code=1)
        first = one_time_password(server)
        person.run("login", "--password-stdin", stdin=f"{first}\ncorrect horse\n")
        assert "only_here" not in person.run("stream", "list")
        assert "only_here" in person.run("stream", "list", "--context", "town")
        person.run("context", "use", "town")
        assert "only_here" in person.run("stream", "list")
        assert "only_here" not in person.run("stream", "list", "--context", "works")
        # A server or a data folder that is named goes first.
        assert "only_here" not in person.run("stream", "list", "--data", server.data)
        assert other.token not in person.run("context", "list") + person.run("context", "list", "-o", "yaml")
        assert "TG6004" in person.run("context", "add", "town", *where(other), code=1)
        person.run("context", "delete", "town")
        assert other.token not in stored.read_text()
        assert "TG6001" in person.run("context", "use", "town", code=1)
        assert "TG6001" in person.run("stream", "list", "--context", "town", code=1)
        person.run("context", "add", "../x", *where(other), code=2)


def test_yaml_reads_back_as_the_same(server, person, tmp_path):
    server.sql("CREATE TABLE readings (\n  device STRING,\n  `on` INT) WITH ('description' = 'yes: \"quoted\"');")
    for words in (("stream", "list"), ("stream", "get", "readings"), ("status",), ("device", "list")):
        place = ("--data", server.data)
        text = person.run(*words, *place, "-o", "yaml")
        data = json.loads(person.run(*words, *place, "-o", "json"))
        assert simplified(data) == simplified(yaml.safe_load(text)), text
    server.api("POST", "/streams/readings/records", {"device": "a", "on": 1})
    rows = person.run("tail", "readings", "--from-start", "--limit", "1", "--data", server.data, "-o", "yaml")
    assert rows == '---\ndevice: a\n"on": 1\n'


def simplified(value):
    """Without figures that change from one request to the next."""
    if isinstance(value, dict):
        return {key: simplified(one) for key, one in value.items() if key not in ("uptime_s", "log_queued_bytes")}
    return [simplified(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_read_by_their_shells(person, shell):
    script = person.home / f"completion.{shell}"
    script.write_text(person.run("completion", shell))
    assert "pipeline" in script.read_text()
    if shell != "bash":
        return
    ask = f"""source {script}
      complete_words() {{ COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _tidegate
        echo "${{COMPREPLY[*]}}"; }}
      complete_words tidegate pi; complete_words tidegate stream g; complete_words tidegate --data x pipeline st
      complete_words tidegate status -o y; complete_words tidegate apply --pr; complete_words tidegate context """
    answers = subprocess.run(["bash", "-c", ask + '""'], capture_output=True, text=True, check=True).stdout.splitlines()
    assert answers[:5] == ["pipeline", "get", "stop start", "yaml", "--prune"]
    assert {"add", "use", "list", "delete"} <= set(answers[5].split())
