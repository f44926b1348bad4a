# SPDX-License-Identifier: BSD-2-Clause
"""Random commands to a tape drive, beside a tape that is a list (SSC-4): data, sense, residuals and
positions are the same all the way; and what was synchronised is there after a kill.

TAPE_MODEL_SECONDS says how long each test goes on (5), TAPE_MODEL_SEED which sequence."""
import os
import random
import struct
import time
from dataclasses import dataclass

import pytest
from initiator import Closed, Failed, login
from support import PREFIX, conf

TAPE = PREFIX + "vtl-tapedrive-01"
CHANGER = PREFIX + "vtl-mediachanger"
FILEMARK, END = object(), object()
NO_SENSE, BLANK_CHECK = 0, 8
FILEMARK_DETECTED, BOP_DETECTED, EOD_DETECTED = 0x0001, 0x0004, 0x0005
SMALL = 64                          # one of the blocks in fixed mode, besides the common 512
FULL = 120 << 20                    # begin anew before early warning comes


def library():
    return conf(more=f'''libraries = ( {{ name = "vtl"; target_prefix = "{PREFIX}vtl"; auth = "none";
        drives = 1; slots = 4; import_export = 1; path = "vtl";
        tapes = ( {{ barcode = "MODEL1L5"; size = "1G"; }} ); }} );''')


# --- the drive, as a host sees it --------------------------------------------------------------


@dataclass
class Sense:
    """What a command said, as far as SSC-4 lays it down."""
    key: int = None                 # None: GOOD
    code: int = 0
    filemark: bool = False
    eom: bool = False
    ili: bool = False
    residual: int = None            # INFORMATION; None: VALID is 0
    deferred: bool = False

    @classmethod
    def of(cls, failed):
        raw = failed.raw
        assert failed.status == 2 and raw[0] & 0x7e == 0x70, failed
        valid, info = raw[0] & 0x80, struct.unpack_from(">i", raw, 3)[0]
        return cls(raw[2] & 15, raw[12] << 8 | raw[13], bool(raw[2] & 0x80), bool(raw[2] & 0x40),
                   bool(raw[2] & 0x20), info if valid else None, bool(raw[0] & 1))


GOOD = Sense()


class Drive:
    def __init__(self, session):
        self.session = session

    def ask(self, cdb, data_in=0, data_out=b""):
        """(what came, Sense)."""
        try:
            return self.session.command(cdb.ljust(16, b"\0"), data_in, data_out), GOOD
        except Failed as failed:
            return failed.data, Sense.of(failed)

    def must(self, cdb, data_in=0, data_out=b""):
        data, sense = self.ask(cdb, data_in, data_out)
        assert sense == GOOD, (cdb.hex(), sense)
        return data

    def position(self):
        """(partition, object, file, bop), by the long form."""
        data = self.must(struct.pack(">BB5xH", 0x34, 6, 0), 32)
        return (struct.unpack_from(">I", data, 4)[0], *struct.unpack_from(">QQ", data, 8),
                bool(data[0] & 0x80))

    def short_position(self):
        data = self.must(struct.pack(">BB5xH", 0x34, 0, 0), 20)
        assert not data[0] & 0x04   # BPU: the position is known
        return data[1], struct.unpack_from(">I", data, 4)[0], bool(data[0] & 0x80)

    def set_block(self, length):
        self.must(struct.pack(">BBxxB", 0x15, 0x10, 12),
                  data_out=struct.pack(">BBBB", 0, 0, 0x10, 8) + struct.pack(">II", 0, length))

    def partition(self, megabytes):
        """Two partitions, of which the first is so large, as mkltfs makes them: mode page 11h as it
        is, with IDP and the sizes, then FORMAT MEDIUM."""
        told = self.must(struct.pack(">BBBxB", 0x1a, 8, 0x11, 16), 16)
        buffered, page = told[2] & 0x70, bytearray(told[4:])
        page[3] = 1                                 # ADDITIONAL PARTITIONS DEFINED
        page[4] = 0x20 | page[4] & 0x1f             # IDP; PSUM and POFM stay
        page[6] = 6                                 # PARTITION UNITS
        struct.pack_into(">HH", page, 8, megabytes, 0xffff)
        self.must(struct.pack(">BBxxB", 0x15, 0x10, 4 + len(page)),
                  data_out=bytes([0, 0, buffered, 0]) + page)
        self.must(struct.pack(">BBB", 0x04, 0, 2))


