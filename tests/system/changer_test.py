# SPDX-License-Identifier: BSD-2-Clause
"""A media changer over the wire, command by command (SMC-3), as each of its three models."""
import struct
import threading

import pytest

from initiator import Failed, be, login
from library_test import EACH, TAPES, library
from support import PREFIX, conf
from tapes import DRIVE, MAIL, SLOT, TRANSPORT, Changer, ready

ROBOT = EACH + "-mediachanger"
RESERVED = 0x18         # status: RESERVATION CONFLICT
MODELS = {              # first addresses, by the tables of their vendors
    "STK-L700": {TRANSPORT: 0, MAIL: 10, DRIVE: 500, SLOT: 1000},
    "AWS-Gateway-VTL": {TRANSPORT: 0, MAIL: 10, DRIVE: 500, SLOT: 1000},
    "IBM-03584L32-0402": {TRANSPORT: 1, DRIVE: 257, MAIL: 769, SLOT: 1025},
}
COUNTS = {TRANSPORT: 1, SLOT: 8, MAIL: 2, DRIVE: 2}


@pytest.fixture
def model():
    return "STK-L700"


as_each_model = pytest.mark.parametrize("model", MODELS)


@pytest.fixture
def server(start, model):
    more = f'changer = "{model}";'
    return start(conf(more=f"libraries = ( {library(more=more)} );"))


@pytest.fixture
def robot(server, model):
    robot = Robot(server.port, model)
    yield robot
    robot.close()               # a server that ends waits for hosts that could still log out


class Robot:
    """The changer as one host has it, by addresses of its model."""

    def __init__(self, port, model, host="host1"):
        self.session = ready(login(port, ROBOT, initiator=PREFIX + host))
        self.port, self.model, self.first = port, model, MODELS[model]

        self.others = []

    def of_another(self):
        """The same changer, as another host has it."""
        self.others.append(Robot(self.port, self.model, "host2"))
        return self.others[-1]

    def close(self):
        for robot in [self, *self.others]:
            robot.session.wire.close()

    def at(self, kind, number=0):
        return self.first[kind] + number

    def run(self, fmt, *fields, size=0, data=b""):
        return self.session.command(struct.pack(">" + fmt, *fields), size, data)

    def sense(self, fmt, *fields, **kwargs):
        with pytest.raises(Failed) as e:
            self.run(fmt, *fields, **kwargs)
        return e.value.sense

    def status(self, kind=0, start=0, most=0xffff, tags=True, ids=False, current=False,
               size=65535):
        """READ ELEMENT STATUS: what came."""
        return self.run("BBHHBBHxx", 0xb8, tags << 4 | kind, start, most, current << 1 | ids,
                        size >> 16, size & 0xffff, size=size)

    def places(self):
        return Changer(self.session).places()

    def move(self, source, to):
        self.run("BxHHHxxxx", 0xa5, self.at(TRANSPORT), source, to)


def pages(data):
    """[(type, flags, [descriptor, ...]), ...] of a report that is whole."""
    assert be(data, 5, 3) == len(data) - 8
    found, at = [], 8
    while at < len(data):
        length, size = be(data, at + 2, 2), be(data, at + 5, 3)
        assert size % length == 0
        found.append((data[at], data[at + 1], [bytes(data[i:i + length]) for i in
                                               range(at + 8, at + 8 + size, length)]))
        at += 8 + size
    return found


# --- what there is ---------------------------------------------------------------------------


@as_each_model
def test_mode_pages_tell_where_elements_are_and_what_may_be_moved(robot):
    def page(code):
        data = robot.run("BBBxBx", 0x1a, 8, code, 255, size=255)
        return data[4:]
    assert page(0x1d)[:2] == bytes.fromhex("1d12")
    assert struct.unpack(">8H", page(0x1d)[2:18]) == tuple(
        n for kind in (TRANSPORT, SLOT, MAIL, DRIVE) for n in (robot.at(kind), COUNTS[kind]))
    assert page(0x1e) == bytes.fromhex("1e020000")
    # Slots, mail slots and drives hold media; from each to each, by moving and by exchanging.
    assert page(0x1f) == bytes.fromhex("1f12 0e00 000e0e0e 00000000 000e0e0e 00000000")
    assert page(0x3f) == page(0x02) + page(0x0a) + page(0x1c) + page(0x1d) + page(0x1e) + page(0x1f)


