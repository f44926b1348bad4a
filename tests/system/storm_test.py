# SPDX-License-Identifier: BSD-2-Clause
"""Everything at once: hosts that read, write, copy, reserve, reset, eject, hang up and log out in the
midst, while units come, go and change their size, port groups change their state, and one unit is
behind two targets and two portals. Nothing of it may reach blocks that it does not concern."""
import random
import struct
import threading
import time

import pytest

from credentials_test import Api
from initiator import Closed, Failed, Refused, login
from support import DISK, PREFIX, conf, disk, ram, target

pytestmark = pytest.mark.threads
OTHER, MADE = PREFIX + "other", PREFIX + "made"
HOSTS, SECONDS, BLOCK, OWN = 6, 8, 512, 128       # each host has OWN blocks of each unit for itself
PORTALS = ('{ address = "127.0.0.1"; port = $port; group = 1; }, '
           '{ address = "127.0.0.1"; port = $second_port; group = 2; }')
STATES = ["active-optimized", "active-non-optimized"] * 3 + ["standby", "unavailable"]
ABORT_TASK, FUNCTIONS = 1, [1, 2, 4, 5, 6]        # and both task sets, and resets of units and target
REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_AND_ABORT, REGISTER_ANYHOW = range(7)


def text(more=(), megabytes=16):
    """Units 0 to 2 stay; unit 0 has a size that changes; others come and go."""
    rows = [disk("0.img", 0, f"{megabytes}M", 'name = "u0";'),
            ram(1, "16M", 'name = "u1"; removable = true;'),
            ram(2, "16M", 'name = "u2"; thin = false;')]
    rows += [disk(f"{n}.img", n, "16M") for n in more]
    same = ", ".join(f'{{ lun = {n + 4}; same_as = "u{n}"; }}' for n in range(3))
    return conf(target(luns=", ".join(rows)), target(OTHER, luns=same), portals=PORTALS,
                more='reactors = 3; pools = ( { name = "fast"; path = "pool"; } );')


