# SPDX-License-Identifier: BSD-2-Clause
"""A tape drive as a host meets it: every command and page that the manual names, and what becomes of
data and errors over restarts, kills and full disks. (Positions, residuals and sense of the ordinary
commands: tape_model_test.)"""
import os
import random
import resource
import statistics
import struct
import threading
import time

import pytest

from audit_test import memory_holds
from initiator import Failed, be, crc32c, login
from support import PREFIX, conf, wait_until
from tape_model_test import GOOD, Sense
from tapes import DRIVE, SLOT, Changer, ready

pytestmark = pytest.mark.threads
NO_SENSE, MEDIUM_ERROR, ILLEGAL_REQUEST, DATA_PROTECT, BLANK, OVERFLOW = 0, 3, 5, 7, 8, 13
RESERVATION_CONFLICT = 0x18
PLAIN, WORM, LARGE = 0, 1, 2        # slots


def library():
    return conf(more=f'''libraries = ( {{ name = "vtl"; target_prefix = "{PREFIX}vtl"; auth = "none";
        drives = 1; slots = 4; import_export = 1; path = "vtl"; tapes = (
        {{ barcode = "TEST01L5"; size = "16M"; }},
        {{ barcode = "TEST02L5"; size = "16M"; worm = true; }},
        {{ barcode = "TEST03L5"; size = "2G"; }} ); }} );''')


class Host:
    """A drive behind a session, as one host sees it."""

    def __init__(self, server, name="host1"):
        self.session = login(server.port, PREFIX + "vtl-tapedrive-01", initiator=PREFIX + name)
        for _ in range(200):
            try:
                ready(self.session)
                return
            except Failed as failed:    # it threads the cartridge that it held
                assert failed.sense[0] == 2
                time.sleep(0.05)
        raise AssertionError("the drive does not become ready")

    def ask(self, cdb, data_in=0, data_out=b""):
        """(what came, Sense)."""
        try:
            return self.session.command(bytes(cdb).ljust(16, b"\0"), data_in, data_out), GOOD
        except Failed as failed:
            return failed.data, Sense.of(failed)

    def must(self, cdb, data_in=0, data_out=b""):
        data, said = self.ask(cdb, data_in, data_out)
        assert said == GOOD, (bytes(cdb).hex(), said)
        return data

    def refusal(self, cdb, data_in=0, data_out=b""):
        """Key and code of the sense of a command that fails."""
        said = self.ask(cdb, data_in, data_out)[1]
        return said.key, said.code

    def write(self, block):
        return self.ask(b"\x0a\0" + len(block).to_bytes(3, "big"), data_out=block)[1]

    def read(self, size, flags=0):
        return self.ask(bytes([8, flags]) + size.to_bytes(3, "big"), size)

    def marks(self, n=1):
        return self.ask(b"\x10\0" + n.to_bytes(3, "big"))[1]

    def rewind(self):
        self.must([0x01])

    def locate(self, to):
        self.must(struct.pack(">BBxBQ", 0x92, 0, 0, to))

    def position(self):
        return be(self.must(struct.pack(">BB5xH", 0x34, 6, 0), 32), 8, 8)

    def mode_sense(self, page, subpage=0, size=255):
        """The page as it is, without header and block descriptor."""
        return self.must(struct.pack(">BBBB3xH", 0x5a, 8, page, subpage, size), size)[8:]

    def mode_select(self, page):
        self.must(struct.pack(">BB5xH", 0x55, 0x10, 8 + len(page)),
                  data_out=bytes([0, 0, 0, 0x10, 0, 0, 0, 0]) + bytes(page))

    def log(self, page):
        """{parameter code: value} of a log page."""
        data = self.must(struct.pack(">BBB4xH", 0x4d, 0, 0x40 | page, 8192), 8192)
        assert data[0] & 0x3f == page and len(data) == 4 + be(data, 2, 2)
        found, at = {}, 4
        while at < len(data):
            found[be(data, at, 2)] = data[at + 4:at + 4 + data[at + 3]]
            at += 4 + data[at + 3]
        return found


def number(value):
    return int.from_bytes(value, "big")


