# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's block jobs on disks of its own initiator: what libvirt does with a machine that runs.

The storage daemon stands for the machine: it has QEMU's block layer and jobs, and no processor."""
import json
import os
import shutil
import subprocess
import time

import pytest
from guest import GuestGone
from serving import LOCKED, NAME, SECRET, conf, file_disk, target

CREDENTIAL = f'{{ initiator = "{NAME}"; secret = "{SECRET}"; }}'
HERE = '{ address = "127.0.0.1"; port = $port; }'
MIB = 1 << 20


class Machine:
    """A QEMU storage daemon, steered over its standard input and output (QMP)."""

    def __init__(self, folder):
        self.nbd = folder / "nbd"
        (folder / "chap").write_text(SECRET)
        self.process = subprocess.Popen(
            ["qemu-storage-daemon", "--chardev", "stdio,id=qmp", "--monitor", "qmp",
             "--object", f"secret,id=chap,file={folder / 'chap'}",
             "--nbd-server", f"addr.type=unix,addr.path={self.nbd}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.events = []
        assert "QMP" in self.message()
        self("qmp_capabilities")

    def message(self):
        line = self.process.stdout.readline()
        if not line:
            raise GuestGone("the storage daemon has ended")
        return json.loads(line)

    def __call__(self, command, **arguments):
        arguments = {key.replace("_", "-"): value for key, value in arguments.items()}
        self.process.stdin.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        while "event" in (answer := self.message()):
            self.events.append(answer)
        assert "return" in answer, f"{command}: {answer}"
        return answer["return"]

    def wait(self, event):
        """The next event of that name, which may have come already."""
        while not (found := [e for e in self.events if e["event"] == event]):
            self.events.append(self.message())
        self.events.remove(found[0])
        return found[0]["data"]

    def disk(self, server, lun):
        """A LUN of the server as the node `lunN`."""
        self("blockdev-add", driver="iscsi", node_name=f"lun{lun}", transport="tcp",
             portal=server.portal, target=LOCKED, lun=lun, initiator_name=NAME,
             user=NAME, password_secret="chap", discard="unmap")

    def end(self, job):
        """A job that mirrors or commits has caught up; it ends, without an error."""
        self.wait("BLOCK_JOB_READY")
        self("job-complete", id=job)
        done = self.wait("BLOCK_JOB_COMPLETED")
        assert "error" not in done, done

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        finally:
            self.process.kill()


@pytest.fixture
def machine(make_server, tmp_path):
    """A machine. It lets go of its disks before the server of the test is stopped."""
    del make_server
    if not shutil.which("qemu-storage-daemon"):
        pytest.skip("qemu-storage-daemon is not installed")
    machine = Machine(tmp_path)
    yield machine
    machine.close()


@pytest.fixture
def server(make_server):
    luns = ",".join(file_disk("64M", f"{lun}.img", lun) for lun in (0, 1))
    server = make_server(conf(target(LOCKED, luns, "chap", CREDENTIAL), portals=HERE))
    (server.dir / "0.img").write_bytes(os.urandom(MIB) * 64)
    return server.start()


@pytest.fixture
def io(machine, run):
    """io(node, command...): does that with a node as a machine would."""
    def call(node, *commands):
        machine("block-export-add", type="nbd", id=node, node_name=node, writable=True)
        args = [arg for c in commands for arg in ("-c", c)]
        run("qemu-io", "-f", "raw", *args, f"nbd+unix:///{node}?socket={machine.nbd}")
        machine("block-export-del", id=node, mode="hard")
        machine.wait("BLOCK_EXPORT_DELETED")
    return call


def image(server, lun):
    return (server.dir / f"{lun}.img").read_bytes()


def test_a_disk_is_mirrored_while_the_server_is_killed(machine, server, saw):
    for lun in (0, 1):
        machine.disk(server, lun)
    machine("blockdev-mirror", job_id="mirror", device="lun0", target="lun1", sync="full",
            speed=16 * MIB)
    for _ in range(2):
        time.sleep(0.7)
        server.kill()
        server.start()
    machine.end("mirror")
    assert image(server, 0) == image(server, 1)
    saw("64 MiB from LUN 0 to LUN 1, killed twice meanwhile")


def test_a_snapshot_is_taken_backed_up_and_committed_back(machine, server, io, run, tmp_path, saw):
    for lun in (0, 1):
        machine.disk(server, lun)
    before = image(server, 0)
    run("qemu-img", "create", "-q", "-f", "qcow2", tmp_path / "snapshot", "64M")
    machine("blockdev-add", driver="file", filename=str(tmp_path / "snapshot"), node_name="file")
    machine("blockdev-add", driver="qcow2", file="file", node_name="snapshot", backing="lun0")
    io("snapshot", "write -P 7 1M 3M", "write -z 5M 1M", "discard 10M 2M")
    assert image(server, 0) == before
    machine("blockdev-backup", job_id="backup", device="lun0", target="lun1", sync="full")
    assert "error" not in machine.wait("BLOCK_JOB_COMPLETED")
    assert image(server, 1) == before
    machine("block-commit", job_id="commit", device="snapshot")
    machine.end("commit")
    after = image(server, 0)
    assert after[MIB:6 * MIB] == b"\x07" * 3 * MIB + before[4 * MIB:5 * MIB] + bytes(MIB)
    assert after[12 * MIB:] == before[12 * MIB:] and image(server, 1) == before
    saw("written beside the disk, backed up as it was before, committed to it")


def test_a_disk_that_grew_is_larger_for_a_machine_that_runs(machine, server, io, saw):
    machine.disk(server, 1)
    grown = server.conf.read_text().replace('"1.img"; size = "64M"', '"1.img"; size = "128M"')
    server.write_conf(grown)
    server.reload()
    server.wait_for_log("the new configuration is in force")
    machine("block_resize", node_name="lun1", size=128 * MIB)
    io("lun1", "write -P 7 127M 1M")
    assert image(server, 1)[-MIB:] == b"\x07" * MIB
    saw("from 64 to 128 MiB")
