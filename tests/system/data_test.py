# SPDX-License-Identifier: BSD-2-Clause
"""What has been acknowledged is there: after a kill, after a stop, with digests, between hosts."""
import ctypes
import random
import re
import secrets
import sqlite3
import threading
import time
from contextlib import closing
from functools import partial

import pytest
from initiator import Closed, Failed, login
from support import DISK, PREFIX, conf, disk, lines, ram, target

BLOCKS = 4096                          # the part of a unit that is written
DIGESTS = {"HeaderDigest": "CRC32C", "DataDigest": "CRC32C"}
block_sizes = pytest.mark.parametrize("size", [512, 4096])


def served(start, size, more=""):
    return start(conf(target(luns=disk("disk.img", size="64M",
                                       more=f"block_size = {size}; {more}"))))


def filled(number, size):
    """A block that tells which write it is of."""
    return number.to_bytes(8, "big") * (size // 8)


class Writer(threading.Thread):
    """Writes blocks in random places until the connection breaks, several at a time, and remembers
    for each block the last write that is certain to be there, and those that may be.

    `how`: "fua" takes each answered write as certain, "flush" those before a SYNCHRONIZE CACHE that
    is answered, "plain" each answered write (as after a stop, which flushes)."""

    def __init__(self, port, seed, of, how, size):
        super().__init__()
        self.session = login(port, DISK).ready()
        self.random = random.Random(seed)
        self.mine = range(seed, BLOCKS, of)
        self.how, self.size = how, size
        self.number = seed << 32
        self.certain, self.possible = {}, {}
        self.answered = 0

    def run(self):
        try:
            while True:
                self.round()
        except (Closed, TimeoutError):
            pass

    def round(self):
        under_way, done = [], {}
        for lba in self.random.sample(self.mine, 8):
            self.number += 1
            self.possible.setdefault(lba, set()).add(self.number)
            cdb = self.session.rw16(0x8a, lba, 1, self.how == "fua")
            under_way.append((lba, self.number, self.session.submit(
                cdb, data_out=filled(self.number, self.size))))
        for lba, number, tag in under_way:
            self.session.finish(tag)
            self.answered += 1
            done[lba] = number
            if self.how != "flush":
                self.settle({lba: number})
        if self.how == "flush":
            self.session.flush()
            self.settle(done)

    def settle(self, done):
        for lba, number in done.items():
            self.certain[lba] = number
            self.possible[lba] = {n for n in self.possible[lba] if n > number}


def check(writers, read, size):
    """Each block is the last certain write of it, or one after that; nothing else."""
    wrong = []
    for writer in writers:
        for lba in writer.mine:
            found = read(lba)
            allowed = {writer.certain.get(lba, 0)} | writer.possible.get(lba, set())
            if found not in {filled(n, size) for n in allowed}:
                wrong.append((lba, found[:8].hex(), sorted(allowed)))
    assert not wrong, wrong[:5]


def from_unit(port, size):
    session = login(port, DISK).ready()
    step = (1 << 20) // size
    data = b"".join(session.read(lba, step, size) for lba in range(0, BLOCKS, step))
    session.logout()
    return lambda lba: data[lba * size:(lba + 1) * size]


def writing(server, how, size, seconds):
    """Four writers that have written for so many seconds, and go on."""
    writers = [Writer(server.port, n, 4, how, size) for n in range(4)]
    for writer in writers:
        writer.start()
    time.sleep(seconds)
    return writers


# --- what a flush means -------------------------------------------------------------------------------


CACHESTAT = 451                        # Linux 6.5 and later, on every architecture


def dirty(path):
    """How many pages of the file are in memory alone, and not on the disk."""
    span, told = (ctypes.c_uint64 * 2)(0, 0), (ctypes.c_uint64 * 5)()
    with open(path, "rb") as f:
        if ctypes.CDLL(None, use_errno=True).syscall(CACHESTAT, f.fileno(), span, told, 0):
            pytest.skip("this kernel does not tell what is dirty")
    return told[1] + told[2]


@pytest.fixture
def on_disk(start):
    """A server with a file unit and a session; skips where files are in memory anyway."""
    server = served(start, 512)
    path = server.dir / "disk.img"
    with login(server.port, DISK) as session:
        session.ready().write(0, b"\1" * (1 << 20))
        if not dirty(path):
            pytest.skip("nothing is dirty after a write: these files are in memory")
        session.flush()
        assert dirty(path) == 0
        yield server, session, path


def test_a_flush_brings_all_that_was_written_to_the_disk(on_disk):
    _, session, path = on_disk
    for lba in range(0, 65536, 4096):
        session.write(lba, secrets.token_bytes(65536))
    assert dirty(path) > 100
    session.flush()
    assert dirty(path) == 0


def test_a_write_with_fua_is_on_the_disk(on_disk):
    _, session, path = on_disk
    session.write(2048, secrets.token_bytes(1 << 20), fua=True)
    assert dirty(path) == 0


def test_without_a_write_cache_each_write_is_on_the_disk(start):
    server = served(start, 512, "write_cache = false;")
    with login(server.port, DISK) as session:
        session.ready().write(2048, secrets.token_bytes(1 << 20))
        assert dirty(server.dir / "disk.img") == 0


def test_a_write_cache_that_a_reload_takes_away_is_empty(on_disk):
    """A host that sees none asks for no flush: not for what it wrote before either."""
    server, session, path = on_disk
    session.write(2048, secrets.token_bytes(1 << 20))
    assert dirty(path) > 100
    server.write_conf(conf(target(luns=disk("disk.img", size="64M",
                                            more="block_size = 512; write_cache = false;"))))
    server.reload()
    server.wait_for_log("reload: the new configuration is in force")
    for _ in range(500):
        if not dirty(path):
            return
        time.sleep(0.01)
    assert dirty(path) == 0


def test_a_stop_brings_all_that_was_written_to_the_disk(on_disk):
    server, session, path = on_disk
    session.write(2048, secrets.token_bytes(1 << 20))
    assert dirty(path) > 100
    server.process.terminate()
    while not session.events:
        session.step()
    session.logout()
    server.process.wait(10)
    assert dirty(path) == 0


# --- the server dies --------------------------------------------------------------------------------


@block_sizes
@pytest.mark.parametrize("how", ["fua", "flush"])
def test_what_was_flushed_is_there_after_a_kill(start, how, size):
    server = served(start, size)
    for seconds in (0.3, 0.7):
        writers = writing(server, how, size, seconds)
        server.kill()
        for writer in writers:
            writer.join()
        assert sum(writer.answered for writer in writers) > 50
        server.start()
        check(writers, from_unit(server.port, size), size)
        (server.dir / "disk.img").write_bytes(b"")      # the next round begins with zeros
        server.stop()
        server.start()


@block_sizes
def test_without_a_write_cache_each_answered_write_is_there_after_a_kill(start, size):
    server = served(start, size, "write_cache = false;")
    writers = writing(server, "plain", size, 0.5)
    server.kill()
    for writer in writers:
        writer.join()
    server.start()
    check(writers, from_unit(server.port, size), size)


def sense_of(call, *args):
    with pytest.raises(Failed) as failed:
        call(*args)
    return failed.value.sense


def sanitize(session, action, flags=0, pattern=b""):
    """OVERWRITE (1), BLOCK ERASE (2), EXIT FAILURE MODE (1Fh)."""
    cdb = bytes([0x48, flags | action, 0, 0, 0, 0, 0, 0, len(pattern), 0])
    session.command(cdb, data_out=pattern)


@pytest.mark.parametrize("end", ["kill", "stop"])
@pytest.mark.parametrize("ause", [0, 0x20], ids=["restricted", "unrestricted"])
def test_a_sanitize_that_is_cut_off_has_failed_after_the_restart(start, end, ause):
    """What is left of the data is not for anybody who looks."""
    server = served(start, 512)
    with login(server.port, DISK) as session:
        session.ready().write(131071, b"s" * 512)
        sanitize(session, 1, 0x80 | ause, bytes([31, 0, 0, 1, 0xaa]))   # at 128 MiB/s
        getattr(server, end)()
    server.start()
    assert lines(server, "warning: a SANITIZE of the disk naa.")
    with login(server.port, DISK) as session:
        for call in session.ready, partial(session.read, 0, 1), partial(session.write, 0, bytes(512)):
            assert sense_of(call) == (3, 0x3103)
        if ause:
            sanitize(session, 0x1f)
            assert session.read(131071, 1) in (b"s" * 512, b"\xaa" * 512)
        else:
            assert sense_of(sanitize, session, 0x1f) == (5, 0x2400)
            assert sense_of(sanitize, session, 2, 0x20) == (5, 0x2400)
            sanitize(session, 2)
            assert session.read(131071, 1) == bytes(512)
        session.write(0, b"n" * 512, fua=True)
        server.kill()
    server.start()
    with login(server.port, DISK) as session:
        assert session.ready().read(0, 1) == b"n" * 512


def test_a_format_that_was_cut_off_leaves_a_corrupt_medium_after_the_restart(start):
    """A format takes no time here: a SANITIZE that was cut off is made one in the catalog."""
    server = served(start, 512)
    with login(server.port, DISK) as session:
        sanitize(session.ready(), 1, 0x80, bytes([31, 0, 0, 1, 0xaa]))
        server.kill()
    with closing(sqlite3.connect(server.dir / "state" / "catalog.db")) as catalog, catalog:
        catalog.execute("UPDATE setting SET value = 'format-' || value WHERE name LIKE 'sanitize/%'")
    server.start()
    assert lines(server, "warning: a FORMAT UNIT of the disk naa.")
    with login(server.port, DISK) as session:
        for call in session.ready, partial(session.read, 0, 1), partial(session.write, 0, bytes(512)):
            assert sense_of(call) == (3, 0x3100)
        session.command(bytes([4, 0, 0, 0, 0, 0]))
        assert session.read(0, 1) == bytes(512)
        server.kill()
    server.start()
    with login(server.port, DISK) as session:
        assert session.ready().read(131071, 1) == bytes(512)


def test_a_sanitize_that_was_cut_off_says_nothing_of_another_file(start):
    """A backup in the place of what is left of the old file."""
    server = served(start, 512)
    with login(server.port, DISK) as session:
        sanitize(session.ready(), 1, 0x80, bytes([31, 0, 0, 1, 0xaa]))
        server.kill()
    server.start()
    with login(server.port, DISK) as session:
        assert sense_of(session.ready) == (3, 0x3103)
    backup = server.dir / "backup.img"
    backup.write_bytes(b"b" * (64 << 20))
    server.write_conf(conf(target(luns=disk("backup.img", size="64M"))))
    server.reload()
    server.wait_for_log("reload: the new configuration is in force")
    with login(server.port, DISK) as session:
        assert session.ready().read(0, 1) == b"b" * 512
    server.stop()
    backup.rename(server.dir / "disk.img")
    server.write_conf(conf(target(luns=disk("disk.img", size="64M"))))
    server.start()
    with login(server.port, DISK) as session:
        assert session.ready().read(0, 1) == b"b" * 512


# --- the server is stopped ----------------------------------------------------------------------------


def test_each_answered_write_is_there_after_a_stop(start, size=512):
    server = served(start, size)
    writers = writing(server, "plain", size, 0.5)
    server.stop()
    for writer in writers:
        writer.join()
    assert sum(writer.answered for writer in writers) > 50
    server.start()
    check(writers, from_unit(server.port, size), size)


def test_a_stop_asks_the_hosts_to_log_out_and_waits_for_them(start):
    server = served(start, 512)
    session = login(server.port, DISK).ready()
    server.process.terminate()
    session.wire.socket.settimeout(10)
    while not session.events:
        session.step()
    assert session.events == [1]                # the target asks for logout
    session.write(7, b"\7" * 512)               # what the host has yet to write is taken
    session.logout()
    server.process.wait(3)                      # nobody is left to be waited for
    server.stop()
    server.start()
    assert from_unit(server.port, 512)(7) == b"\7" * 512


def test_signals_without_end_do_not_keep_a_stop_from_being_finished(start):
    server = served(start, 512)
    with login(server.port, DISK) as session:
        session.ready().write(0, b"\7" * (1 << 20))
        while server.process.poll() is None:
            server.process.terminate()
    assert server.process.returncode == 0
    server.check_reports()
    server.start()
    assert from_unit(server.port, 512)(2047) == b"\7" * 512


def test_a_stop_does_not_wait_for_ever_for_a_host_that_does_not_listen(start):
    server = served(start, 512)
    session = login(server.port, DISK).ready()
    begun = time.monotonic()
    server.stop()
    assert time.monotonic() - begun < 8
    session.wire.close()


# --- the host dies --------------------------------------------------------------------------------------


@block_sizes
def test_a_write_that_is_cut_off_leaves_each_block_old_or_new(start, size):
    server = served(start, size)
    old, new = filled(1, size), filled(2, size)
    with login(server.port, DISK) as session:
        session.ready()
        for cut in (1, size - 1, size, 3 * size + 17, 15 * size + size // 2):
            session.write(0, old * 16, size)
            with login(server.port, DISK) as dying:
                dying.ready()
                dying.immediate = 16 * size
                dying.wire.send = lambda bhs, data=b"", w=dying.wire, n=cut: w.send_bytes(
                    bytes(bhs[:5]) + len(data).to_bytes(3, "big") + bytes(bhs[8:]) + data[:n])
                dying.submit(dying.rw16(0x8a, 0, 16), data_out=new * 16)
            time.sleep(0.1)
            data = session.read(0, 16, size)
            assert all(data[at:at + size] in (old, new) for at in range(0, len(data), size))


# --- digests ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [{"HeaderDigest": "CRC32C"}, {"DataDigest": "CRC32C"}, DIGESTS],
                         ids=["header", "data", "both"])
@pytest.mark.parametrize("store", ["ram", "file"])
def test_data_pass_through_digests(start, store, keys):
    server = start(conf(target(luns=ram() if store == "ram" else disk("disk.img"))))
    with login(server.port, DISK, keys=keys) as session:
        assert keys.items() <= session.answer.items()
        session.ready()
        for blocks in (1, 3, 128, 1025):
            data = secrets.token_bytes(blocks * 512)
            session.write(5, data)
            assert session.read(5, blocks) == data
        session.ping(b"odd length")
        assert session.inquiry(size=5) and session.inquiry(size=36)[8:13] == b"CSIGN"


def test_a_broken_data_digest_is_noticed_and_the_data_are_not_written(start):
    server = start(conf(target(luns=ram())))
    with login(server.port, DISK, keys=DIGESTS) as session:
        session.ready()
        session.write(0, b"\1" * 512)
        send = session.wire.send_bytes
        session.wire.send_bytes = lambda data: send(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises((Closed, AssertionError)):
            session.submit(session.rw16(0x8a, 0, 1), data_out=b"\2" * 512)
            session.wire.send_bytes = send
            while True:
                session.step()
    server.wait_for_log("digest")
    with login(server.port, DISK) as session:
        assert session.ready().read(0, 1) == b"\1" * 512


def test_required_digests_are_required(start):
    server = start(conf(more='iscsi = { header_digest = "required"; data_digest = "required"; };'))
    login(server.port, DISK, keys=DIGESTS).ready().logout()
    with pytest.raises(Exception, match="0x0200"):
        login(server.port, DISK)


# --- several hosts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("store", ["ram", "file"])
def test_what_one_host_has_written_the_next_one_reads(start, store):
    lun = (ram if store == "ram" else lambda **k: disk("disk.img", **k))()
    server = start(conf(target(luns=lun)))
    with login(server.port, DISK) as one, login(server.port, DISK) as other:
        one.ready()
        other.ready()
        for n in range(1, 200):
            one.write(n, filled(n, 512))
            assert other.read(n, 1) == filled(n, 512)


def test_the_same_unit_through_two_portals_is_one(start):
    server = start(conf(target(luns=ram()),
                        portals='''{ address = "127.0.0.1"; port = $port; },
                                   { address = "127.0.0.1"; port = $second_port; group = 2; }'''))
    with login(server.port, DISK) as one, login(server.ports["second_port"], DISK) as two:
        assert (one.answer["TargetPortalGroupTag"], two.answer["TargetPortalGroupTag"]) == \
            ("1", "2")
        one.ready().write(9, b"\x55" * 512)
        assert two.ready().read(9, 1) == b"\x55" * 512
        first, second = one.inquiry(0x83), two.inquiry(0x83)
        naa = re.search(rb"\x01\x03\x00\x10(.{16})", first, re.S)[1]
        assert naa in second


def test_what_a_host_has_reserved_is_free_when_it_has_logged_out(start):
    """At the very moment when it is told so: the next one may be there already."""
    server = start(conf(target(luns=ram())))
    reserve, release = bytes([0x16] + [0] * 15), bytes([0x17] + [0] * 15)
    with login(server.port, DISK, initiator=PREFIX + "next") as waiting:
        waiting.ready()
        for _ in range(300):
            session = login(server.port, DISK).ready()
            session.command(reserve)
            with pytest.raises(Failed, match="status 0x18"):
                waiting.command(reserve)
            session.logout()
            waiting.command(reserve)
            waiting.command(release)


def test_a_host_that_reads_while_another_one_writes_sees_whole_blocks_of_a_file(start):
    """A block is read as it was before or after a write, never as a mixture."""
    server = served(start, 4096)
    stop = threading.Event()

    def write():
        with login(server.port, DISK) as session:
            session.ready()
            n = 0
            while not stop.is_set():
                n += 1
                session.write(0, filled(n, 4096), 4096)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        with login(server.port, DISK) as session:
            session.ready()
            seen = {session.read(0, 1, 4096) for _ in range(500)}
    finally:
        stop.set()
        writer.join()
    assert all(block == block[:8] * 512 for block in seen)


# --- requests that cannot be ------------------------------------------------------------------------------


def test_nothing_is_read_or_written_beyond_the_end(start):
    server = served(start, 512)
    with login(server.port, DISK) as session:
        session.ready()
        end, _ = session.capacity()
        for lba, blocks in ((end, 1), (end - 1, 2), (1 << 63, 1), ((1 << 64) - 1, 1)):
            for attempt in (lambda: session.read(lba, blocks),          # pylint: disable=W0640
                            lambda: session.write(lba, bytes(512 * blocks))):
                with pytest.raises(Failed) as failure:
                    attempt()
                assert failure.value.sense == (5, 0x2100)
        session.logout()
    size = (server.dir / "disk.img").stat().st_size
    assert size == 64 << 20
