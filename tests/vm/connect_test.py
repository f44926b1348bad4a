# SPDX-License-Identifier: BSD-2-Clause
"""What `countersignctl connect` prints is typed as it stands: into Linux, iPXE and QEMU."""
import re
import shlex

import pytest
from boot_test import BOOTED, MARK, mark, start_with_disk  # noqa: F401 a fixture
from conftest import IMAGE
from guest import HOST, Guest
from openiscsi import NAME
from serving import CREDENTIAL, LOCKED, OPEN, conf, file_disk, locked_disk, open_disk, target

DISK = file_disk("16M")
HERE = '{ address = "127.0.0.1"; port = $port; }'       # for QEMU's driver, which is on this machine


@pytest.fixture
def told(ctl):
    """told(server, name, os): the text."""
    return lambda server, name, os: ctl(
        server, "connect", name, "--os", os, "--show-secret").stdout


def step(text, number):
    """What a numbered step has to be typed or written: its indented lines."""
    part = re.split(r"^(?=\d\. )", text, flags=re.M)[number]
    return re.findall(r"^ {5}(\S.*)$", part, re.M)


@pytest.mark.parametrize("name, text, way", [
    (LOCKED, locked_disk(), "mutual CHAP, SHA3-256"), (OPEN, open_disk(), "none"),
    (LOCKED, locked_disk(more=f'discovery = {{ auth = "chap"; credentials = ( {{ user = "finder"; '
                              'secret = "discovery-secret"; } ); };'), "mutual CHAP, SHA3-256"),
    (LOCKED, locked_disk(more='discovery = { auth = "chap"; credentials = ( { initiator = '
                              f'"{NAME}-other"; secret = "discovery-secret"; }} ); }};'),
     "mutual CHAP, SHA3-256"),
], ids=["mutual", "open", "discovery", "no_discovery"])
def test_linux_logs_in_by_what_it_is_told(linux, start, told, ctl, saw, name, text, way):
    server = start(text)
    told = told(server, name, "linux")
    guest = linux.guest
    assert name == OPEN or step(told, 1) == [f"InitiatorName={NAME}"]
    guest.write("/etc/iscsi/iscsid.conf", "\n".join(step(told, 2)) + "\n")
    guest.write("/etc/udev/rules.d/60-countersign.rules", "\n".join(step(told, 6)) + "\n")
    guest.run("udevadm control --reload")
    guest.run("\n".join(step(told, 3)) + "\ntrue")      # nothing is on record yet
    guest.run("\n".join(step(told, 4)))
    linux.portal = f"{HOST}:{server.port}"
    path = linux.by_path(name)
    assert [line.split()[-1] for line in step(told, 5)] == [path]
    assert guest.run("\n".join(step(told, 5))).strip()
    assert way in ctl(server, "sessions").stdout
    disk = linux.disk(name)
    assert guest.run(f"cat /sys/block/{disk}/device/timeout").strip() == "600"
    guest.run("\n".join(step(told, 3)))                 # now something is
    assert linux.sessions() == 0
    assert guest.status("iscsiadm -m node")[0] == 21    # no records
    saw("; ".join(step(told, 4)))


def test_linux_finds_its_tapes_where_it_is_told(linux, start, told, saw):
    vtl = OPEN + "-vtl"
    server = start(open_disk(more=f'''libraries = ( {{ name = "vtl"; layout = "luns"; auth = "none";
        target = "{vtl}"; drives = 2; slots = 4; import_export = 2; path = "vtl";
        tapes = ( {{ barcode = "TEST01L5"; size = "1G"; }} ); }} );'''))
    told = told(server, vtl, "linux")
    guest = linux.guest
    guest.write("/etc/iscsi/iscsid.conf", "\n".join(step(told, 2)) + "\n")
    guest.run("modprobe -a st ch sg")
    guest.run("\n".join(step(told, 4)))
    changer, *drives = step(told, 5)
    assert len(drives) == 2
    for drive in drives:
        guest.wait(f"[ -c {drive.split()[-1]} ]")
    guest.wait(changer.partition("#")[0])
    assert "TEST01L5" in "".join(guest.run(look) for look in step(told, 6))
    saw("; ".join(step(told, 5)))


TWO_PORTALS = '''
    { address = "127.0.0.1"; port = $port; advertise = "10.0.2.2:$port"; },
    { address = "127.0.0.1"; port = $other_port; group = 2; advertise = "10.0.2.2:$other_port"; }'''


