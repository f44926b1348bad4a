# SPDX-License-Identifier: BSD-2-Clause
"""Reloads: what changes, what stays as it is, and what a refused reload leaves untouched."""
import json
import os
import re
import socket

import pytest

from initiator import login as log_in

pytestmark = pytest.mark.threads
TARGET = "iqn.2026-11.com.example:"
RAM = '{ lun = 0; type = "disk"; store = "ram"; size = "16M"; }'


def conf(*targets, more=""):
    return '''
state_dir = "state";
portals = ( { address = "127.0.0.1"; port = $port; } );
%s
targets = ( %s );
''' % (more, ", ".join(targets))


def target(name, luns=RAM, auth="none", credentials=""):
    return '{ name = "%s%s"; auth = "%s"; luns = ( %s ); credentials = ( %s ); }' % (
        TARGET, name, auth, luns, credentials)


def disk(lun, path, size="16M", more=""):
    return ('{ lun = %d; type = "disk"; store = "file"; path = "%s"; size = "%s"; '
            'create = true; %s }' % (lun, path, size, more))


def luns(server, ctl, name):
    """The LUNs of a target as the API tells them, by number."""
    found = json.loads(ctl(server, "--json", "targets", TARGET + name).stdout)
    return {lun["lun"]: lun for lun in found["luns"]}


def names(server, ctl):
    found = json.loads(ctl(server, "--json", "targets").stdout)
    return [t["name"].removeprefix(TARGET) for t in found["targets"]]


def accepts(port, address="127.0.0.1"):
    with socket.socket() as s:
        return s.connect_ex((address, port)) == 0


@pytest.fixture
def change(ctl):
    """change(server, text): writes the file and reloads; gives the finished command."""
    def call(server, text, **kwargs):
        server.write_conf(text)
        return ctl(server, "reload", **kwargs)
    return call


# --- by signal ------------------------------------------------------------------------------


def test_sighup_reloads(start, ctl):
    server = start(conf(target("a")))
    server.write_conf(conf(target("a"), target("b")))
    server.reload()
    server.wait_for_log("the new configuration is in force")
    assert names(server, ctl) == ["a", "b"]


def test_sighup_with_a_bad_file_keeps_serving_and_says_so(start, ctl):
    server = start(conf(target("a")))
    server.write_conf(conf(target("a")) + "nonsense")
    server.reload()
    server.wait_for_log(r"countersign\.conf:\d+: ")
    server.wait_for_log("the running configuration stays in force")
    assert names(server, ctl) == ["a"]
    server.write_conf(conf(target("b")))
    server.reload()
    server.wait_for_log("the new configuration is in force")
    assert names(server, ctl) == ["b"]


def test_many_signals_at_once_end_in_the_last_configuration(start, ctl):
    server = start(conf(target("a")))
    for i in range(20):
        server.write_conf(conf(target("a"), target(f"n{i}")))
        server.reload()
    ctl(server, "reload")
    assert names(server, ctl) == ["a", "n19"]


# --- what changes ---------------------------------------------------------------------------


def test_targets_come_and_go(start, ctl, change):
    server = start(conf(target("a"), target("b")))
    change(server, conf(target("b"), target("c")))
    assert names(server, ctl) == ["b", "c"]


def test_luns_come_and_go_and_their_files_are_closed(start, ctl, change):
    server = start(conf(target("a", disk(0, "zero.img") + "," + disk(1, "one.img"))))
    change(server, conf(target("a", disk(1, "one.img") + "," + disk(2, "two.img"))))
    assert sorted(luns(server, ctl, "a")) == [1, 2]
    open_files = {os.readlink(f"/proc/{server.pid}/fd/{fd}")
                  for fd in os.listdir(f"/proc/{server.pid}/fd")}
    held = {os.path.basename(p) for p in open_files if p.endswith(".img")}
    deadline = 50
    while "zero.img" in held and deadline:
        deadline -= 1
        held = {os.path.basename(os.readlink(f"/proc/{server.pid}/fd/{fd}"))
                for fd in os.listdir(f"/proc/{server.pid}/fd")}
    assert "zero.img" not in held and {"one.img", "two.img"} <= held