# --- the model ---------------------------------------------------------------------------------


class Tape:
    """Partitions of objects: (seed, length) of blocks, and filemarks."""

    def __init__(self, partitions=1):
        self.partitions = [[] for _ in range(partitions)]
        self.safe = [0] * partitions      # objects of each that have to survive a kill
        self.current, self.at = 0, 0

    @property
    def objects(self):
        return self.partitions[self.current]

    def next(self):
        return self.objects[self.at] if self.at < len(self.objects) else END

    def put(self, what):
        del self.objects[self.at:]
        self.safe[self.current] = min(self.safe[self.current], self.at)
        self.objects.append(what)
        self.at += 1

    def synchronise(self):
        self.safe = [len(p) for p in self.partitions]

    def position(self):
        marks = sum(o is FILEMARK for o in self.objects[:self.at])
        return self.current, self.at, marks, self.at == 0

    def used(self):
        return sum(64 if o is FILEMARK else o[1] + 64 for p in self.partitions for o in p)

    def read(self, size):
        """A block of variable length, without SILI: (its seed and length or None, Sense)."""
        what = self.next()
        if what is END:
            return None, Sense(BLANK_CHECK, EOD_DETECTED, residual=size)
        self.at += 1
        if what is FILEMARK:
            return None, Sense(NO_SENSE, FILEMARK_DETECTED, filemark=True, residual=size)
        if what[1] != size:
            return what, Sense(NO_SENSE, 0, ili=True, residual=size - what[1])
        return what, GOOD

    def read_fixed(self, count, length):
        """(blocks, Sense) of so many blocks of this length."""
        got = []
        while len(got) < count:
            what, left = self.next(), count - len(got)
            if what is END:
                return got, Sense(BLANK_CHECK, EOD_DETECTED, residual=left)
            self.at += 1
            if what is FILEMARK:
                return got, Sense(NO_SENSE, FILEMARK_DETECTED, filemark=True, residual=left)
            if what[1] != length:
                return got, Sense(NO_SENSE, 0, ili=True, residual=left)
            got.append(what)
        return got, GOOD

    def space(self, count, filemarks):
        """Over blocks or filemarks; the residual is a magnitude."""
        step, left = (1 if count > 0 else -1), abs(count)
        while left:
            if step > 0 and self.next() is END:
                return Sense(BLANK_CHECK, EOD_DETECTED, residual=left)
            if step < 0 and not self.at:
                return Sense(NO_SENSE, BOP_DETECTED, eom=True, residual=left)
            self.at += step
            met = self.objects[self.at - (step > 0)] is FILEMARK
            if met and not filemarks:
                return Sense(NO_SENSE, FILEMARK_DETECTED, filemark=True, residual=left)
            left -= met or not filemarks
        return GOOD

    def locate(self, partition, to):
        self.current = partition
        self.at = min(to, len(self.objects))
        return GOOD if to <= len(self.objects) else Sense(BLANK_CHECK, EOD_DETECTED)

    def locate_file(self, partition, to):
        self.current, self.at = partition, 0
        while to:
            if self.next() is END:
                return Sense(BLANK_CHECK, EOD_DETECTED)
            to -= self.next() is FILEMARK
            self.at += 1
        return GOOD


# --- both beside each other --------------------------------------------------------------------


def data_of(block):
    seed, length = block
    return random.Random(seed).randbytes(length)


