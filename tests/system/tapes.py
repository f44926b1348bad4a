# SPDX-License-Identifier: BSD-2-Clause
"""What tests of tape libraries need of SCSI: a medium changer's commands and a drive's, on a session
of `initiator`."""
import struct

from initiator import Failed, be

TRANSPORT, SLOT, MAIL, DRIVE = 1, 2, 3, 4


def ready(session, lun=0):
    """Commands until the unit attentions are told; an empty drive is as ready as it can be."""
    for _ in range(200):
        try:
            session.test_unit_ready(lun=lun)
            return session
        except Failed as e:
            if e.sense == (2, 0x3a00):
                return session
            if not e.sense or e.sense[0] != 6:
                raise
    raise AssertionError("unit attentions do not end")


class Changer:
    def __init__(self, session, lun=0):
        self.session, self.lun = ready(session, lun), lun

    def elements(self):
        """{(type, address): (barcode or None, source or None)} of all elements."""
        size = 1 << 20
        data = self.session.command(struct.pack(">BBHHBBHxx", 0xb8, 0x10, 0, 0xffff, 0, size >> 16,
                                                size & 0xffff), size, lun=self.lun)
        found, at = {}, 8
        while at < 8 + be(data, 5, 3):
            kind, tags, length = data[at], data[at + 1] & 0x80, be(data, at + 2, 2)
            end = at + 8 + be(data, at + 5, 3)
            at += 8
            while at < end:
                one = data[at:at + length]
                barcode = one[12:44].decode().strip() if tags and one[2] & 1 else None
                source = be(one, 10, 2) if one[9] & 0x80 else None
                found[kind, be(one, 0, 2)] = (barcode, source)
                at += length
        return found

    def places(self):
        """{barcode: (type, number from 0 on)} of what is in elements."""
        elements = self.elements()
        first = {kind: min(a for k, a in elements if k == kind) for kind, _ in elements}
        return {barcode: (kind, address - first[kind])
                for (kind, address), (barcode, _) in elements.items() if barcode}

    def address(self, kind, number):
        return sorted(a for k, a in self.elements() if k == kind)[number]

    def move(self, source, destination):
        """From (type, number) to (type, number)."""
        self.session.command(struct.pack(">BxHHHxxxx", 0xa5, 0, self.address(*source),
                                         self.address(*destination)), lun=self.lun)


class Drive:
    def __init__(self, session, lun=0):
        self.session, self.lun = ready(session, lun), lun

    def command(self, cdb, data_in=0, data_out=b""):
        return self.session.command(cdb, data_in, data_out, lun=self.lun)

    def rewind(self):
        self.command(struct.pack("B5x", 0x01))

    def write(self, block):
        self.command(b"\x0a\x00" + len(block).to_bytes(3, "big") + b"\x00", data_out=block)

    def marks(self, n=1):
        self.command(b"\x10\x00" + n.to_bytes(3, "big") + b"\x00")

    def read(self, size):
        """The next block, of this size at most; b"" for a filemark."""
        try:
            return self.command(b"\x08\x02" + size.to_bytes(3, "big") + b"\x00", data_in=size)
        except Failed as e:
            if e.sense == (0, 0x0001):
                return b""
            raise

    def unload(self):
        self.command(struct.pack("B5x", 0x1b))