def test_a_file_that_was_removed_can_be_had_again(start, ctl, change):
    server = start(conf(target("a", disk(0, "zero.img"))))
    change(server, conf(target("a")))
    change(server, conf(target("a", disk(0, "zero.img"))))
    assert luns(server, ctl, "a")[0]["path"].endswith("zero.img")


def test_a_file_moves_to_another_target_in_one_reload(start, ctl, change):
    server = start(conf(target("a", disk(0, "disk.img")), target("b")))
    change(server, conf(target("a"), target("b", disk(3, "disk.img"))))
    assert luns(server, ctl, "b")[3]["path"].endswith("disk.img")
    assert luns(server, ctl, "a")[0]["store"] == "ram"


@pytest.mark.parametrize("before, after", [("16M", "32M"), ("32M", "16M")])
def test_a_lun_changes_its_size(start, ctl, change, before, after):
    server = start(conf(target("a", disk(0, "disk.img", before))))
    naa = luns(server, ctl, "a")[0]["naa"]
    change(server, conf(target("a", disk(0, "disk.img", after))))
    lun = luns(server, ctl, "a")[0]
    assert (lun["size"], lun["naa"]) == (int(after[:-1]) << 20, naa)


def test_whoever_reloads_is_told_what_has_changed(start, ctl, change):
    again = ', { lun = 1; same_as = "d"; }'
    server = start(conf(target("a", disk(0, "disk.img", "32M", 'name = "d";') + again), target("b")))
    told = change(server, conf(target("a", disk(0, "disk.img", "16M", 'name = "d";') + again),
                               target("c"), more="reactors = 3;")).stdout.splitlines()
    assert sorted(told[:-1]) == sorted([
        f"LUN shrunk: 0 of {TARGET}a, from 32M to 16M",
        f"LUN shrunk: 1 of {TARGET}a, from 32M to 16M",
        f"target removed: {TARGET}b", f"target added: {TARGET}c",
        "reactors: takes effect at the next start"])
    assert told[-1] == "the configuration has been reloaded"
    server.wait_for_log("warning: reload: LUN shrunk")
    assert ctl(server, "reload").stdout == (
        "the configuration has been reloaded: nothing in it has changed\n")
    assert json.loads(ctl(server, "--json", "reload").stdout) == {"changes": []}


def test_a_lun_in_memory_changes_its_size(start, ctl, change):
    server = start(conf(target("a")))
    change(server, conf(target("a", RAM.replace("16M", "24M"))))
    assert luns(server, ctl, "a")[0]["size"] == 24 << 20


def test_two_luns_of_one_unit_are_one(start, ctl, change):
    named = RAM.replace("lun = 0;", 'lun = 0; name = "shared";')
    server = start(conf(target("a", named)))
    change(server, conf(target("a", named), target("b", '{ lun = 5; same_as = "shared"; }')))
    assert luns(server, ctl, "b")[5]["naa"] == luns(server, ctl, "a")[0]["naa"]
    assert json.loads(ctl(server, "--json", "status").stdout)["units"] == 1


def test_portals_come_and_go(start, ctl, change):
    both = conf(target("a")).replace("port = $port; }", 'port = $port; }, '
                                     '{ address = "127.0.0.1"; port = $other_port; group = 2; }')
    server = start(conf(target("a")))
    change(server, both)
    assert accepts(server.port) and accepts(server.ports["other_port"])
    change(server, both.replace('{ address = "127.0.0.1"; port = $port; },', ""))
    assert not accepts(server.port) and accepts(server.ports["other_port"])


def test_a_session_outlives_its_portal(start, change):
    two = conf(target("a")).replace("port = $port; }", 'port = $port; group = 2; }, '
                                    '{ address = "127.0.0.1"; port = $other_port; }')
    server = start(two)
    with log_in(server.port, TARGET + "a") as session:
        session.ready()
        change(server, two.replace('{ address = "127.0.0.1"; port = $port; group = 2; },', ""))
        assert not accepts(server.port)
        session.ready()
        session.write(0, bytes(512))
        assert session.read(0, 1) == bytes(512)


def test_a_portal_becomes_a_wildcard_and_back(start, change):
    server = start(conf(target("a")))
    change(server, conf(target("a")).replace("127.0.0.1", "0.0.0.0"))
    assert accepts(server.port, "127.0.0.2")
    change(server, conf(target("a")))
    assert accepts(server.port) and not accepts(server.port, "127.0.0.2")


