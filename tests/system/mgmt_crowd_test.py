# SPDX-License-Identifier: BSD-2-Clause
"""Clients of management on the network that are slow, many, wrong or silent: they hold up nobody
else's management, and no login."""
import base64
import contextlib
import socket
import ssl
import threading
import time

import pytest

from aws_test import client, management
from initiator import login
from ontap_test import ADMIN, Api as Ontap
from support import DISK, conf, cpu_seconds, lines, target, wait_until

ONTAP = (f'ontap = {{ users = ( {{ name = "{ADMIN[0]}"; password = "{ADMIN[1]}"; }}, '
         '{ name = "other"; password = "password-of-other"; } ); }; '
         'tokens = ( { name = "t"; token = "a-token-of-the-test"; } );')
CROWD = 300     # more than a listener keeps
ADDRESSES = [f"127.0.1.{n}" for n in range(1, 31)]
SLOWEST = 5.0   # seconds that an answer may take in a crowd, on a slow machine


@pytest.fixture
def server(start):
    return start(conf(target(), more=management(more=ONTAP)))


def dial(server, port="api_port", source="127.0.1.1"):
    s = socket.socket()
    s.settimeout(20)
    s.bind((source, 0))
    s.connect(("127.0.0.1", server.ports[port]))
    return s


class Crowd:
    """Connections that are made anew as they are closed, each of which is used by `once`."""

    def __init__(self, server, once, n=CROWD, port="api_port"):
        self.server, self.once, self.port = server, once, port
        self.over = threading.Event()
        self.made = 0
        self.threads = [threading.Thread(target=self.run, args=(i, n // 10)) for i in range(10)]

    def run(self, seed, n):
        held = []
        while not self.over.is_set():
            with contextlib.suppress(OSError):
                held.append(dial(self.server, self.port, ADDRESSES[(seed * 7 + self.made) % 30]))
                self.made += 1
            for s in held:
                with contextlib.suppress(OSError):
                    self.once(s)
            while len(held) > n:
                held.pop(0).close()
        for s in held:
            s.close()

    def __enter__(self):
        for t in self.threads:
            t.start()
        wait_until(lambda: self.made >= CROWD, 60)
        return self

    def __exit__(self, *_):
        self.over.set()
        for t in self.threads:
            t.join()


def silence(s):
    time.sleep(0.005)


def slow_head(s):
    s.send(b"GET" if time.monotonic() % 1 < 0.5 else b"x")
    time.sleep(0.005)


def slow_body(s):
    s.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{")
    time.sleep(0.005)


def wrong_proof(s):
    who = base64.b64encode(b"admin:wrong").decode()
    s.send(f"GET /api/cluster HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {who}\r\n\r\n".encode())
    time.sleep(0.005)


def large_heads(s):
    s.send(b"GET / HTTP/1.1\r\nX: " + b"x" * 20000)
    time.sleep(0.005)


def seconds(call):
    begun = time.monotonic()
    call()
    return time.monotonic() - begun


def assert_served(server, ctl):
    """Everybody else is served as ever, three times over."""
    for _ in range(3):
        assert seconds(lambda: client(server).list_gateways()) < SLOWEST
        assert seconds(lambda: ctl(server, "status")) < SLOWEST
        assert seconds(lambda: login(server.port, DISK).logout()) < SLOWEST


@pytest.mark.parametrize("once", [silence, slow_head, slow_body, wrong_proof, large_heads])
def test_a_crowd_on_the_network_holds_up_nobody(server, ctl, once):
    with login(server.port, DISK) as session:
        with Crowd(server, once):
            assert_served(server, ctl)
            session.ready()
    assert_served(server, ctl)


def test_a_crowd_that_never_ends_its_handshake_holds_up_nobody(server, ctl):
    with Crowd(server, lambda s: (s.send(b"\x16\x03\x01"), time.sleep(0.005)), port="tls_port"):
        context = ssl._create_unverified_context()
        for _ in range(3):
            with contextlib.closing(context.wrap_socket(dial(server, "tls_port", "127.0.0.9"))) as s:
                s.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert b"HTTP/1.1" in s.recv(100)
        assert_served(server, ctl)


def test_somebody_who_takes_no_answer_holds_up_nobody(server, ctl):
    head = f"Authorization: {Ontap(server).head['Authorization']}\r\n"
    with contextlib.ExitStack() as stack:
        for n in range(20):
            s = stack.enter_context(contextlib.closing(dial(server, source=ADDRESSES[n])))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            s.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                for _ in range(2000):
                    s.send(f"GET /api/cluster HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
        assert_served(server, ctl)


def test_silent_connections_cost_no_processor(server):
    held = [dial(server, source=ADDRESSES[n % 30]) for n in range(200)]
    time.sleep(0.5)
    before = cpu_seconds(server.pid)
    time.sleep(3)
    assert cpu_seconds(server.pid) - before < 0.3
    for s in held:
        s.close()


# --- who guesses ----------------------------------------------------------------------------------

GUESSES = {
    "ontap": ("GET /api/cluster", f"Authorization: Basic {base64.b64encode(b'admin:no').decode()}",
              401),
    "native": ("GET /v1/status", "Authorization: Bearer guess-{n}", 401),
    "aws": ("POST /", "X-Amz-Target: StorageGateway_20130630.ListGateways\r\n"
            "X-Amz-Date: 20240615T120000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIAGUESS"
            "{n:011}/20240615/us-east-1/storagegateway/aws4_request, SignedHeaders=host;x-amz-date;"
            "x-amz-target, Signature=" + "0" * 64, 400)}


def guess(server, dialect, n, source):
    """The seconds that the refusal of one wrong proof takes."""
    line, proof, status = GUESSES[dialect]
    begun = time.monotonic()
    with contextlib.closing(dial(server, source=source)) as s:
        s.sendall(f"{line} HTTP/1.1\r\nHost: x\r\n{proof.format(n=n)}\r\n\r\n".encode())
        assert f" {status} " in s.recv(4096).decode().split("\r\n")[0]
    return time.monotonic() - begun


@pytest.mark.parametrize("dialect", GUESSES)
def test_somebody_who_guesses_waits_longer_and_longer_and_nobody_else_does(server, dialect):
    waits = []
    while not waits or waits[-1] < 1:
        waits.append(guess(server, dialect, len(waits), "127.0.1.7"))
        assert len(waits) < 20, waits
    assert waits[0] < waits[-1] / 2     # a slip costs nothing
    waiting = threading.Thread(target=guess, args=(server, dialect, 99, "127.0.1.7"))
    waiting.start()
    guess(server, dialect, 0, "127.0.1.8")      # the next wait is two seconds or more
    with contextlib.closing(dial(server, source="127.0.1.7")) as s:     # who is right is let in
        s.sendall(f"GET /api/cluster HTTP/1.1\r\nHost: x\r\nAuthorization: "
                  f"{Ontap(server).head['Authorization']}\r\n\r\n".encode())
        assert b" 200 " in s.recv(4096)
    assert waiting.is_alive()
    waiting.join()


def basic(name, password):
    return base64.b64encode(f"{name}:{password}".encode()).decode()


def prove(server, who, source, seconds=20):
    """How long the answer to a proof takes, and its first line; it is not waited for any longer."""
    begun, answer = time.monotonic(), b""
    with contextlib.closing(dial(server, source=source)) as s:
        s.settimeout(seconds)
        s.sendall(f"GET /api/cluster HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {who}\r\n\r\n"
                  .encode())
        with contextlib.suppress(TimeoutError):
            answer = s.recv(4096)
    return time.monotonic() - begun, answer.decode().split("\r\n")[0][9:12]


def test_hanging_up_tells_no_sooner_whether_a_guess_was_right(server):
    """Whoever hangs up when the answer is not there at once would wait for none but the right one."""
    guesser = "127.0.1.7"
    assert prove(server, basic(*ADMIN), guesser)[1] == "200"
    answers = [prove(server, basic("other", f"guess-{n}"), guesser, 0.2)[1] for n in range(8)]
    assert answers[-1] == ""    # held back, and not waited for
    took, answer = prove(server, basic("other", "password-of-other"), guesser)
    assert answer == "200" and took > 2
    # Those who have been there before, or are elsewhere, notice nothing.
    for who, source in ((ADMIN, guesser), (("other", "password-of-other"), guesser),
                        (("other", "password-of-other"), "127.0.1.8")):
        took, answer = prove(server, basic(*who), source)
        assert answer == "200" and took < 2
    # Nor is anything looked at for a client that has left.
    refused = len(lines(server, "did not prove who it is"))
    for n in range(5):
        assert prove(server, basic("other", f"more-{n}"), guesser, 0.2)[1] == ""
    time.sleep(4.5)
    assert len(lines(server, "did not prove who it is")) == refused
    assert len(lines(server, "hung up before its proof was looked at")) >= 5
