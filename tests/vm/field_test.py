# SPDX-License-Identifier: BSD-2-Clause
"""What hosts in the field do and meet: IPv6, redirection, many disks, crashes, resets, long rests."""
import json
import time

import pytest
from conftest import IMAGE
from fio import Fio, wait_for_writes
from guest import HOST, Guest, GuestError
from openiscsi import QUICK, OpenIscsi
from serving import LOCKED, MUTUAL, NAME, OPEN, TARGET, conf, file_disk, locked_disk, open_disk, target


@pytest.fixture
def sessions(ctl):
    """sessions(server): all that it has."""
    return lambda server: json.loads(ctl(server, "--json", "sessions").stdout)["sessions"]


# --- addresses ------------------------------------------------------------------------------

def test_ipv6(linux, start, sessions, saw):
    # What the guest calls fec0::2 is this machine's ::1.
    server = start(conf(target(OPEN, file_disk("64M")), portals='{ address = "::1"; port = $port; '
                        'advertise = "[fec0::2]:$port"; }'))
    guest = linux.guest
    guest.wait("ip -6 addr show dev eth0 | grep 'fec0:.* scope site' | grep -qv tentative")
    linux.portal = f"[fec0::2]:{server.port}"
    assert linux.discover() == [(linux.portal, 1, OPEN)]
    linux.login(OPEN)
    disk = linux.disk(OPEN, portal=f"fec0::2:{server.port}")
    guest.run(f"mkfs.ext4 -q -F /dev/{disk} && fsck.ext4 -f -n /dev/{disk}")
    found = sessions(server)
    assert found[0]["peer"].startswith("[::1]:"), found
    saw(f"{linux.portal}, from {found[0]['peer']}")


def test_a_target_that_moved_is_found(linux, start, sessions, saw):
    there = start(conf(target(OPEN, file_disk("64M"))))
    here = start(conf(f'{{ name = "{OPEN}"; auth = "none"; '
                      f'redirect = "{HOST}:{there.port}"; }}'))
    linux.discover(here)
    linux.login(OPEN)
    assert sessions(here) == []
    assert [s["initiator"] for s in sessions(there)] == [NAME]
    saw(f"discovered at port {here.port}, logged in at port {there.port}")


# --- many of them -----------------------------------------------------------------------------

def test_many_targets_with_many_disks(linux, start, sessions, saw):
    targets, luns = 4, 5
    server = start(conf(*[
        target(f"{TARGET}t{t:02}", ",".join(
            f'{{ lun = {n}; store = "ram"; size = "8M"; }}' for n in range(luns)))
        for t in range(targets)]))
    guest = linux.guest
    assert len(linux.discover(server)) == targets
    guest.run("iscsiadm -m node -L all", 240)
    guest.wait(f"[ $(ls /dev/disk/by-path | wc -l) = {targets * luns} ]", 240)
    assert len(sessions(server)) == targets
    guest.run("for d in /dev/disk/by-path/*; do echo $d | dd of=$d bs=512 conv=sync,fsync "
              "status=none; done", 240)
    guest.run("udevadm settle; iscsiadm -m node -U all", 240)
    assert sessions(server) == []
    guest.run("iscsiadm -m node -L all", 240)
    guest.wait(f"[ $(ls /dev/disk/by-path | wc -l) = {targets * luns} ]", 240)
    guest.run("for d in /dev/disk/by-path/*; do echo $d | cmp -n ${#d} - $d || exit 1; done", 240)
    saw(f"{targets * luns} disks of {targets} targets, each with what was written to it")


@pytest.mark.parametrize("luns", [
    '{ lun = 0; store = "ram"; size = "64M"; }',
    '{ lun = 0; store = "ram"; size = "64M"; block_size = 4096; }',
    file_disk("64M"), file_disk("64M", more="block_size = 4096;"),
], ids=["ram-512", "ram-4096", "file-512", "file-4096"])
def test_reads_and_writes_of_all_sizes_at_a_time(linux, start, saw, luns):
    server = start(open_disk(luns))
    linux.discover(server)
    linux.login(OPEN)
    out = linux.guest.run(
        f"fio --name=mixed --filename=/dev/{linux.disk(OPEN)} --size=64M --direct=1 "
        "--ioengine=libaio --iodepth=32 --rw=randrw --bsrange=4k-4m --blockalign=4k "
        "--verify=crc32c --verify_fatal=1 --verify_backlog=64 --io_size=192M", 300)
    saw([line.strip() for line in out.splitlines() if "IOPS" in line][-1])


# --- trouble of the host ------------------------------------------------------------------------