def put(server, slot):
    with login(server.port, PREFIX + "vtl-mediachanger") as session:
        Changer(session).move((SLOT, slot), (DRIVE, 0))


@pytest.fixture
def server(start):
    return start(library())


@pytest.fixture
def connect(server):
    """Gives hosts, whose connections end before the server does."""
    hosts = []

    def make(name="host1"):
        hosts.append(Host(server, name))
        return hosts[-1]
    yield make
    for host in hosts:
        host.session.wire.close()


@pytest.fixture
def host(server, connect):
    put(server, PLAIN)
    return connect()


def noise(size, seed=0):
    """Bytes that no compression makes fewer."""
    return random.Random(seed).randbytes(size)


# --- what there is -----------------------------------------------------------------------------

COMMANDS = {
    "TEST UNIT READY": 0x00, "REWIND": 0x01, "REQUEST SENSE": 0x03, "FORMAT MEDIUM": 0x04,
    "READ BLOCK LIMITS": 0x05, "READ(6)": 0x08, "WRITE(6)": 0x0a, "SET CAPACITY": 0x0b,
    "WRITE FILEMARKS(6)": 0x10, "SPACE(6)": 0x11, "INQUIRY": 0x12, "VERIFY(6)": 0x13,
    "MODE SELECT(6)": 0x15, "RESERVE(6)": 0x16, "RELEASE(6)": 0x17, "ERASE(6)": 0x19,
    "MODE SENSE(6)": 0x1a, "LOAD UNLOAD": 0x1b, "RECEIVE DIAGNOSTIC RESULTS": 0x1c,
    "SEND DIAGNOSTIC": 0x1d, "PREVENT ALLOW MEDIUM REMOVAL": 0x1e, "LOCATE(10)": 0x2b,
    "READ POSITION": 0x34, "WRITE BUFFER": 0x3b, "READ BUFFER": 0x3c, "REPORT DENSITY SUPPORT": 0x44, "LOG SELECT": 0x4c, "LOG SENSE": 0x4d,
    "MODE SELECT(10)": 0x55, "RESERVE(10)": 0x56, "RELEASE(10)": 0x57, "MODE SENSE(10)": 0x5a,
    "PERSISTENT RESERVE IN": 0x5e, "PERSISTENT RESERVE OUT": 0x5f, "WRITE FILEMARKS(16)": 0x80,
    "ALLOW OVERWRITE": 0x82, "READ(16)": 0x88, "WRITE(16)": 0x8a, "READ ATTRIBUTE": 0x8c,
    "WRITE ATTRIBUTE": 0x8d, "VERIFY(16)": 0x8f, "SPACE(16)": 0x91, "LOCATE(16)": 0x92,
    "ERASE(16)": 0x93, "REPORT LUNS": 0xa0, "SECURITY PROTOCOL IN": 0xa2, "MAINTENANCE IN": 0xa3,
    "SECURITY PROTOCOL OUT": 0xb5,
}


def test_every_command_and_page_is_there(host):
    listed = host.must(struct.pack(">BBB3xI", 0xa3, 0x0c, 0, 4096), 4096)
    assert {listed[at] for at in range(4, len(listed), 8)} == set(COMMANDS.values())
    for page in [0x80, 0x83, 0x86, 0xb0, 0xb1, 0xb3, 0xb5]:
        assert host.session.inquiry(page)[1] == page
    assert list(host.session.inquiry(0)[4:]) == [0, 0x80, 0x83, 0x86, 0x87, 0x88, 0xb0, 0xb1, 0xb3, 0xb5]
    for page in [0x01, 0x02, 0x0a, 0x0f, 0x10, 0x11, 0x1c, 0x1d]:
        told = host.mode_sense(page)
        assert told[0] == page and len(told) == 2 + told[1]
    for page, subpage in [(0x0a, 0xf0), (0x10, 0x01)]:
        told = host.mode_sense(page, subpage)
        assert told[:2] == bytes([0x40 | page, subpage]) and len(told) == 4 + be(told, 2, 2)
    logs = [0x00, 0x02, 0x03, 0x0c, 0x11, 0x12, 0x14, 0x17, 0x1b, 0x2e, 0x30, 0x31, 0x32]
    assert list(host.must(struct.pack(">BBB4xH", 0x4d, 0, 0x40, 64), 64)[4:]) == logs
    assert all(host.log(page) for page in logs[1:])


