# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures for machines that boot from an iSCSI disk: by iPXE's initiator or by QEMU's own."""
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from guest import QEMU, qemu
from openiscsi import NAME

HERE = Path(__file__).parent
TEXT = "This is sector 1000.\r\n"


@pytest.fixture(scope="session")
def boot_sector(tmp_path_factory):
    folder = tmp_path_factory.mktemp("boot")
    subprocess.run(["gcc", "-m32", "-c", "-o", folder / "boot.o", HERE / "guest/boot.S"], check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-Ttext", "0x7c00", "--oformat", "binary", "-o",
                    folder / "boot", folder / "boot.o"], check=True)
    sector = (folder / "boot").read_bytes()
    assert len(sector) == 512
    return sector


@pytest.fixture
def bootable(boot_sector):
    """bootable(path): makes a disk image that can be booted. It has 16 MiB: iPXE boots from none
    below 8, a cylinder of its geometry."""
    def call(path):
        with open(path, "wb") as f:
            f.truncate(16 << 20)
            f.write(boot_sector)
            f.seek(1000 * 512)
            f.write(TEXT.encode())
    return call


@dataclass
class Boot:
    status: int
    said: str


@pytest.fixture
def boot(tmp_path):
    """boot(*options): a machine's exit status and what it said on its serial port."""
    if not shutil.which(QEMU):
        pytest.skip(f"{QEMU} is not installed")

    def call(*options, seconds=180, **kwargs):
        out = tmp_path / "serial"
        out.write_text("")
        with qemu("-serial", f"file:{out}", "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
                  *options, memory=64, **kwargs) as machine:
            try:
                status = machine.wait(seconds)
            finally:
                machine.kill()
        said = re.sub(r"\x1b\[[0-9;]*[A-Za-z]|\x1bc", "", out.read_text(errors="replace"))
        return Boot(status, said.replace("\r", ""))
    return call


@pytest.fixture
def ipxe(boot, tmp_path):
    """ipxe(*lines): boots the network card's iPXE, which gets these lines as a script."""
    def call(*lines):
        folder = tmp_path / "tftp"
        folder.mkdir(exist_ok=True)
        (folder / "boot.ipxe").write_text("\n".join(["#!ipxe", f"set initiator-iqn {NAME}", *lines,
                                                     "echo no boot", "reboot"]) + "\n")
        return boot("-netdev", f"user,id=net,tftp={folder},bootfile=boot.ipxe",
                    "-device", "virtio-net-pci,netdev=net", "-boot", "n",
                    machine="pc,vmport=off,graphics=off")
    return call


@pytest.fixture
def iscsi_drive(tmp_path):
    """iscsi_drive(port, name, user, secret): QEMU's options for a disk of that target."""
    def call(port, name, user="", secret="", device="virtio-blk-pci", lun=0):
        drive = f"driver=iscsi,node-name=disk{lun},transport=tcp,portal=127.0.0.1:{port}," \
                f"target={name},lun={lun},initiator-name={NAME},discard=unmap"
        options = []
        if user:
            (tmp_path / "secret").write_text(secret)
            options = ["-object", f"secret,id=chap{lun},file={tmp_path / 'secret'}"]
            drive += f",user={user},password-secret=chap{lun}"
        return [*options, "-blockdev", drive, "-device", f"{device},drive=disk{lun}"]
    return call