def alerts(robot):
    """The TapeAlert flags that the host has not been told of yet."""
    data = robot.run("BBBxxxxHx", 0x4d, 0, 0x6e, 1024, size=1024)
    return [be(data, at, 2) for at in range(4, len(data), 5) if data[at + 4]]


def test_a_tape_alert_tells_each_host_what_was_not_allowed(robot, server):
    other = robot.of_another()
    drive = ready(login(server.port, f"{EACH}-tapedrive-01", initiator=PREFIX + "host1"))
    robot.move(robot.at(SLOT, 0), robot.at(DRIVE, 0))
    assert drive.attention() == 0x2800
    drive.command(bytes([0x1e, 0, 0, 0, 1, 0]))         # PREVENT
    assert alerts(robot) == []
    with pytest.raises(Failed) as e:
        robot.move(robot.at(DRIVE, 0), robot.at(SLOT, 0))
    assert e.value.sense == (5, 0x5302)
    assert (alerts(robot), alerts(robot), alerts(other)) == ([25], [], [25])
    drive.command(bytes([0x1e, 0, 0, 0, 0, 0]))
    robot.move(robot.at(DRIVE, 0), robot.at(SLOT, 0))
    drive.wire.close()


def test_log_select_takes_tape_alerts_down(robot, server):
    server.stop()
    (server.dir / "vtl0" / TAPES[0]).rename(server.dir / "away")
    server.start()
    again = Robot(server.port, robot.model)
    assert alerts(again) == [24]                # a cartridge without files
    again.close()
    again = Robot(server.port, robot.model)
    again.run("BBBxxxxHx", 0x4c, 2, 0x6e, 0)
    assert alerts(again) == []
    (server.dir / "away").rename(server.dir / "vtl0" / TAPES[0])
    again.run("B5x", 0x07)                      # INITIALIZE ELEMENT STATUS
    assert alerts(again) == []
    again.close()


def test_tape_alert_has_sixty_four_flags(robot):
    data = robot.run("BBBxxxxHx", 0x4d, 0x40, 0x2e, 1024, size=1024)
    assert data[0] & 63 == 0x2e and be(data, 2, 2) == len(data) - 4 == 64 * 5
    assert [be(data, at, 2) for at in range(4, len(data), 5)] == list(range(1, 65))
    assert all(data[at + 4] == 0 for at in range(4, len(data), 5))


@as_each_model
def test_elements_of_all_types_come_in_pages_by_address(robot):
    found = pages(robot.status())
    by_address = sorted(COUNTS, key=robot.at)
    assert [kind for kind, _, _ in found] == by_address
    for kind, flags, rows in found:
        assert flags == 0x80 and {len(row) for row in rows} == {16 + 36}
        assert [be(row, 0, 2) for row in rows] == [
            robot.at(kind, n) for n in range(COUNTS[kind])]
    slots = next(rows for kind, _, rows in found if kind == SLOT)
    assert [row[12:44].rstrip() for row in slots[:5]] == [
        *(barcode.encode() for barcode in TAPES), bytes(32)]
    assert [row[2] for row in slots[3:5]] == [0x09, 0x08]         # full and within reach; empty


def test_one_type_is_asked_for_from_an_address_on(robot):
    for kind, count in COUNTS.items():
        whole = pages(robot.status(kind))
        assert [(k, len(rows)) for k, _, rows in whole] == [(kind, count)]
        data = robot.status(kind, start=robot.at(kind, count - 1), tags=False)
        assert be(data, 0, 2) == robot.at(kind, count - 1) and be(data, 2, 2) == 1
        (_, flags, rows), = pages(data)
        assert (flags, [len(row) for row in rows]) == (0, [16])
        assert be(robot.status(kind, start=robot.at(kind, count)), 2, 2) == 0


def test_drives_are_told_by_their_identifiers(robot):
    ids = []
    for n in range(2):
        session = login(robot.port, f"{EACH}-tapedrive-{n + 1:02}")
        page, at = ready(session).inquiry(0x83), 4
        while page[at + 1] & 15 != 1:           # T10 vendor identification
            at += 4 + page[at + 3]
        ids.append(page[at + 4:at + 4 + page[at + 3]])
        session.wire.close()
    (_, _, rows), = pages(robot.status(DRIVE, ids=True))
    for row, one in zip(rows, ids):
        assert row[48:50] == b"\x02\x01" and row[52:52 + row[51]].startswith(b"IBM     ULT3580-TD5")
        assert row[52:52 + row[51]] == one


