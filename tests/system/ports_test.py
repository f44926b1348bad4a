# SPDX-License-Identifier: BSD-2-Clause
"""Target ports: their numbers, where hosts see them, and what reservations make of them."""
import sqlite3
import struct

from initiator import be, login
from reservations_test import (ALL_TG_PT, APTPL, CLEAR, CONFLICT, EXCLUSIVE_ACCESS, EXCLUSIVE_REGISTRANTS, HOST1, ISID,
                               OTHER, REGISTER, RELEASE, RESERVE, out, refused, told, write)
from support import DISK, PREFIX, conf, disk, target

THIRD = PREFIX + "disk3"
SHARED = disk("disk.img", more='name = "shared";')
SAME = '{ lun = 0; same_as = "shared"; }'
TWO_GROUPS = ('{ address = "127.0.0.1"; port = $port; group = 1; }, '
              '{ address = "127.0.0.1"; port = $second_port; group = 2; }')
RELEASED = 0x2a04


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
    catalog.executescript("UPDATE registrant SET port = 1; DROP TABLE port; "
                          "ALTER TABLE reservation DROP COLUMN by_group; PRAGMA user_version = 1;")
    catalog.close()
    server.start()
    with host(server, OTHER) as other, host(server) as one, host(server, port="second_port") as third:
        write(other)
        write(one)
        assert refused(third, write)
        assert told(one, 0)[4:] == struct.pack(">IQQ", 16, 0xb, 0xb)