def test_densities_are_those_that_the_drive_and_the_cartridge_have(host):
    def densities(flags):
        data = host.must(struct.pack(">BB5xH", 0x44, flags, 1024), 1024)
        return [data[at] for at in range(4, len(data), 52)]
    assert densities(0) == [0x44, 0x46, 0x58] and densities(1) == [0x58]
    types = host.must(struct.pack(">BB5xH", 0x44, 3, 1024), 1024)
    assert (types[4], types[9]) == (0x58, 0x58)


def test_blocks_have_1_byte_to_8_mib(host):
    assert host.must([0x05], 6) == bytes.fromhex("008000000001")
    for block in [b"x", noise(8 << 20)]:
        assert host.write(block) == GOOD
    assert host.refusal(b"\x0a\0\x80\0\x01", data_out=bytes((8 << 20) + 1)) == (ILLEGAL_REQUEST, 0x2400)
    host.rewind()
    assert host.read(1) == (b"x", GOOD)
    assert host.read(8 << 20) == (noise(8 << 20), GOOD)


# --- the end of the tape -----------------------------------------------------------------------


def test_warnings_come_before_the_end(host):
    page = bytearray(host.mode_sense(0x10, 0x01))
    struct.pack_into(">H", page, 6, 4)          # PEWS, megabytes before early warning
    host.mode_select(page)
    said, block = [], noise(256 << 10)
    while not said or said[-1].key != OVERFLOW:
        said.append(host.write(block))
    early = Sense(NO_SENSE, 0x0002, eom=True, residual=0)
    assert said.count(Sense(NO_SENSE, 0x0007, eom=True, residual=0)) == 1
    first = said.index(Sense(NO_SENSE, 0x0007, eom=True, residual=0))
    assert set(map(str, said[:first])) == {str(GOOD)}
    assert said[-2] == early and said[-1] == Sense(OVERFLOW, 0x0002, eom=True, residual=256 << 10)
    assert len(said) - 1 == host.position()
    assert host.marks() == early
    assert host.must(struct.pack(">BB5xH", 0x34, 0, 0), 20)[0] & 0x41 == 0x41   # EOP, BPEW


# --- what protects data ------------------------------------------------------------------------


def test_what_is_on_a_worm_cartridge_stays(server, connect):
    put(server, WORM)
    host = connect()
    assert host.mode_sense(0x1d)[2] & 1
    assert host.write(b"first") == GOOD and host.marks() == GOOD
    host.rewind()
    for cdb, out in [(b"\x0a\0\0\0\5", b"other"), (b"\x10\0\0\0\1", b""), (b"\x19\1", b"")]:
        assert host.refusal(cdb, data_out=out) == (DATA_PROTECT, 0x300c)
    assert host.refusal([0x04]) == (DATA_PROTECT, 0x300c)
    assert host.read(5) == (b"first", GOOD)


def test_data_are_only_appended_where_the_host_says_so(host):
    assert host.write(b"first") == GOOD and host.marks() == GOOD
    page = bytearray(host.mode_sense(0x10, 0x01))
    page[5] |= 0x10                             # WRITE MODE: append only
    host.mode_select(page)
    host.rewind()
    assert host.refusal(b"\x0a\0\0\0\5", data_out=b"other") == (DATA_PROTECT, 0x5001)
    host.must(struct.pack(">BxBBQ", 0x82, 1, 0, 0))
    assert host.write(b"other") == GOOD
    host.rewind()
    assert host.refusal([0x04]) == (DATA_PROTECT, 0x5001)
    host.must(struct.pack(">BxBBQ", 0x82, 2, 0, 0))
    host.must([0x04])


