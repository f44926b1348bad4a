# SPDX-License-Identifier: BSD-2-Clause
"""Secrets that came by the Storage Gateway and ONTAP APIs, plain and over TLS: in no core, no error
and no file, and, once they are replaced, nowhere in memory."""
import base64
import http.client
import json
import os
import resource
import signal
import ssl
import subprocess
from pathlib import Path

import pytest

from audit_test import memory_holds
from aws_test import GATEWAY, KEY_SECRET, management, send, target_arn
from initiator import login
from ontap_test import ADMIN, CREDENTIALS
from support import DISK, HOST, PREFIX, conf, target, wait_until

pytestmark = [pytest.mark.plain,
              pytest.mark.skipif(os.geteuid() != 0, reason="takes root: the memory is hidden")]
AWS = "StorageGateway_20130630."
OUT = "out-canary-Qx7v"     # never in force together with the others
CANARIES = {"aws": "aws-canary-Zk3p", "aws-tls": "awt-canary-Hn8r",
            "ontap": "ont-canary-Wd5s", "ontap-tls": "ott-canary-Lb2m"}
ONTAP = f'ontap = {{ users = ( {{ name = "{ADMIN[0]}"; password = "{ADMIN[1]}"; }} ); }};'


@pytest.fixture
def server(make_server):
    server = make_server(conf(target(), more=management(more=ONTAP)))
    return server.start("-v", "-v", "-v", "-v")


def ontap(server, tls, method, path, body=None):
    port = server.ports["tls_port" if tls else "api_port"]
    c = (http.client.HTTPSConnection("127.0.0.1", port, timeout=20,
                                     context=ssl._create_unverified_context())
         if tls else http.client.HTTPConnection("127.0.0.1", port, timeout=20))
    who = base64.b64encode(":".join(ADMIN).encode()).decode()
    c.request(method, path, body and json.dumps(body), {"Authorization": f"Basic {who}"})
    got = c.getresponse()
    text = got.read().decode()
    c.close()
    return got.status, text


def use_aws(server, tls, canary):
    """Sets the canary, has it told, and has it refused in several ways; gives all answers."""
    good = {"TargetARN": target_arn(), "InitiatorName": f"{HOST}{tls:d}",
            "SecretToAuthenticateInitiator": canary, "SecretToAuthenticateTarget": OUT}
    assert send(server, good, AWS + "UpdateChapCredentials", tls=tls)[0] == 200
    told = send(server, {"TargetARN": target_arn()}, AWS + "DescribeChapCredentials", tls=tls)[1]
    assert canary in json.dumps(told)
    return [send(server, body, AWS + "UpdateChapCredentials", tls=tls) for body in (
        {**good, "SecretToAuthenticateTarget": canary},
        {**good, "SecretToAuthenticateInitiator": canary * 9},
        {**good, "SecretToAuthenticateInitiator": [canary]},
        {**good, "InitiatorName": "x", },
        {**good, "TargetARN": GATEWAY},
        json.dumps(good)[:-1].encode())]


def use_ontap(server, tls, canary):
    name = f"{PREFIX}ontap{tls:d}"
    side = {"user": "u", "password": canary}
    body = {"svm": {"name": "svm1"}, "initiator": name, "authentication_type": "chap",
            "chap": {"inbound": side, "outbound": {"user": "v", "password": OUT}}}
    assert ontap(server, tls, "POST", CREDENTIALS, body)[0] == 201
    return [ontap(server, tls, "POST", CREDENTIALS, bad) for bad in (
        body, {**body, "initiator": name + "x", "chap": {"inbound": side, "outbound": side}},
        {**body, "chap": {"inbound": {"user": canary * 20, "password": [canary]}}},
        {**body, "authentication_type": "none"}, {**body, canary[:3]: canary})] + [
        ontap(server, tls, "GET", CREDENTIALS + "?fields=**")]


def use(server):
    answers = []
    for tls in (False, True):
        answers += use_aws(server, tls, CANARIES["aws-tls" if tls else "aws"])
        answers += use_ontap(server, tls, CANARIES["ontap-tls" if tls else "ontap"])
    return json.dumps(answers)


def forget(server):
    """Every row goes, by the API that it came by."""
    for tls in (False, True):
        assert send(server, {"TargetARN": target_arn(), "InitiatorName": f"{HOST}{tls:d}"},
                    AWS + "DeleteChapCredentials", tls=tls)[0] == 200
        uuid = json.loads(ontap(server, tls, "GET", "/api/svm/svms")[1])["records"][0]["uuid"]
        assert ontap(server, tls, "DELETE", f"{CREDENTIALS}/{uuid}/{PREFIX}ontap{tls:d}")[0] == 200


def all_canaries():
    return [c.encode() for c in (*CANARIES.values(), OUT)]


def test_a_secret_is_in_no_refusal_log_or_file(server):
    answers = use(server)
    server.stop()
    files = [p for p in server.dir.rglob("*") if p.is_file()]
    assert any(p.name == "catalog.db" for p in files)
    for canary in all_canaries() + [KEY_SECRET.encode(), ADMIN[1].encode()]:
        assert canary.decode() not in answers
        assert [p for p in files if p.name != "countersign.conf" and
                canary in p.read_bytes()] == []


def test_a_secret_is_nowhere_in_memory_once_it_is_gone(server):
    use(server)
    assert all(memory_holds(server.pid, c) for c in all_canaries())     # in force: it has to be
    forget(server)
    wait_until(lambda: not any(memory_holds(server.pid, c) for c in all_canaries()), 20)


def test_a_core_made_of_the_server_holds_no_secret_that_is_gone(server, run, tmp_path):
    use(server)
    forget(server)
    wait_until(lambda: not any(memory_holds(server.pid, c) for c in all_canaries()), 20)
    run("gcore", "-o", tmp_path / "core", server.pid)
    (core,) = tmp_path.glob("core.*")
    data = core.read_bytes()
    assert b"countersignd" in data and [c for c in all_canaries() if c in data] == []
    login(server.port, DISK).logout()


@pytest.fixture
def cores():
    """Lets this process and its children write cores into their folders."""
    if Path("/proc/sys/kernel/core_pattern").read_text().startswith("|"):
        pytest.skip("cores go to another program here")
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


def test_a_server_that_dies_leaves_no_core(cores, server, tmp_path):
    other = subprocess.Popen(["sleep", "60"], cwd=tmp_path)
    other.send_signal(signal.SIGABRT)
    if other.wait() == -signal.SIGABRT and not list(tmp_path.glob("core*")):
        pytest.skip("nobody leaves a core here")
    use(server)
    assert "Max core file size        unlimited" in Path(f"/proc/{server.pid}/limits").read_text()
    os.kill(server.pid, signal.SIGABRT)
    wait_until(lambda: server.process.poll() is not None)
    assert server.process.returncode == -signal.SIGABRT
    assert [p for p in server.dir.rglob("core*") if p.is_file()] == []
    server.start()
