# SPDX-License-Identifier: BSD-2-Clause
"""Those who stand at the door: slow ones, crowds of them, and those who never answer again.

Whatever one address does, a right login from another goes through at once meanwhile.
"""
import contextlib
import json
import re
import resource
import socket
import struct
import time

import pytest
from initiator import (NO_TAG, NOP_OUT, REJECT, TEXT, TEXT_RESPONSE, Closed, Login, Refused, Session,
                       Wire, login)
from support import (CREDENTIAL, DISK, HOST, ONE_WAY, SECRET, TARGET_SECRET, conf, cpu_seconds, lines,
                     needs_ipv6, ram, target, wait_until)

CROWD = "127.0.0.5"


@pytest.fixture
def locked(start):
    """locked(limits): a server whose one target wants CHAP from HOST."""
    return lambda limits="": start(conf(target(credentials=CREDENTIAL),
                                        more=f"limits = {{ {limits} }};"))


def log_in(server, source="127.0.0.2"):
    """A right login that must not take long; gives the session."""
    begun = time.monotonic()
    session = login(server.port, DISK, source=source, secret=SECRET, target_secret=TARGET_SECRET,
                    target_user=DISK)
    session.ready()
    assert time.monotonic() - begun < 2, "a right login took too long"
    return session


def status(server, ctl):
    return json.loads(ctl(server, "--json", "status").stdout)["iscsi"]


# --- slow ones ------------------------------------------------------------------------------------


def test_a_login_that_drips_in_is_ended_at_the_deadline(locked):
    server = locked("login_timeout = 2;")
    wire = Wire("127.0.0.1", server.port, CROWD)
    slow = bytes(Login(wire).header(0, 0, 0)) * 100
    begun, sent = time.monotonic(), 0
    with pytest.raises(Closed):
        while time.monotonic() - begun < 10:
            wire.send_bytes(slow[sent:sent + 1])
            sent += 1
            time.sleep(0.05)
            if sent == 10:
                log_in(server).logout()
    assert 1.5 < time.monotonic() - begun < 5
    assert len(lines(server, "login refused: not finished within 2 s")) == 1


def test_a_login_that_stops_half_way_is_ended_at_the_deadline(locked):
    server = locked("login_timeout = 1;")
    wire = Wire("127.0.0.1", server.port, CROWD)
    Login(wire).ask({"InitiatorName": HOST, "TargetName": DISK, "AuthMethod": "CHAP"})
    assert wire.is_closed(5)
    assert len(lines(server, f'"{HOST}": login refused: not finished within 1 s')) == 1


def test_a_connection_that_says_nothing_is_ended_at_the_deadline(locked):
    server = locked("login_timeout = 1;")
    wire = Wire("127.0.0.1", server.port, CROWD)
    assert wire.is_closed(5)


# --- crowds ---------------------------------------------------------------------------------------


def test_a_crowd_from_one_address_keeps_nobody_else_out(locked, ctl):
    server = locked("max_half_open_per_address = 50; login_timeout = 60;")
    crowd = [Wire("127.0.0.1", server.port, CROWD) for _ in range(200)]
    wait_until(lambda: status(server, ctl)["half_open"] == 50)
    assert sum(wire.is_closed(0.001) for wire in crowd) >= 150
    log_in(server).logout()
    for wire in crowd:
        wire.close()
    wait_until(lambda: status(server, ctl)["half_open"] == 0)
    log_in(server, CROWD).logout()


def test_sessions_are_none_of_the_crowd(locked, ctl):
    server = locked("max_half_open_per_address = 3; login_timeout = 60;")
    sessions = [log_in(server, CROWD) for _ in range(10)]
    assert status(server, ctl)["sessions"] == 10
    for session in sessions:
        session.logout()


def test_the_door_is_free_again_when_the_deadline_of_a_crowd_is_over(locked, ctl):
    server = locked("max_half_open = 20; max_half_open_per_address = 20; login_timeout = 1;")
    crowd = [Wire("127.0.0.1", server.port, CROWD) for _ in range(40)]
    wait_until(lambda: status(server, ctl)["half_open"] == 0)
    log_in(server).logout()
    for wire in crowd:
        wire.close()


def test_a_crowd_from_many_addresses_keeps_nobody_else_out(locked, ctl):
    server = locked("max_half_open = 60; max_half_open_per_address = 20; login_timeout = 60;")
    crowd = [Wire("127.0.0.1", server.port, f"127.0.1.{n % 5}") for n in range(100)]
    wait_until(lambda: status(server, ctl)["half_open"] == 60)
    for _ in range(5):
        log_in(server).logout()
    assert status(server, ctl)["half_open"] < 60
    assert lines(server, "login refused: makes way: too many connections that have not logged in")
    for wire in crowd:
        wire.close()