def rs_crc(block):
    """The rest of a division by x⁴ + α²⁰¹x³ + α²⁴⁶x² + α²⁰¹x + 1 over GF(256) (ECMA-319)."""
    def times(a, b):
        product = 0
        for bit in range(8):
            product ^= a << bit if b >> bit & 1 else 0
        for bit in range(14, 7, -1):
            product ^= 0x11d << bit - 8 if product >> bit & 1 else 0
        return product
    rows = [bytes(times(c, lead) for c in (0x38, 0xcf, 0x38, 0x01)) for lead in range(256)]
    rest = bytes(4)
    for byte in block:
        rest = bytes(a ^ b for a, b in zip(rest[1:] + b"\0", rows[rest[0] ^ byte]))
    return rest


@pytest.mark.parametrize("method, guard", [(1, rs_crc), (2, crc32c)], ids=["rs", "crc32c"])
def test_logical_block_protection_is_checked_both_ways(host, method, guard):
    page = bytearray(host.mode_sense(0x0a, 0xf0))
    page[4:7] = method, 4, 0xc0                 # of four bytes; LBP_W, LBP_R
    host.mode_select(page)
    block = noise(1000)
    assert host.write(block + guard(block)) == GOOD
    assert host.write(block + bytes(4)).code == 0x1001
    assert host.position() == 1
    host.rewind()
    assert host.read(1004) == (block + guard(block), GOOD)


def key(secret, encrypt=2, decrypt=2):
    """The Set Data Encryption page for all nexuses."""
    body = struct.pack(">BBBBBBBB6xH", 0x40, 0, encrypt, decrypt, 1, 0, 0, 0, len(secret)) + secret
    return struct.pack(">HH", 0x10, len(body)) + body


def test_an_encrypted_block_needs_its_key(server, host, connect):
    def set_key(*args):
        page = key(*args)
        host.must(struct.pack(">BBHxxI", 0xb5, 0x20, 0x10, len(page)), data_out=page)
    block = b"secret text " * 100
    set_key(b"k" * 32)
    assert host.write(block) == GOOD and host.marks() == GOOD
    host.rewind()
    assert host.read(len(block)) == (block, GOOD)
    host.rewind()
    set_key(b"j" * 32)
    assert host.refusal(b"\x08\0\0\4\xb0", 1200) == (DATA_PROTECT, 0x7403)
    set_key(b"", 0, 0)
    assert host.refusal(b"\x08\0\0\4\xb0", 1200) == (DATA_PROTECT, 0x7401)
    assert not any(b"secret text" in path.read_bytes()
                   for path in (server.dir / "vtl").rglob("*") if path.is_file())
    server.kill(), server.start()
    again = connect()
    assert again.refusal(b"\x08\0\0\4\xb0", 1200) == (DATA_PROTECT, 0x7401)
    page = key(b"k" * 32)
    again.must(struct.pack(">BBHxxI", 0xb5, 0x20, 0x10, len(page)), data_out=page)
    assert again.read(len(block)) == (block, GOOD)


@pytest.mark.plain
@pytest.mark.skipif(os.geteuid() != 0, reason="takes root: the memory is hidden")
def test_a_key_is_in_no_memory_once_it_is_gone(server, host):
    def set_key(*args):
        page = key(*args)
        host.must(struct.pack(">BBHxxI", 0xb5, 0x20, 0x10, len(page)), data_out=page)
    canary = bytes(random.Random(7).randbytes(32))
    set_key(canary)
    assert memory_holds(server.pid, canary)
    set_key(b"", 0, 0)
    wait_until(lambda: not memory_holds(server.pid, canary))


# --- compression, capacity, memory --------------------------------------------------------------


def test_compression_is_switched_and_told(host):
    for on, ratio in [(True, 1000), (False, 100)]:
        page = bytearray(host.mode_sense(0x0f))
        page[2] = page[2] & 0x7f | on << 7
        host.mode_select(page)
        host.must([0x1b, 0, 0, 0, 0]), host.must([0x1b, 0, 0, 0, 1])
        assert all(host.write(b"text " * 20000) == GOOD for _ in range(20))
        told = number(host.log(0x1b)[1])        # of what has been written since the load, percent
        assert told >= ratio if on else told == ratio


