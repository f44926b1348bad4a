# SPDX-License-Identifier: BSD-2-Clause
"""The servers that are compared: the floor, ours, and tgt. Each is started when it is first
needed and stands still (SIGSTOP) while another one is measured."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import machine

READY_SECONDS = 60
CHAP = {"user": "bench", "secret": "bench-secret-01",
        "target_user": "target", "target_secret": "target-secret-2"}


class NotMeasured(Exception):
    """Something cannot be run here; the text says why."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A process that serves iSCSI on `port` of the loopback interface."""
    name = ""
    target = "iqn.2026-11.com.example:bench"
    chap_target = "iqn.2026-11.com.example:chap"
    lun = 0

    def __init__(self, cpus):
        self.cpus = cpus
        self.port = free_port()
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    def spawn(self, *command, **kwargs):
        self.process = machine.spawn(self.cpus, *command, **kwargs)

    def wait_until_it_listens(self):
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.01)
        self.stop()
        raise NotMeasured(f"{self.name} does not start")

    def pause(self):
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.pid, signal.SIGCONT)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.resume()
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Floor(Server):
    """limit, sleeping or polling."""

    def __init__(self, cpus, programs, polls):
        super().__init__(cpus)
        self.name = "floor, polling" if polls else "floor, sleeping"
        self.command = [programs / "bench/limit", self.port] + (["spin"] if polls else [])

    def start(self):
        self.spawn(*self.command)
        self.wait_until_it_listens()
        return self


class Ours(Server):
    """countersignd with a configuration of its own in a folder of its own. `settings` are lines
    of the configuration; `disks` and `targets` are more units of the first target, and targets."""

    def __init__(self, cpus, programs, folder, *, settings="reactors = 1;", ram="512M", disks="",
                 targets="", name="ours"):
        super().__init__(cpus)
        self.name = name
        self.programs = programs
        self.dir = Path(tempfile.mkdtemp(prefix="ours-", dir=folder))
        self.conf = self.dir / "countersign.conf"
        row = " ".join(f'{key} = "{value}";' for key, value in CHAP.items())
        self.conf.write_text(f'''state_dir = "state";
{settings}
portals = ( {{ address = "127.0.0.1"; port = {self.port}; }} );
targets = (
  {{ name = "{self.target}"; auth = "none";
    luns = ( {{ lun = 0; store = "ram"; size = "{ram}"; }}{disks} ); }},
  {{ name = "{self.chap_target}"; auth = "chap";
    luns = ( {{ lun = 0; store = "ram"; size = "1M"; }} );
    credentials = ( {{ {row} }} ); }}{targets}
);
''')

    def start(self):
        """Returns when it says that it serves; `started` is how many seconds that took."""
        path = self.dir / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, \
                open(self.dir / "log", "wb") as log:
            notify.bind(str(path))
            notify.settimeout(0.5)
            start = time.monotonic()
            self.spawn(self.programs / "countersignd", "-f", "-c", self.conf, cwd=self.dir,
                       stdout=log, stderr=log, env={**os.environ, "NOTIFY_SOCKET": str(path)})
            self._wait_until_ready(notify, start + READY_SECONDS)
            self.started = time.monotonic() - start
        return self

    def _wait_until_ready(self, notify, deadline):
        while True:
            try:
                if b"READY=1" in notify.recv(4096).split(b"\n"):
                    return
            except TimeoutError:
                pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise NotMeasured("countersignd does not start; see " + str(self.dir / "log"))


class Tgt(Server):
    """Debian's tgt as it is shipped, with a disk in memory (tmpfs)."""
    name = "tgt"
    lun = 1                     # LUN 0 is its controller

    def __init__(self, cpus, folder):
        super().__init__(cpus)
        if not shutil.which("tgtd", path="/usr/sbin:/usr/bin:/sbin:/bin"):
            raise NotMeasured("tgt is not installed")
        if not machine.be_root():
            raise NotMeasured("tgt needs root")
        self.control = free_port() % 30000 + 1000       # names its control socket
        self.log = Path(folder) / "tgt.log"
        self.disk = tempfile.NamedTemporaryFile(prefix="countersign-bench-", dir="/dev/shm")

    def admin(self, *args):
        done = subprocess.run(["tgtadm", "-C", str(self.control), "--lld", "iscsi", *map(str, args)],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotMeasured(f"tgtadm: {done.stderr.strip()}")

    def start(self, size=512 << 20):
        os.ftruncate(self.disk.fileno(), size)
        with open(self.log, "wb") as log:
            self.spawn("tgtd", "-f", "-C", self.control, "--iscsi",
                       f"portal=127.0.0.1:{self.port}", stdout=log, stderr=log)
        self.wait_until_it_listens()
        self._target(1, self.target)
        self._target(2, self.chap_target)
        for kind, extra in (("", []), ("target_", ["--outgoing"])):
            self.admin("--mode", "account", "--op", "new", "--user", CHAP[kind + "user"],
                       "--password", CHAP[kind + "secret"])
            self.admin("--mode", "account", "--op", "bind", "--tid", 2, "--user",
                       CHAP[kind + "user"], *extra)
        return self

    def _target(self, tid, name):
        self.admin("--mode", "target", "--op", "new", "--tid", tid, "-T", name)
        self.admin("--mode", "logicalunit", "--op", "new", "--tid", tid, "--lun", 1, "-b",
                   self.disk.name)
        self.admin("--mode", "target", "--op", "bind", "--tid", tid, "-I", "ALL")

    def stop(self):
        super().stop()
        Path(f"/var/run/tgtd/socket.{self.control}").unlink(missing_ok=True)
        Path(f"/var/run/tgtd/socket.{self.control}.lock").unlink(missing_ok=True)
        self.disk.close()
