# SPDX-License-Identifier: BSD-2-Clause
"""Target ports: their numbers, where hosts see them, and what reservations make of them."""
import sqlite3
import struct
import threading

import pytest

from credentials_test import Api
from initiator import Failed, be, login
from reservations_test import (ALL_TG_PT, APTPL, CLEAR, CONFLICT, EXCLUSIVE_ACCESS, EXCLUSIVE_REGISTRANTS, HOST1, ISID,
                               OTHER, REGISTER, RELEASE, RESERVE, out, refused, told, write)
from support import DISK, PREFIX, conf, disk, target

THIRD = PREFIX + "disk3"
SHARED = disk("disk.img", more='name = "shared";')
SAME = '{ lun = 0; same_as = "shared"; }'
TWO_GROUPS = ('{ address = "127.0.0.1"; port = $port; group = 1; }, '
              '{ address = "127.0.0.1"; port = $second_port; group = 2; }')
RELEASED, STATE_CHANGED = 0x2a04, 0x2a06
STANDBY = (2, 0x040b)


def two_targets(**kwargs):
    return conf(target(luns=SHARED), target(name=OTHER, luns=SAME), **kwargs)


def host(server, name=DISK, port="port"):
    return login(server.ports[port], name, initiator=HOST1, isid=ISID).ready()


def port_in_83(session):
    """The relative target port identifier of the device identification page, and the group."""
    page, at, found = session.inquiry(0x83, 4096), 4, {}
    while at < len(page):
        found[page[at + 1] & 0x3f] = page[at + 4:at + 4 + page[at + 3]]
        at += 4 + page[at + 3]
    return be(found[0x14], 2, 2), be(found[0x15], 2, 2)


def ports_in_88(session):
    page, at, found = session.inquiry(0x88, 4096), 4, {}
    while at < len(page):
        size = be(page, at + 10, 2)
        found[be(page, at + 2, 2)] = page[at + 16:at + 12 + size].rstrip(b"\0").decode()
        at += 12 + size
    return found


def groups(session):
    """REPORT TARGET PORT GROUPS: {group: (state, ports)}."""
    data = session.command(struct.pack(">BB4xIxx", 0xa3, 0x0a, 4096), 4096)
    at, found = 4, {}
    while at < len(data):
        n = data[at + 7]
        found[be(data, at + 2, 2)] = (data[at] & 0x0f, [
            be(data, at + 8 + 4 * i, 4) for i in range(n)])
        at += 8 + 4 * n
    return found


def test_every_place_tells_the_same_number(start):
    server = start(two_targets(portals=TWO_GROUPS))
    ways = [(DISK, "port", 1), (DISK, "second_port", 2), (OTHER, "port", 1), (OTHER, "second_port", 2)]
    numbers = {}
    for name, port, group in ways:
        with host(server, name, port) as session:
            number, told_group = port_in_83(session)
            assert told_group == group
            assert ports_in_88(session)[number] == f"{name},t,0x{group:04x}"
            assert number in groups(session)[group][1]
            numbers[number] = group
    assert len(numbers) == 4
    with host(server) as session:
        assert {g: sorted(p) for g, (_, p) in groups(session).items()} == {
            g: sorted(n for n in numbers if numbers[n] == g) for g in (1, 2)}


def test_a_number_stays_whatever_becomes_of_other_targets(start):
    server = start(two_targets())
    with host(server, OTHER) as session:
        number = port_in_83(session)[0]
    server.write_conf(conf(target(name=THIRD), target(name=OTHER, luns=SHARED)))
    server.reload()
    server.wait_for_log("reload: .*" + DISK)
    with host(server, OTHER) as session:
        assert port_in_83(session)[0] == number
    server.kill()
    server.write_conf(conf(target(name=OTHER, luns=SHARED), target(name=DISK)))
    server.start()
    with host(server, OTHER) as session:
        assert port_in_83(session)[0] == number


def test_two_targets_of_one_group_are_two_nexuses(start):
    server = start(two_targets())
    with host(server) as one, host(server, OTHER) as other:
        out(one, REGISTER, 0, 0xa)
        out(one, RESERVE, 0xa, kind=EXCLUSIVE_ACCESS)
        write(one)
        assert refused(other, write)
        out(other, REGISTER, 0, 0xb)
        assert told(one, 0)[4:] == struct.pack(">IQQ", 16, 0xa, 0xb)
        assert refused(other, write)


def test_all_target_ports_are_those_of_every_target(start):
    server = start(two_targets())
    with host(server) as one, host(server, OTHER) as other:
        out(one, REGISTER, 0, 0xa, flags=ALL_TG_PT)
        out(one, RESERVE, 0xa, kind=EXCLUSIVE_REGISTRANTS)
        write(other)
        out(one, RELEASE, 0xa, kind=EXCLUSIVE_REGISTRANTS)
        assert other.attention() == RELEASED
        assert other.attention() is one.attention() is None


def test_what_is_kept_names_the_port(start):
    server = start(two_targets())
    with host(server, OTHER) as other:
        out(other, REGISTER, 0, 0xb, flags=APTPL)
        out(other, RESERVE, 0xb, kind=EXCLUSIVE_ACCESS)
        server.kill()
        server.start()
    with host(server, OTHER) as other, host(server) as one:
        write(other)
        assert refused(one, write)
        out(other, CLEAR, 0xb)
        write(one)


