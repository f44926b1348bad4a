# SPDX-License-Identifier: BSD-2-Clause
"""Hosts that are cut off in the middle of anything and log in again, tasks that are ended, and a server
that is killed: every block holds what was acknowledged last, and nothing of an old session lands on
what a new one has written.

CHAOS_SECONDS says how long (6), CHAOS_SEED which sequence."""
import itertools
import os
import random
import struct
import threading
import time

import pytest

from initiator import TASK_RESPONSE, Closed, Failed, Refused, Session, login
from support import DISK, conf, disk, target

pytestmark = pytest.mark.threads
HOSTS, BLOCK, OWN = 5, 512, 96                    # each host has OWN blocks for itself
SECONDS, SEED = float(os.environ.get("CHAOS_SECONDS", 6)), int(os.environ.get("CHAOS_SEED", 1))
ABORT_TASK, ABORT_TASK_SET, LUN_RESET = 1, 2, 5
WRITE, READ = 0x8a, 0x88
KEYS = [{}, {"ImmediateData": "No", "InitialR2T": "No"}, {"HeaderDigest": "CRC32C"},
        {"MaxBurstLength": 8192, "FirstBurstLength": 4096, "MaxOutstandingR2T": 3}]
NUMBERS = itertools.count(1)                      # of writes: what a block holds


def was_reset(failed):
    """Whether it was another host's doing: a task that was aborted, or a unit attention."""
    return failed.status == 0x40 or failed.sense[0] == 6


class Host(threading.Thread):
    """One initiator port, and a model of its blocks: the writes of which each may hold one."""

    def __init__(self, server, number):
        super().__init__()
        self.server, self.number, self.over = server, number, threading.Event()
        self.random = random.Random(SEED * 100 + number)
        self.model = [{0} for _ in range(OWN)]
        self.under_way = {}                       # tag: (first block, blocks, number of the write)
        self.checked = self.cuts = 0
        self.fault = None

    def run(self):
        while not self.over.is_set() and not self.fault:
            try:
                self.session()
            except (Closed, Refused, ConnectionError):
                time.sleep(0.02)                  # the server is not there
            except Exception as fault:            # pylint: disable=broad-except
                self.fault = fault

    def session(self):
        self.under_way.clear()
        with login(self.server.port, DISK, initiator=f"{DISK}-host{self.number}",
                   isid=bytes([0, 2, 0x3d, 0, 0, self.number]),
                   keys=self.random.choice(KEYS)) as session:
            self.check(session)
            for _ in range(self.random.randrange(2, 30)):
                if self.over.is_set() or not self.round(session):
                    return
            session.logout()

    def check(self, session):
        """Nothing is under way: what a block holds now is what it holds from now on."""
        data = None
        while data is None:
            try:
                data = session.ready().read(OWN * self.number, OWN)
            except Failed as failed:
                assert was_reset(failed), failed
        for block, held in enumerate(self.model):
            piece = data[block * BLOCK:(block + 1) * BLOCK]
            number = int.from_bytes(piece[:8], "big")
            assert piece == number.to_bytes(8, "big") * (BLOCK // 8), f"block {block} is torn"
            assert number in held, f"block {block} holds {number}, and may hold {held}"
            self.model[block] = {number}
        self.checked += 1

    def cdb(self, opcode, block, blocks):
        return Session.rw16(opcode, OWN * self.number + block, blocks)

    def note(self, block, blocks):
        """A write begins; gives its number and its data."""
        number = next(NUMBERS)
        for at in range(block, block + blocks):
            self.model[at] = self.model[at] | {number}
        return number, number.to_bytes(8, "big") * (BLOCK // 8 * blocks)

    def batch(self, session):
        """Writes that do not overlap."""
        block = self.random.randrange(8)
        while block < OWN - 16:
            blocks = self.random.choice([1, 2, 8, 16])
            number, data = self.note(block, blocks)
            tag = session.submit(self.cdb(WRITE, block, blocks), data_out=data)
            self.under_way[tag] = block, blocks, number
            block += blocks + self.random.randrange(24)

    def finish(self, session, tag):
        block, blocks, number = self.under_way.pop(tag)
        try:
            session.finish(tag)
        except Failed as failed:
            assert was_reset(failed), failed
            return
        for at in range(block, block + blocks):
            self.model[at] = {number}

    def round(self, session):
        """Some writes, and what may happen to them. False: the session is over."""
        self.batch(session)
        chance = self.random.random()
        if chance < 0.1:
            self.cut(session)
            return False
        if chance < 0.2:
            self.manage(session)
        for tag in list(self.under_way):
            self.finish(session, tag)
        if chance > 0.6:
            self.check(session)
        return True

    def cut(self, session):
        """Ends the connection within a PDU, or behind one."""
        self.cuts += 1
        _, data = self.note(0, 8)
        pdu = bytearray(struct.pack(">BB6xQIIII16s", 1, 0xa1, 0, 0x7fff, len(data), session.cmdsn,
                                    session.expstatsn, self.cdb(WRITE, 0, 8)))
        if session.immediate >= len(data):
            pdu[5:8] = len(data).to_bytes(3, "big")
            pdu += data
        if not session.wire.header_digest:
            session.wire.send_bytes(pdu[:self.random.randrange(len(pdu) + 1)])
        if self.random.random() < 0.5:
            session.wire.reset()

    def manage(self, session):
        """Has tasks ended: those that are answered neither before nor after that have ended for good."""
        function = self.random.choice([ABORT_TASK, ABORT_TASK_SET, LUN_RESET])
        ended = [self.random.choice(list(self.under_way))] if function == ABORT_TASK else \
            list(self.under_way)
        session.ask_to_manage(function, 0, ended[0] if function == ABORT_TASK else 0xffffffff)
        session.wait(TASK_RESPONSE)
        for tag in ended:
            if session.tasks[tag].status is None:
                del self.under_way[tag]


def test_what_is_acknowledged_stays_and_nothing_lands_late(start):
    server = start(conf(target(luns=disk("disk.img", size="1M")), more="reactors = 3;"))
    hosts, chance = [Host(server, number) for number in range(HOSTS)], random.Random(SEED)
    for host in hosts:
        host.start()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and not any(host.fault for host in hosts):
        time.sleep(chance.uniform(0.3, 1.5))
        server.kill()
        server.start()
    for host in hosts:
        host.over.set()
    for host in hosts:
        host.join()
        assert host.fault is None, host.fault
        assert host.checked and host.cuts
