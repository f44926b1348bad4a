# SPDX-License-Identifier: BSD-2-Clause
"""Linux keeps its data through trouble: lost paths, a killed server, changed secrets."""
import json
import time
from dataclasses import replace

import pytest
from conftest import ROOT
from guest import HOST
from openiscsi import AUTH_FAILED, QUICK
from serving import (CREDENTIAL, LOCKED, MUTUAL, NAME, OPEN, SECRET, TARGET_SECRET, conf, file_disk,
                     locked_disk, open_disk, target)

PATIENT = {**QUICK, "node.session.timeo.replacement_timeout": 600}
HASTY = {**QUICK, "node.session.timeo.replacement_timeout": 5,
         "node.conn[0].timeo.noop_out_interval": 3, "node.conn[0].timeo.noop_out_timeout": 3,
         "node.conn[0].timeo.login_timeout": 5}


class Fio:
    """fio, round after round until it is told to stop: writes each block of a device's beginning
    once, then reads them all and verifies that they are this round's and whole."""

    def __init__(self, guest, device):
        self.guest = guest
        self.command = (f"fio --name=verify --filename={device} --size=8M --rw=randwrite "
                        "--bsrange=4k-64k --blockalign=4k --direct=1 --ioengine=libaio "
                        "--iodepth=8 --verify=crc32c --verify_fatal=1")
        guest.run(f"""
            rm -f /tmp/fio.*
            (
                n=0 status=0
                until [ -e /tmp/fio.stop ] || [ $status != 0 ]; do
                    n=$((n + 1))
                    {self.command} --rate=,2m --randseed=$n --do_verify=1 || status=$?
                done
                echo $n $status >/tmp/fio.end
            ) >/tmp/fio.out 2>&1 &""")

    def finish(self):
        """Lets the round end and gives how many there were; none may have had an error. The last
        one's blocks are still there."""
        self.guest.run("touch /tmp/fio.stop")
        self.guest.wait("[ -e /tmp/fio.end ]", 240)
        rounds, status = self.guest.run("cat /tmp/fio.end").split()
        assert status == "0", self.guest.run("cat /tmp/fio.out; dmesg | tail -n 20")
        self.guest.run(f"{self.command} --randseed={rounds} --verify_only", 240)
        return rounds


def writes_of(guest, disk):
    """How many writes of the disk have been completed."""
    return int(guest.run(f"cat /sys/block/{disk}/stat").split()[4])


def wait_for_writes(guest, disk, more=20, seconds=90):
    """Waits until so many more are completed: the disk works."""
    end = writes_of(guest, disk) + more
    guest.wait(f"set -- $(cat /sys/block/{disk}/stat) && [ $5 -ge {end} ]", seconds)


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


def test_a_file_system_outlives_a_server_that_is_killed(linux, start, saw):
    server = start(open_disk(file_disk("256M")))
    linux.configure(PATIENT)
    linux.discover(server)
    linux.login(OPEN)
    disk, guest = linux.disk(OPEN), linux.guest
    guest.run(f"mkfs.ext4 -q -F /dev/{disk} && mount -t ext4 /dev/{disk} /mnt")
    guest.run("""
        for n in $(seq 40); do
            dd if=/dev/urandom of=/mnt/$n bs=64k count=4 conv=fsync status=none && echo $n
        done >/tmp/synced 2>&1 &""")
    for count in (5, 15):
        guest.wait(f"[ $(wc -l </tmp/synced) -ge {count} ]")
        server.kill()
        server.start()
    guest.wait("[ $(wc -l </tmp/synced) -ge 40 ]", 120)
    before = guest.run("cd /mnt && sha256sum $(seq 40)")
    guest.run("umount /mnt")
    linux.logout(OPEN)
    linux.login(OPEN)
    disk = linux.disk(OPEN)
    guest.run(f"fsck.ext4 -f -n /dev/{disk} && mount -t ext4 /dev/{disk} /mnt")
    assert guest.run("cd /mnt && sha256sum $(seq 40)") == before
    saw("40 files with fsync, two kills, fsck.ext4 -f -n: clean")


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
    return relays, guest.run("dmsetup ls --target multipath").split()[0]


def active_paths(count):
    return f"[ $(multipathd show paths format '%t' | grep -c active) = {count} ]"


@pytest.mark.parametrize("how", ["cut", "freeze"])
def test_one_of_two_paths_is_lost_and_comes_back(linux, two_paths, saw, how):
    relays, name = two_paths
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
    relays, name = two_paths
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
