# SPDX-License-Identifier: BSD-2-Clause
"""A tape library and kill -9, while a host's robot and an operator are at work: every cartridge is in
exactly one place then, with its files, and what was acknowledged has happened."""
import http.client
import os
import random
import shutil
import tempfile
import threading
import time
from pathlib import Path

import pytest

from changer_test import MODELS
from credentials_test import Api
from initiator import Closed, Failed, Refused
from library_test import changer, library
from support import conf, wait_until
from tapes import DRIVE, MAIL, SLOT

ROUNDS = 8
SIZES = {SLOT: 8, MAIL: 2, DRIVE: 2}
KINDS = {"slot": SLOT, "mail slot": MAIL, "drive": DRIVE}
HOSTS = ["TEST01L5", "TEST02L5"]        # moved by the host alone
GONE = (OSError, Closed, Refused, http.client.HTTPException, ValueError)


@pytest.fixture(params=["beside", "far"])
def archive(request):
    """Where the archive is: beside the library, or on another file system, where there is one."""
    if request.param == "beside" or not os.access("/dev/shm", os.W_OK):
        yield "archive"
        return
    folder = tempfile.mkdtemp(dir="/dev/shm")
    yield folder
    shutil.rmtree(folder)


class Host:
    """Moves its cartridges about. `places` has what was acknowledged last of each, and what has
    been asked for since."""

    def __init__(self, server, places):
        self.server, self.places, self.moves = server, places, 0

    def run(self, chance):
        robot = changer(self.server)
        first = MODELS["STK-L700"]
        while True:
            barcode = chance.choice(HOSTS)
            kind = chance.choice([SLOT, MAIL, DRIVE])
            to = kind, chance.randrange(SIZES[kind])
            at = self.places[barcode][0]
            self.places[barcode] = [at, to]
            try:
                robot.session.command(
                    b"\xa5\0\0\0" + (first[at[0]] + at[1]).to_bytes(2, "big") +
                    (first[kind] + to[1]).to_bytes(2, "big") + bytes(4))
                self.places[barcode] = [to]
                self.moves += 1
            except Failed as e:
                self.places[barcode] = [at]
                assert e.sense[0] in (5, 6), e      # a place is taken; the operator was there


class Operator:
    """Makes, moves, archives and deletes others. `known` says what there is: True, or None where an
    answer did not come."""

    def __init__(self, server):
        self.server, self.known, self.made, self.answers = server, {}, 0, 0

    def run(self, chance):
        api = Api(self.server)
        while True:
            there = sorted(barcode for barcode, sure in self.known.items() if sure)
            verb = chance.choice(["create", "create", "delete", "archive", "archive", "retrieve",
                                  "retrieve", "cancel", "move", "pool"])
            if verb == "create" and len(there) < 5:
                self.create(api, f"OP{self.made:04}L5")
            elif there:
                self.change(api, verb, chance.choice(there), chance)
            self.answers += 1

    def create(self, api, barcode):
        self.made += 1
        self.known[barcode] = None
        self.settle(barcode, api.call("POST", "/v1/libraries/vtl0/tapes",
                                      {"barcode": barcode, "size": 1 << 20})[0] == 201)

    def change(self, api, verb, barcode, chance):
        path = f"/v1/tapes/{barcode}"
        if verb == "delete":
            self.known[barcode] = None
            self.settle(barcode, api.call("DELETE", path)[0] != 200)
        elif verb == "move":
            api.call("POST", path + "/move", {"to": chance.choice(list(KINDS))})
        elif verb == "pool":
            api.call("PATCH", path, {"pool": chance.choice(["", "GLACIER"])})
        elif verb != "create":
            api.call("POST", f"{path}/{verb}", {} if verb == "retrieve" else None)

    def settle(self, barcode, there):
        if there:
            self.known[barcode] = True
        else:
            del self.known[barcode]

    def recall(self, there):
        """What an answer did not come about has happened, or not; gives what has not."""
        never = {barcode for barcode, sure in self.known.items() if not sure} - set(there)
        self.known = {barcode: True for barcode, sure in self.known.items()
                      if sure or barcode in there}
        return never


def work_until_killed(server, workers, chance):
    """Has all work at once, and kills the server in the midst of it."""
    faults = []

    def run(worker, seed):
        try:
            worker.run(random.Random(seed))
        except GONE:
            pass
        except AssertionError as fault:
            faults.append(fault)
    threads = [threading.Thread(target=run, args=(worker, chance.random())) for worker in workers]
    for thread in threads:
        thread.start()
    time.sleep(chance.uniform(0.05, 0.6))
    server.kill()
    for thread in threads:
        thread.join()
    assert not faults, faults


def cartridges(folder):
    return {p.name for p in folder.iterdir() if p.is_dir() and p.name.isalnum() and
            p.name.isupper()} if folder.is_dir() else set()


def look(server, host, operator, archive):
    api = Api(server)

    def settled():
        tapes = {t["barcode"]: t for t in api.must("GET", "/v1/tapes")["tapes"]}
        if api.must("GET", "/v1/libraries/vtl0")["ready"] and all(
                t["state"] in ("AVAILABLE", "RETRIEVED", "ARCHIVED") for t in tapes.values()):
            return tapes
        return None
    tapes = wait_until(settled, 60)
    never = operator.recall(tapes)
    assert set(tapes) == {*HOSTS, *operator.known}

    elements = changer(server).elements()
    full = [barcode for barcode, _ in elements.values() if barcode]
    assert sorted(full) == sorted(b for b, t in tapes.items() if t["place"]["kind"] != "archive")
    drives = api.must("GET", "/v1/drives")["drives"]
    assert {d["drive"]: d["barcode"] for d in drives if d["barcode"]} == {
        t["place"]["number"]: b for b, t in tapes.items() if t["place"]["kind"] == "drive"}
    at = changer(server).places()
    for barcode, wanted in host.places.items():
        assert at[barcode] in wanted, (barcode, at[barcode], wanted)
        host.places[barcode] = [at[barcode]]
    # The files of one that was being made may be there already.
    assert cartridges(server.dir / "vtl0") - never == set(full)
    for barcode in never:
        shutil.rmtree(server.dir / "vtl0" / barcode, ignore_errors=True)
    assert cartridges(archive) == set(tapes) - set(full)


def test_every_cartridge_is_in_one_place_whenever_the_server_is_killed(start, archive):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    server = start(conf(more="libraries = ( " + library(
        barcodes=HOSTS, more=f'archive = "{archive}";') + " );"))
    host = Host(server, {barcode: [(SLOT, n)] for n, barcode in enumerate(HOSTS)})
    operator = Operator(server)
    for _ in range(ROUNDS):
        work_until_killed(server, [host, operator], chance)
        server.start()
        look(server, host, operator, Path(server.dir, archive))
    assert host.moves > ROUNDS and operator.answers > ROUNDS
