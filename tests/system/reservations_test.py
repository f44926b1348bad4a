# SPDX-License-Identifier: BSD-2-Clause
"""Persistent reservations with APTPL outlive the server; those without do not."""
import re
import struct

import pytest
from initiator import Failed, login
from support import DISK, PREFIX, conf, disk, lines, ram, target

OTHER = PREFIX + "disk2"
HOST1, HOST2 = PREFIX + "host1", PREFIX + "host2"
REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT = 0, 1, 2, 3, 4
WRITE_EXCLUSIVE, EXCLUSIVE_ACCESS, EXCLUSIVE_REGISTRANTS = 1, 3, 6
CONFLICT = 0x18
APTPL, ALL_TG_PT = 1, 4
ISID = b"\x80rsrv\1"               # a reservation is known by the initiator's port, not its name


def out(session, action, key, new=0, kind=0, flags=0):
    session.command(struct.pack(">BBB2xI7x", 0x5f, action, kind, 24),
                    data_out=struct.pack(">QQ4xB3x", key, new, flags))


def told(session, action):
    """What PERSISTENT RESERVE IN says: 0 keys, 1 the reservation, 3 all of it."""
    return session.command(struct.pack(">BB5xH7x", 0x5e, action, 4096), 4096)


def host(server, name, disk_name=DISK, port="port"):
    return login(server.ports[port], disk_name, initiator=name, isid=ISID).ready()


def refused(session, what, *args):
    with pytest.raises(Failed) as failed:
        what(session, *args)
    return failed.value.status == CONFLICT


def write(session):
    session.write(0, b"\1" * 512)


def read(session):
    session.read(0, 1)


def again(server):
    server.kill()
    server.start()


@pytest.mark.parametrize("lun", [ram(), disk("disk.img")], ids=["ram", "file"])
def test_with_aptpl_a_reservation_outlives_a_kill(start, lun):
    server = start(conf(target(luns=lun)))
    with host(server, HOST1) as one, host(server, HOST2) as two:
        out(one, REGISTER, 0, 0x1111222233334444, flags=APTPL)
        out(two, REGISTER, 0, 0xfedcba9876543210, flags=APTPL)
        out(one, RESERVE, 0x1111222233334444, kind=EXCLUSIVE_ACCESS)
        before = [told(one, action) for action in (0, 1, 3)]
        again(server)
    with host(server, HOST1) as one, host(server, HOST2) as two:
        assert [told(one, 0), told(one, 1)] == before[:2]
        assert sorted(told(one, 3)) == sorted(before[2])
        assert refused(two, write) and refused(two, read)
        write(one)
        out(two, PREEMPT, 0xfedcba9876543210, 0x1111222233334444, WRITE_EXCLUSIVE)
        again(server)
    with host(server, HOST1) as one, host(server, HOST2) as two:
        assert told(one, 0)[4:] == struct.pack(">IQ", 8, 0xfedcba9876543210)
        assert refused(one, write)
        write(two)


def test_what_was_answered_last_is_there_each_time(start):
    server = start(conf())
    key = 0
    for n in range(1, 6):
        with host(server, HOST1) as one:
            for new in range(n * 100, n * 100 + 7):
                out(one, REGISTER, key, new, flags=APTPL)
                key = new
            again(server)
        with host(server, HOST1) as one:
            assert told(one, 0)[:16] == struct.pack(">IIQ", n * 7, 8, key)


def test_without_aptpl_it_ends_with_the_server(start):
    server = start(conf())
    with host(server, HOST1) as one:
        out(one, REGISTER, 0, 0xa)
        out(one, RESERVE, 0xa, kind=EXCLUSIVE_ACCESS)
        again(server)
    with host(server, HOST2) as two:
        assert told(two, 0) == bytes(8)
        write(two)


def test_what_is_given_up_does_not_come_back(start):
    server = start(conf())
    with host(server, HOST1) as one:
        out(one, REGISTER, 0, 0xa, flags=APTPL)
        out(one, RESERVE, 0xa, kind=WRITE_EXCLUSIVE)
        out(one, CLEAR, 0xa)
        again(server)
    with host(server, HOST2) as two:
        assert told(two, 0)[4:] == bytes(4)
        write(two)


def test_one_unit_on_two_targets_and_two_portals_has_one_set_of_reservations(start):
    portals = ('{ address = "127.0.0.1"; port = $port; group = 1; }, '
               '{ address = "127.0.0.1"; port = $second_port; group = 2; }')
    same = '{ lun = 0; same_as = "shared"; }'
    server = start(conf(target(luns=disk("disk.img", more='name = "shared";')), target(name=OTHER, luns=same),
                        portals=portals))
    with host(server, HOST1) as one:
        out(one, REGISTER, 0, 0xa, flags=APTPL)
        out(one, RESERVE, 0xa, kind=EXCLUSIVE_REGISTRANTS)
        again(server)
    with host(server, HOST1, port="second_port") as one:
        assert refused(one, write)            # registered through the other port only
        out(one, REGISTER, 0, 0xa, flags=APTPL)
        write(one)
        again(server)
    with host(server, HOST1) as one, host(server, HOST1, port="second_port") as beside, \
            host(server, HOST2, OTHER) as other:
        write(one)
        write(beside)
        assert told(other, 0)[4:] == struct.pack(">IQQ", 16, 0xa, 0xa)
        assert refused(other, write)


@pytest.mark.parametrize("flags", [0, APTPL], ids=["until-power-loss", "aptpl"])
def test_a_unit_that_is_made_anew_by_a_reload_stays_reserved_for_those_who_are_there(start, flags):
    """A host that was fenced off must not come back by a change of the configuration."""
    server = start(conf(target(luns=disk("disk.img"))))
    with host(server, HOST1) as one, host(server, HOST2) as two:
        out(one, REGISTER, 0, 0xa, flags=flags)
        out(one, RESERVE, 0xa, kind=WRITE_EXCLUSIVE)
        server.write_conf(conf(target(luns=disk("disk.img", more="write_cache = false;"))))
        server.reload()
        server.wait_for_log("reload: the new configuration is in force")
        one.ready()
        assert refused(two.ready(), write)
        write(one)
        out(one, RELEASE, 0xa, kind=WRITE_EXCLUSIVE)
        write(two.ready())


def test_a_unit_that_is_made_anew_by_a_reload_keeps_what_is_kept(start):
    server = start(conf(target(luns=disk("disk.img", more='serial = "one";'))))
    with host(server, HOST1) as one:
        out(one, REGISTER, 0, 0xa, flags=APTPL)
        out(one, RESERVE, 0xa, kind=WRITE_EXCLUSIVE)
    server.write_conf(conf(target(luns=disk("disk.img", more='serial = "another";'))))
    server.reload()
    server.wait_for_log("reload: .*0 of " + re.escape(DISK))
    with host(server, HOST2) as two:
        assert two.inquiry(0x80)[4:] == b"another"
        assert refused(two, write)
    assert not lines(server, "error")
