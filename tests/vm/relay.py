# SPDX-License-Identifier: BSD-2-Clause
"""A wire between an initiator and the server that a test can cut, and listen in on."""
import socket
import threading
from contextlib import suppress


class Relay:
    """Forwards connections to 127.0.0.1:`to`, which may be set later, until it is told otherwise.

    `tap(connection, from_initiator, data)`, if given, sees everything before it is passed on.
    `spoil(from_initiator, data)`, which may be set at any time, gives what is passed on instead."""

    def __init__(self, to=None, tap=None):
        self.to = to
        self.tap = tap
        self.spoil = None
        self.sockets = set()
        self.lock = threading.Lock()
        self.flowing = threading.Event()
        self.flowing.set()
        self.listener = None
        self.port = 0
        self.connections = 0
        self.listen()

    def listen(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, args=[self.listener], daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                near.close()
                continue
            with self.lock:
                self.connections += 1
                number = self.connections
                self.sockets |= {near, far}
            for pair in ((near, far, True), (far, near, False)):
                threading.Thread(target=self.forward, args=[number, *pair], daemon=True).start()

    def forward(self, number, source, sink, from_initiator):
        try:
            with suppress(OSError):
                while data := source.recv(65536):
                    if self.tap:
                        self.tap(number, from_initiator, data)
                    self.flowing.wait()
                    if self.spoil:
                        data = self.spoil(from_initiator, data)
                    sink.sendall(data)
        finally:
            for s in (source, sink):
                with suppress(OSError):
                    s.shutdown(socket.SHUT_RDWR)

    def cut(self):
        """Ends every connection and refuses new ones."""
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            sockets, self.sockets = self.sockets, set()
        for s in sockets:
            with suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def freeze(self):
        """Passes nothing on any more, as a cable does that was pulled."""
        self.flowing.clear()

    def mend(self):
        """Undoes cut() and freeze(). What was held back goes on its way."""
        self.flowing.set()
        if self.listener.fileno() < 0:
            self.listen()

    def close(self):
        self.cut()
        self.flowing.set()
