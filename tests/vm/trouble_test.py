# SPDX-License-Identifier: BSD-2-Clause
"""Linux keeps its data through trouble: lost paths, a killed server, changed secrets."""
import json
import random
import signal
import time
from dataclasses import replace

import pytest
from conftest import ROOT
from disk_test import CHECK, MAKE
from fio import Fio, wait_for_writes
from guest import HOST
from openiscsi import AUTH_FAILED, QUICK
from serving import (CREDENTIAL, LOCKED, MUTUAL, NAME, OPEN, SECRET, TARGET_SECRET, conf, file_disk,
                     locked_disk, open_disk, target)

PATIENT = {**QUICK, "node.session.timeo.replacement_timeout": 600}
HASTY = {**QUICK, "node.session.timeo.replacement_timeout": 5,
         "node.conn[0].timeo.noop_out_interval": 3, "node.conn[0].timeo.noop_out_timeout": 3,
         "node.conn[0].timeo.login_timeout": 5}


RELAYED = '{ address = "127.0.0.1"; port = $port; advertise = "10.0.2.2:$relay_port"; }'


# --- a server that is killed ----------------------------------------------------------------

def test_io_goes_on_when_the_server_is_killed_and_restarted(linux, start, saw):
    server = start(locked_disk(file_disk("64M")))
    linux.configure(PATIENT, chap=MUTUAL, **{"node.conn[0].iscsi.HeaderDigest": "CRC32C",
                                             "node.conn[0].iscsi.DataDigest": "CRC32C"})
    linux.discover(server)
    linux.login(LOCKED)
    disk, guest = linux.disk(LOCKED), linux.guest
    fio = Fio(guest, f"/dev/{disk}")
    for pause in (0, 3, 0):
        wait_for_writes(guest, disk)
        server.kill()
        time.sleep(pause)
        server.start()
    wait_for_writes(guest, disk)
    rounds = fio.finish()
    saw(f"killed three times under mutual CHAP and digests, {rounds} rounds of fio without an error")


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_a_file_system_outlives_a_server_that_is_killed(linux, start, saw, kind):
    server = start(open_disk(file_disk("512M")))
    linux.configure(PATIENT)
    linux.discover(server)
    linux.login(OPEN)
    disk, guest = linux.disk(OPEN), linux.guest
    guest.run(f"{MAKE[kind]} /dev/{disk} && mount -t {kind} /dev/{disk} /mnt")
    guest.run("""
        for n in $(seq 40); do
            dd if=/dev/urandom of=/mnt/$n bs=64k count=4 conv=fsync status=none && echo $n
        done >/tmp/synced 2>&1 &""")
    for count in (5, 15, 25):
        guest.wait(f"[ $(wc -l </tmp/synced) -ge {count} ]")
        server.kill()
        server.start()
        guest.run("echo 3 >/proc/sys/vm/drop_caches")
    guest.wait("[ $(wc -l </tmp/synced) -ge 40 ]", 120)
    before = guest.run("cd /mnt && sha256sum $(seq 40)")
    guest.run("umount /mnt")
    linux.logout(OPEN)
    linux.login(OPEN)
    disk = linux.disk(OPEN)
    guest.run(f"{CHECK[kind]} /dev/{disk} && mount -t {kind} /dev/{disk} /mnt")
    assert guest.run("cd /mnt && sha256sum $(seq 40)") == before
    saw(f"40 files with fsync, three kills, {CHECK[kind]}: clean")


def test_a_server_that_is_stopped_asks_the_host_to_log_out(linux, start, saw):
    server = start(open_disk(file_disk("64M")))
    linux.configure(PATIENT)
    linux.discover(server)
    linux.login(OPEN)
    disk, guest = linux.disk(OPEN), linux.guest
    fio = Fio(guest, f"/dev/{disk}")
    wait_for_writes(guest, disk)
    server.stop()
    server.start()
    wait_for_writes(guest, disk)
    saw(f"stopped by SIGTERM and started, {fio.finish()} rounds of fio without an error")


# --- a wire that spoils bits -------------------------------------------------------------------

class BitFlipper:
    """Flips a bit now and then in what one side sends."""

    def __init__(self, from_initiator, every=50):
        self.from_initiator = from_initiator
        self.every = every
        self.chunks = self.flipped = 0
        self.random = random.Random(1)

    def __call__(self, from_initiator, data):
        self.chunks += from_initiator == self.from_initiator and len(data) > 2048
        if self.chunks < self.every:
            return data
        self.chunks = 0
        self.flipped += 1
        data = bytearray(data)
        data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
        return bytes(data)