def test_capacity_can_be_set(host):
    assert number(host.log(0x17)[0x16]) == 16           # megabytes
    host.must(struct.pack(">BxxHx", 0x0b, 0x8000))
    assert number(host.log(0x17)[0x16]) == 8
    host.must(struct.pack(">BxxHx", 0x0b, 0xffff))
    assert number(host.log(0x17)[0x16]) == 16


def test_attributes_of_a_host_survive_a_kill(server, host, connect):
    attributes = [(0x0800, 1, b"ACME".ljust(8)), (0x0801, 1, b"Backup".ljust(32)),
                  (0x0803, 2, b"Monday".ljust(160, b"\0")),
                  (0x0806, 1, b"TEST01".ljust(32)), (0x080c, 0, b"\0" * 70)]
    data = b"".join(struct.pack(">HBH", n, kind, len(v)) + v for n, kind, v in attributes)
    host.must(struct.pack(">BB8xIxx", 0x8d, 0, 4 + len(data)),
              data_out=struct.pack(">I", len(data)) + data)
    server.kill(), server.start()
    told = connect().must(struct.pack(">BB6xHIxx", 0x8c, 0, 0x0800, 4096), 4096)
    assert told[4:] == data


# --- LTFS ----------------------------------------------------------------------------------------


def whole_mode_page(host, page):
    """Header, block descriptor and page, as MODE SELECT takes them back."""
    data = bytearray(host.must(struct.pack(">BBBB3xH", 0x5a, 0, page, 0, 255), 255))
    data[0:2] = 0, 0
    return data


def mode_select_whole(host, data):
    host.must(struct.pack(">BB5xH", 0x55, 0x10, len(data)), data_out=bytes(data))


def write_label(host, partition):
    """What stands at the beginning of each partition of an LTFS volume."""
    host.must(struct.pack(">BBxBQ", 0x92, 2, partition, 0))
    for what in [b"VOL1TEST03".ljust(80), None, LABEL % partition, None, None, b"<ltfsindex/>", None]:
        assert (host.marks() if what is None else host.write(what)) == GOOD


LABEL = b'<ltfslabel version="2.4.0"><partition>%d</partition></ltfslabel>'


def test_a_volume_is_made_as_mkltfs_makes_one(server, connect):
    put(server, LARGE)
    host = connect()
    host.must(struct.pack(">BB6xBx", 0x5f, 6, 24), data_out=bytes(8) + b"\x10" + b"k" * 7 + bytes(8))
    host.must([0x1b, 0, 0, 0, 1])
    assert host.must(struct.pack(">BBBB3xH", 0x5a, 0, 0x3f, 0, 512), 512)[2:9:6] == b"\x58\x58"
    page = whole_mode_page(host, 0x11)
    page[19], page[20], page[22] = 1, 0x20 | page[20] & 0x1f, 9
    page[24:28] = 0, 1, 0xff, 0xff              # a gigabyte for the index, the rest for data
    mode_select_whole(host, page)
    host.must([0x04, 0, 1])
    page = whole_mode_page(host, 0x0f)
    page[18] |= 0x80
    mode_select_whole(host, page)
    assert [number(v) for v in host.log(0x31).values()] == [953, 1094, 953, 1094]      # MiB
    assert host.log(0x17)[0x202][4:8] == (1000).to_bytes(4, "big")                      # MB
    for partition in [1, 0]:
        write_label(host, partition)
    for partition in [0, 1]:                    # volume coherency information
        value = b"\x08" + bytes(7) + b"\0" * 24 + b"LTFS\0" + b"u" * 37 + b"\1"
        data = struct.pack(">HBH", 0x080c, 0, len(value)) + value
        host.must(struct.pack(">BB5xBxxIxx", 0x8d, 0, partition, 4 + len(data)),
                  data_out=struct.pack(">I", len(data)) + data)
    host.must([0x1b])
    server.kill(), server.start()
    host = connect()
    host.must([0x1b, 0, 0, 0, 1])
    for partition in [0, 1]:
        host.must(struct.pack(">BBxBQ", 0x92, 2, partition, 2))
        assert host.read(1000, 2) == (LABEL % partition, GOOD)
        told = host.must(struct.pack(">BB5xBHIxx", 0x8c, 0, partition, 0x080c, 4096), 4096)
        assert told[4:] == data
        host.must(struct.pack(">BBxBQ", 0x92, 3 << 3 | 2, partition, 0))
        assert host.position() == 7


