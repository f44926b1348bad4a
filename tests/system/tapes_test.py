# SPDX-License-Identifier: BSD-2-Clause
"""Cartridges, drives and libraries, looked after by countersignctl."""
import json
import re

import pytest

from initiator import Failed, login
from library_test import EACH, TAPES, changer, drive, text
from support import conf, wait_until
from tapes import DRIVE, MAIL, SLOT, ready


@pytest.fixture
def server(start):
    return start(text())


@pytest.fixture
def tell(server, ctl):
    """tell(words, status=0): what `countersignctl words` says."""
    def call(words, status=0):
        done = ctl(server, *words.split(), status=status)
        return done.stderr if status else done.stdout
    return call


@pytest.fixture
def rows(server, ctl):
    """rows(words, member): what `countersignctl --json words` lists, by barcode or number."""
    def call(words, member="tapes", key="barcode"):
        listed = json.loads(ctl(server, "--json", *words.split()).stdout)[member]
        return {row[key]: row for row in listed}
    return call


def place(row):
    return row["place"]["kind"], row["place"]["number"]


# --- moving ------------------------------------------------------------------------------------


def test_load_and_unload_move_a_cartridge_and_remember_its_slot(tell, rows, server):
    assert tell("tape load TEST03L5 2") == "cartridge TEST03L5: drive 2, AVAILABLE\n"
    assert place(rows("tape list")["TEST03L5"]) == ("drive", 2)
    assert changer(server).places()["TEST03L5"] == (DRIVE, 1)
    assert tell("tape unload TEST03L5") == "cartridge TEST03L5: slot 3, AVAILABLE\n"
    assert changer(server).places()["TEST03L5"] == (SLOT, 2)


def test_any_free_place_will_do(tell):
    assert tell("tape load TEST01L5").startswith("cartridge TEST01L5: drive 1,")
    assert tell("tape load TEST02L5").startswith("cartridge TEST02L5: drive 2,")
    assert "library vtl0 has no free drive" in tell("tape load TEST03L5", status=1)
    assert tell("library export TEST03L5").startswith("cartridge TEST03L5: mail slot 1,")
    assert tell("library import TEST03L5").startswith("cartridge TEST03L5: slot 1,")


def test_a_cartridge_that_is_there_already_stays_where_it_is(tell, rows, server):
    tell("tape load TEST01L5 2")
    session = drive(server, 2).session
    for words in ("tape load TEST01L5", "tape load TEST01L5 2", "drive load vtl0 2 TEST01L5"):
        assert tell(words) == "cartridge TEST01L5: drive 2, AVAILABLE\n"
    assert session.attention() is None
    assert tell("tape move TEST02L5 slot") == "cartridge TEST02L5: slot 2, AVAILABLE\n"
    assert rows("library list", "libraries", "name")["vtl0"]["moves"] == 1


def test_drives_are_loaded_and_unloaded_by_their_number(tell, rows):
    tell("drive load vtl0 2 TEST01L5")
    drives = rows("drive list vtl0", "drives", "drive")
    assert (drives[1]["state"], drives[2]["state"]) == ("empty", "loaded")
    assert drives[2]["barcode"] == "TEST01L5"
    assert tell("drive unload vtl0 2").startswith("cartridge TEST01L5: slot 1,")
    assert "is empty" in tell("drive unload vtl0 2", status=2)


@pytest.mark.parametrize("words, why", [
    ("tape move TEST01L5 slot 2", "slot 2 is taken: cartridge TEST02L5 is there"),
    ("tape move TEST01L5 slot 9", "there is no slot 9: library vtl0 has 8"),
    ("tape move TEST01L5 drive 3", "there is no drive 3: library vtl0 has 2"),
    ("tape unload TEST01L5", "cartridge TEST01L5 is in no drive, but in slot 1"),
    ("tape load TEST09L5", "there is no cartridge TEST09L5"),
    ("tape retrieve TEST01L5", "cartridge TEST01L5 is not in the archive, but in slot 1"),
    ("tape create TEST01L5", "cartridge TEST01L5 is there already: in slot 1 of library vtl0"),
    ("tape create x", "a barcode has 5 to 16 upper-case letters and digits"),
    ("tape create NEW001L5 --size 1K", "1 MiB or more"),
    ("tape create NEW001L5 --library vtl9", "there is no library vtl9"),
    ("library status none", "there is no library none"),
    ("drive status vtl0 3", "library vtl0 has no drive 3"),
])
def test_what_cannot_be_is_refused_with_the_reason(tell, words, why):
    assert why in tell(words, status=1)


