# SPDX-License-Identifier: BSD-2-Clause
"""countersign-api(7) against the sources, and its examples against a server."""
import re
from pathlib import Path

import pytest

from aws_test import OPERATIONS, serve_example
from ontap_test import ADMIN

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "man/countersign-api.7").read_text()


def names(items):
    return {name for line in items for name in re.findall(r"\w+", line)}


def test_the_manual_has_every_operation_and_no_other():
    there = set(OPERATIONS)
    part = MANUAL[MANUAL.index(".Sh STORAGE GATEWAY"):MANUAL.index(".Sh ONTAP DIALECT")]
    assert there and names(re.findall(r"^\.It Ic (.+)$", part, re.M)) == there


def test_the_manual_has_the_limits_that_hold():
    limits = dict(re.findall(r"^#define (HTTP_\w+) +(.+?)(?: */\*.*)?$",
                             (ROOT / "target/mgmt/http.h").read_text(), re.M))
    part = MANUAL[MANUAL.index(".Ss Limits"):MANUAL.index(".Ss Which")].replace("\n", " ")
    assert (limits["HTTP_HEAD_MAX"], limits["HTTP_BODY_MAX"]) == ("(16 * 1024)", "(1024 * 1024)")
    assert "16 KiB of headers and 1 MiB of body" in part
    assert f"silent for {limits['HTTP_IDLE_SECONDS']} seconds" in part
    assert limits["HTTP_PHASE_SECONDS"] == "120" and "two minutes" in part
    assert f"keeps {limits['HTTP_CONNECTIONS_MAX']} connections" in part
    assert f"and {limits['HTTP_PER_ADDRESS_MAX']} of one address" in part


def examples():
    """The blocks of the section EXAMPLES, as a shell would have them."""
    part = MANUAL[MANUAL.index(".Sh EXAMPLES"):MANUAL.index(".Sh SEE ALSO")]
    blocks = re.findall(r"^\.Bd .*?\n(.*?)^\.Ed$", part, re.M | re.S)
    assert len(blocks) == 2
    return [block.replace("\\e\n", "\\\n") for block in blocks]


@pytest.fixture
def server(make_server, monkeypatch):
    """That of examples/aws/gateway.conf, with a user of the ONTAP dialect."""
    return serve_example(make_server, monkeypatch, ("  aws = {", f'''
  ontap = {{ users = ( {{ name = "{ADMIN[0]}"; password = "{ADMIN[1]}"; }} ); }};
  aws = {{'''))


def test_the_examples_of_the_manual_work(server, run):
    aws, curl = examples()
    for there, here in (("127.0.0.1:8443", f"127.0.0.1:{server.ports['tls_port']}"),
                        ("192.0.2.1", "127.0.0.1")):
        assert there in aws
        aws, curl = aws.replace(there, here), curl.replace(there, here)
    said = run("sh", "-euc", aws, cwd=ROOT).stdout
    assert '"GatewayId": "sgw-12A3456B"' in said
    assert "node.session.auth.username_in = iqn.1997-05.com.amazon:myvolume" in said
    assert " -u admin " in curl
    run("sh", "-euc", curl.replace(" -u admin ", f" -fsS -u '{':'.join(ADMIN)}' "), cwd=ROOT)
    assert "deny" in run("curl", "-fsSk", "-u", ":".join(ADMIN),
                         f"https://127.0.0.1:{server.ports['tls_port']}/api/protocols/san/iscsi/"
                         "credentials?fields=*&initiator=iqn.1993-08.org.debian:01:host").stdout