def read_attribute(number):
    return struct.pack(">BB6xHIxx", 0x8c, 0, number, 4096)


def test_ltfs_sees_that_a_volume_was_written_after_what_it_noted(server, connect):
    put(server, LARGE)
    host = connect()
    assert host.write(b"index") == GOOD and host.marks() == GOOD
    noted = number(host.must(read_attribute(9), 4096)[9:13])
    assert host.write(b"more") == GOOD and host.marks() == GOOD
    server.kill(), server.start()
    assert number(connect().must(read_attribute(9), 4096)[9:13]) > noted


def test_ltfs_learns_that_a_volume_is_not_locked(host):
    assert host.refusal(read_attribute(0x1623)) == (ILLEGAL_REQUEST, 0x2400)


# --- hosts beside each other ---------------------------------------------------------------------


def test_a_reservation_keeps_other_hosts_out(host, connect):
    def conflict(cdb, **kwargs):
        with pytest.raises(Failed) as e:
            other.session.command(bytes(cdb).ljust(16, b"\0"), **kwargs)
        return e.value.status == RESERVATION_CONFLICT
    other = connect("host2")
    host.must([0x16])
    assert conflict([0x01]) and conflict(b"\x0a\0\0\0\1", data_out=b"x")
    host.must([0x17])
    other.rewind()
    host.must(struct.pack(">BB6xBx", 0x5f, 0, 24), data_out=bytes(8) + b"\0" * 7 + b"\1" + bytes(8))
    host.must(struct.pack(">BBB5xBx", 0x5f, 1, 3, 24), data_out=b"\0" * 7 + b"\1" + bytes(16))
    assert conflict([0x01]) and conflict(b"\x08\0\0\0\1", data_in=1)
    assert other.must(struct.pack(">BB6xBx", 0x5e, 0, 64), 64)


def test_a_host_that_prevents_removal_keeps_its_cartridge(server, host):
    host.must([0x1e, 0, 0, 0, 1])
    assert host.refusal([0x1b]) == (ILLEGAL_REQUEST, 0x5302)
    with login(server.port, PREFIX + "vtl-mediachanger") as session, pytest.raises(Failed) as e:
        Changer(session).move((DRIVE, 0), (SLOT, 3))
    assert e.value.sense[1] == 0x5302
    host.must([0x1e])
    host.must([0x1b])


def jostle(host, seed, until, fault):
    """Any commands, as a host that knows nothing of the others."""
    rng = random.Random(seed)
    commands = [
        lambda: host.write(noise(rng.randint(1, 100000), seed)), lambda: host.read(rng.randint(1, 100000)),
        lambda: host.marks(rng.randint(0, 2)), lambda: host.ask([0x01]), lambda: host.ask([0x11, 3]),
        lambda: host.ask(b"\x11\0" + (rng.randint(-5, 5) & 0xffffff).to_bytes(3, "big")),
        lambda: host.ask(struct.pack(">BBxBQ", 0x92, 0, 0, rng.randint(0, 50))),
        lambda: host.ask(struct.pack(">BBBB4xH", 0x4d, 0, 0x57, 0, 4096), 4096),
        lambda: host.ask(struct.pack(">BB5xH", 0x34, 6, 0), 32), lambda: host.ask([0x19]),
        lambda: host.ask(struct.pack(">BB8xIxx", 0x8c, 0, 4096), 4096),
        lambda: host.ask([0x1b, 0, 0, 0, rng.randint(0, 1)]),
    ]
    try:
        while time.monotonic() < until:
            said = rng.choices(commands, [20, 10, 3, 1, 3, 3, 3, 2, 2, 1, 1, 1])[0]()
            said = said[1] if isinstance(said, tuple) else said
            assert said.key in (None, NO_SENSE, 2, 6, BLANK, OVERFLOW), said
    except Exception as e:
        fault.append(e)