def test_hosts_learn_of_what_an_operator_does(tell, server):
    robot, tape = changer(server), drive(server)
    tell("library export TEST01L5")
    assert robot.session.attention() == 0x2801
    tell("tape load TEST02L5 1")
    assert tape.session.attention() == 0x2800
    assert tape.session.attention() is None


def test_a_host_keeps_its_cartridge(tell, server):
    tell("tape load TEST01L5 1")
    tape = drive(server)
    prevent = bytes.fromhex("1e0000000100")
    tape.command(prevent)
    assert ("a host prevents drive 1 of library vtl0 from giving cartridge TEST01L5 away"
            in tell("tape unload TEST01L5", status=1))
    assert "prevented by a host" in tell("drive status vtl0 1")
    tape.command(bytes(prevent[:4]) + bytes(2))
    tell("tape unload TEST01L5")


# --- cartridges ----------------------------------------------------------------------------------


def test_a_cartridge_is_made_and_deleted_and_its_barcode_never_used_again(tell, rows, server):
    assert tell("tape create NEW001L6 --size 100M") == (
        "cartridge NEW001L6 made: LTO-6 of 100.0 MiB, slot 5 of library vtl0\n")
    new = rows("tape list")["NEW001L6"]
    assert (new["medium"], new["size"], new["worm"]) == ("LTO-6", 100 << 20, False)
    assert changer(server).places()["NEW001L6"] == (SLOT, 4)
    tell("tape delete NEW001L6")
    assert "NEW001L6" not in rows("tape list") | changer(server).places()
    assert not (server.dir / "vtl0/NEW001L6").exists()
    assert "barcode NEW001L6 was in use once" in tell("tape create NEW001L6", status=1)
    server.kill(), server.start()
    assert "NEW001L6" not in rows("tape list")


def test_a_library_tells_what_is_on_its_cartridges(tell, rows, server):
    size = sum(tape["size"] for tape in rows("tape list").values())
    assert f"space          0 used of {size >> 20}.0 MiB\n" in tell("library status vtl0")
    tell("tape load TEST01L5 1")
    tape = drive(server)
    tape.write(bytes(64 << 10))
    tape.marks()
    tell("tape unload TEST01L5")
    used = rows("tape list")["TEST01L5"]["used"]
    assert used and not re.search(r"^space +0 used", tell("library status vtl0"), re.M)


def test_options_say_what_a_cartridge_is(tell, rows):
    tell("tape create WORM01L5 --size 64M --worm --mail")
    tell("tape create CLN001L5 --library vtl0")
    tell("tape create PLAIN1 --size 64M --generation 6")
    tapes = rows("tape list")
    assert tapes["PLAIN1"]["medium"] == "LTO-6"
    assert tapes["WORM01L5"]["worm"] and place(tapes["WORM01L5"]) == ("mail slot", 1)
    assert tapes["CLN001L5"]["cleaning"]


def test_a_cartridge_that_no_drive_reads_is_made_with_a_warning(tell, rows, server, ctl):
    done = ctl(server, "tape", "create", "LATE01L9", "--size", "64M")
    assert done.stdout.startswith("cartridge LATE01L9 made: LTO-9 of 64.0 MiB, slot 5")
    assert done.stderr == "countersignctl: no drive of library vtl0 reads LTO-9\n"
    assert ctl(server, "tape", "create", "GOOD01L5", "--size", "64M").stderr == ""
    readable = {name: row["readable"] for name, row in rows("tape list").items()}
    assert not readable["LATE01L9"] and readable["GOOD01L5"]
    assert re.search(r"^LATE01L9 .* no drive reads it$", tell("tape list"), re.M)
    assert "no drive reads cartridge LATE01L9: it is LTO-9, they are LTO-5" in server.log()


