# SPDX-License-Identifier: BSD-2-Clause
"""The audit, and where secrets must not be found: logs, process lists, files, errors, memory."""
import json
import os
import re
import subprocess
import threading
from pathlib import Path

import pytest

from credentials_test import OTHER, OURS, TWO, Api, may_log_in
from initiator import login
from support import DISK, HOST, PREFIX, SECRET, lines, wait_until

# Nothing but this secret looks like it, and this file does not hold it in one piece.
CANARY = "canary" + "-" + "0123456789"[::-1] + "-bird"
CANARY_OUT = "finch" + "-" + "13579"[::-1] + "-bird-out"


@pytest.fixture
def server(start):
    return start(TWO)


@pytest.fixture
def api(server):
    return Api(server)


def whats(api, query=""):
    return [(e["what"], e["object"], e["detail"].get("initiator"))
            for e in api.must("GET", "/v1/audit" + query)["audit"]]


# --- the audit --------------------------------------------------------------------------------


def test_every_change_is_one_entry_and_one_line(server, api, ctl):
    api.set(DISK, HOST, secret=SECRET)
    api.must("POST", f"{OURS}/{HOST}/rotate", {"mutual": True})
    api.must("PUT", f"/v1/svms/svm1/credentials/{HOST}", {"type": "deny"})
    api.must("PUT", f"/v1/discovery/credentials/{HOST}", {"secret": SECRET})
    api.must("DELETE", f"{OURS}/{HOST}")
    ctl(server, "rekey")
    assert whats(api) == [
        ("change key", "", None), ("delete credential", DISK, HOST),
        ("set credential", "discovery", HOST), ("set credential", "svm1", HOST),
        ("rotate credential", DISK, HOST), ("set credential", DISK, HOST)]
    for verb, of in (("set credential", DISK), ("rotate credential", DISK),
                     ("set credential", "svm1"), ("set credential", "discovery"),
                     ("delete credential", DISK)):
        assert len(lines(server, rf'{of}: {verb} of initiator "{HOST}" by "uid \d+ ')) == 1
    assert len(lines(server, "under a new key, by")) == 1
    entry = api.must("GET", "/v1/audit")["audit"][4]
    assert entry["detail"] == {"scope": "target", "initiator": HOST, "type": "chap", "mutual": True}
    assert entry["who"].startswith(f"uid {os.geteuid()}") and entry["result"] == "done"


def test_the_audit_comes_in_pages_and_by_scope(api):
    for i in range(5):
        api.set(DISK if i % 2 else OTHER, f"{PREFIX}h{i}", secret=SECRET)
    page = api.must("GET", "/v1/audit?limit=2")["audit"]
    assert [e["detail"]["initiator"] for e in page] == [f"{PREFIX}h4", f"{PREFIX}h3"]
    assert [w[2] for w in whats(api, f"?limit=2&before={page[-1]['id']}")] == [
        f"{PREFIX}h2", f"{PREFIX}h1"]
    assert [w[2] for w in whats(api, f"?object={DISK}")] == [f"{PREFIX}h3", f"{PREFIX}h1"]
    assert whats(api, "?before=1") == []


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "limit=-1", "limit=", "before=0",
                                   "before=x", "before=99999999999999999999", "limit=1.5"])
def test_a_page_that_cannot_be_is_400(api, query):
    assert api.call("GET", f"/v1/audit?{query}")[0] == 400


def test_ctl_prints_the_audit(server, api, ctl):
    assert ctl(server, "audit").stdout == "nothing has been changed\n"
    api.set(DISK, HOST, secret=SECRET, addresses=["127.0.0.1"])
    head, row = ctl(server, "audit").stdout.splitlines()
    assert head.split() == ["ID", "TIME", "WHO", "WHAT", "OF", "DETAIL"]
    assert re.match(rf" *1  \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d  uid {os.geteuid()} .*  set credential  "
                    rf"{DISK}  scope=target initiator={HOST} type=chap mutual=false "
                    r"addresses=127\.0\.0\.1$", row)
    assert "nothing" in ctl(server, "audit", "--of", OTHER).stdout
    assert ctl(server, "audit", "--before", "1").stdout == "nothing has been changed\n"
    assert "limit is a number" in ctl(server, "audit", "--limit", "0", status=1).stderr
    told = json.loads(ctl(server, "audit", "--json", "--limit=1").stdout)
    assert [e["what"] for e in told["audit"]] == ["set credential"]
    ctl(server, "credentials", "rotate", DISK, HOST, "--grace", "1h")
    assert re.search(r" grace_until=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d ",
                     ctl(server, "audit", "--limit", "1").stdout)