@pytest.mark.parametrize("from_initiator", [True, False], ids=["to_the_target", "to_the_host"])
def test_digests_keep_spoilt_bits_out(linux, start, relay, saw, from_initiator):
    wire = relay()
    server = start(open_disk(file_disk("64M"), portals=RELAYED), ports={"relay_port": wire.port})
    wire.to = server.port
    linux.configure(PATIENT, **{"node.conn[0].iscsi.HeaderDigest": "CRC32C",
                                "node.conn[0].iscsi.DataDigest": "CRC32C"})
    linux.portal = f"{HOST}:{wire.port}"
    linux.discover()
    linux.login(OPEN)
    disk, guest = linux.disk(OPEN), linux.guest
    fio = Fio(guest, f"/dev/{disk}")
    wire.spoil = BitFlipper(from_initiator)
    deadline = time.monotonic() + 240
    while wire.spoil.flipped < 5:       # what comes to the host is long only when fio reads
        assert time.monotonic() < deadline, f"{wire.spoil.flipped} bits in four minutes"
        time.sleep(0.2)
    flipped, wire.spoil = wire.spoil.flipped, None
    wait_for_writes(guest, disk)
    rounds = fio.finish()
    saw(f"{flipped} bits flipped, {rounds} rounds of fio without an error; "
        + guest.run("dmesg | grep -c 'conn error' || true").strip() + " connections ended")


# --- multipath --------------------------------------------------------------------------------

TWO_PORTALS = '''
    { address = "127.0.0.1"; port = $port; group = 1; advertise = "10.0.2.2:$first_port"; },
    { address = "127.0.0.1"; port = $other_port; group = 2; advertise = "10.0.2.2:$second_port"; }'''


@pytest.fixture
def two_paths(linux, start, relay):
    """A server behind two relays, and the map of its disk over both."""
    relays = [relay(), relay()]
    ports = {"first_port": relays[0].port, "second_port": relays[1].port}
    server = start(conf(target(OPEN, file_disk("64M")), portals=TWO_PORTALS), ports=ports)
    relays[0].to, relays[1].to = server.port, server.ports["other_port"]
    guest = linux.guest
    guest.write("/etc/multipath.conf", (ROOT / "examples/linux/multipath.conf").read_text())
    linux.configure(HASTY)
    found = linux.discover(server)
    assert set(found) == {(f"{HOST}:{relays[0].port}", 1, OPEN),
                          (f"{HOST}:{relays[1].port}", 2, OPEN)}
    guest.run("modprobe -a dm_multipath dm_service_time && multipathd")
    linux.login(OPEN)
    guest.wait("[ -n \"$(dmsetup table --target multipath 2>/dev/null)\" ]")
    guest.wait("[ $(multipathd show paths format '%t' | grep -c active) = 2 ]")
    return server, relays, guest.run("dmsetup ls --target multipath").split()[0]


def active_paths(count):
    return f"[ $(multipathd show paths format '%t' | grep -c active) = {count} ]"


@pytest.mark.parametrize("how", ["cut", "freeze"])
def test_one_of_two_paths_is_lost_and_comes_back(linux, two_paths, saw, how):
    _, relays, name = two_paths
    guest = linux.guest
    disk = guest.run(f"basename $(readlink -f /dev/mapper/{name})").strip()
    topology = guest.run("multipath -ll")
    fio = Fio(guest, f"/dev/mapper/{name}")
    for lost in relays:
        wait_for_writes(guest, disk)
        getattr(lost, how)()
        guest.wait(active_paths(1))
        wait_for_writes(guest, disk)
        lost.mend()
        guest.wait(active_paths(2), 120)
    wait_for_writes(guest, disk)
    saw(f"{topology.splitlines()[0]}: each path lost in its turn, {fio.finish()} rounds of fio "
        "without an error")


def test_io_waits_while_both_paths_are_lost(linux, two_paths, saw):
    _, relays, name = two_paths
    guest = linux.guest
    disk = guest.run(f"basename $(readlink -f /dev/mapper/{name})").strip()
    fio = Fio(guest, f"/dev/mapper/{name}")
    wait_for_writes(guest, disk)
    for lost in relays:
        lost.cut()
    guest.wait(active_paths(0))
    for lost in relays:
        lost.mend()
    guest.wait(active_paths(2), 120)
    wait_for_writes(guest, disk)
    saw(f"both paths lost, {fio.finish()} rounds of fio without an error")


def test_a_server_that_stands_still_is_taken_up_again(linux, two_paths, saw):
    server, _, name = two_paths
    guest = linux.guest
    disk = guest.run(f"basename $(readlink -f /dev/mapper/{name})").strip()
    fio = Fio(guest, f"/dev/mapper/{name}")
    wait_for_writes(guest, disk)
    server.process.send_signal(signal.SIGSTOP)
    guest.wait("dmesg | grep -q 'ping timeout'")    # and the host logs in to who does not answer
    time.sleep(6)
    server.process.send_signal(signal.SIGCONT)
    guest.wait(active_paths(2), 120)
    wait_for_writes(guest, disk)
    server.kill()
    server.start()
    guest.wait(active_paths(2), 120)
    wait_for_writes(guest, disk)
    saw(f"both paths in vain, then killed, {fio.finish()} rounds of fio without an error")


# --- secrets that change ---------------------------------------------------------------------

