"""Every command of the guides, in order, as a reader types them.

A block marked ``sh`` is run as it stands, with two changes: `tidegate serve` is started by the test on free ports,
and the usual port 8443 stands for the one it got. A block marked ``sh fails`` must fail, with a hint. What is meant to
show rows must show some.
"""

import os
import re
import subprocess

import pytest
from tidegate import BINARY, ROOT, Server

GUIDES = sorted(path for path in (ROOT / "docs/guide").glob("*.md") if path.name != "README.md")
BLOCK = re.compile(r"^```sh( fails)?\n(.*?)^```", re.M | re.S)
SERVE = re.compile(r"^tidegate serve --data (\S+)(.*)$", re.M)


def commands_of(guide):
    for match in BLOCK.finditer(guide.read_text()):
        for line in match.group(2).splitlines():
            if line.strip():
                yield line, match.group(1) is not None


def run(command, folder, environment):
    shell = ["bash", "-c", "set -o pipefail; " + command]
    return subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_every_command_of_the_guide_works(guide, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/tidegate").symlink_to(BINARY)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    environment = os.environ | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    data = SERVE.search(guide.read_text()).group(1)
    (tmp_path / data).parent.mkdir(parents=True)
    with Server(tmp_path / data) as server:
        ran = 0
        for command, fails in commands_of(guide):
            if SERVE.match(command):
                continue
            exported = re.match(r"export (\w+)=(\S+)$", command)
            if exported:
                environment[exported.group(1)] = exported.group(2)
                continue
            done = run(command.replace("127.0.0.1:8443", f"127.0.0.1:{server.http_port}"), tmp_path, environment)
            assert (done.returncode != 0) == fails, f"{command}\n{done.stdout}{done.stderr}"
            assert not fails or "hint:" in done.stderr, done.stderr
            if re.match(r"tidegate (tail|sql|explain)", command) and not fails:
                assert len(done.stdout.splitlines()) >= 2, f"{command} showed nothing:\n{done.stdout}"
            ran += 1
        assert ran >= 10


def test_there_is_a_guide_for_every_example():
    assert {path.stem for path in GUIDES} == {path.name for path in (ROOT / "examples").iterdir() if path.is_dir()}
