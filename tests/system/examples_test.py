# SPDX-License-Identifier: BSD-2-Clause
"""What the examples for other programs say fits the configurations that they refer to."""
import os
import re
import signal
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from initiator import login

EXAMPLES = Path(__file__).parents[2] / "examples"
MINIMAL = (EXAMPLES / "minimal.conf").read_text()
SECRET = re.search(r'\bsecret = "([^"]*)"', MINIMAL)[1]


@pytest.fixture
def minimal(start):
    """The server of minimal.conf, on a free port and with files of its own."""
    def call(more=""):
        text = MINIMAL.replace("/var/lib/countersign", "state").replace("state/disk1", "disk1")
        text = re.sub(r"portals = .*", 'portals = ( { address = "127.0.0.1"; port = $port; } );', text)
        return start(text.replace(f'secret = "{SECRET}";', f'secret = "{SECRET}"; {more}'))
    return call


def test_kubernetes_logs_in_by_mutual_chap(minimal):
    text = (EXAMPLES / "kubernetes/volume.yml").read_text()

    def value(key):
        return re.search(rf"^ +{re.escape(key)}: (.*)$", text, re.M)[1]
    server = minimal(f'target_secret = "{value("node.session.auth.password_in")}";')
    with login(server.port, value("iqn"), initiator=value("initiatorName"),
               user=value("node.session.auth.username"),
               secret=value("node.session.auth.password"),
               target_user=value("node.session.auth.username_in"),
               target_secret=value("node.session.auth.password_in")) as session:
        session.ready()
        assert session.capacity() == (10 << 30 >> 9, 512)


@pytest.mark.parametrize("file", ["disk.xml", "pool.xml"])
def test_libvirt_logs_in_by_chap(minimal, file):
    source = ElementTree.parse(EXAMPLES / "libvirt" / file).find("source")
    pool = source.find("device")
    name, lun = (source.get("name") if pool is None else pool.get("path") + "/0").rsplit("/", 1)
    server = minimal()
    with login(server.port, name, initiator=source.find("initiator/iqn").get("name"),
               user=source.find("auth").get("username"), secret=SECRET) as session:
        session.ready()
        assert session.capacity() == (10 << 30 >> 9, 512) and lun == "0"


@pytest.fixture
def with_disk(programs, tmp_path):
    """with_disk(*args): the process of examples/ci/with-disk, whose scratch space is `scratch`."""
    (tmp_path / "scratch").mkdir()
    env = {**os.environ, "TMPDIR": str(tmp_path / "scratch"),
           "PATH": f"{programs}:{os.environ['PATH']}"}

    def call(*args, **kwargs):
        return subprocess.Popen([EXAMPLES / "ci/with-disk", *args], env=env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)
    return call


def left(tmp_path):
    return os.listdir(tmp_path / "scratch")


def test_ci_runs_a_command_beside_a_disk_that_is_gone_afterwards(with_disk, tmp_path):
    image = tmp_path / "base.raw"
    image.write_bytes(b"a" * (1 << 20))
    done = with_disk("-i", image, "sh", "-c", """
        countersignctl --json targets | grep -q '"size": 1048576' || exit 3
        qemu-io -f raw -c 'read -P 97 0 1M' -c 'write -P 98 0 1M' "$ISCSI_URL" || exit 4
        cat; exit 5""", stdin=subprocess.PIPE)
    out, err = done.communicate("typed\n", timeout=60)
    assert (done.returncode, out.endswith("typed\n")) == (5, True), out + err
    assert image.read_bytes() == b"a" * (1 << 20) and not left(tmp_path)


def test_ci_says_why_the_server_did_not_start(with_disk, tmp_path):
    done = with_disk("-s", "12X", "true")
    assert '"12X" is not a size' in done.communicate(timeout=60)[1] and done.returncode == 125
    assert not left(tmp_path)


def test_ci_leaves_nothing_behind_when_it_is_ended(with_disk, tmp_path):
    process = with_disk("sh", "-c", "echo $$; exec sleep 100")
    command = int(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143 and not left(tmp_path)
    with pytest.raises(ProcessLookupError):
        os.kill(command, 0)
