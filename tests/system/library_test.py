# SPDX-License-Identifier: BSD-2-Clause
"""Tape libraries of the configuration: served in both layouts, kept over reloads, restarts and
kill -9."""
import re
from pathlib import Path

import pytest

from credentials_test import Api
from initiator import Failed, Refused, login
from support import CREDENTIAL, PREFIX, SECRET, TARGET_SECRET, conf, target, wait_until
from tapes import DRIVE, MAIL, SLOT, Changer, Drive, ready

pytestmark = pytest.mark.threads
ACCEPTANCE = Path(__file__).parents[1] / "unit/data/acceptance.conf"
TAPES = [f"TEST0{n}L5" for n in range(1, 5)]
EACH, ONE = PREFIX + "vtl0", PREFIX + "vtl1"
BLOCK = bytes(range(256)) * 64


def tapes(barcodes):
    return ", ".join(f'{{ barcode = "{barcode}"; size = "64M"; }}' for barcode in barcodes)


def library(name="vtl0", barcodes=TAPES, auth="none", where="", more="", slots=8, path="vtl0"):
    where = where or f'target_prefix = "{PREFIX}{name}";'
    return f'''{{ name = "{name}"; {where} auth = "{auth}"; drives = 2; slots = {slots};
        import_export = 2; path = "{path}"; tapes = ( {tapes(barcodes)} ); {more} }}'''


def text(*libraries):
    return conf(more=f"libraries = ( {', '.join(libraries or [library()])} );")


TOGETHER = text(library("vtl1", where=f'layout = "luns"; target = "{ONE}";', path="vtl1"))


@pytest.fixture
def server(start):
    return start(text())


def reload(server):
    assert Api(server).call("POST", "/v1/reload")[0] == 200


def changer(server, name=EACH + "-mediachanger", **kwargs):
    return Changer(login(server.port, name, **kwargs))


def drive(server, n=1, **kwargs):
    return Drive(login(server.port, f"{EACH}-tapedrive-{n:02}", **kwargs))


# --- what is served --------------------------------------------------------------------------


def test_each_device_is_a_target_with_its_own_type(server):
    for name, kind, product in [("mediachanger", 8, b"STK     L700"),
                                ("tapedrive-01", 1, b"IBM     ULT3580-TD5"),
                                ("tapedrive-02", 1, b"IBM     ULT3580-TD5")]:
        with login(server.port, f"{EACH}-{name}") as session:
            data = session.inquiry()
            assert data[0] & 31 == kind
            assert data[8:32].startswith(product)
            luns = session.command(bytes.fromhex("a00000000000000001000000"), 256)
            assert int.from_bytes(luns[:4], "big") == 8


def test_one_target_has_the_changer_before_the_drives(start):
    server = start(TOGETHER)
    with login(server.port, ONE) as session:
        kinds = [session.command(bytes.fromhex("12000000ff00"), 255, lun=lun)[0] & 31
                 for lun in range(3)]
        assert kinds == [8, 1, 1]
        robot, tape = Changer(session), Drive(session, 1)
        robot.move((SLOT, 0), (DRIVE, 0))
        ready(session, 1)
        tape.write(BLOCK)
        tape.rewind()
        assert tape.read(65536) == BLOCK


def test_declared_cartridges_are_in_the_first_slots(server):
    with changer(server).session as session:
        assert Changer(session).places() == {
            barcode: (SLOT, n) for n, barcode in enumerate(TAPES)}
    assert sorted(p.name for p in (server.dir / "vtl0").iterdir()) == sorted(TAPES + ["archive"])


def test_devices_have_names_of_their_own_that_stay(server):
    def names():
        found = {}
        for name in ("mediachanger", "tapedrive-01", "tapedrive-02"):
            with login(server.port, f"{EACH}-{name}") as session:
                found[name] = session.inquiry(0x80)[4:], session.inquiry(0x83)
        return found
    before = names()
    assert len({serial for serial, _ in before.values()}) == 3
    server.stop(), server.start()
    assert names() == before


def test_every_target_asks_for_the_credentials_of_the_library(start):
    server = start(text(library(auth="chap", more=f"credentials = ( {CREDENTIAL} );")))
    for name in ("mediachanger", "tapedrive-01", "tapedrive-02"):
        with pytest.raises(Refused):
            login(server.port, f"{EACH}-{name}")
        login(server.port, f"{EACH}-{name}", secret=SECRET,
              target_secret=TARGET_SECRET).wire.close()