def test_linux_keeps_one_way_to_a_tape(linux, start, told, saw):
    vtl = OPEN + "-vtl"
    server = start(open_disk(portals=TWO_PORTALS, more=f'''libraries = ( {{ name = "vtl";
        target_prefix = "{vtl}"; drives = 1; slots = 4; import_export = 2; path = "vtl"; }} );'''))
    told = told(server, vtl + "-tapedrive-01", "linux")
    guest = linux.guest
    guest.write("/etc/iscsi/iscsid.conf", "\n".join(step(told, 2)) + "\n")
    guest.run("\n".join(step(told, 4)))
    assert linux.sessions() == 1
    kept = guest.run("iscsiadm -m node | grep tapedrive-01").splitlines()
    assert kept == [f"{HOST}:{server.port},1 {vtl}-tapedrive-01"]
    saw("; ".join(step(told, 4)))


def test_linux_takes_both_ways_to_a_disk_for_multipath(linux, start, told, ctl, saw):
    server = start(locked_disk(portals=TWO_PORTALS))
    told = told(server, LOCKED, "linux")
    guest = linux.guest
    guest.write("/etc/iscsi/iscsid.conf", "\n".join(step(told, 2)) + "\n")
    lines = step(told, 4)
    assert lines[-1] == lines[-2].replace("--login", "-o delete")   # with multipath, and without
    guest.run("\n".join(lines[:-1]))
    assert linux.sessions() == 2
    assert ctl(server, "sessions").stdout.count("mutual CHAP, SHA3-256") == 2
    saw("; ".join(lines))


def test_ipxe_boots_by_what_it_is_told(start_with_disk, told, ipxe, saw):  # noqa: F811
    server = start_with_disk(locked_disk(DISK))
    script = told(server, LOCKED, "ipxe").splitlines()
    found = ipxe(*script[1:-1], script[-1] + " ||")
    assert (found.status, mark(server)) == (BOOTED, MARK), found.said
    server.wait_for_log(f"logged in to {LOCKED}, authentication mutual CHAP MD5")
    saw(script[-1])


def test_qemu_boots_by_what_it_is_told(start_with_disk, told, boot, saw, tmp_path, monkeypatch,  # noqa: F811
                                       run):
    server = start_with_disk(conf(target(LOCKED, DISK, "chap", CREDENTIAL), portals=HERE))
    look, machine = told(server, LOCKED, "qemu").split("\n\n", 1)[1].split("  qemu-system-x86_64")
    monkeypatch.chdir(tmp_path)
    assert "virtual size: 16 MiB" in run("bash", "-ec", look).stdout
    found = boot(*shlex.split(machine.replace("\\\n", "")))
    assert (found.status, mark(server)) == (BOOTED, MARK), found.said
    saw(look.splitlines()[-1].strip())


def test_qemu_hands_a_tape_library_through_by_what_it_is_told(start, machines, told, saw, tmp_path,
                                                              monkeypatch, run):
    del machines    # which has built the guest
    server = start(conf(portals=HERE, more=f'''libraries = ( {{ name = "vtl"; layout = "luns";
        target = "{LOCKED}"; drives = 1; slots = 4; import_export = 2; path = "vtl";
        credentials = ( {CREDENTIAL} );
        tapes = ( {{ barcode = "TAPE01L5"; size = "1G"; }} ); }} );'''))
    first, machine = told(server, LOCKED, "qemu").split("\n\n", 1)[1].split("  qemu-system-x86_64")
    monkeypatch.chdir(tmp_path)
    run("bash", "-ec", first)
    with Guest(IMAGE, IMAGE / "log/library", *shlex.split(machine.replace("\\\n", ""))) as guest:
        guest.run("modprobe -a virtio_scsi st sg ch")
        guest.wait("[ -c /dev/nst0 ] && [ -c /dev/sch0 ]")
        changer = guest.run("lsscsi -g | awk '/mediumx/ { print $NF }'").strip()
        guest.run(f"mtx -f {changer} load 1 0")
        guest.run("""
            dd if=/dev/urandom of=/tmp/random bs=1M count=16 status=none
            mt -f /dev/nst0 setblk 0 && tar -C / -b 128 -cf /dev/nst0 tmp/random
            mt -f /dev/nst0 rewind && tar -C / -b 128 -df /dev/nst0 && mt -f /dev/nst0 offline""")
        guest.run(f"mtx -f {changer} unload 1 0")
        assert "1:Full :VolumeTag=TAPE01L5" in guest.run(f"mtx -f {changer} status")
    saw("a cartridge loaded, written by tar, compared and unloaded by a machine without iSCSI")
