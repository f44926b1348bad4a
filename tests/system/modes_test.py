# SPDX-License-Identifier: BSD-2-Clause
"""Mode pages that a host has saved (MODE SELECT with SP=1) are as they were after the server."""
import os
import re
import sqlite3
import struct

import pytest
from credentials_test import Api
from initiator import Failed, login
from support import DISK, PREFIX, conf, disk, lines, ram, target

OTHER, MADE = PREFIX + "disk2", PREFIX + "made"
CURRENT, CHANGEABLE, DEFAULT, SAVED = range(4)
CACHING, CONTROL = 0x08, 0x0a
PS = 0x80
MODE_CHANGED, WRITE_PROTECTED, INTERNAL_FAILURE = 0x2a01, (7, 0x2700), (4, 0x4400)


def page(session, code, values=CURRENT):
    """The page without its first byte; PS must be set."""
    data = session.command(bytes([0x1a, 8, values << 6 | code, 0, 255, 0]), 255)[4:]
    assert data[0] == PS | code
    return data[1:]


def select(session, code, change, save=True):
    """Has the bytes of the page that `change` names by their places."""
    data = bytearray([code]) + page(session, code)
    for at, value in change.items():
        data[at] = value
    session.command(bytes([0x15, 0x10 | save, 0, 0, 4 + len(data), 0]), data_out=bytes(4) + data)


def host(server, name=DISK):
    return login(server.port, name).ready()


def fails_with(what, *args):
    with pytest.raises(Failed) as failed:
        what(*args)
    return failed.value.sense


def wce(session, values=CURRENT):
    return bool(page(session, CACHING, values)[1] & 4)


def control(session, values=CURRENT):
    """D_SENSE, QErr, SWP and TAS."""
    data = page(session, CONTROL, values)
    return data[1] >> 2 & 1, data[2] >> 1 & 3, data[3] >> 3 & 1, data[4] >> 6


# Of the control page: what its bytes 2 to 5 are with all that can be set, and TAS off.
ALL = {2: 0x06, 3: 0x16, 4: 0x08, 5: 0}


@pytest.mark.parametrize("lun", [ram(), disk("disk.img")], ids=["ram", "file"])
@pytest.mark.parametrize("end", ["kill", "stop"])
def test_what_is_saved_is_in_force_after_a_restart(start, lun, end):
    server = start(conf(target(luns=lun)))
    with host(server) as session:
        assert wce(session) and control(session) == (0, 0, 0, 1)
        select(session, CACHING, {2: 0})
        select(session, CONTROL, ALL)
        assert not wce(session, SAVED) and control(session, SAVED) == (1, 3, 1, 0)
        getattr(server, end)()
    server.start()
    with host(server) as session:
        for values in (CURRENT, SAVED):
            assert not wce(session, values) and control(session, values) == (1, 3, 1, 0)
        assert wce(session, DEFAULT) and control(session, DEFAULT) == (0, 0, 0, 1)
        assert fails_with(session.write, 0, bytes(512))[0] == 7
        select(session, CONTROL, {2: 0x02, 3: 0x10, 4: 0, 5: 0x40})
        session.write(0, bytes(512))
        server.kill()
        server.start()
    with host(server) as session:
        assert not wce(session) and control(session) == (0, 0, 0, 1)


def test_what_was_answered_last_is_there_each_time(start):
    server = start(conf())
    for n in range(4):
        with host(server) as session:
            for k in range(n + 1):
                select(session, CONTROL, {3: 0x10 | (1 if k == n else 3) << 1, 5: (n & 1) << 6})
            server.kill()
            server.start()
        with host(server) as session:
            assert control(session) == (0, 1, 0, n & 1)


def test_what_is_only_set_ends_with_the_server(start):
    server = start(conf())
    with host(server) as session:
        select(session, CACHING, {2: 0}, save=False)
        assert not wce(session) and wce(session, SAVED)
        server.kill()
        server.start()
    with host(server) as session:
        assert wce(session)