def test_the_management_socket_moves(start, programs, run, ctl, change):
    server = start(conf(target("a")))
    change(server, conf(target("a"), more='management = { socket = "moved.sock"; };'))
    assert not (server.dir / "state/ctl.sock").exists()
    run(programs / "countersignctl", "-s", server.dir / "moved.sock", "status")


def test_a_management_socket_that_was_removed_comes_back(start, ctl):
    server = start(conf(target("a")))
    (server.dir / "state/ctl.sock").unlink()
    server.reload()
    server.wait_for_log("the new configuration is in force")
    assert names(server, ctl) == ["a"]


def test_the_log_level_changes(start, change):
    server = start(conf(target("a"), more='log_level = "error";'))
    assert "serves" not in server.log()
    change(server, conf(target("a"), more='log_level = "notice";'))
    change(server, conf(target("b"), more='log_level = "notice";'))
    server.wait_for_log("target added: " + TARGET + "b")


def test_what_needs_a_restart_is_said(start, change):
    server = start(conf(target("a")))
    change(server, conf(target("a"), more="reactors = 3;"))
    server.wait_for_log("reactors: takes effect at the next start")


# --- what is refused ------------------------------------------------------------------------


def unchanged(server, ctl):
    assert names(server, ctl) == ["a"]
    assert accepts(server.port)
    assert not (server.dir / "new.img").exists()


def test_a_faulty_file_is_refused_with_every_fault(start, ctl, change):
    server = start(conf(target("a")))
    done = change(server, conf(target("a", RAM.replace("16M", "16X"), auth="some")), status=1)
    faults = [line for line in done.stderr.splitlines() if re.search(r"conf:\d+: ", line)]
    assert len(faults) == 2
    assert "stays in force" in done.stderr
    unchanged(server, ctl)


def test_a_missing_file_is_refused_and_no_new_one_is_made(start, ctl, change):
    server = start(conf(target("a")))
    missing = '{ lun = 1; type = "disk"; store = "file"; path = "missing.img"; }'
    done = change(server, conf(target("a", disk(0, "new.img") + "," + missing), target("b")),
                  status=1)
    assert "missing.img" in done.stderr
    unchanged(server, ctl)


def test_a_file_that_is_open_elsewhere_takes_back_what_was_begun(start, ctl, change):
    other = start(conf(target("x", disk(0, "theirs.img"))))
    theirs = other.dir / "theirs.img"
    server = start(conf(target("a", disk(0, "mine.img"))))
    done = change(server, conf(target("a", disk(0, "mine.img", "32M") + "," + disk(1, "new.img") +
                                      "," + disk(2, theirs)), target("b")), status=1)
    assert "theirs.img" in done.stderr and "already open" in done.stderr
    unchanged(server, ctl)
    assert luns(server, ctl, "a")[0]["size"] == 16 << 20
    assert (server.dir / "mine.img").stat().st_size == 16 << 20


def test_a_portal_in_use_takes_back_what_was_begun(start, ctl, change):
    server = start(conf(target("a")))
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        taken = s.getsockname()[1]
        text = conf(target("a", disk(1, "new.img")), target("b")).replace("127.0.0.1", "0.0.0.0")
        text = text.replace("port = $port; }", 'port = $port; }, '
                            '{ address = "127.0.0.1"; port = %d; }' % taken)
        done = change(server, text, status=1)
    assert f"127.0.0.1:{taken}: address already in use" in done.stderr
    unchanged(server, ctl)


def test_a_socket_that_cannot_be_made_takes_back_what_was_begun(start, ctl, change):
    server = start(conf(target("a")))
    (server.dir / "precious").write_text("data")
    done = change(server, conf(target("b", disk(0, "new.img")),
                               more='management = { socket = "precious"; };'), status=1)
    assert "precious" in done.stderr
    unchanged(server, ctl)
    assert (server.dir / "precious").read_text() == "data"


# --- sessions over a reload -------------------------------------------------------------------


ROW = '{ initiator = "%s"; secret = "%s"; }'
HOST = "iqn.2026-11.com.example:host1"