@pytest.mark.parametrize("barcode", ["OLD001L2", "ODD001M8"])
def test_a_label_of_no_known_generation_is_told(server, ctl, barcode):
    done = ctl(server, "tape", "create", barcode, "--size", "64M")
    assert "made: LTO-5" in done.stdout
    assert done.stderr == (
        f"countersignctl: {barcode[-2:]} is of no generation that is known: this is LTO-5\n")
    done = ctl(server, "tape", "create", "X" + barcode, "--size", "64M", "--generation", "5")
    assert done.stderr == ""


def test_a_cartridge_that_is_there_is_taken_up_with_its_data(tell, run, programs, server, tmp_path):
    image = tmp_path / "in.tap"
    image.write_bytes(b"\4\0\0\0abcd\4\0\0\0\0\0\0\0\xff\xff\xff\xff")
    run(programs / "countersignctl", "tape", "import", "--create", "--size", "64M",
        server.dir / "vtl0/OLD001L5", image)
    tell("tape create OLD001L5 --existing")
    tell("tape load OLD001L5 1")
    assert drive(server).read(100) == b"abcd"
    assert "is no cartridge of that barcode" in tell("tape create OLD002L5 --existing", status=1)


def test_write_protection_holds_in_a_drive(tell, rows, server):
    tell("tape protect TEST01L5 on")
    tell("tape load TEST01L5 1")
    tape = drive(server)
    with pytest.raises(Failed) as e:
        tape.write(b"x" * 100)
    assert e.value.sense[0] == 7
    assert "cartridge TEST01L5 is in drive 1" in tell("tape protect TEST01L5 off", status=1)
    tell("tape unload TEST01L5")
    tell("tape protect TEST01L5 off")
    assert not rows("tape list")["TEST01L5"]["write_protect"]
    tape.session.wire.close()


def test_a_cartridge_goes_to_the_archive_and_back_with_its_data(tell, rows, server):
    tell("tape load TEST01L5 1")
    tape = drive(server)
    tape.write(b"x" * 100), tape.marks()
    assert "cartridge TEST01L5 is in drive 1" in tell("tape archive TEST01L5", status=1)
    tell("tape unload TEST01L5")
    tell("tape archive TEST01L5")
    wait_until(lambda: rows("tape list")["TEST01L5"]["state"] == "ARCHIVED")
    assert (server.dir / "vtl0/archive/TEST01L5").is_dir()
    assert "TEST01L5" not in changer(server).places()
    tell("tape retrieve TEST01L5")
    wait_until(lambda: rows("tape list")["TEST01L5"]["state"] == "AVAILABLE")
    tell("tape load TEST01L5 1")
    assert ready(tape.session) and tape.read(100) == b"x" * 100


def test_a_cartridge_with_a_pool_goes_to_the_archive_from_a_mail_slot(tell, rows, server):
    tell("tape create POOL01L5 --size 64M --pool GLACIER")
    robot = changer(server)
    robot.move((SLOT, 4), (MAIL, 0))
    robot.move((SLOT, 0), (MAIL, 1))
    wait_until(lambda: rows("tape list")["POOL01L5"]["state"] == "ARCHIVED", 30)
    assert place(rows("tape list")["TEST01L5"]) == ("mail slot", 2)     # it has none
    assert robot.session.attention() == 0x2801


def test_an_operator_gives_a_pool_and_takes_it_away(tell, rows):
    assert "AVAILABLE, pool GLACIER\n" in tell("tape pool TEST01L5 GLACIER")
    assert rows("tape list")["TEST01L5"]["pool"] == "GLACIER"
    tell("tape pool TEST01L5 none")
    assert rows("tape list")["TEST01L5"]["pool"] is None
    tell("library export TEST01L5")
    assert "100 bytes at most" in tell("tape pool TEST01L5 " + "x" * 101, status=1)
    tell("tape pool TEST01L5 DEEP_ARCHIVE")         # it lies in a mail slot, and goes
    wait_until(lambda: rows("tape list")["TEST01L5"]["state"] == "ARCHIVED", 30)


