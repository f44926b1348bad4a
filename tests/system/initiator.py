# SPDX-License-Identifier: BSD-2-Clause
"""A compact iSCSI initiator, for tests that want to choose or see the PDUs (RFC 7143).

Three layers, each usable on its own:

* `Wire` sends and receives PDUs over a TCP connection and knows no protocol beyond their shape.
* `Login` makes Login Requests on a wire, as wrong as a test wants them; `login()` makes right ones.
* `Session` is what login() gives: SCSI commands, pings, text and logout, one connection.

Everything blocks, with a timeout. A session answers the target's pings while it waits; commands may
be submitted ahead and finished later, in any order.
"""
import ctypes
import hashlib
import secrets
import socket
import struct

NAME = "iqn.2026-11.com.example:host1"
TIMEOUT = 30
NO_TAG = 0xffffffff
SO_ATTACH_FILTER = 26

NOP_OUT, SCSI_COMMAND, TASK_REQUEST, LOGIN, TEXT, DATA_OUT, LOGOUT = range(7)
NOP_IN, SCSI_RESPONSE, TASK_RESPONSE, LOGIN_RESPONSE, TEXT_RESPONSE, DATA_IN, LOGOUT_RESPONSE = \
    range(0x20, 0x27)
R2T, ASYNC, REJECT = 0x31, 0x32, 0x3f

SECURITY, OPERATIONAL, FULL_FEATURE = 0, 1, 3
ALGORITHMS = {5: hashlib.md5, 6: hashlib.sha1, 7: hashlib.sha256, 8: hashlib.sha3_256}


# --- bytes ------------------------------------------------------------------------------------


def _crc_table():
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82f63b78 if n & 1 else 0)
        yield n


CRC_TABLE = tuple(_crc_table())


def crc32c(data):
    """The digest of RFC 7143 13.1, as the four bytes on the wire."""
    crc = 0xffffffff
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ crc >> 8
    return struct.pack("<I", crc ^ 0xffffffff)


def be(data, at, size):
    return int.from_bytes(data[at:at + size], "big")


def pad(data):
    return data + bytes(-len(data) % 4)


class Pdu:
    """A PDU received: header, data without their padding."""

    def __init__(self, bhs, data):
        self.bhs = bhs
        self.data = data
        self.opcode = bhs[0] & 0x3f
        self.itt = be(bhs, 16, 4)
        self.ttt = be(bhs, 20, 4)

    def __repr__(self):
        return f"<PDU {self.opcode:#x} {self.bhs.hex(' ', 4)} + {len(self.data)} bytes>"


class Closed(Exception):
    """The target has closed the connection, or broken it."""


