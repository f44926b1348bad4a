# SPDX-License-Identifier: BSD-2-Clause
"""Linux boots from a Countersign disk: its loader, kernel and initramfs lie there, and it goes on
to use the disk."""
import json
import os
import shutil
import subprocess

import pytest
from conftest import IMAGE
from guest import HOST, KERNEL_OPTIONS, Guest
from openiscsi import NAME
from serving import LOCKED, SECRET, TARGET_SECRET, file_disk, locked_disk

SYSLINUX = f"""
SERIAL 0 115200
DEFAULT linux
LABEL linux
KERNEL vmlinuz
INITRD initramfs.cpio
APPEND {KERNEL_OPTIONS}
"""


@pytest.fixture(scope="module")
def linux_disk(machines, tmp_path_factory):
    """A disk image of 256 MiB with the guest and a loader for it."""
    del machines    # which has built the guest
    for tool in ("mformat", "syslinux"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    folder = tmp_path_factory.mktemp("linux")
    disk, config = folder / "disk", folder / "syslinux.cfg"
    disk.touch()
    os.truncate(disk, 256 << 20)
    config.write_text(SYSLINUX)
    for command in (["mformat", "-i", disk, "-T", "524288", "-h", "255", "-s", "63", "-H", "0",
                     "-F", "::"],
                    ["mcopy", "-i", disk, config, IMAGE / "vmlinuz", IMAGE / "initramfs.cpio", "::"],
                    ["syslinux", "-i", disk]):
        subprocess.run(command, check=True)
    return disk


@pytest.fixture
def server(make_server, linux_disk):
    """A server behind mutual CHAP whose LUN 0 has the guest, and whose LUN 1 is empty."""
    luns = file_disk("256M", "boot.img") + "," + file_disk("64M", "data.img", 1)
    server = make_server(locked_disk(luns))
    shutil.copyfile(linux_disk, server.dir / "boot.img")
    return server.start()


def write_and_read(guest, disk):
    """Makes a file system on a disk, fills it, and finds in it what was written."""
    guest.run(f"""
        mkfs.ext4 -q -F /dev/{disk} && mount -t ext4 /dev/{disk} /mnt
        dd if=/dev/urandom of=/tmp/random bs=1M count=16 status=none
        cp /tmp/random /mnt && umount /mnt
        mount -t ext4 /dev/{disk} /mnt && cmp /tmp/random /mnt/random && fstrim /mnt
        umount /mnt && fsck.ext4 -f -n /dev/{disk}""")


def test_linux_boots_from_a_disk_of_qemus_initiator(server, iscsi_drive, saw):
    disks = [option for lun in (0, 1)
             for option in iscsi_drive(server.port, LOCKED, NAME, SECRET, lun=lun)]
    with Guest(IMAGE, IMAGE / "log/qemu", *disks, boot=[]) as guest:
        assert "BOOT_IMAGE=vmlinuz" in guest.run("cat /proc/cmdline")   # as the loader says
        guest.run("modprobe virtio_blk")
        guest.wait("[ -b /dev/vda ] && [ -b /dev/vdb ]")
        assert guest.run("cat /sys/block/vda/size").strip() == str(256 << 11)
        write_and_read(guest, "vdb")
    saw("loader, kernel and initramfs from LUN 0, ext4 on LUN 1, by CHAP")


def test_linux_boots_by_ipxe_and_logs_in_by_what_that_left(server, ctl, tmp_path, saw):
    (tmp_path / "boot.ipxe").write_text(f"""#!ipxe
set initiator-iqn {NAME}
set username {NAME}
set password {SECRET}
set reverse-username {LOCKED}
set reverse-password {TARGET_SECRET}
sanboot iscsi:{HOST}::{server.port}:0:{LOCKED}
""")
    with Guest(IMAGE, IMAGE / "log/ipxe", boot=["-boot", "n"], rom="bootindex=1",
               net=f",tftp={tmp_path},bootfile=boot.ipxe") as guest:
        assert "BOOT_IMAGE=vmlinuz" in guest.run("cat /proc/cmdline")
        guest.run("modprobe -a iscsi_ibft iscsi_tcp")
        left = guest.run("cd /sys/firmware/ibft && cat initiator/initiator-name target0/target-name "
                         "target0/chap-name target0/rev-chap-name").split()
        assert left == [NAME, LOCKED, NAME, LOCKED]
        guest.run("iscsistart -b")
        guest.wait("[ -b /dev/sdb ]")
        sessions = json.loads(ctl(server, "--json", "sessions").stdout)["sessions"]
        assert {s["auth"] for s in sessions} == {"mutual CHAP"}
        write_and_read(guest, "sdb")
    saw("iPXE booted LUN 0 by mutual CHAP; iscsistart -b logged in by mutual CHAP from the iBFT")
