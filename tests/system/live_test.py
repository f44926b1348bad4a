# SPDX-License-Identifier: BSD-2-Clause
"""LUNs that come, go and change their size under sessions: each session is told once, and of nothing
that does not concern it. Units of the configuration file change by reload, volumes through the API."""
import contextlib
import random
import socket
import threading
import time

import pytest

from credentials_test import Api
from initiator import R2T, Failed, login
from support import DISK, PREFIX, conf, disk, ram, target

pytestmark = pytest.mark.threads
OTHER, MADE = PREFIX + "disk2", PREFIX + "made"
POOL = 'reactors = 2; pools = ( { name = "fast"; path = "pool"; } );'
POWER_ON, LUNS_CHANGED, CAPACITY_CHANGED = 0x2900, 0x3f0e, 0x2a09
NO_SUCH_UNIT = (5, 0x2500)


class Declared:
    """A target whose LUNs stand in the file; a second target shows LUN 0 as its LUN 7."""
    name = DISK

    def __init__(self, server):
        self.server, self.luns = server, {0: 16}

    def text(self):
        rows = [disk(f"{n}.img", n, f"{size}M", f'name = "u{n}";') for n, size in self.luns.items()]
        return conf(target(luns=", ".join(rows)), more=POOL,
                    *[target(name=OTHER, luns='{ lun = 7; same_as = "u0"; }, ' + ram(8))])

    def change(self, luns):
        self.luns = luns
        self.server.write_conf(self.text())
        Api(self.server).must("POST", "/v1/reload")


class Made:
    """A target of volumes."""
    name = MADE

    def __init__(self, server):
        self.server, self.luns, self.ids = server, {}, {}

    def text(self):
        return conf(target(name=OTHER, luns=ram(8)), more=POOL)

    def change(self, luns):
        api = Api(self.server)
        for n in set(self.luns) - set(luns):
            api.must("DELETE", f"/v1/volumes/{self.ids.pop(n)}?force=true")
        for n, size in luns.items():
            if n not in self.luns:
                made = api.must("POST", "/v1/volumes", {"target": MADE, "size": size << 20, "lun": n})
                self.ids[n] = made["id"]
            elif size != self.luns[n]:
                api.must("PATCH", f"/v1/volumes/{self.ids[n]}", {"size": size << 20})
        self.luns = luns


@pytest.fixture(params=[Declared, Made])
def units(request, make_server):
    server = make_server("")
    made = request.param(server)
    (server.dir / "pool").mkdir()
    server.write_conf(made.text())
    server.start()
    made.change({0: 16})
    return made


@contextlib.contextmanager
def sessions(units, n=4, name=None, lun=0):
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(login(units.server.port, name or units.name)) for _ in range(n)]
        for session in found:
            while session.attention(lun=lun):
                pass
        yield found


def report(session):
    """The LUNs that REPORT LUNS tells."""
    data = session.command(bytes([0xa0] + [0] * 5 + [0, 0, 1, 0, 0, 0]), 256)
    return [data[i + 1] for i in range(8, len(data), 8)]


def refusal(session, lun):
    with pytest.raises(Failed) as failed:
        session.read(0, 1, lun=lun)
    return failed.value.sense


def test_a_lun_that_comes_is_told_once_to_every_session(units):
    with sessions(units) as four:
        units.change({0: 16, 1: 16})
        for i, session in enumerate(four):
            first = i % 2                   # whichever unit is asked first, and no other after it
            told = [session.attention(lun=first), session.attention(lun=first)]
            assert told == ([POWER_ON, LUNS_CHANGED] if first else [LUNS_CHANGED, None])
            assert session.attention(lun=0) is None
            assert session.attention(lun=1) == (None if first else POWER_ON)
            assert session.attention(lun=1) is None
            assert report(session) == [0, 1]


def test_a_lun_that_goes_is_told_once_to_every_session(units):
    units.change({0: 16, 1: 16, 2: 16})
    with sessions(units) as four:
        for session in four:
            while session.attention(lun=1) or session.attention(lun=2):
                pass
        units.change({0: 16, 2: 16})
        for i, session in enumerate(four):
            assert refusal(session, 1) == NO_SUCH_UNIT
            assert session.attention(lun=2 * (i % 2)) == LUNS_CHANGED
            assert session.attention(lun=0) is session.attention(lun=2) is None
            assert report(session) == [0, 2]


def test_report_luns_is_as_good_as_being_told(units):
    with sessions(units) as four:
        units.change({0: 16, 1: 16})
        for session in four:
            assert report(session) == [0, 1]
            assert session.attention(lun=0) is None