def test_hosts_that_know_nothing_of_each_other_do_no_harm(server, host, connect):
    hosts = [connect(f"host{n}") for n in range(2, 9)]
    until, fault = time.monotonic() + 4, []
    threads = [threading.Thread(target=jostle, args=(one, n, until, fault))
               for n, one in enumerate([host, *hosts])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not fault
    for _ in range(3):                          # it may have to be told of the last load
        host.ask([0x1b, 0, 0, 0, 1])
    host.rewind()
    while (said := host.read(100000, 2)[1]).key != BLANK:
        assert said == GOOD or said.filemark, said


# --- what fails ----------------------------------------------------------------------------------


def test_a_damaged_record_is_told_and_the_rest_is_read(server, host, connect):
    blocks = [noise(3000, n) for n in range(5)]
    assert [host.write(block) for block in blocks] == [GOOD] * 5 and host.marks() == GOOD
    host.session.wire.close()
    server.stop()
    log = next((server.dir / "vtl").rglob("TEST01L5/p0"))
    data = bytearray(log.read_bytes())
    data[data.index(blocks[2]) + 1500] ^= 1
    log.write_bytes(data)
    server.start()
    host = connect()
    for n, block in enumerate(blocks):
        want = (block, GOOD) if n != 2 else Sense(MEDIUM_ERROR, 0x1100, residual=3000)
        got = host.read(3000)
        assert got == want if n != 2 else got[1] == want
    assert host.read(3000)[1].filemark
    alerts = host.log(0x2e)
    assert [n for n, on in alerts.items() if on == b"\1"] == [3, 5]     # hard error, read failure
    assert not any(on == b"\1" for on in host.log(0x2e).values())


def limit(server, size):
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def write_until_told(host, n, many):
    """Writes block after block, each of which tells its number; what the drive says, if anything."""
    for k in range(n, n + many):
        said = host.write(noise(60000, k))
        if said != GOOD:
            return said
    return host.marks()


def test_a_full_disk_is_told_and_nothing_is_missing_in_between(server, connect):
    """The host goes on where the drive says that it stands, again and again."""
    put(server, LARGE)
    host, watcher = connect(), connect("host2")
    log, told = next((server.dir / "vtl").rglob("TEST03L5/p0")), 0
    while host.position() < 300:
        limit(server, log.stat().st_size + random.randint(0, 2000000))
        said = write_until_told(host, host.position(), 40)
        watcher.log(0x17)
        limit(server, resource.RLIM_INFINITY)
        if said != GOOD:
            told += 1
            want = (MEDIUM_ERROR, 0x0c00) if said.deferred else (OVERFLOW, 0x0002)
            assert (said.key, said.code) == want
        else:
            host.locate(host.position() - 1)    # before the filemark
    assert told and host.marks() == GOOD
    end = host.position() - 1
    server.kill(), server.start()
    host = connect()
    for n in range(end):
        assert host.read(60000) == (noise(60000, n), GOOD), n


def test_what_a_host_wrote_is_there_when_its_connection_breaks(host, connect):
    for n in range(50):
        assert host.write(noise(50000, n)) == GOOD
    host.session.wire.close()
    again = connect("host2")
    again.rewind()
    for n in range(50):
        assert again.read(50000) == (noise(50000, n), GOOD)


def test_what_a_host_wrote_is_there_after_the_server_was_stopped(server, host, connect):
    """Without a filemark, and with blocks that may still be on their way to the file."""
    for n in range(50):
        assert host.write(noise(200000, n)) == GOOD
    server.stop(), server.start()
    again = connect()
    for n in range(50):
        assert again.read(200000) == (noise(200000, n), GOOD)


# --- a tape with a million objects ---------------------------------------------------------------


def test_to_locate_takes_milliseconds(server, connect):
    put(server, LARGE)
    host, took = connect(), []
    assert host.marks(1000000) == GOOD
    for _ in range(200):
        to = random.randrange(1000000)
        began = time.monotonic()
        host.locate(to)
        took.append(time.monotonic() - began)
        assert host.position() == to
    assert statistics.median(took) < 0.1        # on a machine that is busy with other tests
