# SPDX-License-Identifier: BSD-2-Clause
"""A newcomer's first quarter of an hour: `make run` here, and what it prints typed on another
machine."""
import os
import subprocess
import time

import pytest
from conftest import ROOT, system
from connect_test import step

DEMO, TAPES = "iqn.2026-11.org.countersign:demo", "iqn.2026-11.org.countersign:tapes"


def own_address():
    """An address of this machine that others reach; None without one."""
    said = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()
    return next((address for address in said if "." in address), None)


@pytest.fixture
def printed(programs, tmp_path):
    """What scripts/demo has printed, with its server running until the test is over."""
    address, port = own_address(), system.free_port()
    if not address:
        pytest.skip("this machine has no address but loopback")
    build = tmp_path / "build"
    build.mkdir()
    for name in ("countersignd", "countersignctl"):
        (build / name).symlink_to(programs / name)
    out = tmp_path / "out"
    with open(out, "wb") as f:
        process = subprocess.Popen(
            [ROOT / "scripts/demo", build], stdin=subprocess.DEVNULL, stdout=f, stderr=f,
            env={**os.environ, **system.SANITIZER_OPTIONS, "ADDRESS": address, "PORT": str(port)})
    deadline = time.monotonic() + system.READY_SECONDS
    while "Ctrl-C stops the server" not in out.read_text():
        assert process.poll() is None and time.monotonic() < deadline, out.read_text()
        time.sleep(0.05)
    yield out.read_text()
    process.terminate()
    assert process.wait(system.STOP_SECONDS) == 0, out.read_text()


def type_in(guest, told):
    """Steps 1 to 4 of what is told for Linux, as they stand."""
    guest.write("/etc/iscsi/iscsid.conf", "\n".join(step(told, 2)) + "\n")
    guest.run("\n".join(step(told, 3)) + "\ntrue")
    guest.run("\n".join(step(told, 4)))


def another_shell(printed):
    """What is to be typed into another shell, to the line that asks about the tapes."""
    lines = printed[printed.index("In another shell"):].splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("  PATH="))
    last = next(n for n, line in enumerate(lines) if line.endswith(TAPES))
    return "\n".join(lines[first:last + 1])


def named(told):
    """The files of step 5, which are there sooner or later."""
    return [line.partition("#")[0].split()[-1] for line in step(told, 5)]


def wait_for(guest, files):
    for file in files:
        guest.wait(f"[ -e {file} ]")


def test_what_make_run_prints_leads_from_another_machine_to_disks_and_tapes(printed, linux, saw):
    guest = linux.guest
    disks = printed[printed.index(f"Linux (open-iscsi) to {DEMO}"):]
    type_in(guest, disks)
    file_disk, ram_disk = named(disks)
    wait_for(guest, [file_disk, ram_disk])
    guest.run(f"mkfs.ext4 -q {file_disk} && mount {file_disk} /mnt && cp /etc/group /mnt")

    tapes = subprocess.run(["bash", "-ec", another_shell(printed)], capture_output=True, text=True,
                           check=True).stdout
    guest.run("modprobe -a st ch sg")
    type_in(guest, tapes)
    changer, first, second = named(tapes)
    wait_for(guest, [changer, first, second])
    guest.run(f"""
        mtx -f {changer} load 2 1
        tar -C /mnt -cf {second} group
        mt -f {second} rewind
        tar -C /tmp -xf {second} && cmp /tmp/group /etc/group
        mt -f {second} rewind
        mtx -f {changer} unload 2 1
        umount /mnt""")
    saw(f"ext4 on {file_disk}; a file by tar on {second}, loaded through {changer}")