def test_several_changes_before_a_session_looks_are_told_as_one(units):
    with sessions(units) as four:
        for luns in ({0: 16, 1: 16}, {0: 16, 1: 16, 2: 16}, {0: 16, 2: 16}, {0: 24, 2: 16}, {0: 32, 2: 16}):
            units.change(luns)
        for session in four:
            assert [session.attention(lun=0) for _ in range(3)] == [CAPACITY_CHANGED, LUNS_CHANGED, None]
            assert session.capacity() == (32 << 11, 512)


def test_a_size_is_told_once_to_every_session_and_for_that_unit_alone(units):
    units.change({0: 16, 1: 16})
    with sessions(units) as four:
        for session in four:
            while session.attention(lun=1):
                pass
        units.change({0: 16, 1: 24})
        for session in four:
            assert session.attention(lun=0) is None
            assert session.attention(lun=1) == CAPACITY_CHANGED
            assert session.attention(lun=1) is None


def test_sessions_of_another_target_are_not_told(units):
    with sessions(units, 2, OTHER, lun=8) as others:
        units.change({0: 16, 1: 16})
        units.change({0: 16, 1: 24})
        units.change({0: 16})
        for session in others:
            assert session.attention(lun=8) is None


def test_a_unit_behind_two_targets_tells_the_sessions_of_both(make_server):
    units = Declared(make_server(""))
    units.server.write_conf(units.text())
    (units.server.dir / "pool").mkdir()
    units.server.start()
    with sessions(units, 2) as ours, sessions(units, 2, OTHER, lun=7) as theirs:
        units.change({0: 24})
        for session, lun in [(s, 0) for s in ours] + [(s, 7) for s in theirs]:
            assert session.attention(lun=lun) == CAPACITY_CHANGED
            assert session.attention(lun=lun) is None
        assert theirs[0].attention(lun=8) == POWER_ON


def test_another_unit_in_the_place_of_one_is_told(make_server):
    units = Declared(make_server(""))
    units.server.write_conf(units.text())
    (units.server.dir / "pool").mkdir()
    units.server.start()
    with sessions(units, 3) as three:
        before = three[0].inquiry(0x83)
        units.server.write_conf(units.text().replace('path = "0.img"', 'path = "new.img"; naa = "3012345678901234"'))
        Api(units.server).must("POST", "/v1/reload")
        for session in three:
            assert [session.attention() for _ in range(3)] == [POWER_ON, LUNS_CHANGED, None]
            assert session.inquiry(0x83) != before


def test_no_change_is_missed_or_told_twice_under_load(units):
    """Sessions read all the time, while LUN 0 grows and LUN 1 comes and goes."""
    rng, rounds = random.Random(1), 12
    told, ends = [], threading.Event()

    def reader(session, seen):
        while not ends.is_set():
            try:
                session.read(0, 1)
            except Failed as e:
                assert e.sense[0] == 6
                seen.append(e.sense[1])
                told_one.release()

    told_one = threading.Semaphore(0)
    with sessions(units) as four:
        told = [[] for _ in four]
        threads = [threading.Thread(target=reader, args=pair) for pair in zip(four, told)]
        for t in threads:
            t.start()
        expected, luns = [], dict(units.luns)
        for _ in range(rounds):
            luns = dict(luns)
            if rng.random() < 0.5:
                luns[0] += 4
                expected.append(CAPACITY_CHANGED)
            else:
                luns.pop(1, None) or luns.update({1: 16})
                expected.append(LUNS_CHANGED)
            units.change(luns)
            for _ in four:
                assert told_one.acquire(timeout=20), (expected, told)
        ends.set()
        for t in threads:
            t.join(30)
        assert told == [expected] * len(four)
        assert all(session.attention() is None for session in four)


