# SPDX-License-Identifier: BSD-2-Clause
"""Linux looks at a media changer: the ch driver, sg3-utils, and what mtx does beside load and
unload."""
import re

import pytest
from guest import GuestError
from tape_test import MAIL_SLOTS, SLOTS, TAPES, library, separate  # noqa: F401 (a fixture)


def test_the_kernel_finds_all_elements(library, saw):  # noqa: F811
    vtl = library(separate())
    lines = re.findall(r"\[ch\d\] (type #.*) \[", vtl.guest.run("dmesg"))
    assert lines[-4:] == [
        "type #1 (mt): 0x0+1", f"type #2 (st): {1000:#x}+{SLOTS}",
        f"type #3 (ie): {10:#x}+{MAIL_SLOTS}", f"type #4 (dt): {500:#x}+2"]
    saw("; ".join(lines[-4:]))


def test_sg3_utils_read_every_page(library, saw):  # noqa: F811
    vtl = library(separate())
    sg = vtl.changer
    assert re.search(r"PDT=8\b|medium changer", vtl.guest.run(f"sg_inq {sg}"))
    names = vtl.guest.run(f"sg_vpd -p di {sg}")
    assert "vendor id: STK" in names and "vendor specific: L700" in names
    for page, text in [("0x1d", "Element address assignment"), ("0x1e", "Transport geometry"),
                       ("0x1f", "Device capabilities")]:
        assert text.lower() in vtl.guest.run(f"sg_modes -p {page} {sg}").lower()
    assert " 2e 00 01 40 00 01 03 01 " in vtl.guest.run(f"sg_logs -p 0x2e {sg}")
    commands = vtl.guest.run(f"sg_opcodes {sg}")
    for name in ("Move medium", "Exchange medium", "Read element status", "Position to element"):
        assert name.lower() in commands.lower(), commands
    saw(f"{len(commands.splitlines())} lines of commands")


def test_mtx_exchanges_and_walks_through_the_slots(library, saw):  # noqa: F811
    vtl = library(separate())
    vtl.mtx("inventory")
    vtl.mtx("load 1 0")
    vtl.mtx("next 0")
    assert vtl.status()["drive 0"] == TAPES[1]
    vtl.mtx("previous 0")
    assert vtl.status()["drive 0"] == TAPES[0]
    vtl.mtx("next 0")
    vtl.mtx("first 0")
    assert vtl.status()["drive 0"] == TAPES[0]
    vtl.mtx("unload 1 0")
    vtl.mtx("exchange 1 2")
    assert vtl.status() == {"slot 1": TAPES[1], "slot 2": TAPES[0], "slot 3": TAPES[2],
                            "slot 4": TAPES[3], "slot 5": TAPES[4]}
    saw("inventory, next, previous, first, exchange")


@pytest.mark.parametrize("model", ["AWS-Gateway-VTL", "IBM-03584L32-0402"])
def test_mtx_works_with_the_other_models(library, saw, model):  # noqa: F811
    vtl = library(separate().replace('path = "vtl0"', f'path = "vtl0"; changer = "{model}"'))
    vtl.mtx("load 2 1")
    vtl.mtx(f"transfer 1 {SLOTS + 1}")
    vtl.mtx("exchange 3 4")
    assert vtl.status() == {"drive 1": TAPES[1], f"slot {SLOTS + 1}": TAPES[0],
                            "slot 3": TAPES[3], "slot 4": TAPES[2], "slot 5": TAPES[4]}
    vtl.mtx("unload 2 1")
    assert vtl.status()["slot 2"] == TAPES[1]
    saw(vtl.guest.run("lsscsi").splitlines()[0])


def sense(vtl, cdb):
    """What sg_raw says of a command that fails."""
    with pytest.raises(GuestError) as failure:
        vtl.guest.run(f"sg_raw {vtl.changer} {cdb} 2>&1")
    return str(failure.value)


def test_refusals_say_why(library, saw):  # noqa: F811
    vtl = library(separate())
    move = "a5 00 00 00 {:02x} {:02x} {:02x} {:02x} 00 00 00 00"

    def ask(source, target):
        return sense(vtl, move.format(source >> 8, source & 255, target >> 8, target & 255))
    assert "Medium source element empty" in ask(1010, 1011)
    assert "Medium destination element full" in ask(1000, 1001)
    assert "Invalid element address" in ask(1000, 2000)
    saw("empty, full, no such element")
