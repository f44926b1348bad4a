# SPDX-License-Identifier: BSD-2-Clause
"""Rotating secrets while initiators log in: the old one is out when the answer is there, the new one
is in, and with a grace both are until it ends."""
import re
import threading
import time

import pytest

from credentials_test import OTHER, OURS, TWO, Api, may_log_in
from initiator import Closed, NotTheTarget, Refused, login
from support import DISK, HOST, PREFIX, SECRET, conf, lines, target, wait_until

pytestmark = pytest.mark.threads
ROTATIONS = 1000
SESSIONS = 8


class Secret:
    """The present secret of a row, and when it became so. Times are of time.monotonic()."""

    def __init__(self, text):
        self.text = text
        self.asked = self.answered = 0      # when its replacement was asked for, and answered


class Attempts:
    """Logs in again and again, each time by the newest secret or one before it."""

    def __init__(self, server, history, name):
        self.server, self.history, self.name = server, history, name
        self.stop = threading.Event()
        self.good = self.refused = 0
        self.faults = []

    def once(self, back):
        """An attempt by the secret that is so many places before the newest."""
        known = self.history[-1 - min(back, len(self.history) - 1)]
        begun = time.monotonic()
        try:
            login(self.server.port, DISK, initiator=self.name, user="all", secret=known.text).wire.close()
            came_in = True
        except (Refused, Closed) as e:
            came_in, why = False, e
        if came_in and known.answered and known.answered <= begun:
            self.faults.append(f"{self.name} came in by a secret that was replaced before")
        # Who was refused by the right secret: it was being replaced, or else that is a fault.
        if not came_in and not known.asked:
            self.faults.append(f"{self.name} was not let in by the right secret: {why!r}")
        self.good += came_in
        self.refused += not came_in

    def run(self):
        n = 0
        while not self.stop.is_set() and not self.faults:
            n += 1
            self.once(n % 3 and n % 2)


def rotate(api, history, path):
    history[-1].asked = time.monotonic()
    fresh = Secret(api.must("POST", path, {})["secret"])
    # The other threads see the new one no sooner than the end of the old one.
    history[-1].answered = time.monotonic()
    history.append(fresh)


def test_eight_initiators_log_in_while_their_secret_is_replaced_a_thousand_times(start):
    server = start(conf(target(), target(OTHER), more="reactors = 4;"))
    api = Api(server)
    made = api.set(DISK, "default", user="all", generate=True)
    history = [Secret(made["secret"])]
    all_attempts = [Attempts(server, history, f"{PREFIX}loop{i}") for i in range(SESSIONS)]
    threads = [threading.Thread(target=a.run) for a in all_attempts]
    bystander = login(server.port, OTHER)
    for t in threads:
        t.start()
    try:
        for _ in range(ROTATIONS):
            rotate(api, history, f"{OURS}/default/rotate")
            time.sleep(0.002)
    finally:
        for a in all_attempts:
            a.stop.set()
        for t in threads:
            t.join(60)
    assert [f for a in all_attempts for f in a.faults] == []
    assert sum(a.good for a in all_attempts) > 200
    assert sum(a.refused for a in all_attempts) > 200
    bystander.ping()
    bystander.wire.close()
    assert len(history) == ROTATIONS + 1
    assert len(lines(server, "rotate credential of")) == ROTATIONS
    assert not any(s.text in server.log() for s in history)


def test_a_grace_lets_both_in_until_it_ends(start, ctl):
    server = start(TWO)
    api = Api(server)
    api.set(DISK, HOST, secret=SECRET)
    inside = login(server.port, DISK, secret=SECRET)
    text = ctl(server, "credentials", "rotate", DISK, HOST, "--grace", "3s").stdout
    secret = re.search(r"^secret +(\S+)$", text, re.M)[1]
    assert re.search(r"^grace +until \d{4}-.* the old secrets are taken, too$", text, re.M)
    assert text.endswith("rotated, 0 connections closed\n")
    assert may_log_in(server, secret=SECRET) and may_log_in(server, secret=secret)
    assert re.search(r"  [123] s +native", ctl(server, "credentials", "list").stdout)
    wait_until(lambda: not may_log_in(server, secret=SECRET))
    wait_until(lambda: api.rows()[HOST]["grace_until"] is None)
    assert may_log_in(server, secret=secret)
    inside.ping()       # who was in stays in
    inside.wire.close()
    assert "end grace" in ctl(server, "audit").stdout


def test_a_grace_is_for_both_secrets_of_a_mutual_row(start):
    server = start(TWO)
    api = Api(server)
    old = api.set(DISK, HOST, generate=True, mutual=True)
    new = api.must("POST", f"{OURS}/{HOST}/rotate", {"mutual": True, "grace": 60})
    for pair in old, new:
        login(server.port, DISK, secret=pair["secret"],
              target_secret=pair["target_secret"]).wire.close()
    with pytest.raises(NotTheTarget):
        login(server.port, DISK, secret=old["secret"], target_secret=new["target_secret"])
    with pytest.raises(NotTheTarget):
        login(server.port, DISK, secret=new["secret"], target_secret=old["target_secret"])


def test_a_grace_goes_on_over_a_restart(start):
    server = start(TWO)
    api = Api(server)
    api.set(DISK, HOST, secret=SECRET)
    api.must("POST", f"{OURS}/{HOST}/rotate", {"grace": 4})
    server.kill()
    server.start()
    assert may_log_in(server, secret=SECRET)
    wait_until(lambda: not may_log_in(server, secret=SECRET))
    wait_until(lambda: api.rows()[HOST]["grace_until"] is None)


def test_a_rotation_without_a_grace_ends_the_one_before(start):
    server = start(TWO)
    api = Api(server)
    api.set(DISK, HOST, secret=SECRET)
    first = api.must("POST", f"{OURS}/{HOST}/rotate", {"grace": 60})["secret"]
    second = api.must("POST", f"{OURS}/{HOST}/rotate", {})["secret"]
    assert may_log_in(server, secret=second)
    assert not may_log_in(server, secret=first) and not may_log_in(server, secret=SECRET)


def test_nobody_who_is_right_before_and_after_is_turned_away_by_a_rotation_with_a_grace(start):
    server = start(TWO)
    api = Api(server)
    secret = api.set(DISK, "default", user="all", generate=True)["secret"]
    turned_away, count, stop = [], [0], threading.Event()
    newest = [secret]

    def run(name):
        while not stop.is_set():
            known = newest[0]
            try:
                login(server.port, DISK, initiator=name, user="all", secret=known).wire.close()
                count[0] += 1
            except (Refused, Closed) as e:
                # A secret is right until the second rotation after it, which is far away.
                turned_away.append(e)
    threads = [threading.Thread(target=run, args=(f"{PREFIX}grace{i}",)) for i in range(4)]
    for t in threads:
        t.start()
    for _ in range(60):
        newest[0] = api.must("POST", f"{OURS}/default/rotate", {"grace": 60})["secret"]
        time.sleep(0.1)
    stop.set()
    for t in threads:
        t.join(30)
    assert turned_away == [] and count[0] > 100
