# SPDX-License-Identifier: BSD-2-Clause
"""What several system tests need: configuration text, log lines, and facts about a process."""
import hashlib
import os
import re
import socket
import time

import pytest

PREFIX = "iqn.2026-11.com.example:"
DISK = PREFIX + "disk"
HOST = PREFIX + "host1"

# Secrets as a test types them: no character that a URL or a shell would take for its own.
SECRET = "initiator-111111"
TARGET_SECRET = "target---2222222"
CREDENTIAL = f'{{ initiator = "{HOST}"; secret = "{SECRET}"; target_secret = "{TARGET_SECRET}"; }}'
ONE_WAY = f'{{ initiator = "{HOST}"; secret = "{SECRET}"; }}'


def target(name=DISK, luns=None, credentials="", more=""):
    """A target; without credentials anybody may log in."""
    luns = luns or ram(size="64M")
    return (f'{{ name = "{name}"; auth = "{"chap" if credentials else "none"}"; '
            f'luns = ( {luns} ); credentials = ( {credentials} ); {more} }}')


def ram(lun=0, size="64M", more=""):
    return f'{{ lun = {lun}; store = "ram"; size = "{size}"; {more} }}'


def disk(path, lun=0, size="64M", more=""):
    return (f'{{ lun = {lun}; store = "file"; path = "{path}"; size = "{size}"; create = true; '
            f'{more} }}')


def conf(*targets, portals='{ address = "127.0.0.1"; port = $port; }', more=""):
    """A configuration with one portal, and one open target unless told otherwise."""
    return f'''state_dir = "state";
portals = ( {portals} );
{more}
targets = (
  {""",
  """.join(targets or (target(),))}
);
'''


def url(server, lun=None, name=DISK, user=None, secret=None, options="", address=None):
    """What libiscsi's tools and QEMU call a portal (lun None), or a unit."""
    who = f"{user}%{secret}@" if user else ""
    where = f"[{address}]:{server.port}" if address else server.portal
    unit = "" if lun is None else f"/{name}/{lun}"
    return f"iscsi://{who}{where}{unit}{'?' + options if options else ''}"


def lines(server, pattern=""):
    """The lines of the log that hold the pattern."""
    return [line for line in server.log().splitlines() if re.search(pattern, line)]


def no_secret(server, *more):
    """Whether the log is free of secrets."""
    return not any(s in server.log() for s in (SECRET, TARGET_SECRET, *more))


def wait_until(true, seconds=10, why=""):
    """Waits until a function gives something true, and gives that."""
    deadline = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {why or true}"
        time.sleep(0.02)
    return value


def cpu_seconds(pid):
    """Processor time that a process has used, in both modes and all threads."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def needs_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 on this machine")


def sha256(path, size=None):
    """The checksum of a file, or of its first bytes."""
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while chunk := f.read(1 << 20 if size is None else min(1 << 20, size)):
            digest.update(chunk)
            size = None if size is None else size - len(chunk)
    return digest.hexdigest()