class Wire:
    """A TCP connection that carries PDUs."""

    def __init__(self, address, port, source=None, timeout=TIMEOUT):
        self.socket = socket.create_connection(
            (address, port), timeout, source_address=(source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.header_digest = self.data_digest = False

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes as a host that dies does: the peer gets a RST, and what is under way is lost."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def vanish(self):
        """From here on this host is dead to the target: a filter drops all that arrives, so that
        not even TCP answers."""
        drop_all = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))     # BPF_RET 0
        program = struct.pack("HP", 1, ctypes.addressof(drop_all))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)

    def send_bytes(self, data):
        try:
            self.socket.sendall(data)
        except (ConnectionError, BrokenPipeError) as e:
            raise Closed(str(e)) from e

    def send(self, bhs, data=b""):
        """Sends a PDU: the header with the length of the data filled in, padding, digests."""
        bhs = bytearray(bhs)
        bhs[5:8] = len(data).to_bytes(3, "big")
        out = bytes(bhs)
        if self.header_digest:
            out += crc32c(bhs)
        if data:
            out += pad(data)
            if self.data_digest:
                out += crc32c(pad(data))
        self.send_bytes(out)

    def receive_bytes(self, n):
        buf = bytearray(n)
        view, got = memoryview(buf), 0
        while got < n:
            try:
                more = self.socket.recv_into(view[got:])
            except ConnectionError as e:
                raise Closed(str(e)) from e
            if not more:
                raise Closed(f"closed by the target, {n - got} bytes early")
            got += more
        return bytes(buf)

    def receive(self):
        """The next PDU, its digests checked."""
        bhs = self.receive_bytes(48)
        ahs = self.receive_bytes(bhs[4] * 4)
        if self.header_digest:
            assert self.receive_bytes(4) == crc32c(bhs + ahs), "wrong header digest"
        size = be(bhs, 5, 3)
        data = self.receive_bytes(size + -size % 4)
        if data and self.data_digest:
            assert self.receive_bytes(4) == crc32c(data), "wrong data digest"
        return Pdu(bhs, data[:size])

    def is_closed(self, seconds=10):
        """Whether the target closes within so many seconds; what it sends until then is dropped."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(65536):
                pass
            return True
        except TimeoutError:
            return False
        except ConnectionError:
            return True


# --- login ------------------------------------------------------------------------------------


def text(keys):
    """Key=value pairs as they go over the wire; keys is a dict, or bytes to be sent as they are."""
    if isinstance(keys, bytes):
        return keys
    return b"".join(f"{k}={v}\0".encode() for k, v in keys.items())


def pairs(data):
    return dict(p.split("=", 1) for p in data.decode().split("\0") if p)


class Refused(Exception):
    """The login was refused; `status` is class and detail, as in 0x0201."""

    def __init__(self, status):
        super().__init__(f"login refused with {status:#06x}")
        self.status = status


class Login:
    """Login requests on a wire. `answer` has all keys that the target has sent so far."""

    def __init__(self, wire, isid=None, tsih=0, cid=0):
        self.wire = wire
        self.isid = isid if isid is not None else b"\x80" + secrets.token_bytes(5)
        self.tsih, self.cid = tsih, cid
        self.cmdsn, self.expstatsn = 1, 1
        self.answer = {}

    def header(self, flags, csg, nsg):
        return struct.pack(">BBBB4x6sHIHxxII16x", 0x43, flags | csg << 2 | nsg, 0, 0, self.isid,
                           self.tsih, 1, self.cid, self.cmdsn, self.expstatsn)

    def send(self, keys=b"", csg=SECURITY, nsg=0, transit=False, more=False):
        self.wire.send(self.header(transit << 7 | more << 6, csg, nsg), text(keys))

    def receive(self):
        """The next response: (pairs, whether the stage was left). Refused() if that is what it is."""
        pdu = self.wire.receive()
        assert pdu.opcode == LOGIN_RESPONSE, pdu
        if status := be(pdu.bhs, 36, 2):
            raise Refused(status)
        self.expstatsn = be(pdu.bhs, 24, 4) + 1
        self.tsih = be(pdu.bhs, 14, 2)
        got = pairs(pdu.data)
        self.answer.update(got)
        return got, bool(pdu.bhs[1] & 0x80)

    def ask(self, keys=b"", **kwargs):
        self.send(keys, **kwargs)
        return self.receive()

    def chap(self, user, secret, algorithms=(8, 7, 6, 5), target_user=None, target_secret=None,
             nsg=OPERATIONAL):
        """CHAP, after CHAP was agreed on; with a target_secret the target has to prove itself."""
        got, _ = self.ask({"CHAP_A": ",".join(map(str, algorithms))})
        digest = ALGORITHMS[int(got["CHAP_A"])]
        keys = {"CHAP_N": user, "CHAP_R": "0x" + chap_response(
            digest, int(got["CHAP_I"]), secret, bytes.fromhex(got["CHAP_C"][2:])).hex()}
        if target_secret:
            challenge = secrets.token_bytes(digest().digest_size)
            keys |= {"CHAP_I": 7, "CHAP_C": "0x" + challenge.hex()}
        got, left = self.ask(keys, nsg=nsg, transit=True)
        if target_secret:
            right = "0x" + chap_response(digest, 7, target_secret, challenge).hex()
            if got.get("CHAP_R") != right or target_user not in (None, got.get("CHAP_N")):
                raise NotTheTarget(got)
        else:
            assert "CHAP_R" not in got and "CHAP_N" not in got, got
        return left


class NotTheTarget(Exception):
    """The target did not prove itself."""


def chap_response(digest, identifier, secret, challenge):
    if isinstance(secret, str):
        secret = secret.encode()
    return digest(bytes([identifier]) + secret + challenge).digest()


DISCOVERY_KEYS = {
    "HeaderDigest": "None", "DataDigest": "None", "ErrorRecoveryLevel": 0, "DefaultTime2Wait": 2,
    "DefaultTime2Retain": 0, "MaxRecvDataSegmentLength": 262144,
}
NORMAL_KEYS = DISCOVERY_KEYS | {
    "InitialR2T": "Yes", "ImmediateData": "Yes", "MaxBurstLength": 262144,
    "FirstBurstLength": 65536, "MaxOutstandingR2T": 1, "MaxConnections": 1,
    "DataPDUInOrder": "Yes", "DataSequenceInOrder": "Yes",
}


def login(port, target=None, *, address="127.0.0.1", source=None, initiator=NAME, user=None,
          secret=None, target_user=None, target_secret=None, algorithms=(8, 7, 6, 5), keys=None,
          isid=None, timeout=TIMEOUT):
    """Logs in to a target (None: for discovery) and gives the Session.

    CHAP is done when a secret is given, and mutual CHAP when a target_secret is; `user` is the
    initiator's name unless given. `keys` replace or add to the operational keys. On failure:
    Refused, NotTheTarget or Closed, and the connection is closed."""
    wire = Wire(address, port, source, timeout)
    try:
        l = Login(wire, isid)
        who = {"InitiatorName": initiator, "SessionType": "Normal" if target else "Discovery"}
        if target:
            who["TargetName"] = target
        if secret:
            l.ask(who | {"AuthMethod": "CHAP"})
            assert l.chap(user or initiator, secret, algorithms, target_user, target_secret)
            who = {}
        left = False
        wanted = who | (NORMAL_KEYS if target else DISCOVERY_KEYS) | (keys or {})
        while not left:
            _, left = l.ask(wanted, csg=OPERATIONAL, nsg=FULL_FEATURE, transit=True)
            wanted = b""
        return Session(l)
    except BaseException:
        wire.close()
        raise


# --- full feature -----------------------------------------------------------------------------


class Failed(Exception):
    """A command that did not end with GOOD: `status`, `sense` as (key, asc << 8 | ascq), the sense
    data whole (`raw`), and the data that came all the same (`data`)."""

    def __init__(self, status, sense, raw=b"", data=b""):
        super().__init__(f"status {status:#04x}, sense {sense}")
        self.status, self.sense, self.raw, self.data = status, sense, raw, data


class Task:
    def __init__(self, cdb, size, data):
        self.cdb, self.data_out, self.sent = cdb, data, 0
        self.data_in = bytearray(size)
        self.status = None
        self.sense = None
        self.raw = b""


def sense_of(data):
    """(key, asc << 8 | ascq) of a SCSI Response's data segment."""
    sense = data[2:]
    if len(sense) >= 8 and sense[0] & 0x7f >= 0x72:
        return sense[1] & 15, be(sense, 2, 2)
    return (sense[2] & 15, be(sense, 12, 2)) if len(sense) >= 14 else None