def test_a_registration_of_an_older_server_holds_at_every_target_of_its_group(start):
    server = start(two_targets(portals=TWO_GROUPS))
    with host(server, OTHER) as other:
        out(other, REGISTER, 0, 0xb, flags=APTPL)
        out(other, RESERVE, 0xb, kind=EXCLUSIVE_REGISTRANTS)
        server.stop()
    catalog = sqlite3.connect(server.dir / "state" / "catalog.db")
    catalog.executescript("UPDATE registrant SET port = 1; DROP TABLE port; DROP TABLE mode_page; "
                          "ALTER TABLE reservation DROP COLUMN by_group; PRAGMA user_version = 1;")
    catalog.close()
    server.start()
    with host(server, OTHER) as other, host(server) as one, host(server, port="second_port") as third:
        write(other)
        write(one)
        assert refused(third, write)
        assert told(one, 0)[4:] == struct.pack(">IQQ", 16, 0xb, 0xb)


# --- access states ----------------------------------------------------------------------------


def set_state(server, group, state):
    return Api(server).must("PATCH", f"/v1/port-groups/{group}", {"state": state})


def fails_with(session):
    with pytest.raises(Failed) as failed:
        session.read(0, 1)
    return failed.value.sense


def test_a_state_is_told_once_to_every_session_and_kept(start, ctl):
    server = start(two_targets(portals=TWO_GROUPS))
    with host(server) as one, host(server, port="second_port") as two, \
            host(server, OTHER, port="second_port") as other:
        said = ctl(server, "port-group", "set", "7", "standby", status=1).stderr
        assert "there is no portal group 7" in said
        shown = ctl(server, "port-group", "set", "2", "standby").stdout
        assert shown == "port group 2 is standby\n"
        for session in (one, two, other):
            assert session.attention() == STATE_CHANGED
            session.inquiry()
        one.read(0, 1)
        assert one.attention() is None
        assert fails_with(two) == fails_with(other) == STANDBY
        assert {g: state for g, (state, _) in groups(two).items()} == {1: 0, 2: 2}
        server.kill()
        server.start()
    with host(server) as one, login(server.ports["second_port"], DISK, isid=ISID) as two:
        assert one.attention() is None
        assert two.attention() == 0x2900          # of a new nexus, and nothing else
        assert fails_with(two) == STANDBY
        table = ctl(server, "port-group", "list").stdout
        assert [row.split()[:2] for row in table.splitlines()[1:]] == [
            ["1", "active-optimized"], ["2", "standby"]]
        assert f"127.0.0.1:{server.ports['second_port']}" in table
        set_state(server, 2, "active-non-optimized")
        assert two.attention() == one.attention() == STATE_CHANGED
        two.read(0, 1)
        assert {g: state for g, (state, _) in groups(two).items()} == {1: 0, 2: 1}
    server.stop()
    server.start()
    assert [g["state"] for g in Api(server).must("GET", "/v1/port-groups")["port_groups"]] == [
        "active-optimized", "active-non-optimized"]
    set_state(server, 2, "active-optimized")
    entries = Api(server).must("GET", "/v1/audit")["audit"]
    assert [(e["object"], e["what"]) for e in entries] == [("2", "set port group")] * 3


def test_a_reload_tells_nothing_of_states_that_stay(start):
    server = start(two_targets(portals=TWO_GROUPS))
    set_state(server, 1, "active-non-optimized")
    with host(server) as one:
        server.write_conf(two_targets(portals=TWO_GROUPS, more="limits = { login_timeout = 9; };"))
        Api(server).must("POST", "/v1/reload")
        assert one.attention() is None
        assert groups(one)[1][0] == 1


def test_a_unit_that_comes_later_has_the_state_of_its_group(start):
    server = start(two_targets(portals=TWO_GROUPS))
    set_state(server, 2, "unavailable")
    server.write_conf(conf(target(luns=SHARED), target(name=OTHER, luns=SAME), target(name=THIRD),
                           portals=TWO_GROUPS))
    Api(server).must("POST", "/v1/reload")
    with login(server.ports["second_port"], THIRD) as session:
        session.attention()
        assert fails_with(session) == (2, 0x040c)


def test_states_change_under_reads_of_many_sessions(start):
    """No change is missed and none is told twice, whatever runs meanwhile."""
    server = start(two_targets())
    sessions = [login(server.port, name).ready() for name in (DISK, OTHER) * 3]
    told, ends = [0] * len(sessions), threading.Event()

    def reader(i):
        while not ends.is_set() or told[i] < 10:
            try:
                sessions[i].read(0, 1)
            except Failed as e:
                assert e.sense == (6, STATE_CHANGED)
                told[i] += 1
                seen[i].release()

    seen = [threading.Semaphore(0) for _ in sessions]
    threads = [threading.Thread(target=reader, args=(i,)) for i in range(len(sessions))]
    for t in threads:
        t.start()
    for n in range(10):
        set_state(server, 1, "active-optimized" if n % 2 else "active-non-optimized")
        assert all(s.acquire(timeout=20) for s in seen)
    ends.set()
    for t in threads:
        t.join(20)
    assert told == [10] * len(sessions)
    for session in sessions:
        assert session.attention() is None
        session.wire.close()


def test_what_is_no_group_or_state_is_refused(start):
    server = start(two_targets())
    for group, state, status in (("3", "standby", 404), ("0", "standby", 404), ("x", "standby", 404),
                                 ("99999999999", "standby", 404), ("1", "asleep", 400), ("1", None, 400)):
        assert Api(server).call("PATCH", f"/v1/port-groups/{group}", {"state": state})[0] == status