def test_memory_that_is_made_smaller_does_not_pull_the_ground_from_under_commands(make_server, ctl):
    """Data for blocks that are not there any more by the time they come; and an answer that the host
    takes its time to read."""
    server = make_server(conf(target(luns=ram(size="64M")))).start()
    with login(server.port, DISK) as writer, login(server.port, DISK) as reader:
        writer.ready()
        reader.ready()
        writer.immediate = 0
        end = (64 << 20) // 512
        write = writer.submit(writer.rw16(0x8a, end - 128, 128), data_out=b"x" * 65536)
        asked = writer.wire.receive()
        assert asked.opcode == R2T
        read = reader.submit(reader.rw16(0x88, end - 32768, 16384), 8 << 20)
        reader.wire.socket.recv(1, socket.MSG_PEEK)
        server.write_conf(conf(target(luns=ram(size="32M"))))
        assert "LUN shrunk" in ctl(server, "reload").stdout
        writer._r2t(asked)
        writer.finish(write)
        assert not any(reader.finish(read))
        assert writer.attention() == CAPACITY_CHANGED
        assert writer.capacity() == ((32 << 20) // 512, 512)
        server.write_conf(conf(target(luns=ram(size="64M"))))
        assert "LUN grown" in ctl(server, "reload").stdout
        assert writer.attention() == CAPACITY_CHANGED
        assert not any(writer.read(end - 128, 128))


def test_a_lun_of_a_file_becomes_read_only_and_writable_again_by_reloads(make_server, ctl):
    def shown(more):
        return conf(target(luns=disk("disk.img", 0, "16M", more)))

    server = make_server(shown("")).start()
    for more, protected in ("read_only = true;", True), ("", False):
        server.write_conf(shown(more))
        assert "LUN changed" in ctl(server, "reload").stdout
        with login(server.port, DISK) as session:
            session.ready().read(0, 1)
            try:
                session.write(0, b"x" * 512)
                assert not protected
            except Failed as e:
                assert protected and e.sense == (7, 0x2700)


@pytest.mark.parametrize("before, after", [("read_only = true;", ""), ("", "block_size = 4096;")])
def test_what_a_file_in_use_cannot_become_is_refused_and_why(make_server, ctl, before, after):
    def shown(more):
        return conf(target(luns=f'{{ lun = 0; path = "disk.img"; {more} }}'))

    server = make_server(shown(before))
    (server.dir / "disk.img").write_bytes(bytes(16 << 20))
    server.start()
    server.write_conf(shown(after))
    assert "do not change while it is in use" in ctl(server, "reload", status=1).stderr
    with login(server.port, DISK) as session:
        assert session.ready().capacity() == ((16 << 20) // 512, 512)


def test_a_lun_that_is_being_sanitized_is_not_made_anew(make_server, ctl):
    """The rest of it would be written under what hosts write then, or never."""
    server = make_server(conf(target(luns=disk("disk.img", 0, "16M")))).start()
    with login(server.port, DISK) as session:
        pattern = bytes([8, 0, 0, 1, 0xaa])         # eight times, at 128 MiB/s
        session.ready().command(bytes([0x48, 0x81, 0, 0, 0, 0, 0, 0, 5, 0]), data_out=pattern)
        server.write_conf(conf(target(luns=disk("disk.img", 0, "16M", "write_cache = false;"))))
        assert "being sanitized" in ctl(server, "reload", status=1).stderr
        while session.command(bytes([3, 0, 0, 0, 252, 0]), 252)[2] & 15:
            time.sleep(0.05)
        assert "LUN changed" in ctl(server, "reload").stdout
        assert session.ready().read(32767, 1) == b"\xaa" * 512


def test_a_file_that_is_replaced_under_a_lun_is_told_of(make_server, ctl):
    """A backup moved into place: hosts go on with the old file, of which nothing would be left."""
    shown = target(luns=disk("disk.img", 0, "16M"))
    server = make_server(conf(shown)).start()
    assert "not the file in use" not in ctl(server, "reload").stdout
    backup = server.dir / "backup.img"
    backup.write_bytes(b"b" * (16 << 20))
    backup.rename(server.dir / "disk.img")
    told = ctl(server, "reload").stdout
    assert f"LUN 0 of {DISK}: " in told and "disk.img is not the file in use any more" in told
    server.write_conf(conf(target(luns=ram(size="16M"))))
    ctl(server, "reload")
    server.write_conf(conf(shown))
    assert "not the file in use" not in ctl(server, "reload").stdout
    with login(server.port, DISK) as session:
        assert session.ready().read(0, 1) == b"b" * 512


def test_a_lun_grows_with_its_file_where_the_configuration_is_silent(make_server, ctl):
    """As after lvextend: a reload looks at what is behind a LUN without `size`."""
    server = make_server(conf(target(luns='{ lun = 0; path = "disk.img"; }')))
    file = server.dir / "disk.img"
    file.write_bytes(bytes(16 << 20))
    server.start()
    with login(server.port, DISK) as session:
        session.ready()
        with open(file, "ab") as f:
            f.truncate(32 << 20)
        assert ctl(server, "reload").stdout.startswith(
            f"LUN grown: 0 of {DISK}, from 16M to 32M, as ")
        with pytest.raises(Failed) as told:
            session.test_unit_ready()
        assert told.value.sense == (6, CAPACITY_CHANGED)
        assert session.capacity() == ((32 << 20) // 512, 512)
        assert "nothing in it has changed" in ctl(server, "reload").stdout
        session.test_unit_ready()