def test_the_audit_outlives_the_server(server, api):
    api.set(DISK, HOST, secret=SECRET)
    server.kill()
    server.start()
    assert whats(api) == [("set credential", DISK, HOST)]


# --- a secret in the wrong place --------------------------------------------------------------


def use(server, api, ctl, tmp_path):
    """Sets the canaries in every way there is, proves them, and has them refused."""
    lists = []
    watching = threading.Event()

    def watch():
        while not watching.is_set():
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    lists.append(Path(f"/proc/{pid}/cmdline").read_bytes())
                except OSError:
                    pass
            del lists[:-2000]
    watcher = threading.Thread(target=watch)
    watcher.start()
    answers = []
    file, file_out = tmp_path / "in", tmp_path / "out"
    file.write_text(CANARY)
    file_out.write_text(CANARY_OUT)
    try:
        row = {"secret": CANARY, "target_secret": CANARY_OUT}
        answers.append(api.set(DISK, HOST, **row))
        ctl(server, "credentials", "set", DISK, HOST, "--mutual", input=f"{CANARY}\n{CANARY_OUT}\n")
        ctl(server, "credentials", "set", DISK, HOST, "--secret-file", file,
            "--target-secret-file", file_out)
        login(server.port, DISK, secret=CANARY, target_secret=CANARY_OUT).wire.close()
        assert not may_log_in(server, secret=CANARY_OUT[:-1])
        for name, body in ((HOST, {"secret": CANARY, "target_secret": CANARY}),
                           (PREFIX + "b", {"secret": CANARY_OUT}),
                           (PREFIX + "b", {"secret": CANARY, CANARY: 1}),
                           (PREFIX + "b", {"secret": CANARY, "type": CANARY}),
                           (PREFIX + "b", {"secret": [CANARY]}), ("x", row)):
            status, answer = api.call("PUT", f"{OURS}/{name}", body)
            assert 400 <= status < 500
            answers.append(answer)
        status, answer = api.call("PUT", f"{OURS}/{HOST}", raw='{"secret": "%s" "' % CANARY)
        assert status == 400
        answers += [answer, api.must("GET", "/v1/credentials"), api.must("GET", "/v1/audit")]
        answers.append(api.must("POST", f"{OURS}/{HOST}/rotate", {"mutual": True, "grace": 3600}))
        api.set(DISK, HOST, **row)
        ctl(server, "rekey")
    finally:
        watching.set()
        watcher.join()
        file.unlink()
        file_out.unlink()
    return answers, lists


def canaries():
    return CANARY.encode(), CANARY_OUT.encode()


def test_a_secret_is_in_no_log_list_file_or_error(make_server, ctl, tmp_path):
    server = make_server(TWO).start("-v", "-v", "-v", "-v")
    answers, lists = use(server, Api(server), ctl, tmp_path)
    files = [p for p in server.dir.rglob("*") if p.is_file()]
    assert {"catalog.db", "catalog.db-wal"} <= {p.name for p in files}
    assert b"countersignctl" in b"".join(lists)
    server.stop()
    files = [p for p in server.dir.rglob("*") if p.is_file()]
    for canary in canaries():
        assert canary not in json.dumps(answers).encode()
        assert not any(canary in line for line in lists)
        assert [p for p in files if canary in p.read_bytes()] == []


def memory_holds(pid, canary):
    """Where in the writable memory of a process some bytes are."""
    found = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            where, rights, *_ = line.split()
            if "w" not in rights or "[v" in line:
                continue
            begin, end = (int(n, 16) for n in where.split("-"))
            for at in range(begin, end, 1 << 24):
                try:
                    memory.seek(at)
                    data = memory.read(min(end - at, (1 << 24) + len(canary)))
                except OSError:
                    continue
                if canary in data:
                    found.append(line.strip())
    return found


@pytest.mark.plain
def test_a_secret_is_in_no_memory_once_it_is_gone(make_server, ctl, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("takes root: the server's memory is hidden")
    server = make_server(TWO).start("-v", "-v", "-v", "-v")
    api = Api(server)
    use(server, api, ctl, tmp_path)
    assert all(memory_holds(server.pid, c) for c in canaries())    # as long as they are in force
    api.must("DELETE", f"{OURS}/{HOST}")
    # A thread that has gone on to another table may let go of the last one a moment later.
    wait_until(lambda: not any(memory_holds(server.pid, c) for c in canaries()))
