# SPDX-License-Identifier: BSD-2-Clause
"""Records a login that goes through a relay, as text (tests/wire/captures/README)."""
import re
from dataclasses import dataclass, field

LOGIN_REQUEST, LOGIN_RESPONSE = 0x03, 0x23
FULL_FEATURE = 3
SECRET_KEYS = ("CHAP_I", "CHAP_C", "CHAP_R")


def masked(line):
    """A key whose value is new each time, as a description of that value."""
    key, _, value = line.partition("=")
    if key not in SECRET_KEYS:
        return line
    if key == "CHAP_I":
        assert value.isdigit(), line
        return "CHAP_I=<number>"
    for digits, case in (("0-9a-f", ""), ("0-9A-F", " in upper case")):
        if re.fullmatch(f"0x([{digits}]{{2}})+", value):
            return f"{key}=<{len(value) // 2 - 1} bytes{case}>"
    raise AssertionError(f"{key} is not hexadecimal: {value}")


def described(bhs, data):
    """One PDU of a login, as lines."""
    flags = bhs[1]
    head = [">" if bhs[0] & 0x3f == LOGIN_REQUEST else "<",
            f"T={flags >> 7}", f"C={flags >> 6 & 1}", f"CSG={flags >> 2 & 3}", f"NSG={flags & 3}"]
    if bhs[0] & 0x3f == LOGIN_RESPONSE:
        head.append(f"status={bhs[36]:02x}{bhs[37]:02x}")
    assert not data or data.endswith(b"\0"), "the last key has no NUL"
    return [" ".join(head)] + [masked(key.decode("ascii")) for key in data.split(b"\0") if key]


@dataclass
class Direction:
    """The bytes of one side that have come and not been looked at."""
    unread: bytes = b""

    def pdus(self):
        """Takes whole PDUs out of what has come; a login has no digests."""
        while len(self.unread) >= 48:
            length = int.from_bytes(self.unread[5:8], "big")
            end = 48 + 4 * self.unread[4] + (length + 3) // 4 * 4
            if len(self.unread) < end:
                return
            bhs, data = self.unread[:48], self.unread[end - (length + 3) // 4 * 4:][:length]
            self.unread = self.unread[end:]
            yield bhs, data


@dataclass
class Login:
    """One connection's login, as far as it has come."""
    lines: list = field(default_factory=list)
    over: bool = False
    ways: dict = field(default_factory=lambda: {True: Direction(), False: Direction()})

    def take(self, from_initiator, data):
        if self.over:
            return
        way = self.ways[from_initiator]
        way.unread += data
        for bhs, text in way.pdus():
            self.lines += described(bhs, text)
            if bhs[0] & 0x3f == LOGIN_RESPONSE and (
                    bhs[36] or bhs[1] & 0x83 == 0x80 | FULL_FEATURE):
                self.over = True
                return


class Recorder:
    """The tap of a Relay. `logins` are those of its connections, in their order."""

    def __init__(self):
        self.by_connection = {}

    def __call__(self, connection, from_initiator, data):
        self.by_connection.setdefault(connection, Login()).take(from_initiator, data)

    @property
    def logins(self):
        return [self.by_connection[n] for n in sorted(self.by_connection)]