def test_what_does_not_fit_the_allocation_length_is_counted_all_the_same(robot):
    whole = robot.status()
    for size in (0, 4, 8, 15, 16, 17, 70, 72, 73, 500, len(whole) - 1, len(whole)):
        data = robot.status(size=size)
        assert len(data) <= size and data == whole[:len(data)]
        if size >= 8:
            assert be(data, 5, 3) == len(whole) - 8 and be(data, 2, 2) == sum(COUNTS.values())
        # Of headers and descriptors none is cut.
        ends, at = {8}, 8
        while at < len(whole):
            length, page = be(whole, at + 2, 2), be(whole, at + 5, 3)
            ends |= {at + 8 + n for n in range(0, page + 1, length)}
            at += 8 + page
        assert size < 8 or len(data) == max(end for end in ends if end <= size)


# --- taking stock, and cartridges by their labels ----------------------------------------------


def test_the_robot_takes_stock_of_all_or_a_range_and_positions_itself(robot):
    robot.run("B5x", 0x07)
    for code in (0x37, 0xe7):
        robot.run("BBHxxHxx", code, 1, robot.at(SLOT), 4)
        robot.run("BBHxxHxx", code, 0, 0, 0)
        assert robot.sense("BBHxxHxx", code, 1, 60000, 4) == (5, 0x2101)
    robot.run("BxHHxxBx", 0x2b, robot.at(TRANSPORT), robot.at(SLOT, 7), 0)
    assert robot.sense("BxHHxxBx", 0x2b, robot.at(TRANSPORT), robot.at(SLOT, 8), 0) == (5, 0x2101)
    assert robot.sense("BxHHxxBx", 0x2b, robot.at(SLOT), robot.at(SLOT), 0) == (5, 0x2101)
    assert robot.sense("BxHHxxBx", 0x2b, 0, robot.at(SLOT), 1) == (5, 0x2400)   # turned over


def test_cartridges_are_found_by_their_labels(robot):
    def ask(template, kind=0, action=5):
        robot.run("BBHxBxxHxx", 0xb6, kind, 0, action, 40, data=template.ljust(32).encode() + bytes(8))
        data = robot.run("BBHHxBHxx", 0xb5, 0x10 | kind, 0, 0xffff, 0, 65535, size=65535)
        assert data[4] == action
        return [(k, row[12:44].decode().rstrip()) for k, _, rows in pages(data) for row in rows]
    robot.move(robot.at(SLOT, 1), robot.at(DRIVE, 1))
    assert set(ask("TEST0?L5")) == {(SLOT, TAPES[0]), (DRIVE, TAPES[1]), (SLOT, TAPES[2]),
                                    (SLOT, TAPES[3])}
    assert ask("*2*", DRIVE) == [(DRIVE, TAPES[1])]
    assert ask("*2*", SLOT) == [] and ask("NONE") == []
    # Who has asked nothing has nothing to be told.
    assert robot.of_another().sense("BBHHxBHxx", 0xb5, 0x10, 0, 0xffff, 0, 65535,
                                    size=65535) == (5, 0x2c00)


# --- moving ------------------------------------------------------------------------------------


@as_each_model
def test_media_are_moved_and_exchanged(robot):
    robot.move(robot.at(SLOT, 0), robot.at(DRIVE, 0))
    robot.move(robot.at(SLOT, 2), robot.at(MAIL, 1))
    exchange = "BxHHHHBx"
    # From its slot to the drive, and what was there to the slot that is empty by then.
    robot.run(exchange, 0xa6, 0, robot.at(SLOT, 1), robot.at(DRIVE, 0), robot.at(SLOT, 1), 0)
    assert robot.places() == {TAPES[0]: (SLOT, 1), TAPES[1]: (DRIVE, 0), TAPES[2]: (MAIL, 1),
                              TAPES[3]: (SLOT, 3)}
    for source, first, second, sense in [
            (robot.at(SLOT, 7), robot.at(DRIVE, 0), robot.at(SLOT, 6), (5, 0x3b0e)),
            (robot.at(SLOT, 1), robot.at(DRIVE, 1), robot.at(SLOT, 6), (5, 0x3b0e)),
            (robot.at(SLOT, 1), robot.at(DRIVE, 0), robot.at(SLOT, 3), (5, 0x3b0d)),
            (robot.at(SLOT, 1), robot.at(DRIVE, 0), 60000, (5, 0x2101))]:
        assert robot.sense(exchange, 0xa6, 0, source, first, second, 0) == sense
    assert robot.sense("BxHHHxxBx", 0xa5, 0, robot.at(SLOT, 1), robot.at(SLOT, 5), 1) == (5, 0x2400)
    assert robot.places()[TAPES[0]] == (SLOT, 1)