class Pair:
    def __init__(self, drive, rng, partitions=1):
        self.drive, self.rng = drive, rng
        self.tape = Tape(partitions)
        self.block = 0                  # 0: variable
        self.seed = rng.getrandbits(32) << 16
        self.immediate = False          # a filemark was written since, that need not be durable

    def check_position(self):
        assert self.drive.position() == self.tape.position()
        if self.rng.random() < 0.1:
            want = self.tape.position()
            assert self.drive.short_position() == (want[0], want[1], want[3])

    def same(self, cdb, want, data_in=0, data_out=b""):
        """Runs a command that has to say `want`; gives what came."""
        data, said = self.drive.ask(cdb, data_in, data_out)
        if said.residual is not None and want.residual is not None and not want.ili:
            said.residual = abs(said.residual)
        assert said == want, cdb.hex()
        return data

    def length(self):
        return self.rng.choice([self.rng.randint(1, 300), self.rng.choice([SMALL, 512, 1024]),
                                self.rng.choice([SMALL, 512]), self.rng.randint(1, 40000), 262144])

    def new_block(self, length):
        self.seed += 1
        return self.seed, length

    def write(self):
        if self.tape.used() > FULL:
            self.begin_anew()
        count = self.rng.randint(1, 5) if self.block else 1
        blocks = [self.new_block(self.block or self.length()) for _ in range(count)]
        cdb = struct.pack(">BB", 0x0a, bool(self.block))
        cdb += (count if self.block else blocks[0][1]).to_bytes(3, "big")
        self.same(cdb, GOOD, data_out=b"".join(map(data_of, blocks)))
        for block in blocks:
            self.tape.put(block)

    def begin_anew(self):
        self.same(struct.pack(">B", 0x01), GOOD)
        self.tape.at = 0

    def write_filemarks(self):
        count, immediate = self.rng.choice([0, 1, 1, 1, 2, 3]), self.rng.random() < 0.2
        self.same(struct.pack(">BBBBB", 0x10, immediate, 0, 0, count), GOOD)
        for _ in range(count):
            self.tape.put(FILEMARK)
        if not immediate:
            self.tape.synchronise()

    def read(self):
        for _ in range(self.rng.randint(1, 8)):
            if self.block:
                self.read_fixed()
            else:
                self.read_variable()
            self.check_position()

    def read_variable(self):
        size = self.some_size()
        silent = self.rng.random() < 0.3
        block, want = self.tape.read(size)
        if silent and want.ili:
            want = GOOD
        data = self.same(struct.pack(">BB", 0x08, silent << 1) + size.to_bytes(3, "big"), want, size)
        if block:
            assert data == data_of(block)[:size]

    def read_fixed(self):
        count = self.rng.randint(1, 6)
        blocks, want = self.tape.read_fixed(count, self.block)
        data = self.same(struct.pack(">BB", 0x08, 1) + count.to_bytes(3, "big"), want,
                         count * self.block)
        assert data[:len(blocks) * self.block] == b"".join(map(data_of, blocks))

    def some_size(self):
        """As long as the next block is, mostly."""
        what = self.tape.next()
        right = what[1] if isinstance(what, tuple) else 512
        return self.rng.choice([right, right, right, self.length(), right + 7, max(1, right - 1)])

    def read_at(self):
        """READ(16), which goes to its object first."""
        if self.block:
            return
        partition = self.rng.randrange(len(self.tape.partitions))
        to = self.rng.randint(0, len(self.tape.partitions[partition]) + 1)
        want = self.tape.locate(partition, to)
        size = self.some_size()
        block = None
        if want == GOOD:
            block, want = self.tape.read(size)
        data = self.same(struct.pack(">BBxBQ", 0x88, 0, partition, to) + size.to_bytes(3, "big"),
                         want, size)
        if block:
            assert data == data_of(block)[:size]

    def write_at(self):
        """WRITE(16), likewise, near the end of some partition."""
        if self.block or self.tape.used() > FULL:
            return
        partition = self.rng.randrange(len(self.tape.partitions))
        to = max(0, len(self.tape.partitions[partition]) - self.rng.randint(0, 3))
        block = self.new_block(self.length())
        self.same(struct.pack(">BBxBQ", 0x8a, 0, partition, to) + block[1].to_bytes(3, "big"), GOOD,
                  data_out=data_of(block))
        self.tape.locate(partition, to)
        self.tape.put(block)

    def verify(self):
        if not self.block:
            size = self.some_size()
            self.same(b"\x13\0" + size.to_bytes(3, "big"), self.tape.read(size)[1])

    def space(self):
        count = self.rng.choice([1, 2, 3, 7, 40]) * self.rng.choice([1, -1])
        filemarks = self.rng.random() < 0.5
        if self.rng.random() < 0.3:
            cdb = struct.pack(">BBxxq", 0x91, filemarks, count)
        else:
            cdb = struct.pack(">BB", 0x11, filemarks) + (count & 0xffffff).to_bytes(3, "big")
        self.same(cdb, self.tape.space(count, filemarks))

    def to_end(self):
        self.same(struct.pack(">BB", 0x11, 3), GOOD)
        self.tape.at = len(self.tape.objects)

    def locate(self):
        partition = self.rng.randrange(len(self.tape.partitions))
        to = self.rng.randint(0, len(self.tape.partitions[partition]) + 3)
        change = partition != self.tape.current
        want = self.tape.locate(partition, to)
        if self.rng.random() < 0.5:
            cdb = struct.pack(">BBxIxB", 0x2b, change << 1, to, partition)
        else:
            cdb = struct.pack(">BBxBQ", 0x92, change << 1, partition, to)
        self.same(cdb, want)

    def locate_file(self):
        marks = sum(o is FILEMARK for o in self.tape.objects)
        to = self.rng.randint(0, marks + 1)
        self.same(struct.pack(">BBxBQ", 0x92, 1 << 3, self.tape.current, to),
                  self.tape.locate_file(self.tape.current, to))

    def locate_end(self):
        partition = self.rng.randrange(len(self.tape.partitions))
        change = partition != self.tape.current
        self.same(struct.pack(">BBxBQ", 0x92, 3 << 3 | change << 1, partition, 0), GOOD)
        self.tape.current = partition
        self.tape.at = len(self.tape.objects)

    def rewind(self):
        self.same(struct.pack(">BB", 0x01, 0), GOOD)
        self.tape.at = 0

    def erase(self):
        """ERASE, short: end of data is here (SSC-4 5.2)."""
        self.same(struct.pack(">BB", 0x19, 0), GOOD)
        del self.tape.objects[self.tape.at:]
        self.tape.safe[self.tape.current] = min(self.tape.safe[self.tape.current], self.tape.at)

    def change_block(self):
        self.block = self.rng.choice([0, 0, SMALL, 512])
        self.drive.set_block(self.block)

    def reload(self):
        """LOAD UNLOAD, out and in: synchronises, and the tape is at its beginning."""
        self.same(struct.pack(">BBxxB", 0x1b, 0, 0), GOOD)
        self.same(struct.pack(">BBxxB", 0x1b, 0, 1), GOOD)
        self.session_is_told()
        self.tape.synchronise()
        self.tape.current = self.tape.at = 0

    def session_is_told(self):
        """A medium that became ready may be a unit attention; no other command gets it."""
        self.drive.session.ready()

    STEPS = ((write, 40), (write_filemarks, 12), (read, 35), (space, 30), (to_end, 12),
             (write_at, 4), (read_at, 8), (verify, 8),
             (locate, 12), (locate_file, 6), (locate_end, 4), (rewind, 4), (erase, 1),
             (change_block, 8), (reload, 1))

    def step(self):
        run, = self.rng.choices([s for s, _ in self.STEPS], [w for _, w in self.STEPS])
        run(self)
        self.check_position()

    # after a kill

    def survives(self, drive):
        """The drive has been served again: what is on the tape begins as the model says, and goes
        at least as far as was synchronised. The model takes up what is there."""
        self.drive, self.block = drive, 0
        for n, objects in enumerate(self.tape.partitions):
            self.same(struct.pack(">BBxBQ", 0x92, (n > 0) << 1, n, 0), GOOD)
            there = self.read_all(objects)
            assert there >= self.tape.safe[n], (n, there, self.tape.safe[n], len(objects))
            del objects[there:]
        self.tape.synchronise()
        self.tape.current, self.tape.at = n, there

    def read_all(self, objects):
        for at, what in enumerate(objects):
            size = 262144
            data, said = self.drive.ask(struct.pack(">BB", 0x08, 2) + size.to_bytes(3, "big"), size)
            if said.key == BLANK_CHECK:
                return at
            if what is FILEMARK:
                assert said.filemark, (at, said)
            else:
                assert said == GOOD and data == data_of(what), (at, said)
        return len(objects)