class Host(threading.Thread):
    """One initiator: session after session, of commands at random."""

    def __init__(self, server, number):
        super().__init__()
        self.server, self.random = server, random.Random(number)
        self.name, self.number = f"{PREFIX}host{number}", number
        self.mark, self.token = bytes([number + 1]), bytes(512)
        self.sessions = self.answers = self.first_lun = 0
        self.fault = None

    def run(self):
        end = time.monotonic() + SECONDS
        try:
            while time.monotonic() < end:
                self.session()
        except Exception as fault:      # pylint: disable=broad-except
            self.fault = fault

    def session(self):
        name = self.random.choice([DISK, DISK, OTHER])
        self.first_lun = 4 if name == OTHER else 0
        try:
            session = login(self.server.ports[self.random.choice(["port", "second_port"])], name,
                            initiator=self.name,
                            isid=bytes([0, 2, 0x3d, 0, 0, self.number]))
        except (Closed, Refused):       # the targets change
            return
        self.sessions += 1
        with session:
            try:
                for _ in range(self.random.randrange(5, 60)):
                    if not self.round(session):
                        return
            except (Closed, ConnectionError):
                pass                    # its target was removed

    def round(self, session):
        """A few commands at once, and what may happen meanwhile. False: the session is over."""
        tags = [self.command(session) for _ in range(self.random.randrange(1, 8))]
        chance = self.random.random()
        if chance < 0.05:
            return self.manage(session, tags)
        if chance < 0.07:
            return False                # hangs up
        if chance < 0.09:
            session.logout()
            return False
        session.ping()                  # behind it, commands may still be answered, or have been ended
        for tag in tags:
            if session.tasks[tag].status is not None:
                self.answers += 1
                self.note(session.tasks.pop(tag))
        return True

    def note(self, task):
        """Keeps a token that has been told: of blocks of this host, on whichever unit."""
        if task.cdb[:2] == b"\x84\x07" and len(task.data_in) >= 38 + 512:
            self.token = bytes(task.data_in[38:38 + 512])

    def manage(self, session, tags):
        function = self.random.choice(FUNCTIONS)
        session.ask_to_manage(function, self.first_lun + self.random.randrange(3),
                              tags[-1] if function == ABORT_TASK else 0xffffffff)
        leaves = self.random.random() < 0.2
        if leaves:
            session.ask_to_log_out()
        answers = [self.next(session)]
        if leaves:
            answers.append(self.next(session))
        assert [pdu.opcode for pdu in answers] == [0x22, 0x26][:len(answers)]
        return not leaves

    @staticmethod
    def next(session):
        """The next PDU that is not of a command."""
        while not (pdu := session.step()):
            pass
        return pdu

    def command(self, session):
        name = self.random.choice(list(COMMANDS))
        lun = self.random.choice([*range(self.first_lun, self.first_lun + 3)] * 3 + [3, 4, 7])
        lba = OWN * self.number + self.random.randrange(OWN // 2)
        blocks = self.random.randrange(1, OWN // 2)
        cdb, *data = COMMANDS[name](self, lba, blocks)
        cdb = bytes(cdb).ljust(16, b"\0")
        if data and isinstance(data[0], int):
            return session.submit(cdb, data_in=data[0], lun=lun)
        return session.submit(cdb, data_out=b"".join(data), lun=lun)

    def reserve_out(self, action):
        kind = self.random.choice([1, 3, 5, 6, 7, 8])
        return (struct.pack(">BBB2xIx", 0x5f, action, kind, 24),
                struct.pack(">QQ8x", self.random.randrange(4), self.random.randrange(4)))


# Name: what a host at these blocks sends, the CDB and its data, or how much it wants to have.
COMMANDS = {
    "READ": lambda h, lba, n: (struct.pack(">BBQI", 0x88, 0, lba, n), n * BLOCK),
    "WRITE": lambda h, lba, n: (struct.pack(">BBQI", 0x8a, 0, lba, n), h.mark * (n * BLOCK)),
    "WRITE, FUA": lambda h, lba, n: (struct.pack(">BBQI", 0x8a, 8, lba, n), h.mark * (n * BLOCK)),
    "WRITE(10)": lambda h, lba, n: (struct.pack(">BBIxH", 0x2a, 0, lba, n), h.mark * (n * BLOCK)),
    "COMPARE AND WRITE": lambda h, lba, n: (struct.pack(">BBQ3xB", 0x89, 0, lba, 1), bytes(BLOCK),
                                            h.mark * BLOCK),
    "WRITE SAME": lambda h, lba, n: (struct.pack(">BBQI", 0x93, 0, lba, n), h.mark * BLOCK),
    "WRITE SAME, UNMAP": lambda h, lba, n: (struct.pack(">BBQI", 0x93, 9, lba, n),),
    "UNMAP": lambda h, lba, n: (struct.pack(">B6xH", 0x42, 24), struct.pack(">HH4xQI4x", 22, 16, lba, n)),
    "VERIFY": lambda h, lba, n: (struct.pack(">BBQI", 0x8f, 0, lba, n),),
    "SYNCHRONIZE CACHE": lambda h, lba, n: (struct.pack(">BBQI", 0x91, 0, lba, n),),
    "POPULATE TOKEN": lambda h, lba, n: (struct.pack(">BB4xII", 0x83, 0x10, n % 3, 32),
                                         struct.pack(">H12xHQI4x", 30, 16, lba, n)),
    "RECEIVE ROD TOKEN INFORMATION": lambda h, lba, n: (
        struct.pack(">BBI4xI", 0x84, 0x07, n % 3, 1024), 1024),
    "WRITE USING TOKEN": lambda h, lba, n: (
        struct.pack(">BB4xII", 0x83, 0x11, n % 3, 552),
        struct.pack(">HB5xQ", 550, n & 1, 0) + h.token + struct.pack(">6xHQI4x", 16, lba, n)),
    "COPY OPERATION ABORT": lambda h, lba, n: (struct.pack(">BBI", 0x83, 0x1c, n % 3),),
    "REGISTER": lambda h, lba, n: h.reserve_out(REGISTER_ANYHOW),
    "RESERVE, PERSISTENT": lambda h, lba, n: h.reserve_out(RESERVE),
    "PREEMPT": lambda h, lba, n: h.reserve_out(PREEMPT),
    "PREEMPT AND ABORT": lambda h, lba, n: h.reserve_out(PREEMPT_AND_ABORT),
    "CLEAR": lambda h, lba, n: h.reserve_out(CLEAR),
    "RESERVE": lambda h, lba, n: ([0x16],),
    "RELEASE": lambda h, lba, n: ([0x17],),
    "MODE SELECT, QErr and TAS": lambda h, lba, n: (
        [0x15, 0x10, 0, 0, 16],
        bytes([0, 0, 0, 0, 0x0a, 0x0a, 2, 0x10 | [0, 0, 2, 6][n % 4], 0, n & 0x40, 0, 0, 255, 255, 0, 0])),
    "eject": lambda h, lba, n: ([0x1b, 0, 0, 0, 2],),
    "load": lambda h, lba, n: ([0x1b, 0, 0, 0, 3],),
    "PREVENT": lambda h, lba, n: ([0x1e, 0, 0, 0, n & 1],),
    "INQUIRY": lambda h, lba, n: ([0x12, 1, 0x83, 4, 0], 1024),
    "REPORT LUNS": lambda h, lba, n: ([0xa0, 0, 0, 0, 0, 0, 0, 0, 4, 0], 1024),
    "REPORT TARGET PORT GROUPS": lambda h, lba, n: ([0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 4, 0], 1024),
    "REQUEST SENSE": lambda h, lba, n: ([0x03, 0, 0, 0, 252], 252),
}


def change(server, chance):
    """One thing that an administrator does."""
    api = Api(server)
    what = chance.randrange(4)
    if what < 2:
        server.write_conf(text(chance.sample([3, 4, 7], chance.randrange(4)), chance.choice([16, 17, 24])))
        api.must("POST", "/v1/reload")
    elif what == 2:
        api.must("PATCH", f"/v1/port-groups/{chance.choice([1, 2])}", {"state": chance.choice(STATES)})
    else:
        made = api.must("POST", "/v1/volumes", {"target": MADE, "size": 8 << 20})
        api.must("DELETE", f"/v1/volumes/{made['id']}?force=true")


def calm(server):
    """A session to whom everything is open again."""
    for group in (1, 2):
        Api(server).must("PATCH", f"/v1/port-groups/{group}", {"state": "active-optimized"})
    session = login(server.port, DISK)
    for lun in range(3):
        for cdb, data in (([0x5f, REGISTER_ANYHOW, 0, 0, 0, 0, 0, 0, 24], struct.pack(">QQ8x", 0, 9)),
                          ([0x5f, CLEAR, 0, 0, 0, 0, 0, 0, 24], struct.pack(">Q16x", 9)),
                          ([0x1b, 0, 0, 0, 3], b"")):
            for _ in range(8):
                try:
                    session.command(bytes(cdb).ljust(16, b"\0"), data_out=data, lun=lun)
                    break
                except Failed as failed:
                    if failed.sense[0] != 6:
                        break           # nothing to load
    return session


def test_a_storm_leaves_everybodys_blocks_alone(make_server):
    server = make_server(text())
    (server.dir / "pool").mkdir()
    server.start()
    hosts, chance = [Host(server, n) for n in range(HOSTS)], random.Random(1)
    for host in hosts:
        host.start()
    while any(host.is_alive() for host in hosts):
        change(server, chance)
        time.sleep(chance.random() / 10)
    for host in hosts:
        host.join()
        assert host.fault is None, host.fault
        assert host.sessions and host.answers
    with calm(server) as session:
        for lun in range(3):
            for host in hosts:
                data = session.read(OWN * host.number, OWN, lun=lun)
                for at in range(0, len(data), BLOCK):
                    assert data[at:at + BLOCK] in (bytes(BLOCK), host.mark * BLOCK)
