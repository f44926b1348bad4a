# SPDX-License-Identifier: BSD-2-Clause
"""The systemd unit forbids the server nothing that it needs: it runs here under the same filter of
system calls, made from dist/countersign.service."""
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Server
from initiator import login
from support import PREFIX, disk, lines, target
from tapes import DRIVE, SLOT, Changer, Drive

# The build with sanitizers makes calls of its own.
pytestmark = pytest.mark.plain
UNIT = Path(__file__).parents[2] / "dist/countersign.service"
NUMBERS = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}
SOCKET, X86_64 = 41, 0xc000003e

# Puts itself under a filter and becomes the server.
WRAPPER = '''#!{python}
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
code = {code!r}
text = ctypes.create_string_buffer(code, len(code))
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
program = Program(len(code) // 8, ctypes.cast(text, ctypes.c_void_p))
assert libc.prctl(38, 1, 0, 0, 0) == 0              # PR_SET_NO_NEW_PRIVS
assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0, ctypes.get_errno()   # PR_SET_SECCOMP
os.execv({server!r}, sys.argv)
'''


def setting(name):
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.M)


def members(group):
    """The names of the system calls in a group of systemd's, such as @system-service."""
    said = subprocess.run(["systemd-analyze", "syscall-filter", group], capture_output=True,
                          text=True, check=True).stdout
    names = set()
    for word in re.findall(r"^ +(@?[a-z0-9_-]+)$", said, re.M):
        names |= members(word) if word.startswith("@") else {word}
    return names


def allowed_calls():
    names = set()
    for words in setting("SystemCallFilter"):
        for word in words.lstrip("~").split():
            names = names - members(word) if words.startswith("~") else names | members(word)
    numbers = dict(re.findall(r"^#define __NR_(\w+) (\d+)$", NUMBERS.read_text(), re.M))
    return sorted(int(numbers[name]) for name in names if name in numbers)


def bpf(code, k, yes=0, no=0):
    return code.to_bytes(2, sys.byteorder) + bytes([yes, no]) + k.to_bytes(4, sys.byteorder)


def load(offset):
    return bpf(0x20, offset)


def if_equal(value, *then):
    """What comes then has to end with an answer."""
    then = b"".join(then)
    return bpf(0x15, value, 0, len(then) // 8) + then


def answer(value):
    return bpf(0x06, value)


def seccomp_filter():
    """The instructions: offsets are those of struct seccomp_data."""
    allow, refuse, no_family = answer(0x7fff0000), answer(0x50001), answer(0x50000 + 97)
    families = [FAMILIES[name] for name in setting("RestrictAddressFamilies")[0].split()]
    of_socket = [load(16), *[if_equal(family, allow) for family in families], no_family]
    calls = b"".join(if_equal(number, allow) for number in allowed_calls() if number != SOCKET)
    return (load(4) + bpf(0x15, X86_64, 1, 0) + refuse + load(0) + if_equal(SOCKET, *of_socket)
            + calls + refuse)


@pytest.fixture
def confined(programs, tmp_path):
    """confined(text): a server under the filter of the unit."""
    if not shutil.which("systemd-analyze") or not NUMBERS.exists():
        pytest.skip("takes systemd-analyze and an x86_64")
    folder = tmp_path / "confined"
    folder.mkdir()
    (folder / "countersignd").write_text(WRAPPER.format(
        python=sys.executable, code=seccomp_filter(), server=str(programs / "countersignd")))
    (folder / "countersignd").chmod(0o755)
    servers = []

    def call(text):
        place = tmp_path / "server"
        place.mkdir()
        servers.append(Server(folder, place, text))
        return servers[-1].start()

    yield call
    for server in servers:
        server.stop()


TEXT = f'''state_dir = "state";
portals = ( {{ address = "0.0.0.0"; port = $port; }} );
management = {{ http = ( {{ address = "127.0.0.1"; port = $http_port; tls = true; }} );
                tokens = ( {{ name = "ops"; token = "token-of-an-operator"; }} ); }};
pools = ( {{ name = "main"; path = "."; }} );
targets = ( {target(luns=disk("disk.img"))} );
libraries = ( {{ name = "vtl"; layout = "luns"; target = "{PREFIX}vtl"; auth = "none";
    drives = 1; slots = 2; import_export = 1; path = "vtl";
    tapes = ( {{ barcode = "TEST01L5"; size = "64M"; }} ); }} );
'''


def test_everything_works_under_the_filter_of_the_unit(confined, ctl):
    server = confined(TEXT)
    status = (Path("/proc") / str(server.pid) / "status").read_text()
    assert re.search(r"^Seccomp:\t2$", status, re.M)

    with login(server.port, PREFIX + "disk") as session:
        session.ready()
        session.write(8, b"\xa5" * 4096, fua=True)
        session.flush()
        assert session.read(8, 8) == b"\xa5" * 4096
    with login(server.port, PREFIX + "vtl") as session:
        Changer(session).move((SLOT, 0), (DRIVE, 0))
        drive = Drive(session, 1)
        drive.write(b"x" * 65536)
        drive.marks()
        drive.rewind()
        assert drive.read(65536) == b"x" * 65536
    ctl(server, "volume", "create", PREFIX + "made", "16M")
    ctl(server, "credentials", "set", "--generate", PREFIX + "made", PREFIX + "host1")
    ctl(server, "reload")
    assert not lines(server, "not permitted|not supported")


def test_the_addresses_of_a_wildcard_are_known_under_the_filter_of_the_unit(confined, run, ctl):
    own = run("hostname", "-I", status=None).stdout.split()
    if not [address for address in own if "." in address]:
        pytest.skip("this machine has no address but loopback")
    assert f"-p {own[0]}:" in ctl(confined(TEXT), "connect", PREFIX + "disk").stdout