def test_a_credential_of_the_api_holds_for_one_device(start):
    server = start(text(library(auth="chap")))
    Api(server).set(EACH + "-tapedrive-01", PREFIX + "host1", secret=SECRET)
    login(server.port, EACH + "-tapedrive-01", secret=SECRET).wire.close()
    with pytest.raises(Refused):
        login(server.port, EACH + "-tapedrive-02", secret=SECRET)


# --- moving, writing, reading --------------------------------------------------------------------


def test_what_is_written_is_read_in_another_drive(server):
    robot, one, two = changer(server), drive(server, 1), None
    robot.move((SLOT, 1), (DRIVE, 0))
    ready(one.session)
    for n in range(10):
        one.write(BLOCK + bytes([n]))
    one.marks()
    robot.move((DRIVE, 0), (SLOT, 7))
    robot.move((SLOT, 7), (DRIVE, 1))
    two = drive(server, 2)
    assert [two.read(65536) for _ in range(11)] == [BLOCK + bytes([n]) for n in range(10)] + [b""]
    assert robot.places()["TEST02L5"] == (DRIVE, 1)


def test_places_and_data_are_there_after_kill_9(server):
    robot, tape = changer(server), drive(server)
    robot.move((SLOT, 0), (DRIVE, 0))
    robot.move((SLOT, 1), (MAIL, 1))
    robot.move((SLOT, 2), (SLOT, 6))
    ready(tape.session)
    tape.write(BLOCK)
    tape.marks()
    before = robot.places()
    server.kill()
    server.start()
    robot, tape = changer(server), drive(server)
    assert robot.places() == before == {"TEST01L5": (DRIVE, 0), "TEST02L5": (MAIL, 1),
                                        "TEST03L5": (SLOT, 6), "TEST04L5": (SLOT, 3)}
    assert [tape.read(65536), tape.read(65536)] == [BLOCK, b""]


def test_a_stop_while_cartridges_are_made_leaves_the_rest_for_the_next_start(make_server):
    many = [f"MANY{n:02}L5" for n in range(90)]
    server = make_server(text(library(barcodes=many, slots=90)))

    def made():
        return sum((server.dir / "vtl0" / barcode).exists() for barcode in many)

    server.spawn()
    wait_until(made)
    server.stop()
    assert made() < len(many)
    server.start()
    wait_until(lambda: made() == len(many))


def test_a_cartridge_in_use_is_left_alone_by_tools(server, run, programs):
    changer(server).move((SLOT, 0), (DRIVE, 0))
    said = run(programs / "countersignctl", "tape", "verify", server.dir / "vtl0/TEST01L5",
               status=1)
    assert "it is in use" in said.stderr


# --- reload ----------------------------------------------------------------------------------------


def test_a_reload_leaves_a_library_and_its_sessions_alone(server):
    robot, tape = changer(server), drive(server)
    robot.move((SLOT, 0), (DRIVE, 0))
    ready(tape.session)
    tape.write(BLOCK)
    server.write_conf(text() + "poll_us = 3;\n")
    reload(server)
    tape.write(BLOCK)
    tape.rewind()
    assert [tape.read(65536), tape.read(65536)] == [BLOCK, BLOCK]
    assert tape.session.attention() is None and robot.session.attention() is None


def test_a_reload_that_takes_a_credential_away_closes_its_sessions(start):
    lib = library(auth="chap", more=f"credentials = ( {CREDENTIAL} );")
    server = start(text(lib))
    robot = changer(server, secret=SECRET, target_secret=TARGET_SECRET)
    server.write_conf(text(library(auth="chap")))
    reload(server)
    assert robot.session.wire.is_closed()
    with pytest.raises(Refused):
        changer(server, secret=SECRET, target_secret=TARGET_SECRET)


def test_a_fault_between_credentials_has_the_line_of_the_library(start, run, programs):
    lib = library(auth="chap", more=f"credentials = (\n{CREDENTIAL} );")
    server = start(text(lib))
    other = f'{{ initiator = "{PREFIX}h2"; secret = "{TARGET_SECRET}"; }}'
    server.write_conf(text(lib) + f"discovery = {{ credentials = ( {other} ); }};")
    done = run(programs / "countersignd", "-t", "-c", server.conf, status=1)
    assert re.search(r"countersign.conf:\d+: ", done.stderr), done.stderr
    assert ":1:" not in done.stderr


