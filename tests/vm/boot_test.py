# SPDX-License-Identifier: BSD-2-Clause
"""Machines boot from a Countersign disk: by iPXE's initiator and by QEMU's own."""
import re

import pytest
from booting import TEXT
from conftest import ROOT
from guest import HOST
from openiscsi import NAME
from serving import (CREDENTIAL, LOCKED, OPEN, SECRET, TARGET, TARGET_SECRET, conf, file_disk,
                     locked_disk, open_disk, target)

BOOTED = 1      # the exit status that the boot sector chooses when all is well
MARK = b"written by the boot sector\0"
DISK = file_disk("16M")


@pytest.fixture
def start_with_disk(make_server, bootable):
    """start_with_disk(text): a server whose disk.img can be booted."""
    def call(text):
        server = make_server(text)
        bootable(server.dir / "disk.img")
        return server.start()
    return call


def mark(server):
    """What is where the boot sector writes."""
    with open(server.dir / "disk.img", "rb") as f:
        f.seek(2000 * 512)
        return f.read(len(MARK))


def booted(found, server):
    assert (found.status, "boot sector: done" in found.said) == (BOOTED, True), found.said
    assert TEXT.strip() in found.said
    assert mark(server) == MARK


def not_booted(found, server):
    assert "boot sector" not in found.said
    assert mark(server) != MARK


# --- iPXE -----------------------------------------------------------------------------------

def sanboot(server, name, lun=0):
    return f"sanboot iscsi:{HOST}::{server.port}:{lun:x}:{name} ||"


ONE_WAY = [f"set username {NAME}", f"set password {SECRET}"]
MUTUAL = ONE_WAY + [f"set reverse-username {LOCKED}", f"set reverse-password {TARGET_SECRET}"]


def version(said):
    return re.search(r"iPXE \d\S+", said)[0]


def test_ipxe_boots_without_chap(start_with_disk, ipxe, saw):
    server = start_with_disk(open_disk(DISK))
    found = ipxe(sanboot(server, OPEN))
    booted(found, server)
    saw(version(found.said))


@pytest.mark.parametrize("credentials, more", [
    (ONE_WAY, "CHAP"), (MUTUAL, "mutual CHAP")], ids=["one_way", "mutual"])
def test_ipxe_boots_with_chap(start_with_disk, ipxe, saw, credentials, more):
    server = start_with_disk(locked_disk(DISK))
    found = ipxe(*credentials, sanboot(server, LOCKED))
    booted(found, server)
    server.wait_for_log(f"logged in to {LOCKED}, authentication {more} MD5")
    saw(f"{version(found.said)}, {more}, MD5")


def test_ipxe_boots_from_a_lun_above_nine(start_with_disk, ipxe):
    server = start_with_disk(open_disk(file_disk("16M", lun=31)))
    booted(ipxe(sanboot(server, OPEN, 31)), server)


def test_ipxe_follows_a_redirection(start_with_disk, ipxe, saw):
    moved = TARGET + "moved"
    text = conf(target(moved, DISK),
                portals='{ address = "127.0.0.1"; port = $port; },'
                        '{ address = "127.0.0.1"; port = $other_port; group = 2; }')
    server = start_with_disk(text)
    first = start_with_disk(conf(
        f'{{ name = "{moved}"; auth = "none"; redirect = "{HOST}:{server.port}"; }}'))
    booted(ipxe(sanboot(first, moved)), server)
    first.wait_for_log("redirect|moved")
    saw(f"from port {first.port} to {server.port}")


@pytest.mark.parametrize("credentials", [
    [f"set username {NAME}", "set password not-the-secret-1"],
    ["set username nobody", f"set password {SECRET}"],
    [],
], ids=["wrong_password", "wrong_username", "without_chap"])
def test_the_target_refuses_ipxe(start_with_disk, ipxe, saw, credentials):
    server = start_with_disk(locked_disk(DISK))
    found = ipxe(*credentials, sanboot(server, LOCKED))
    not_booted(found, server)
    server.wait_for_log("refused")
    saw(re.search("Could not .*", found.said)[0].strip())


@pytest.mark.parametrize("credentials", [
    ONE_WAY + [f"set reverse-username {LOCKED}", "set reverse-password not-the-secret-2"],
    ONE_WAY + ["set reverse-username nobody", f"set reverse-password {TARGET_SECRET}"],
], ids=["wrong_reverse_password", "wrong_reverse_username"])
def test_ipxe_refuses_the_target(start_with_disk, ipxe, saw, credentials):
    server = start_with_disk(locked_disk(DISK))
    found = ipxe(*credentials, sanboot(server, LOCKED))
    not_booted(found, server)
    saw(re.search("Could not .*", found.said)[0].strip())


def test_the_example_for_ipxe_boots_by_mutual_chap(start_with_disk, demo_targets, ipxe):
    server = start_with_disk(conf(demo_targets(DISK)))
    script = (ROOT / "examples/ipxe/boot.ipxe").read_text()
    script = script.replace("192.0.2.10::3260:", f"{HOST}::{server.port}:")
    booted(ipxe(*script.splitlines()[1:]), server)
    server.wait_for_log("authentication mutual CHAP MD5")


# --- QEMU's driver --------------------------------------------------------------------------

@pytest.mark.parametrize("device", ["virtio-blk-pci", "ide-hd"])
def test_qemu_boots_without_chap(start_with_disk, boot, iscsi_drive, device):
    server = start_with_disk(open_disk(DISK))
    booted(boot(*iscsi_drive(server.port, OPEN, device=device)), server)


def test_qemu_boots_with_chap(start_with_disk, boot, iscsi_drive, saw):
    server = start_with_disk(locked_disk(DISK))
    booted(boot(*iscsi_drive(server.port, LOCKED, NAME, SECRET)), server)
    saw(server.wait_for_log(r"logged in to .*")[0])


def test_the_target_refuses_qemu(start_with_disk, boot, iscsi_drive):
    server = start_with_disk(locked_disk(DISK))
    found = boot(*iscsi_drive(server.port, LOCKED, NAME, "not-the-secret-1"))
    assert found.status == 1 and found.said == ""       # QEMU does not even start
    not_booted(found, server)
    server.wait_for_log("refused")


def test_the_example_for_qemu_boots(start_with_disk, boot, monkeypatch, tmp_path):
    server = start_with_disk(locked_disk(DISK))
    (tmp_path / "secret").write_text(SECRET)
    for name, value in {"PORTAL": server.portal, "TARGET": LOCKED, "INITIATOR": NAME,
                        "SECRET_FILE": str(tmp_path / "secret")}.items():
        monkeypatch.setenv(name, value)
    booted(boot(program=ROOT / "examples/qemu/boot"), server)
