# SPDX-License-Identifier: BSD-2-Clause
"""What the examples for other programs say fits the configurations that they refer to."""
import re
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


def test_libvirt_logs_in_by_chap(minimal):
    source = ElementTree.parse(EXAMPLES / "libvirt/disk.xml").find("source")
    name, lun = source.get("name").rsplit("/", 1)
    server = minimal()
    with login(server.port, name, initiator=source.find("initiator/iqn").get("name"),
               user=source.find("auth").get("username"), secret=SECRET) as session:
        session.ready()
        assert session.capacity() == (10 << 30 >> 9, 512) and lun == "0"
