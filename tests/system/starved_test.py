# SPDX-License-Identifier: BSD-2-Clause
"""When the machine gives less than the server wants: those who are served already do not suffer for
it, and when there is enough again all is as before."""
import os
import re
import resource
import socket
import subprocess
import time

import pytest
from initiator import Failed, Refused, Session, Wire, login
from support import DISK, ONE_WAY, PREFIX, SECRET, conf, cpu_seconds, disk, target, wait_until

LOCKED = PREFIX + "locked"

MANAGED = '''management = {
  socket = "state/ctl.sock";
  http = ( { address = "127.0.0.1"; port = $webport; } );
  ontap = { svm = "svm1"; users = ( { name = "admin"; password = "netapp1!example"; } ); };
};
'''


def leave(server, spare):
    """Lets a server open so many descriptors more, and no further."""
    limit = len(os.listdir(f"/proc/{server.pid}/fd")) + spare
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (limit, limit))


@pytest.mark.parametrize("door", ["portal", "web", "socket"])
def test_without_descriptors_connections_wait_and_sessions_stay(start, ctl, door):
    server = start(conf(target(luns=disk("disk.img")), more=MANAGED))
    session = login(server.port, DISK)
    assert session.attention()
    leave(server, 8)
    crowd = []
    for _ in range(16):
        crowd.append(socket.socket(socket.AF_UNIX if door == "socket" else socket.AF_INET))
        crowd[-1].connect(str(server.dir / "state/ctl.sock") if door == "socket" else
                          ("127.0.0.1", server.ports["webport" if door == "web" else "port"]))
    server.wait_for_log("new connections have to wait: Too many open files")
    session.write(0, b"good" * 1024)
    session.flush()
    assert session.read(0, 8) == b"good" * 1024
    used = cpu_seconds(server.pid)
    time.sleep(1)
    assert cpu_seconds(server.pid) - used < 0.3
    for one in crowd:
        one.close()
    assert "countersign" in ctl(server, "status").stdout.lower()
    login(server.port, DISK, initiator=DISK + "-host2").wire.close()
    session.wire.close()


@pytest.fixture
def poor(make_server):
    """poor(text): a server that may have 400 descriptors."""
    def call(text):
        server = make_server(text)
        with open(server.stderr, "ab") as err:
            server.process = subprocess.Popen(
                [server.programs / "countersignd", "-f", "-c", server.conf], cwd=server.dir,
                stderr=err,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400)))
        wait_until(lambda: (server.dir / "state/ctl.sock").exists())
        return server
    return call


def test_a_crowd_leaves_descriptors_to_those_who_log_in(poor):
    server = poor(conf(more="limits = { login_timeout = 60; };"))
    crowd = [socket.create_connection(("127.0.0.1", server.port), source_address=(f"127.0.1.{n}", 0))
             for n in range(1, 5) for _ in range(100)]
    for _ in range(5):
        begun = time.monotonic()
        login(server.port, DISK, source="127.0.0.2").ready().logout()
        assert time.monotonic() - begun < 2
    for one in crowd:
        one.close()


def crowd_in(server, most):
    """Sessions with the open target, until no more are taken; gives them."""
    sessions = []
    with pytest.raises(Refused, match="0x0302"):
        while len(sessions) <= most:
            sessions.append(login(server.port, DISK, source="127.0.1.1"))
    return sessions


def test_sessions_that_prove_nothing_leave_descriptors_to_those_that_do(poor):
    server = poor(conf(target(), target(LOCKED, credentials=ONE_WAY)))
    crowd = crowd_in(server, 400)
    assert len(crowd) > 100
    crowd += [login(server.port, source="127.0.1.1") for _ in range(100)]
    crowd += [Wire("127.0.0.1", server.port, "127.0.1.1") for _ in range(150)]
    for _ in range(5):
        login(server.port, LOCKED, source="127.0.0.2", secret=SECRET).ready().logout()
    login(server.port, source="127.0.0.2").wire.close()
    for one in crowd:
        getattr(one, "wire", one).close()


def test_the_fewer_may_stand_at_the_door_the_more_sessions_there_can_be(poor):
    server = poor(conf(target(), target(LOCKED, credentials=ONE_WAY),
                       more="limits = { max_half_open = 10; };"))
    crowd = crowd_in(server, 400)
    assert len(crowd) > 250
    for session in crowd:
        session.wire.close()


def test_sessions_that_prove_nothing_leave_sessions_to_those_that_do(start):
    server = start(conf(target(), target(LOCKED, credentials=ONE_WAY),
                        more="limits = { max_sessions = 16; };"))
    crowd = crowd_in(server, 16)
    assert len(crowd) == 14
    crowd += [login(server.port, LOCKED, secret=SECRET) for _ in range(2)]
    for session in crowd:
        session.ready().logout()


def test_with_its_standard_descriptors_closed_no_file_takes_their_place(make_server):
    server = make_server(conf(target(luns=disk("disk.img"))))
    server.process = subprocess.Popen(
        [server.programs / "countersignd", "-f", "-c", server.conf], cwd=server.dir,
        preexec_fn=lambda: [os.close(fd) for fd in range(3)])
    wait_until(lambda: (server.dir / "state/ctl.sock").exists())
    links = [os.readlink(f"/proc/{server.pid}/fd/{fd}") for fd in range(3)]
    assert links == ["/dev/null"] * 3


def test_a_disk_that_is_made_anew_is_told(start):
    server = start(conf(target(luns=disk("disk.img"))))
    server.wait_for_log(r"disk\.img: there was none; it is made, 64M large")
    server.stop()
    said = len(server.log())
    server.start()
    assert "it is made" not in server.log()[said:]


def rss(server):
    with open(f"/proc/{server.pid}/status") as f:
        return int(re.search(r"VmRSS:\s*(\d+) kB", f.read())[1]) << 10


def test_an_initiator_that_takes_no_answer_gets_its_share_of_the_memory_and_no_more(start):
    server = start(conf(target(luns=disk("disk.img"))))
    with login(server.port, DISK).ready() as greedy, login(server.port, DISK).ready() as other:
        greedy.write(0, b"\1" * (8 << 20))
        before = rss(server)
        tags = [greedy.submit(Session.rw16(0x88, 0, 16384), 8 << 20) for _ in range(32)]
        assert other.read(0, 8) == b"\1" * 4096
        assert rss(server) - before < 200 << 20      # 256 MiB are asked for, 128 are had
        full = 0
        for tag in tags:
            try:
                assert greedy.finish(tag) == b"\1" * (8 << 20)
            except Failed as e:
                assert e.status == 0x28              # TASK SET FULL
                full += 1
        assert 0 < full <= 16
        assert greedy.read(0, 16384) == b"\1" * (8 << 20)
