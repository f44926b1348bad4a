# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures that run a real countersignd for a system test.

The programs are found through COUNTERSIGN_BUILD (default: build/). A test says what it wants as
configuration text and gets a server that is ready; when the test is over the server is stopped by
SIGTERM and must exit with status 0 and without a sanitizer's report:

    def test_a_disk_is_there(start, run):
        server = start('''
            state_dir = "state";
            portals = ( { address = "127.0.0.1"; port = $port; } );
            ...
        ''')
        assert "Lun:0" in run("iscsi-ls", "-s", f"iscsi://{server.portal}").stdout

Each `$name` that ends in "port" stands for a free port, the same wherever the name recurs;
`server.ports["name"]` tells which. Relative paths in the text are below `server.dir`.
"""
import functools
import itertools
import os
import random
import re
import shutil
import signal
import socket
import string
import subprocess
import time
from pathlib import Path

import pytest

READY_SECONDS = 30
STOP_SECONDS = 30
REPORT = re.compile(r"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:")
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "second_deadlock_stack=1",
}


class Ports:
    """Ports for this process alone: below those that the kernel gives to connections, and of a
    block that no other run of these tests has. The block is marked by an abstract Unix socket,
    which ends with the process."""
    FIRST, BLOCK, BLOCKS = 10000, 200, 110

    def __init__(self):
        self.mark = socket.socket(socket.AF_UNIX)
        for block in random.sample(range(self.BLOCKS), self.BLOCKS):
            try:
                self.mark.bind(f"\0countersign-test-ports-{block}")
            except OSError:
                continue
            first = self.FIRST + block * self.BLOCK
            self.all = itertools.cycle(range(first, first + self.BLOCK))
            return
        raise RuntimeError(f"{self.BLOCKS} runs of tests have all ports")

    def free(self):
        for port in itertools.islice(self.all, self.BLOCK):
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    s.bind(("127.0.0.1", port))
                except OSError:
                    continue
                return port
        raise RuntimeError("other programs have all ports of this run")


@functools.cache
def ports():
    return Ports()


def free_port():
    """A TCP port of loopback that nobody listens on now, nor will before the 199 calls that follow."""
    return ports().free()


def says_ready(notify):
    try:
        return b"READY=1" in notify.recv(4096).split(b"\n")
    except TimeoutError:
        return False


class Server:
    """One countersignd in a folder of its own; see `start` for how to get one."""

    def __init__(self, programs, folder, text, ports=None):
        self.programs = programs
        self.dir = folder
        self.conf = folder / "countersign.conf"
        self.stderr = folder / "stderr"
        self.ports = dict(ports or {})
        self.process = None
        self.write_conf(text)

    def write_conf(self, text):
        """Writes the configuration; a port that has been chosen before stays what it is."""
        template = string.Template(text)
        for name in template.pattern.findall(text):
            name = name[1] or name[2]
            if name and name.endswith("port") and name not in self.ports:
                self.ports[name] = free_port()
        self.conf.write_text(template.safe_substitute(self.ports))

    @property
    def port(self):
        return self.ports["port"]

    @property
    def portal(self):
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        """All that the server has said on stderr so far, over restarts."""
        return self.stderr.read_text(errors="replace") if self.stderr.exists() else ""

    def wait_for_log(self, pattern, seconds=10):
        """The first match of PATTERN in the log, once it is there."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.log())):
            assert time.monotonic() < deadline, f"{pattern!r} is not in the log:\n{self.log()}"
            time.sleep(0.02)
        return found

    def spawn(self, *options, **env):
        """Starts the program and returns at once."""
        with open(self.stderr, "ab") as err:
            self.process = subprocess.Popen(
                [self.programs / "countersignd", "-f", "-c", self.conf, *options],
                cwd=self.dir, stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                env={**os.environ, **SANITIZER_OPTIONS, **env})
        return self

    def start(self, *options):
        """Starts the program and returns when it says that it serves (READY=1)."""
        path = self.dir / "notify"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(path))
            path.chmod(0o777)    # as the service manager's own: the server may not be root by then
            notify.settimeout(0.1)
            self.spawn(*options, NOTIFY_SOCKET=str(path))
            deadline = time.monotonic() + READY_SECONDS
            while not says_ready(notify):
                code = self.process.poll()
                assert code is None, f"countersignd exited with {code}:\n{self.log()}"
                assert time.monotonic() < deadline, f"countersignd is not ready:\n{self.log()}"
        return self

    def reload(self):
        """Sends SIGHUP; what comes of it is to be waited for in the log."""
        self.process.send_signal(signal.SIGHUP)

    def kill(self):
        """Ends the program as a power cut would; start() may follow."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        """Stops the server by SIGTERM and checks that it went as it should."""
        if self.process is None:
            return
        process, self.process = self.process, None
        process.terminate()
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            pytest.fail(f"countersignd did not stop in {STOP_SECONDS} s:\n{self.log()}")
        self.check_reports()
        assert code == 0, f"countersignd exited with {code}:\n{self.log()}"

    def check_reports(self):
        found = REPORT.search(self.log())
        assert not found, f"a sanitizer reported:\n{self.log()}"


@pytest.fixture(scope="session")
def programs():
    """The folder of countersignd and countersignctl."""
    default = Path(__file__).parents[2] / "build"
    folder = Path(os.environ.get("COUNTERSIGN_BUILD", default)).resolve()
    assert (folder / "countersignd").exists(), f"there is no countersignd in {folder}"
    return folder


@pytest.fixture(scope="session")
def sanitized(programs):
    """Whether a sanitizer is in them: it takes memory, keeps what is freed, makes calls of its own."""
    code = (programs / "countersignd").read_bytes()
    return any(f"__{name}_init".encode() in code for name in ("asan", "tsan", "msan"))


@pytest.fixture(autouse=True)
def plain_tests_find_no_sanitizer(request):
    if request.node.get_closest_marker("plain") and request.getfixturevalue("sanitized"):
        pytest.skip("looks at what a sanitizer changes")


@pytest.fixture
def make_server(programs, tmp_path):
    """make_server(text): a Server that is configured but not started; stopped after the test."""
    servers = []

    def make(text, ports=None):
        folder = tmp_path / f"server{len(servers)}"
        folder.mkdir()
        servers.append(Server(programs, folder, text, ports))
        return servers[-1]

    yield make
    faults = []
    for server in servers:
        try:
            server.stop()
        except (AssertionError, pytest.fail.Exception) as fault:
            faults.append(str(fault))
    assert not faults, "\n".join(faults)


@pytest.fixture
def start(make_server):
    """start(text, *options): a Server that is ready."""
    return lambda text, *options, ports=None: make_server(text, ports).start(*options)


@pytest.fixture
def run():
    """run(program, *args): a finished client program, with stdout and stderr as text.

    It must exit with `status` (default 0; None: any). A program that is not installed skips the
    test."""
    def call(program, *args, status=0, timeout=120, **kwargs):
        if shutil.which(str(program)) is None:
            pytest.skip(f"{program} is not installed")
        if "input" not in kwargs:
            kwargs.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.run([program, *map(str, args)], text=True, timeout=timeout,
                              capture_output=True, **kwargs)
        if status is not None:
            assert done.returncode == status, (
                f"{program} exited with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done
    return call


@pytest.fixture
def ctl(programs, run):
    """ctl(server, *args): countersignctl against a server's state/ctl.sock."""
    return lambda server, *args, **kwargs: run(
        programs / "countersignctl", "-s", server.dir / "state/ctl.sock", *args, **kwargs)