class Session:
    """One session with one connection. `answer` has what was negotiated."""

    def __init__(self, l):
        self.wire, self.answer = l.wire, l.answer
        self.cmdsn, self.maxcmdsn = l.cmdsn, None
        self.expstatsn = l.expstatsn
        self.tag = 0
        self.tasks = {}
        self.events = []            # asynchronous messages, by their event codes
        self.answers_pings = True
        self.lun = 0
        self.immediate = min(int(self.answer.get("FirstBurstLength", 65536)),
                             int(self.answer.get("MaxRecvDataSegmentLength", 8192)))
        if self.answer.get("ImmediateData") != "Yes":
            self.immediate = 0
        self.wire.header_digest = self.answer.get("HeaderDigest") == "CRC32C"
        self.wire.data_digest = self.answer.get("DataDigest") == "CRC32C"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()

    def _tag(self):
        self.tag += 1
        return self.tag

    # SCSI

    def submit(self, cdb, data_in=0, data_out=b"", lun=None):
        """Sends a command and gives its tag."""
        tag, task = self._tag(), Task(cdb, data_in, data_out)
        self.tasks[tag] = task
        first = data_out[:self.immediate]
        flags = 0x80 | (0x40 if data_in else 0) | (0x20 if data_out else 0) | 1
        lun = self.lun if lun is None else lun
        self.wire.send(struct.pack(">BB6xBB6xIIII16s", SCSI_COMMAND, flags, lun >> 8, lun & 0xff,
                                   tag, data_in or len(data_out), self.cmdsn, self.expstatsn, cdb),
                       first)
        self.cmdsn = self.cmdsn + 1 & 0xffffffff
        task.sent = len(first)
        return tag

    def finish(self, tag):
        """Waits for a command: its data, or Failed()."""
        task = self.tasks[tag]
        while task.status is None:
            self.step()
        del self.tasks[tag]
        if task.status:
            raise Failed(task.status, task.sense, task.raw, bytes(task.data_in))
        return bytes(task.data_in)

    def command(self, cdb, data_in=0, data_out=b"", lun=None):
        return self.finish(self.submit(cdb, data_in, data_out, lun))

    def _r2t(self, pdu):
        task = self.tasks[pdu.itt]
        at, size = be(pdu.bhs, 40, 4), be(pdu.bhs, 44, 4)
        step = min(int(self.answer.get("MaxRecvDataSegmentLength", 8192)), 262144)
        for n, off in enumerate(range(at, at + size, step)):
            end = min(off + step, at + size)
            self.wire.send(struct.pack(">BB6x8xIII4x4xII4x", DATA_OUT, 0x80 if end == at + size
                                       else 0, pdu.itt, pdu.ttt, self.expstatsn, n, off),
                           task.data_out[off:end])

    def _data_in(self, pdu):
        task = self.tasks[pdu.itt]
        at = be(pdu.bhs, 40, 4)
        task.data_in[at:at + len(pdu.data)] = pdu.data
        if pdu.bhs[1] & 1:
            self._ended(task, pdu)

    def _ended(self, task, pdu):
        task.status = pdu.bhs[3]
        if pdu.opcode == SCSI_RESPONSE:
            assert pdu.bhs[2] == 0, pdu      # else the command was not completed by the target
            task.sense, task.raw = sense_of(pdu.data), pdu.data[2:]
        if pdu.bhs[1] & 2:                   # underflow
            del task.data_in[max(0, len(task.data_in) - be(pdu.bhs, 44, 4)):]

    def step(self):
        """Takes one PDU; gives it if it is none of a command, a ping or a message."""
        pdu = self.wire.receive()
        if pdu.itt != NO_TAG or pdu.opcode in (ASYNC, REJECT):
            if pdu.opcode != R2T and not (pdu.opcode == DATA_IN and not pdu.bhs[1] & 1):
                self.expstatsn = be(pdu.bhs, 24, 4) + 1
        if pdu.opcode == DATA_IN:
            self._data_in(pdu)
        elif pdu.opcode == R2T:
            self._r2t(pdu)
        elif pdu.opcode == SCSI_RESPONSE:
            self._ended(self.tasks[pdu.itt], pdu)
        elif pdu.opcode == NOP_IN and pdu.itt == NO_TAG:
            if pdu.ttt != NO_TAG and self.answers_pings:
                self.wire.send(struct.pack(">BB6x8sIIII16x", NOP_OUT | 0x40, 0x80, pdu.bhs[8:16],
                                           NO_TAG, pdu.ttt, self.cmdsn, self.expstatsn), pdu.data)
        elif pdu.opcode == ASYNC:
            self.events.append(pdu.bhs[36])
        else:
            return pdu
        return None

    def wait(self, opcode):
        """The next PDU of this kind."""
        while not (pdu := self.step()):
            pass
        assert pdu.opcode == opcode, pdu
        return pdu

    def test_unit_ready(self, **kwargs):
        return self.command(bytes(16), **kwargs)

    def ready(self):
        """Commands until the unit attentions of a new nexus are told; gives itself."""
        for _ in range(8):
            try:
                self.test_unit_ready()
                return self
            except Failed as e:
                if not e.sense or e.sense[0] != 6:
                    raise
        raise AssertionError("unit attentions do not end")

    def attention(self, **kwargs):
        """The unit attention that the next command meets, ASC and ASCQ; None: it is carried out."""
        try:
            self.test_unit_ready(**kwargs)
            return None
        except Failed as e:
            if e.sense and e.sense[0] == 6:
                return e.sense[1]
            raise

    def inquiry(self, page=None, size=255):
        return self.command(struct.pack(">BBBHx10x", 0x12, page is not None, page or 0, size), size)

    def capacity(self):
        """(blocks, block size), by READ CAPACITY (16)."""
        data = self.command(struct.pack(">BB8xIxx", 0x9e, 0x10, 32), 32)
        return be(data, 0, 8) + 1, be(data, 8, 4)

    @staticmethod
    def rw16(opcode, lba, blocks, fua=False):
        return struct.pack(">BBQIxx", opcode, 8 if fua else 0, lba, blocks)

    def read(self, lba, blocks, size=512, **kwargs):
        return self.command(self.rw16(0x88, lba, blocks), blocks * size, **kwargs)

    def write(self, lba, data, size=512, fua=False, **kwargs):
        self.command(self.rw16(0x8a, lba, len(data) // size, fua), data_out=data, **kwargs)

    def flush(self):
        self.command(struct.pack(">B15x", 0x91))

    # what is not SCSI

    def ping(self, data=b"ping"):
        tag = self._tag()
        self.wire.send(struct.pack(">BB6x8xIIII16x", NOP_OUT | 0x40, 0x80, tag, NO_TAG, self.cmdsn,
                                   self.expstatsn), data)
        pdu = self.wait(NOP_IN)
        assert (pdu.itt, pdu.data) == (tag, data)

    def send_targets(self, what="All"):
        """The pairs of the answer in order, as a list of (key, value)."""
        found, ttt, data = b"", NO_TAG, text({"SendTargets": what})
        while True:
            self.wire.send(struct.pack(">BB6x8xIIII16x", TEXT | 0x40, 0x80, self._tag(), ttt,
                                       self.cmdsn, self.expstatsn), data)
            pdu = self.wait(TEXT_RESPONSE)
            found += pdu.data
            ttt, data = pdu.ttt, b""
            if pdu.bhs[1] & 0x80:
                return [tuple(p.split("=", 1)) for p in found.decode().split("\0") if p]

    def ask_to_manage(self, function, lun=0, tag=NO_TAG):
        """Sends a task management request."""
        self.wire.send(struct.pack(">BB6xBB6xIIIII12x", TASK_REQUEST | 0x40, 0x80 | function, lun >> 8,
                                   lun & 0xff, self._tag(), tag, self.cmdsn, self.expstatsn,
                                   self.cmdsn - 1 & 0xffffffff))

    def ask_to_log_out(self):
        self.wire.send(struct.pack(">BB6x8xIHxxII16x", LOGOUT | 0x40, 0x80, self._tag(), 0,
                                   self.cmdsn, self.expstatsn))

    def logout(self):
        self.ask_to_log_out()
        pdu = self.wait(LOGOUT_RESPONSE)
        assert pdu.bhs[2] == 0, pdu
        self.wire.close()