# --- tests -------------------------------------------------------------------------------------


def seconds():
    return float(os.environ.get("TAPE_MODEL_SECONDS", "5"))


def generator():
    seed = int(os.environ.get("TAPE_MODEL_SEED", str(random.SystemRandom().getrandbits(32))))
    print(f"TAPE_MODEL_SEED={seed}")
    return random.Random(seed)


def load(server):
    """Has the changer put the tape into the drive."""
    with login(server.port, CHANGER) as changer:
        changer.ready()
        status = changer.command(struct.pack(">BBHHx3sxx", 0xb8, 0, 0, 0xffff,
                                             (4096).to_bytes(3, "big")), 4096)
        first = {}
        full = []
        at = 8
        while at < len(status):
            kind, size, total = status[at], *struct.unpack_from(">H", status, at + 2), \
                int.from_bytes(status[at + 5:at + 8], "big")
            for d in range(at + 8, at + 8 + total, size):
                address = struct.unpack_from(">H", status, d)[0]
                first.setdefault(kind, address)
                if status[d + 2] & 1:
                    full.append((kind, address))
            at += 8 + total
        if full[0][0] != 4:
            changer.command(struct.pack(">BxHHH4x", 0xa5, 0, full[0][1], first[4]).ljust(16, b"\0"))