def test_a_host_that_crashed_logs_in_again_at_once(machines, make_server, sessions, saw):
    server = make_server(locked_disk(file_disk("64M"))).start()
    machines.drop()
    for crash in (True, False):
        started = time.monotonic()
        with Guest(IMAGE, IMAGE / "log/crash") as guest:
            linux = OpenIscsi(guest)
            linux.start()
            linux.configure(chap=MUTUAL)
            linux.discover(server)
            before = time.monotonic()
            linux.login(LOCKED)
            took = time.monotonic() - before
            disk = linux.disk(LOCKED)
            if crash:
                guest.run(f"echo before the crash | dd of=/dev/{disk} conv=sync,fsync status=none")
                guest.kill()
            else:
                assert "before the crash" in guest.run(f"head -c 512 /dev/{disk}")
                assert len(sessions(server)) == 1
                linux.logout(LOCKED)
    saw(f"the login after the crash took {took:.1f} s; the old session is gone")
    assert time.monotonic() - started < 120


@pytest.mark.parametrize("what", ["--device", "--target"])
def test_resets_while_fio_writes(linux, start, sessions, saw, what):
    server = start(open_disk(file_disk("64M")))
    linux.discover(server)
    linux.login(OPEN)
    disk, guest = linux.disk(OPEN), linux.guest
    generic = linux.generic(disk)
    fio = Fio(guest, f"/dev/{disk}")
    for _ in range(5):
        wait_for_writes(guest, disk, 10)
        guest.run(f"sg_reset --no-escalate {what} {generic}")
    rounds = fio.finish()
    saw(f"five resets, {rounds} rounds of fio without an error, {len(sessions(server))} session")


# --- disks that change ------------------------------------------------------------------------

def test_a_disk_that_goes_away_does_not_disturb_the_others(linux, start, ctl, saw):
    both = ",".join([file_disk("64M"), file_disk("64M", "gone.img", 1)])
    server = start(open_disk(both))
    linux.discover(server)
    linux.login(OPEN)
    disk, guest = linux.disk(OPEN), linux.guest
    gone = linux.disk(OPEN, 1)
    fio = Fio(guest, f"/dev/{disk}")
    wait_for_writes(guest, disk)
    server.write_conf(open_disk(file_disk("64M")))
    ctl(server, "reload")
    with pytest.raises(GuestError):
        guest.run(f"dd if=/dev/{gone} of=/dev/null bs=4k count=1 iflag=direct status=none")
    wait_for_writes(guest, disk)
    guest.run(f"iscsiadm -m node -T {OPEN} --rescan")
    saw(f"LUN 1 gone, {fio.finish()} rounds of fio on LUN 0 without an error")


def test_a_read_only_disk_is_known_to_be_one(linux, start, ctl, saw):
    server = start(open_disk(file_disk("64M")))
    linux.discover(server)
    linux.login(OPEN)
    guest = linux.guest
    guest.run(f"mkfs.ext4 -q -F /dev/{linux.disk(OPEN)}")
    linux.logout(OPEN)
    server.stop()
    server.write_conf(open_disk(file_disk("64M").replace("create = true;", "read_only = true;")))
    server.start()
    linux.login(OPEN)
    disk = linux.disk(OPEN)
    assert guest.run(f"cat /sys/block/{disk}/ro").strip() == "1"
    guest.run(f"mount -t ext4 -o ro /dev/{disk} /mnt && umount /mnt")
    with pytest.raises(GuestError):
        guest.run(f"dd if=/dev/zero of=/dev/{disk} bs=4k count=1 oflag=direct status=none")
    saw("ro is 1; mounted read-only")


# --- rest -----------------------------------------------------------------------------------------

def test_an_idle_session_is_kept_by_the_pings_of_both_sides(linux, start, sessions, saw):
    server = start(open_disk(file_disk("64M"),
                             more="iscsi = { nop_interval = 1; nop_timeout = 2; };"))
    linux.configure({**QUICK, "node.conn[0].timeo.noop_out_interval": 2,
                     "node.conn[0].timeo.noop_out_timeout": 2})
    linux.discover(server)
    linux.login(OPEN)
    disk, guest = linux.disk(OPEN), linux.guest
    before = sessions(server)[0]
    time.sleep(15)
    after = sessions(server)
    assert [s["tsih"] for s in after] == [before["tsih"]]
    assert "conn error" not in guest.run("dmesg")
    guest.run(f"dd if=/dev/{disk} of=/dev/null bs=4k count=1 iflag=direct status=none")
    saw(f"session {before['tsih']} all the time, {after[0]['age_ms'] // 1000} s old")
