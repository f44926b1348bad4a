# SPDX-License-Identifier: BSD-2-Clause
"""A Linux guest under QEMU that runs shell scripts, and what QEMU needs to start any guest.

The guest is what tests/vm/mkguest built, and its /init answers on a virtio serial port:

    with Guest(image, folder) as guest:
        guest.run("iscsiadm --version")     # its output; an exit status but 0 is an error

QEMU runs without KVM unless VM_ACCEL=kvm: a guest is the same everywhere, only slower. In the
guest, 10.0.2.2 is this machine's 127.0.0.1; nothing here needs root or opens a port.
"""
import base64
import os
import select
import socket
import subprocess
import time
from pathlib import Path

HOST = "10.0.2.2"       # what the guest calls this machine
BOOT_SECONDS = 120
QEMU = "qemu-system-x86_64"


class GuestError(AssertionError):
    """A script failed; the message has its output."""


class GuestGone(Exception):
    """The guest does not answer any more."""


def qemu(*options, memory=1024, machine="pc,vmport=off", program=QEMU, **kwargs):
    """Starts QEMU, or a PROGRAM that starts it, with no device but those that OPTIONS name; gives
    the process."""
    accel = os.environ.get("VM_ACCEL", "tcg")
    cpu = (["-accel", "kvm", "-cpu", "host"] if accel == "kvm" else
           ["-accel", f"{accel},thread=multi", "-cpu", "max"])
    return subprocess.Popen(
        [program, "-M", machine, *cpu, "-m", str(memory), "-nodefaults",
         "-no-user-config", "-display", "none", "-no-reboot", *map(str, options)],
        stdin=subprocess.DEVNULL, **kwargs)


KERNEL_OPTIONS = "console=ttyS0 loglevel=5 panic=-1 rdinit=/init"


class Guest:
    """One running guest. `folder` gets what it says: console, qemu.log, and transcript, which has
    every script with its output. QEMU gives it kernel and initramfs unless `boot` has options for
    another way; `net` and `rom` are more options for the network and for the card's own program."""

    def __init__(self, image, folder, *options, boot=None, net="", rom="romfile=", memory=1024):
        if boot is None:
            boot = ["-kernel", image / "vmlinuz", "-initrd", image / "initramfs.cpio",
                    "-append", KERNEL_OPTIONS]
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.console = folder / "console"
        self.transcript = open(folder / "transcript", "a", buffering=1)
        self.unread = b""
        # A path of its own: one for a socket must be short.
        self.channel, theirs = socket.socketpair()
        with theirs, open(folder / "qemu.log", "ab") as log:
            self.process = qemu(
                *boot,
                "-chardev", f"file,id=console,path={self.console}", "-serial", "chardev:console",
                "-device", "virtio-serial-pci",
                "-chardev", f"socket,id=channel,fd={theirs.fileno()}",
                "-device", "virtserialport,chardev=channel,nr=1",
                "-netdev", f"user,id=net{net}", "-device", f"virtio-net-pci,netdev=net,{rom}",
                *options, memory=memory, pass_fds=[theirs.fileno()], stdout=log, stderr=log)
        try:
            assert self.read_line(BOOT_SECONDS) == "ready"
        except BaseException:
            self.kill()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def read_more(self, deadline):
        left = deadline - time.monotonic()
        ready, _, _ = select.select([self.channel], [], [], max(left, 0))
        data = self.channel.recv(65536) if ready else b""
        if not data:
            raise GuestGone(f"no answer; its console ends:\n{self.console_end()}")
        self.unread += data

    def read_line(self, seconds):
        deadline = time.monotonic() + seconds
        while b"\n" not in self.unread:
            self.read_more(deadline)
        line, _, self.unread = self.unread.partition(b"\n")
        return line.decode()

    def read_bytes(self, count, seconds):
        deadline = time.monotonic() + seconds
        while len(self.unread) < count:
            self.read_more(deadline)
        data, self.unread = self.unread[:count], self.unread[count:]
        return data

    def console_end(self):
        text = self.console.read_text(errors="replace") if self.console.exists() else ""
        return "\n".join(text.splitlines()[-30:])

    def status(self, script, seconds=120, shown=None):
        """Runs a script; gives its exit status (124: it took too long) and its output. The
        transcript has it as SHOWN."""
        request = f"{seconds} {base64.b64encode(script.encode()).decode()}\n"
        started = time.monotonic()
        self.channel.sendall(request.encode())
        status, length = map(int, self.read_line(seconds + 30).split())
        output = self.read_bytes(length, 30).decode(errors="replace")
        self.transcript.write(f"$ {shown or script}\n{output}[{status}, "
                              f"{time.monotonic() - started:.1f} s]\n\n")
        return status, output

    def run(self, script, seconds=120):
        """Runs a script that must succeed; gives its output."""
        status, output = self.status(script, seconds)
        if status != 0:
            raise GuestError(f"exit status {status} of: {script}\n{output}")
        return output

    def write(self, path, text):
        """Makes a file in the guest."""
        data = base64.b64encode(text.encode()).decode()
        status, out = self.status(f"mkdir -p $(dirname {path}) && echo {data} | base64 -d >{path}",
                                  shown=f"cat >{path}\n{text}")
        if status != 0:
            raise GuestError(f"cannot write {path}: {out}")

    def wait(self, condition, seconds=60):
        """Waits until a shell condition holds."""
        self.run(f"until {condition}; do sleep 0.1; done", seconds)

    def stop(self):
        """Switches the guest off, the hard way if it does not listen."""
        if self.process.poll() is None:
            try:
                self.channel.sendall(b"poweroff\n")
                self.process.wait(30)
            except (OSError, subprocess.TimeoutExpired):
                pass
        self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.channel.close()
        self.transcript.close()