def test_an_operator_turns_a_cartridge_back(tell, rows):
    tell("tape pool TEST01L5 GLACIER")
    tell("library export TEST01L5")
    assert tell("tape cancel TEST01L5") == "cartridge TEST01L5: slot 1, AVAILABLE, pool GLACIER\n"
    assert ("cartridge TEST01L5 is not on its way to or from the archive, but in slot 1"
            in tell("tape cancel TEST01L5", status=1))
    assert rows("tape list")["TEST01L5"]["pool"] == "GLACIER"


def test_the_changer_becomes_another_model(tell, rows, server):
    tell("tape load TEST02L5 2")
    assert (tell("library changer vtl0 IBM-03584L32-0402")
            == "library vtl0 has changer IBM-03584L32-0402\n")
    assert rows("library list", "libraries", "name")["vtl0"]["product"] == "03584L32"
    robot = changer(server)
    assert robot.session.inquiry()[8:36] == b"IBM     03584L32        0402"
    assert (4, 258) in robot.elements() and robot.places()["TEST02L5"] == (DRIVE, 1)
    assert ("a changer is STK-L700, AWS-Gateway-VTL or IBM-03584L32-0402"
            in tell("library changer vtl0 L700", status=1))
    assert "there is no library vtl9" in tell("library changer vtl9 STK-L700", status=1)


def test_one_that_is_taken_out_of_the_mail_slot_in_time_stays(tell, rows, server):
    tell("tape create POOL01L5 --size 64M --pool GLACIER")
    robot = changer(server)
    robot.move((SLOT, 4), (MAIL, 0))
    robot.move((MAIL, 0), (SLOT, 7))
    server.kill(), server.start()
    assert place(rows("tape list")["POOL01L5"]) == ("slot", 8)


# --- what is told -----------------------------------------------------------------------------------


def test_stats_count_what_hosts_write_and_read(tell, rows, server):
    tell("tape load TEST01L5 1")
    tape = drive(server)
    for _ in range(4):
        tape.write(b"x" * 65536)
    tape.marks()
    tape.rewind()
    tape.read(65536)
    total = rows("drive stats vtl0", "drives", "drive")[1]["total"]
    assert (total["host_written"], total["blocks_written"]) == (4 << 16, 4)
    assert (total["filemarks_written"], total["blocks_read"]) == (1, 1)
    assert "object 1, behind 0 filemarks" in tell("drive status vtl0 1")
    assert "256.0 KiB" in tell("drive stats")


def test_changes_are_in_the_audit(tell):
    tell("tape load TEST01L5 1")
    tell("tape unload TEST01L5")
    said = tell("audit").splitlines()
    assert re.search(r"uid \d+ .*unload tape +TEST01L5 +-$", said[1])
    assert re.search(r"uid \d+ .*move tape +TEST01L5 +to=drive number=1$", said[2])


def test_lists_are_there_without_a_library(start, ctl):
    server = start(conf())
    assert ctl(server, "library", "list").stdout == "there are no libraries\n"
    assert ctl(server, "drive", "list").stdout == "there are no drives\n"
    assert ctl(server, "tape", "list").stdout == "there are no cartridges\n"


# --- written behind the server's back ------------------------------------------------------------


def test_what_is_imported_is_listed_at_once_and_after_a_start(server, ctl, rows, tmp_path):
    def load(barcode):
        ctl(server, "tape", "import", next(server.dir.rglob(barcode)), image)
    block = bytes(range(256)) * 16
    length = len(block).to_bytes(4, "little")
    image = tmp_path / "in.tap"
    image.write_bytes(length + block + length + bytes(4))
    assert rows("tape list")["TEST01L5"]["used"] == 0
    load("TEST01L5")                            # the server runs, and is told
    assert rows("tape list")["TEST01L5"]["used"] > 0
    server.stop()
    load("TEST02L5")
    server.start()
    wait_until(lambda: rows("tape list")["TEST02L5"]["used"] > 0)
    assert rows("tape list")["TEST01L5"]["used"] == rows("tape list")["TEST02L5"]["used"]
