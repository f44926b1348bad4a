# SPDX-License-Identifier: BSD-2-Clause
"""A thousand sessions at once, half of which die in the middle of their transfers."""
import json
import resource
import secrets
import threading

import pytest
from initiator import Refused, login
from support import DISK, PREFIX, conf, disk, lines, ram, target, wait_until

pytestmark = pytest.mark.threads
MIB = 1 << 20
MANY = 1000
AREA = 64                              # blocks that belong to one session
FAR = 100000                           # blocks that nobody writes


@pytest.fixture(autouse=True)
def descriptors():
    """Room for a thousand sockets here; the server starts with the 1,024 that a shell gives."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * MANY + 200:
        pytest.skip(f"only {hard} descriptors are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * MANY + 200, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def served(make_server):
    """A server that was started with the usual limit on descriptors."""
    server = make_server(conf(target(luns=", ".join([ram(0, "64M"), disk("disk.img", 1, "64M")])),
                              target(PREFIX + "other")))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    try:
        server.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return server


def status(server, ctl):
    return json.loads(ctl(server, "--json", "status").stdout)["iscsi"]


def isid(n):
    return b"\x80\0\0" + n.to_bytes(3, "big")


def everyone(server, numbers):
    """Sessions by number, logged in by a few threads at once."""
    sessions, faults = {}, []

    def some(mine):
        try:
            for n in mine:
                sessions[n] = login(server.port, DISK, isid=isid(n), timeout=120)
        except Exception as e:          # pylint: disable=broad-except
            faults.append(e)
    threads = [threading.Thread(target=some, args=(numbers[i::8],)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults
    return sessions


def own(n):
    """What session n keeps in its area: told apart from everybody else's."""
    return (n.to_bytes(4, "big") * 128) * AREA


def test_killing_half_of_a_thousand_sessions_disturbs_no_other(served, ctl):
    sessions = everyone(served, range(MANY))
    assert status(served, ctl)["sessions"] == MANY
    for n, session in sessions.items():
        session.lun = n % 2
        session.ready()
        session.write(n * AREA, own(n))

    # All transfer at once; the odd hundreds die with their data on the way, both ways.
    doomed = {n for n in sessions if n // 100 % 2}
    tags = {}
    for n, session in sessions.items():
        if n in doomed:
            session.submit(session.rw16(0x88, FAR, 2048), MIB)
            session.immediate = 512
            session.submit(session.rw16(0x8a, n * AREA, AREA), data_out=bytes(AREA * 512))
        else:
            tags[n] = [session.submit(session.rw16(0x88, n * AREA, AREA), AREA * 512)
                       for _ in range(4)]
    for n in doomed:
        sessions[n].wire.reset()
    for n, mine in tags.items():
        assert [sessions[n].finish(tag) for tag in mine] == [own(n)] * 4
    wait_until(lambda: status(served, ctl)["sessions"] == MANY - len(doomed), 30)
    assert not lines(served, " (warning|error): ")

    # What stayed works on, and those who come back find their data, old or new block by block.
    for n in tags:
        sessions[n].test_unit_ready()
    back = everyone(served, sorted(doomed))
    for n, session in back.items():
        session.lun = n % 2
        session.ready()
        data = session.read(n * AREA, AREA)
        for at in range(0, AREA * 512, 512):
            assert data[at:at + 512] in (bytes(512), own(n)[:512])
    assert status(served, ctl)["sessions"] == MANY
    for session in [sessions[n] for n in tags] + list(back.values()):
        session.logout()
    wait_until(lambda: status(served, ctl)["connections"] == 0)


def test_hosts_that_log_in_again_replace_their_sessions(served, ctl):
    before = everyone(served, range(200))
    after = everyone(served, range(200))
    wait_until(lambda: status(served, ctl)["sessions"] == 200)
    assert all(session.wire.is_closed() for session in before.values())
    for session in after.values():
        session.ready().logout()


def test_sessions_that_come_and_go_leave_nothing(served, ctl):
    """Logins, transfers and deaths, by eight threads for a while; a sanitizer looks for leaks."""
    stop, faults = threading.Event(), []

    def come_and_go(seed):
        data = secrets.token_bytes(AREA * 512)
        try:
            for n in range(40):
                if stop.is_set():
                    break
                session = login(served.port, DISK).ready()
                session.lun = n % 2
                session.ready()
                at = seed * AREA
                session.write(at, data)
                assert session.read(at, AREA) == data
                session.submit(session.rw16(0x88, FAR, 2048), MIB)
                (session.wire.reset if n % 3 else session.wire.close)()
        except Exception as e:          # pylint: disable=broad-except
            faults.append(e)
            stop.set()
    threads = [threading.Thread(target=come_and_go, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults
    wait_until(lambda: status(served, ctl)["connections"] == 0)


def test_sessions_beyond_the_limit_are_refused_and_the_others_stay(start, ctl):
    server = start(conf(more="limits = { max_sessions = 20; };"))
    inside = [login(server.port, DISK).ready() for _ in range(20)]
    with pytest.raises(Refused) as refusal:
        login(server.port, DISK)
    assert refusal.value.status == 0x0302
    inside.pop().logout()
    wait_until(lambda: status(server, ctl)["sessions"] == 19)
    inside.append(login(server.port, DISK).ready())
    for session in inside:
        session.test_unit_ready()
        session.logout()
