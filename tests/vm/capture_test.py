# SPDX-License-Identifier: BSD-2-Clause
"""What initiators say at login is what tests/wire/captures has, which the wire tests replay.

RECORD=1 in the environment writes those files anew.
"""
import os
import re
import subprocess
from dataclasses import replace

import pytest
from capture import Recorder
from conftest import IMAGE, ROOT
from guest import HOST
from openiscsi import NAME
from serving import (CREDENTIAL, LOCKED, MUTUAL, ONE_WAY, OPEN, SECRET, TARGET_SECRET, conf,
                     file_disk, target)

CAPTURES = ROOT / "tests" / "wire" / "captures"
PORTAL = '{ address = "127.0.0.1"; port = $port; advertise = "10.0.2.2:$relay_port"; }'


def package(name):
    return subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], capture_output=True,
                          text=True, check=True).stdout


def guest_version(name):
    return re.search(rf"^{name} (\S+)", (IMAGE / "versions").read_text(), re.M)[1]


def in_file(name):
    """The lines of a capture without comments."""
    path = CAPTURES / name
    if not path.exists():
        return None
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


@pytest.fixture
def wiretap(make_server, bootable, relay):
    """A recorder, and the port of the relay that it listens in on: before a server with an open
    target and a locked one, whose disks can be booted."""
    recorder = Recorder()
    wire = relay(tap=recorder)
    server = make_server(conf(target(OPEN, file_disk("16M", "open.img")),
                              target(LOCKED, file_disk("16M", "locked.img"), "chap", CREDENTIAL),
                              portals=PORTAL), {"relay_port": wire.port})
    for disk in ("open.img", "locked.img"):
        bootable(server.dir / disk)
    wire.to = server.start().port
    return recorder, wire.port


@pytest.fixture
def kept(saw):
    """kept(name, login, who, what): the login is the one in the file of that name."""
    def call(name, login, who, what):
        assert login.over, login.lines
        if os.environ.get("RECORD"):
            CAPTURES.mkdir(exist_ok=True)
            (CAPTURES / name).write_text("\n".join([f"# {who}", f"# {what}", *login.lines]) + "\n")
        assert login.lines == in_file(name), f"{name} is not what {who} says now"
        saw(f"{len([x for x in login.lines if x[0] == '>'])} requests, as in captures/{name}")
    return call


# --- open-iscsi ---------------------------------------------------------------------------------

@pytest.mark.parametrize("name, what, chap", [
    ("open-iscsi-none", "without CHAP", None),
    ("open-iscsi-one-way", "one-way CHAP, MD5", replace(ONE_WAY, algorithms="MD5")),
    ("open-iscsi-mutual", "mutual CHAP, four digests offered", MUTUAL),
], ids=["none", "one_way", "mutual"])
def test_open_iscsi(linux, wiretap, kept, name, what, chap):
    recorder, port = wiretap
    linux.configure(chap=chap)
    linux.portal = f"{HOST}:{port}"
    linux.discover()
    discovery = recorder.logins[0]
    linux.login(LOCKED if chap else OPEN)
    who = f"open-iscsi {guest_version('open-iscsi')}, Linux {guest_version('Linux')}"
    if not chap:
        kept("open-iscsi-discovery", discovery, who, "discovery, without CHAP")
    kept(name, recorder.logins[-1], who, what)


# --- libiscsi and QEMU ----------------------------------------------------------------------------

def libiscsi_url(port, name, credentials, more=""):
    return f"iscsi://{credentials}127.0.0.1:{port}/{name}{more}"


@pytest.mark.parametrize("name, what, url", [
    ("libiscsi-none", "without CHAP",
     lambda port: libiscsi_url(port, OPEN, "", "/0")),
    ("libiscsi-one-way", "one-way CHAP",
     lambda port: libiscsi_url(port, LOCKED, f"{NAME}%{SECRET}@", "/0")),
    ("libiscsi-mutual", "mutual CHAP",
     lambda port: libiscsi_url(port, LOCKED, f"{NAME}%{SECRET}@",
                               f"/0?target_user={LOCKED}&target_password={TARGET_SECRET}")),
], ids=["none", "one_way", "mutual"])
def test_libiscsi(wiretap, kept, run, name, what, url):
    recorder, port = wiretap
    run("iscsi-inq", "-i", NAME, url(port))
    kept(name, recorder.logins[-1], f"libiscsi {package('libiscsi7')}, iscsi-inq", what)


def test_libiscsi_discovers(wiretap, kept, run):
    recorder, port = wiretap
    run("iscsi-ls", "-i", NAME, f"iscsi://127.0.0.1:{port}")
    kept("libiscsi-discovery", recorder.logins[0], f"libiscsi {package('libiscsi7')}, iscsi-ls",
         "discovery, without CHAP")


@pytest.mark.parametrize("name, what, credentials", [
    ("qemu-none", "without CHAP", []), ("qemu-one-way", "one-way CHAP", [NAME, SECRET])
], ids=["none", "one_way"])
def test_qemu(wiretap, kept, boot, iscsi_drive, name, what, credentials):
    recorder, port = wiretap
    boot(*iscsi_drive(port, LOCKED if credentials else OPEN, *credentials))
    kept(name, recorder.logins[-1], f"QEMU {package('qemu-system-x86')}", what)


# --- iPXE -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, what, settings", [
    ("ipxe-none", "without CHAP", []),
    ("ipxe-one-way", "one-way CHAP", [f"set username {NAME}", f"set password {SECRET}"]),
    ("ipxe-mutual", "mutual CHAP", [
        f"set username {NAME}", f"set password {SECRET}",
        f"set reverse-username {LOCKED}", f"set reverse-password {TARGET_SECRET}"]),
], ids=["none", "one_way", "mutual"])
def test_ipxe(wiretap, kept, ipxe, name, what, settings):
    recorder, port = wiretap
    found = ipxe(*settings, f"sanboot iscsi:{HOST}::{port}:0:{LOCKED if settings else OPEN} ||")
    kept(name, recorder.logins[-1], re.search(r"iPXE \d\S+", found.said)[0], what)