class Ticket:
    """A session that stays: qemu-io in interactive mode."""

    def __init__(self, server, name, password=None):
        import subprocess
        user = f"{HOST}%{password}@" if password else ""
        self.process = subprocess.Popen(
            ["qemu-io", "--image-opts",
             f"driver=iscsi,transport=tcp,portal={server.portal},target={TARGET}{name},lun=0,"
             f"initiator-name={HOST}" + (f",user={HOST},password-secret=s" if password else ""),
             *(["--object", f"secret,id=s,data={password}"] if password else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def end(self):
        try:
            return self.process.communicate("quit\n", timeout=30)[0]
        finally:
            self.process.kill()


def sessions(server, ctl):
    found = json.loads(ctl(server, "--json", "sessions").stdout)["sessions"]
    return {s["target"].removeprefix(TARGET): s["tsih"] for s in found if s["type"] == "normal"}


@pytest.fixture
def login(ctl):
    """login(server, name, password): a session that is in, or a skipped test."""
    import shutil
    import time
    if shutil.which("qemu-io") is None:
        pytest.skip("qemu-io is not installed")
    tickets = []

    def call(server, name, password=None):
        ticket = Ticket(server, name, password)
        tickets.append(ticket)
        deadline = time.monotonic() + 20
        while name not in sessions(server, ctl):
            if ticket.process.poll() is not None:
                output = ticket.process.communicate()[0]
                if "Unknown driver" in output:
                    pytest.skip("qemu-block-extra is not installed")
                pytest.fail(output)
            assert time.monotonic() < deadline, server.log()
            time.sleep(0.05)
        return ticket

    yield call
    for ticket in tickets:
        ticket.process.kill()
        ticket.process.wait()


def locked(name, secret, *more):
    rows = [ROW % (HOST, secret), *more]
    return target(name, auth="chap", credentials=", ".join(rows))


def test_a_changed_credential_closes_the_sessions_of_its_target_alone(start, ctl, change, login):
    server = start(conf(locked("a", "initiator-11111"), locked("b", "initiator-22222")))
    login(server, "a", "initiator-11111")
    login(server, "b", "initiator-22222")
    before = sessions(server, ctl)
    change(server, conf(locked("a", "initiator-33333"), locked("b", "initiator-22222")))
    server.wait_for_log("closing: its credentials changed")
    assert sessions(server, ctl).get("b") == before["b"]
    assert sessions(server, ctl).get("a") != before["a"]


def test_a_further_credential_closes_nothing(start, ctl, change, login):
    server = start(conf(locked("a", "initiator-11111")))
    login(server, "a", "initiator-11111")
    before = sessions(server, ctl)
    change(server, conf(locked("a", "initiator-11111",
                               ROW % ("iqn.2026-11.com.example:host2", "initiator-22222"))))
    assert sessions(server, ctl) == before


def test_chap_turned_on_closes_who_came_without(start, ctl, change, login):
    server = start(conf(target("a")))
    login(server, "a")
    before = sessions(server, ctl)
    change(server, conf(locked("a", "initiator-11111")))
    server.wait_for_log("closing: its credentials changed")
    assert sessions(server, ctl).get("a") != before["a"]


def test_data_in_memory_survive_the_change_of_another_lun_and_of_a_name(start, ctl, change, login):
    server = start(conf(target("a")))
    ticket = login(server, "a")
    ticket.ask("write -P 0x5a 1M 64k")
    ticket.ask("flush")
    ticket.end()
    vendor = RAM.replace("lun = 0;", 'lun = 0; vendor = "OTHER";')
    change(server, conf(target("a", vendor + "," + disk(1, "one.img"))))
    ticket = login(server, "a")
    ticket.ask("read -P 0x5a 1M 64k")
    assert "Pattern verification failed" not in (out := ticket.end()) and "read 65536" in out


def test_a_session_lives_through_a_reload_that_does_not_concern_it(start, ctl, change, login):
    server = start(conf(target("a")))
    ticket = login(server, "a")
    before = sessions(server, ctl)
    change(server, conf(target("a"), target("b", disk(0, "b.img"))))
    assert sessions(server, ctl) == before
    ticket.ask("write -P 0x11 0 4k")
    assert "wrote 4096" in ticket.end()