def test_who_is_behind_one_address_with_a_crowd_gets_in(locked, ctl):
    server = locked("max_half_open_per_address = 20; login_timeout = 60;")
    crowd = [Wire("127.0.0.1", server.port, CROWD) for _ in range(20)]
    wait_until(lambda: status(server, ctl)["half_open"] == 20)
    time.sleep(1.1)
    for _ in range(5):
        log_in(server, CROWD).logout()
    for wire in crowd:
        wire.close()


@pytest.fixture
def descriptors():
    """Room for more sockets than a shell allows a program."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2000:
        pytest.skip(f"only {hard} descriptors are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("descriptors")
def test_a_crowd_of_discovery_sessions_keeps_nobody_else_out(locked, ctl):
    server = locked()
    crowd = [login(server.port, source=CROWD) for _ in range(1030)]
    assert status(server, ctl)["sessions"] == 1024
    with login(server.port, source="127.0.0.2") as session:
        assert ("TargetName", DISK) in session.send_targets()
    with login(server.port, source=CROWD) as session:
        assert ("TargetName", DISK) in session.send_targets()
    assert len(lines(server, "closing: makes way: as many discovery sessions as there may be")) >= 7
    for session in crowd:
        session.wire.close()
    wait_until(lambda: status(server, ctl)["sessions"] == 0)


def test_somebody_who_asks_for_all_targets_again_and_again_waits_for_each_answer(start):
    """The answer may be long, and the question costs nothing."""
    server = start(conf(*[target(f"{DISK}{n}") for n in range(100)]))
    session = login(server.port, source=CROWD)
    question = struct.pack(">BB2xB3s8xIIII16x16s", TEXT | 0x40, 0x80, 0, (16).to_bytes(3, "big"), 7,
                           NO_TAG, session.cmdsn, session.expstatsn, b"SendTargets=All\0")
    session.wire.send_bytes(question * 100)
    answers = [session.wire.receive() for _ in range(100)]
    assert answers[0].opcode == TEXT_RESPONSE
    assert sum(len(a.data) for a in answers if a.opcode == TEXT_RESPONSE) < 10 * len(answers[0].data)
    assert sum(a.opcode == REJECT for a in answers) > 90
    session.wire.send_bytes(question)
    assert session.wire.receive().data == answers[0].data
    session.wire.close()


def test_somebody_who_guesses_secrets_waits_and_nobody_else_does(locked):
    server = locked()
    took = []
    for _ in range(7):
        begun = time.monotonic()
        with pytest.raises(Refused):
            login(server.port, DISK, source=CROWD, secret="wrong-secret-00")
        took.append(time.monotonic() - begun)
        log_in(server).logout()
    assert max(took[:3]) < 0.2 < took[-1]
    log_in(server, CROWD).logout()      # nor does the guesser, once it is right


def test_somebody_who_has_a_secret_guesses_those_of_others_no_faster(start):
    own = "own-secret-000001"
    server = start(conf(target(credentials=f'{ONE_WAY}, {{ initiator = "{HOST}2"; secret = "{own}"; }}')))
    took = []
    for _ in range(7):
        login(server.port, DISK, source=CROWD, initiator=HOST + "2", secret=own).logout()
        begun = time.monotonic()
        with pytest.raises(Refused):
            login(server.port, DISK, source=CROWD, secret="wrong-secret-00")
        took.append(time.monotonic() - begun)
    assert took[-1] > 0.2


def test_a_crowd_on_ipv6_keeps_nobody_on_ipv4_out(start, ctl):
    needs_ipv6()
    server = start(conf(portals='{ address = "127.0.0.1"; port = $port; }, '
                                '{ address = "::1"; port = $port; }',
                        more="limits = { max_half_open_per_address = 5; login_timeout = 60; };"))
    crowd = [Wire("::1", server.port) for _ in range(20)]
    wait_until(lambda: status(server, ctl)["half_open"] == 5)
    login(server.port, DISK).ready().logout()
    for wire in crowd:
        wire.close()
    wait_until(lambda: status(server, ctl)["half_open"] == 0)
    login(server.port, DISK, address="::1").ready().logout()


# --- those who never answer again -----------------------------------------------------------------


PINGS = "iscsi = { nop_interval = 1; nop_timeout = 1; };"


def test_an_initiator_that_is_gone_without_a_word_is_dropped(start, ctl):
    server = start(conf(more=PINGS))
    session = login(server.port, DISK).ready()
    session.wire.vanish()
    server.wait_for_log("no sign of life", 10)
    assert status(server, ctl)["sessions"] == 0
    login(server.port, DISK).ready().logout()


def test_an_initiator_that_is_gone_in_the_middle_of_a_read_is_dropped(start, ctl):
    server = start(conf(more=PINGS))
    session = login(server.port, DISK).ready()
    session.wire.vanish()
    for _ in range(8):
        session.submit(session.rw16(0x88, 0, 2048), 1 << 20)
    wait_until(lambda: status(server, ctl)["sessions"] == 0)


def test_an_initiator_that_takes_nothing_of_what_it_asked_for_is_dropped(start, ctl):
    server = start(conf(more=PINGS))
    session = login(server.port, DISK).ready()
    for _ in range(8):
        session.submit(session.rw16(0x88, 0, 16384), 8 << 20)
    wait_until(lambda: status(server, ctl)["sessions"] == 0)
    session.wire.close()


def test_an_initiator_that_takes_its_data_slowly_stays(start):
    server = start(conf(more=PINGS))
    session = login(server.port, DISK).ready()
    session.answers_pings = False
    session.wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    tag = session.submit(session.rw16(0x88, 0, 16384), 8 << 20)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        session.step()
        time.sleep(0.3)
    assert session.finish(tag) == bytes(8 << 20)
    session.logout()


def test_an_idle_initiator_that_answers_pings_stays(start):
    server = start(conf(more=PINGS))
    session = login(server.port, DISK).ready()
    session.wire.socket.settimeout(0.2)
    end = time.monotonic() + 4
    while time.monotonic() < end:
        try:
            session.step()
        except TimeoutError:
            pass
    session.wire.socket.settimeout(10)
    session.test_unit_ready()
    session.logout()


def test_an_initiator_that_answers_no_ping_but_works_stays(start):
    """iPXE does not answer pings."""
    server = start(conf(more=PINGS))
    session = login(server.port, DISK).ready()
    session.answers_pings = False
    end = time.monotonic() + 4
    while time.monotonic() < end:
        session.test_unit_ready()
        time.sleep(0.3)
    session.logout()
    assert not lines(server, "no sign of life")


def rss(server):
    with open(f"/proc/{server.pid}/status") as f:
        return int(re.search(r"VmRSS:\s*(\d+) kB", f.read())[1]) << 10


@pytest.mark.plain
def test_an_initiator_that_reads_no_answer_costs_little(start):
    server = start(conf(target(luns=ram(size="64M"))))
    sessions = [login(server.port, DISK).ready() for _ in range(8)]
    sessions[0].write(0, b"\1" * (1 << 20))
    before = rss(server)
    for session in sessions:
        for _ in range(60):
            session.submit(Session.rw16(0x88, 0, 2048), 1 << 20)
    with login(server.port, DISK, source="127.0.0.2") as other:
        other.ready()
        assert other.read(0, 2048) == b"\1" * (1 << 20)
    assert rss(server) - before < 64 << 20       # 480 MiB are asked for
    tags = list(sessions[0].tasks)
    assert all(sessions[0].finish(tag) == b"\1" * (1 << 20) for tag in tags)
    for session in sessions:
        session.wire.close()


@pytest.mark.plain
def test_an_initiator_that_reads_no_answers_to_its_pings_costs_little(start):
    server = start(conf())
    sessions = [login(server.port, DISK).ready() for _ in range(16)]
    before = rss(server)
    for session in sessions:
        session.wire.socket.settimeout(0.3)
        ping = struct.pack(">BB2xB3s8xIIII16x", NOP_OUT | 0x40, 0x80, 0, (262144).to_bytes(3, "big"), 7,
                           NO_TAG, session.cmdsn, session.expstatsn) + bytes(262144)
        with contextlib.suppress(TimeoutError):
            while True:
                session.wire.socket.sendall(ping)
    assert rss(server) - before < 100 << 20      # 16 MiB for each, were they counted alone
    for session in sessions:
        session.wire.close()


# --- rest -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sessions", [0, 50])
def test_a_server_at_rest_uses_no_processor(start, sessions):
    server = start(conf(target(luns=ram())))
    idle = [login(server.port, DISK).ready() for _ in range(sessions)]
    for session in idle:
        session.write(0, bytes(65536))
    time.sleep(0.5)
    before = cpu_seconds(server.pid)
    time.sleep(3)
    assert cpu_seconds(server.pid) - before <= 0.02
    for session in idle:
        session.logout()



# --- the log --------------------------------------------------------------------------------------


def test_an_initiator_that_asks_for_nonsense_does_not_fill_the_log(start):
    server = start(conf())
    session = login(server.port, DISK).ready()
    snack = struct.pack(">BB6x8xIIII16x", 0x10, 0x80, 7, NO_TAG, 0, 0)
    for _ in range(100):
        session.wire.send_bytes(snack * 50)
        for _ in range(50):
            assert session.wire.receive().opcode == REJECT
    session.wire.close()
    server.wait_for_log("closed the connection")
    assert 0 < len(lines(server, "SNACK .*rejected")) < 100
    assert re.search(r"[0-9]+ lines of the log were left out", server.log())