def test_a_full_mail_slot_says_whether_an_operator_filled_it(robot, server, ctl):
    robot.move(robot.at(SLOT, 0), robot.at(MAIL, 0))
    ctl(server, "tape", "create", "NEW001L5", "--size", "1M", "--mail")
    assert robot.session.attention() == 0x2801
    (_, _, rows), = pages(robot.status(MAIL))
    assert [row[2] for row in rows] == [0x39, 0x3b]     # IMPEXP: by an operator


def test_a_host_keeps_operators_from_the_mail_slots(robot, server, ctl):
    robot.run("BxxxBx", 0x1e, 1)
    refused = ctl(server, "tape", "create", "NEW001L5", "--size", "1M", "--mail", status=1)
    assert "a host has locked the mail slots" in refused.stderr
    assert "locked by a host" in ctl(server, "library", "status", "vtl0").stdout
    robot.session.wire.close()                  # with it goes what it asked for
    ctl(server, "tape", "create", "NEW001L5", "--size", "1M", "--mail")


# --- several hosts ---------------------------------------------------------------------------------


def test_drives_and_other_hosts_learn_of_moves(robot, server):
    drives = [ready(login(server.port, f"{EACH}-tapedrive-01", initiator=PREFIX + f"host{n}"))
              for n in (1, 2)]
    other = robot.of_another()
    robot.move(robot.at(SLOT, 0), robot.at(DRIVE, 0))
    for session in drives:
        assert session.attention() == 0x2800 and session.attention() is None
    assert other.session.attention() is None and other.places()[TAPES[0]] == (DRIVE, 0)
    robot.move(robot.at(DRIVE, 0), robot.at(SLOT, 0))
    for session in drives:
        with pytest.raises(Failed) as e:
            session.test_unit_ready()
        assert e.value.sense == (2, 0x3a00)
        session.wire.close()


def test_a_reservation_keeps_the_robot_for_its_holder(robot):
    key, action = bytes(8), b"reserved"
    robot.run("BBxxxxxHx", 0x5f, 0, 24, data=key + action + bytes(8))
    robot.run("BBBxxxxHx", 0x5f, 1, 3, 24, data=action + bytes(16))     # EXCLUSIVE ACCESS
    other = robot.of_another()
    for command in [lambda: other.move(other.at(SLOT, 0), other.at(SLOT, 5)),
                    lambda: other.run("B5x", 0x07), other.status]:
        with pytest.raises(Failed) as e:
            command()
        assert e.value.status == RESERVED
    assert len(other.status(current=True)) > 8
    robot.move(robot.at(SLOT, 0), robot.at(SLOT, 5))
    robot.run("BBBxxxxHx", 0x5f, 2, 3, 24, data=action + bytes(16))
    other.move(other.at(SLOT, 5), other.at(SLOT, 0))


def test_nobody_ever_sees_a_library_without_its_cartridges(robot, server, ctl):
    """Another changer, or other slots, is another library, which takes up its cartridges first."""
    seen, done = [], threading.Event()

    def watch():
        session = ready(login(robot.port, ROBOT, initiator=PREFIX + "watcher"))
        while not done.is_set():
            try:
                seen.append(len(Changer(session).places()))
            except Failed as e:         # told to look again, or later
                assert e.sense[0] in (2, 6), e
            except AssertionError:      # by ready(): for longer than it asks
                pass
        session.wire.close()

    watcher = threading.Thread(target=watch)
    watcher.start()
    for changer in [*MODELS, *MODELS]:
        ctl(server, "library", "changer", "vtl0", changer)
    done.set()
    watcher.join()
    assert seen and set(seen) == {len(TAPES)}
