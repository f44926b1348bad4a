# SPDX-License-Identifier: BSD-2-Clause
"""Units copy among each other, but only those that the session sees."""
import secrets
import struct

import pytest
from initiator import Failed, login
from support import DISK, PREFIX, conf, disk, ram, target

MIB = 1 << 20
EXTENDED_COPY, TOKEN, USE, INFORMATION = (0x83, 0), (0x83, 0x10), (0x83, 0x11), (0x84, 7)


def naa(session):
    """The unit's name in VPD 83h."""
    page = session.inquiry(0x83)
    assert page[4:8] == b"\x01\x03\x00\x10"
    return page[8:24]


def copy(session, source, destination, blocks, from_lba=0, to_lba=0):
    cscds = b"".join(struct.pack(">BxxxBBxB16s4xxBH", 0xe4, 1, 3, 16, name, 0, 512)
                     for name in (source, destination))
    segments = b""
    while blocks:
        n = min(blocks, 8192)
        segments += struct.pack(">BxHHHxxHQQ", 2, 24, 0, 1, n, from_lba, to_lba)
        from_lba, to_lba, blocks = from_lba + n, to_lba + n, blocks - n
    data = struct.pack(">BBH4xII", 1, 0x10, len(cscds), len(segments), 0) + cscds + segments
    session.command(struct.pack(">BB8xIxx", *EXTENDED_COPY, len(data)), data_out=data)


def on(session, lun):
    session.lun = lun
    return session.ready()


def fill(session, size):
    """Random bytes with holes; gives them."""
    data = b""
    for at in range(0, size, MIB):
        piece = bytes(MIB) if at // MIB % 4 == 3 else secrets.token_bytes(MIB)
        session.write(at // 512, piece)
        data += piece
    return data


def read(session, size):
    return b"".join(session.read(at // 512, 2048) for at in range(0, size, MIB))


KINDS = {
    "files": [disk("a.img", 0), disk("b.img", 1)],
    "memory": [ram(0), ram(1)],
    "file to memory": [disk("a.img", 0), ram(1)],
    "memory to file": [ram(0), disk("b.img", 1)],
}


@pytest.mark.parametrize("kind", KINDS)
def test_64_mib_copied_from_unit_to_unit_are_the_same(start, kind):
    server = start(conf(target(luns=", ".join(KINDS[kind]))))
    with login(server.port, DISK) as session:
        names = [naa(on(session, lun)) for lun in (0, 1)]
        data = fill(on(session, 0), 64 * MIB)
        copy(session, *names, 64 * MIB // 512)
        assert read(on(session, 1), 64 * MIB) == data


def test_units_of_other_targets_cannot_be_copied_from_or_to(start):
    server = start(conf(target(luns=ram()), target(PREFIX + "other", luns=ram(size="8M"))))
    with login(server.port, DISK) as mine, login(server.port, PREFIX + "other") as theirs:
        fill(theirs.ready(), MIB)
        before = read(theirs, MIB)
        own, hidden = naa(mine.ready()), naa(theirs)
        mine.write(0, b"\xff" * MIB)
        for names in ((own, hidden), (hidden, own)):
            with pytest.raises(Failed) as failed:
                copy(mine, *names, 2048)
            assert failed.value.sense[0] == 0xa
        assert read(theirs, MIB) == before
        assert read(mine, MIB) == b"\xff" * MIB


def test_a_token_of_another_target_is_unknown(start):
    server = start(conf(target(luns=ram()), target(PREFIX + "other", luns=ram(size="8M"))))
    with login(server.port, DISK) as mine, login(server.port, PREFIX + "other") as theirs:
        fill(theirs.ready(), MIB)
        ranges = struct.pack(">QI4x", 0, 2048)
        made = struct.pack(">HBxII2xH", 30, 0, 60, 0, 16) + ranges
        theirs.command(struct.pack(">BB4xIIxx", *TOKEN, 5, len(made)), data_out=made)
        told = theirs.command(struct.pack(">BBI4xIxx", *INFORMATION, 5, 1024), 1024)
        token = told[38:38 + 512]
        used = struct.pack(">HB5xQ512s6xH", 550, 0, 0, token, 16) + ranges
        cdb = struct.pack(">BB4xIIxx", *USE, 6, len(used))
        mine.ready()
        with pytest.raises(Failed) as failed:
            mine.command(cdb, data_out=used)
        assert failed.value.sense[0] == 5
        assert read(mine, MIB) == bytes(MIB)
        theirs.command(cdb, data_out=used)
