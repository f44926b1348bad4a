# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures of the VM tests: the system tests' server, and a Linux guest that logs in to it.

A guest is booted once and used by all tests. It is cleaned after each, and replaced by a new one
when that does not work, so that no test depends on another.
"""
import importlib.util
import os
import re
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest
from booting import boot, boot_sector, bootable, ipxe, iscsi_drive  # noqa: F401 fixtures
from guest import QEMU, Guest, GuestError, GuestGone
from openiscsi import OpenIscsi
from relay import Relay

ROOT = Path(__file__).parents[2]


def load_system_fixtures():
    path = ROOT / "tests" / "system" / "conftest.py"
    spec = importlib.util.spec_from_file_location("countersign_system", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


system = load_system_fixtures()
programs, make_server, start = system.programs, system.make_server, system.start
run, ctl = system.run, system.ctl

IMAGE = Path(os.environ.get("COUNTERSIGN_VM", ROOT / "build" / "vm"))


def build_guest():
    """Builds the guest unless that was done before; gives the reason why there is none, or ""."""
    if not shutil.which(QEMU):
        return f"{QEMU} is not installed"
    done = subprocess.run([ROOT / "tests" / "vm" / "mkguest", IMAGE], capture_output=True, text=True)
    assert done.returncode in (0, 77), done.stderr
    return done.stderr if done.returncode else ""


# --- the log: what runs, what a test saw ----------------------------------------------------

def pytest_report_header():
    def line(*command):
        if not shutil.which(command[0]):
            return f"no {command[0]}"
        done = subprocess.run(command, capture_output=True, text=True)
        return done.stdout.partition("\n")[0] or f"no {command[-1]}"

    versions = IMAGE / "versions"
    guest = versions.read_text().splitlines() if versions.exists() else ["not built yet"]
    return ["guest: " + ", ".join(guest),
            "host: " + line(QEMU, "--version"),
            "host: " + line("dpkg-query", "-W", "-f", "iPXE ${Version}\n", "ipxe-qemu")]


def pytest_report_teststatus(report):
    if report.when == "call" and report.outcome in ("passed", "failed"):
        word = {"passed": "PASS", "failed": "FAIL"}[report.outcome]
        return report.outcome, word[0], f"{word} ({report.duration:.1f} s)"
    return None


@pytest.fixture
def saw(record_property):
    """saw(text): says in the log what the test saw."""
    return lambda text: record_property("saw", text)


class Log:
    """Writes what a test saw below its name."""

    def __init__(self, config):
        self.config = config

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report):
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        if report.when == "teardown" and terminal and self.config.option.verbose > 0:
            for name, text in report.user_properties:
                if name == "saw":
                    terminal.write_line(f"    saw: {text}")


def pytest_configure(config):
    config.pluginmanager.register(Log(config))


# --- guests -----------------------------------------------------------------------------------

class Machines:
    """The guest that tests share, as long as it is in order."""

    def __init__(self, folder):
        self.folder = folder
        self.guest = None
        self.open_iscsi = None
        self.booted = 0

    def get(self):
        if not self.guest:
            self.booted += 1
            self.guest = Guest(IMAGE, self.folder / f"guest{self.booted}")
            self.open_iscsi = OpenIscsi(self.guest)
        return self.guest

    def drop(self):
        if self.guest:
            self.guest.kill()
        self.guest = None


@pytest.fixture(scope="session")
def machines():
    """Without the guest's packages these tests are skipped; with VM_REQUIRED=1 they fail."""
    built = build_guest()
    if built:
        (pytest.fail if os.environ.get("VM_REQUIRED") else pytest.skip)(built)
    machines = Machines(IMAGE / "log")
    yield machines
    machines.drop()


@pytest.fixture
def linux(machines, make_server, request):
    """open-iscsi in a clean guest. It logs out before the servers of the test are stopped."""
    del make_server
    guest = machines.get()
    guest.transcript.write(f"=== {request.node.name}\n\n")
    linux = machines.open_iscsi
    linux.start()
    yield linux
    try:
        linux.reset()
    except (GuestError, GuestGone, OSError) as fault:
        machines.drop()
        warnings.warn(f"the guest could not be cleaned, another one follows: {fault}")


@pytest.fixture
def demo_targets():
    """demo_targets(lun0): the targets of examples/demo.conf, with another LUN 0 if one is given."""
    def call(lun0=None):
        text = (ROOT / "examples" / "demo.conf").read_text()
        targets = re.search(r"\ntargets = \(\n(.*?)\n\);", text, re.S)[1]
        targets = targets.replace("../build/demo/", "")
        if lun0:
            targets, count = re.subn(r"\{ lun = 0;.*?\}", lun0, targets)
            assert count == 1
        return targets
    return call


@pytest.fixture
def relay():
    """relay(): a Relay whose `to` is still to be set; give its port to the server as a portal's
    advertised one."""
    relays = []

    def make(**kwargs):
        relays.append(Relay(**kwargs))
        return relays[-1]

    yield make
    for r in relays:
        r.close()