NOT_READY = 2


def drive_of(server):
    """The drive, once it has threaded the cartridge that it held."""
    session = login(server.port, TAPE)
    for _ in range(200):
        try:
            return Drive(session.ready())
        except Failed as failed:
            assert failed.sense[0] == NOT_READY
            time.sleep(0.05)
    raise AssertionError("the drive does not become ready")


@pytest.mark.parametrize("partitions", [1, 2])
def test_a_drive_behaves_as_a_tape_does(start, partitions):
    server, rng = start(library()), generator()
    load(server)
    drive = drive_of(server)
    if partitions > 1:
        drive.partition(300)
    pair, end = Pair(drive, rng, partitions), time.monotonic() + seconds()
    while time.monotonic() < end:
        pair.step()
    drive.session.wire.close()


@pytest.mark.parametrize("partitions", [1, 2])
def test_what_was_synchronised_is_there_after_a_kill(start, partitions):
    server, rng = start(library()), generator()
    load(server)
    drive = drive_of(server)
    if partitions > 1:
        drive.partition(300)
    pair, end = Pair(drive, rng, partitions), time.monotonic() + seconds()
    while time.monotonic() < end:
        for _ in range(rng.randint(5, 60)):
            pair.step()
        server.kill()
        with pytest.raises(Closed):
            pair.drive.session.test_unit_ready()
        server.start()
        pair.survives(drive_of(server))
    pair.drive.session.wire.close()