def test_a_unit_behind_two_targets_has_one_set_of_pages(start):
    same = '{ lun = 0; same_as = "shared"; }'
    server = start(conf(target(luns=disk("disk.img", more='name = "shared";')), target(name=OTHER, luns=same)))
    with host(server) as one, host(server, OTHER) as other:
        select(one, CONTROL, {4: 0x08})
        assert other.attention() == MODE_CHANGED
        assert other.attention() is one.attention() is None
        assert control(other) == control(other, SAVED) == (0, 0, 1, 1)
        select(other, CACHING, {2: 0})
        server.kill()
        server.start()
    with host(server) as one, host(server, OTHER) as other:
        for session in (one, other):
            assert not wce(session) and control(session) == (0, 0, 1, 1)
            assert fails_with(session.write, 0, bytes(512)) == WRITE_PROTECTED


def test_units_do_not_share_what_is_saved(start):
    server = start(conf(target(luns=ram(0) + ", " + ram(1))))
    with host(server) as session:
        select(session, CACHING, {2: 0})
        server.kill()
        server.start()
    with host(server) as session:
        assert not wce(session)
        session.lun = 1
        session.ready()
        assert wce(session)


def test_a_bit_that_was_never_saved_follows_the_configuration(start):
    server = start(conf(target(luns=disk("disk.img"))))
    with host(server) as session:
        select(session, CONTROL, {4: 0x08})
    server.write_conf(conf(target(luns=disk("disk.img", more="write_cache = false;"))))
    server.reload()
    server.wait_for_log("reload: .*0 of " + re.escape(DISK))
    with host(server) as session:
        assert not wce(session) and control(session) == (0, 0, 1, 1)
        select(session, CACHING, {2: 4})
        server.kill()
        server.start()
    with host(server) as session:
        assert wce(session) and not wce(session, DEFAULT)
    assert not lines(server, "error")


def test_what_cannot_be_saved_is_refused_and_not_in_force(start):
    server = start(conf())
    with host(server) as session:
        select(session, CONTROL, {4: 0x08})
        catalog = sqlite3.connect(server.dir / "state" / "catalog.db")
        catalog.executescript("ALTER TABLE mode_page RENAME TO away;")
        assert fails_with(select, session, CACHING, {2: 0}) == INTERNAL_FAILURE
        assert wce(session) and wce(session, SAVED) and control(session, SAVED) == (0, 0, 1, 1)
        catalog.executescript("ALTER TABLE away RENAME TO mode_page;")
        catalog.close()
        select(session, CACHING, {2: 0})
        assert not wce(session)


def test_a_catalog_of_an_older_server_takes_what_is_saved(start):
    server = start(conf())
    server.stop()
    catalog = sqlite3.connect(server.dir / "state" / "catalog.db")
    catalog.executescript("DROP TABLE mode_page; PRAGMA user_version = 2;")
    catalog.close()
    server.start()
    with host(server) as session:
        assert wce(session) and wce(session, SAVED)
        select(session, CACHING, {2: 0})
        server.kill()
        server.start()
    with host(server) as session:
        assert not wce(session)


def rows(server):
    catalog = sqlite3.connect(server.dir / "state" / "catalog.db")
    n, = catalog.execute("SELECT count(*) FROM mode_page").fetchone()
    catalog.close()
    return n


def test_a_volume_takes_its_pages_along_and_a_deleted_one_leaves_none(make_server):
    server = make_server(conf(more='pools = ( { name = "fast"; path = "pool"; } );'))
    os.mkdir(server.dir / "pool")
    server.start()
    made = Api(server).call("POST", "/v1/volumes", {"target": MADE, "size": 64 << 20})[1]["id"]
    with host(server, MADE) as session:
        select(session, CACHING, {2: 0})
        server.kill()
        server.start()
    with host(server, MADE) as session:
        assert not wce(session)
    for tail, body in (("/detach", {"force": True}), ("/attach", {"target": OTHER})):
        assert Api(server).call("POST", f"/v1/volumes/{made}{tail}", body)[0] == 200
    with host(server, OTHER) as session:
        assert not wce(session)
    assert rows(server) == 1
    assert Api(server).call("DELETE", f"/v1/volumes/{made}?force=true")[0] in (200, 204)
    assert rows(server) == 0