def test_changed_credentials_end_the_session_and_only_the_new_secret_logs_in(
        linux, start, ctl, saw):
    server = start(locked_disk())
    linux.configure(chap=MUTUAL)
    linux.discover(server)
    linux.login(LOCKED)
    linux.disk(LOCKED)
    guest = linux.guest

    def sessions():
        return json.loads(ctl(server, "--json", "sessions").stdout)["sessions"]

    assert len(sessions()) == 1
    new = replace(MUTUAL, secret="initiator-333333", target_secret="target---4444444")
    server.write_conf(locked_disk(credentials=CREDENTIAL.replace(SECRET, new.secret)
                                  .replace(TARGET_SECRET, new.target_secret)))
    ctl(server, "reload")
    # The host tries to come back with what it knows, in vain.
    guest.wait("[ $(cat /sys/class/iscsi_session/session*/state) != LOGGED_IN ]")
    server.wait_for_log(r'login refused|refused', 30)
    assert sessions() == []
    guest.run(f"iscsiadm -m node -T {LOCKED} --logout")
    status, out = linux.try_login(LOCKED)
    assert status == AUTH_FAILED, out
    for key, value in (("password", new.secret), ("password_in", new.target_secret)):
        guest.run(f"iscsiadm -m node -T {LOCKED} -o update -n node.session.auth.{key} -v {value}")
    linux.login(LOCKED)
    linux.disk(LOCKED)
    assert [s["auth"] for s in sessions()] == ["mutual CHAP"]
    saw("the session ended, the old secrets were refused, the new ones logged in")


@pytest.fixture
def rotated(linux, start, ctl):
    """rotated(*options): a session under a credential that `countersignctl credentials set` has
    made and `rotate` changes then; gives the server, and the new secrets as rotate prints them."""
    def secrets(server, verb, *options):
        made = json.loads(ctl(server, "--json", "credentials", verb, "--mutual", *options, LOCKED,
                              NAME).stdout)
        return made["secret"], made["target_secret"]

    def call(*options):
        server = start(locked_disk(file_disk("64M"), credentials=""))
        secret, target_secret = secrets(server, "set", "--generate")
        linux.configure(chap=replace(MUTUAL, secret=secret, target_secret=target_secret))
        linux.discover(server)
        linux.login(LOCKED)
        linux.disk(LOCKED)
        linux.guest.run("udevadm settle")       # nobody reads the disk when its session ends
        return server, secrets(server, "rotate", *options)
    return call


def tell(linux, secrets):
    """Puts new secrets on record, as examples/linux/README says."""
    for key, value in zip(("password", "password_in"), secrets):
        linux.guest.run(f"iscsiadm -m node -T {LOCKED} -o update "
                        f"-n node.session.auth.{key} -v '{value}'")


def test_a_rotated_secret_ends_the_session_and_the_new_one_logs_in(linux, rotated, saw):
    server, new = rotated()
    linux.guest.wait("[ $(cat /sys/class/iscsi_session/session*/state) != LOGGED_IN ]")
    server.wait_for_log("login refused", 60)
    linux.guest.run(f"iscsiadm -m node -T {LOCKED} --logout")
    assert linux.try_login(LOCKED)[0] == AUTH_FAILED
    tell(linux, new)
    linux.login(LOCKED)
    linux.disk(LOCKED)
    saw("rotated by countersignctl: session ended, old secrets refused, new ones logged in")


def test_with_a_grace_the_session_and_the_old_secret_stay(linux, rotated, ctl, saw):
    server, new = rotated("--grace", "1h")
    fio = Fio(linux.guest, f"/dev/{linux.disk(LOCKED)}")
    wait_for_writes(linux.guest, linux.disk(LOCKED))
    fio.finish()
    assert "detected conn error" not in linux.guest.run("dmesg")
    linux.logout(LOCKED)
    linux.login(LOCKED)                             # by the old ones still
    linux.logout(LOCKED)
    tell(linux, new)
    linux.login(LOCKED)
    linux.disk(LOCKED)
    saw("rotated with a grace: one session all the time, then both secrets logged in")


def test_a_reload_that_changes_nothing_of_a_target_leaves_its_session_alone(
        linux, start, ctl, saw):
    server = start(locked_disk(file_disk("64M")))
    linux.configure(chap=MUTUAL)
    linux.discover(server)
    linux.login(LOCKED)
    disk, guest = linux.disk(LOCKED), linux.guest
    fio = Fio(guest, f"/dev/{disk}")
    for n in range(5):
        server.write_conf(conf(target(LOCKED, file_disk("64M"), "chap", CREDENTIAL),
                               target(f"{OPEN}{n}")))
        ctl(server, "reload")
        wait_for_writes(guest, disk, 5)
    fio.finish()
    assert "detected conn error" not in guest.run("dmesg")
    found = json.loads(ctl(server, "--json", "sessions").stdout)["sessions"]
    assert [s["initiator"] for s in found] == [NAME]
    saw("five reloads while fio wrote: one session all the time")