def test_a_reload_makes_cartridges_that_are_new(server):
    server.write_conf(text(library(barcodes=TAPES + ["TEST05L5"])))
    reload(server)
    wait_until(lambda: len(Api(server).must("GET", "/v1/tapes")["tapes"]) == 5)
    assert changer(server).places()["TEST05L5"] == (SLOT, 4)


def test_a_reload_that_declares_a_cartridge_otherwise_says_that_it_stays(server):
    reload(server)
    assert "stays as it was made" not in server.log()
    server.write_conf(server.conf.read_text().replace('"64M"', '"128M"', 1))
    reload(server)
    server.wait_for_log(f"library vtl0: cartridge {TAPES[0]} stays as it was made, 64M: ")
    assert server.log().count("stays as it was made") == 1


def test_a_library_that_grows_keeps_its_cartridges(server):
    robot = changer(server)
    robot.move((SLOT, 0), (DRIVE, 1))
    server.write_conf(text(library(slots=20)))
    reload(server)
    wait_until(lambda: Api(server).must("GET", "/v1/libraries")["libraries"][0]["ready"])
    robot = changer(server)
    assert len([1 for kind, _ in robot.elements() if kind == SLOT]) == 20
    assert robot.places()["TEST01L5"] == (DRIVE, 1)
    assert len(robot.places()) == 4


def test_a_library_that_goes_and_comes_back_has_its_cartridges(server):
    changer(server).move((SLOT, 0), (SLOT, 5))
    server.write_conf(conf())
    reload(server)
    with pytest.raises(Refused):
        changer(server)
    server.write_conf(text())
    reload(server)
    wait_until(lambda: Api(server).must("GET", "/v1/libraries")["libraries"][0]["ready"])
    assert changer(server).places()["TEST01L5"] == (SLOT, 5)


def test_a_library_whose_path_cannot_be_used_is_a_fault_with_its_line(start, server):
    (server.dir / "file").write_text("")
    server.write_conf(text(library(path="file/vtl0")))
    status, answer = Api(server).call("POST", "/v1/reload")
    assert status == 422
    fault = answer["error"]["faults"][0]
    assert fault["line"] > 1 and "file/vtl0" in fault["text"]
    assert changer(server).places()["TEST01L5"] == (SLOT, 0)


# --- the published configuration -------------------------------------------------------------------


def test_the_acceptance_configuration_serves_both_libraries(start, run, programs):
    ports = {"3270": "$port", "8270": "$http_port", "8271": "$https_port"}
    server = start(re.sub(r"\b(3270|8270|8271)\b", lambda m: ports[m[0]], ACCEPTANCE.read_text()))

    def ctl(*args):
        return run(programs / "countersignctl", "-s", server.dir / "acceptance-state/ctl.sock",
                   *args).stdout
    assert re.search(r"^vtl0 +STK-L700 +2 +16 +4 +2 +0 ", ctl("library", "list"), re.M)
    # A library that says nothing of credentials is open, each device until it has one.
    assert re.search("library vtl0: any of its devices is open", server.log())
    assert "library vtl1: any of" not in server.log()
    assert changer(server).places() == {f"TEST0{n}L5": (SLOT, n - 1) for n in (1, 2)}
    ctl("credentials", "set", "--generate", EACH + "-mediachanger", PREFIX + "host1")
    with pytest.raises(Refused):
        login(server.port, EACH + "-mediachanger")
    drive(server, 2)

    def session():
        return login(server.port, ONE, secret=SECRET, target_secret=TARGET_SECRET)
    robot = Changer(session())
    assert robot.places() == {f"TAPE0{n}L5": (SLOT, n - 1) for n in range(1, 5)}
    robot.move((SLOT, 2), (DRIVE, 1))
    tape = Drive(robot.session, 2)
    tape.write(BLOCK)
    tape.marks()
    server.kill(), server.start()
    robot = Changer(session())
    assert robot.places()["TAPE03L5"] == (DRIVE, 1)
    assert Drive(robot.session, 2).read(65536) == BLOCK
