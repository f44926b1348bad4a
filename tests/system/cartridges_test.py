# SPDX-License-Identifier: BSD-2-Clause
"""Cartridges as directories: made from SIMH images, looked at, checked, written out again."""
import json
import re
import subprocess

import pytest

MARK = b"\0\0\0\0"
END = b"\xff\xff\xff\xff"


def block(data):
    length = len(data).to_bytes(4, "little")
    return length + data + b"\0" * (len(data) % 2) + length


IMAGE = block(b"label" * 16) + MARK + 3 * block(b"x" * 512) + block(b"odd") + 2 * MARK + END


@pytest.fixture
def tape(programs, run, tmp_path):
    """tape(command, *arguments, status=0): `countersignctl tape ...`, in a folder."""
    def call(command, *args, status=0, json_wanted=False):
        done = run(programs / "countersignctl", *(["--json"] if json_wanted else []), "tape",
                   command, *args, cwd=tmp_path, status=status)
        return json.loads(done.stdout) if json_wanted else done
    call.dir = tmp_path
    return call


@pytest.fixture
def cartridge(tape):
    (tape.dir / "in.tap").write_bytes(IMAGE)
    said = tape("import", "--create", "--size", "64M", "TEST01L5", "in.tap").stdout
    assert said == "cartridge TEST01L5: 5 blocks and 3 filemarks copied, 0 damaged\n"
    return tape.dir / "TEST01L5"


def test_an_image_goes_in_and_comes_out_the_same(tape, cartridge):
    tape("export", "TEST01L5", "out.tap")
    assert (tape.dir / "out.tap").read_bytes() == IMAGE


def test_a_second_image_follows_the_first(tape, cartridge):
    tape("import", "TEST01L5", "in.tap")
    tape("export", cartridge, "out.tap")
    assert (tape.dir / "out.tap").read_bytes() == IMAGE[:-4] + IMAGE


def test_dump_lists_blocks_and_filemarks_in_runs(tape, cartridge):
    rows = [line.split() for line in tape("dump", "TEST01L5").stdout.splitlines()]
    assert ["cartridge", "TEST01L5"] in rows
    assert [row[:5] for row in rows if row[0] == "0"] == [
        ["0", "0", "1", "block", "80"], ["0", "1", "1", "filemark"],
        ["0", "2", "3", "block", "512"], ["0", "5", "1", "block", "3"],
        ["0", "6", "2", "filemark"]]


def test_dump_tells_programs_the_same(tape, cartridge):
    said = tape("dump", "TEST01L5", json_wanted=True)
    assert (said["barcode"], said["medium"], said["size"]) == ("TEST01L5", "LTO-5", 64 << 20)
    runs = said["partitions"][0]["runs"]
    assert [(run["object"], run["count"], run["is"]["kind"]) for run in runs] == [
        (0, 1, "block"), (1, 1, "filemark"), (2, 3, "block"), (5, 1, "block"), (6, 2, "filemark")]


def test_verify_finds_nothing_wrong_with_a_good_cartridge(tape, cartridge):
    said = tape("verify", "TEST01L5", json_wanted=True)["partitions"]
    assert [(p["blocks"], p["filemarks"], p["bytes"], p["damaged"]) for p in said] == [
        (5, 3, 80 + 3 * 512 + 3, 0)]


def test_verify_names_the_damaged_block_and_reads_the_rest(tape, cartridge):
    log, where = next((file, at) for file in cartridge.iterdir() if file.is_file()
                      and (at := file.read_bytes().find(b"odd")) >= 0)
    data = bytearray(log.read_bytes())
    data[where] ^= 1
    log.write_bytes(data)
    said = tape("verify", "TEST01L5", status=1)
    assert re.search(r"^  damaged +object 5$", said.stdout, re.M)
    assert "4 blocks with 1.6 KiB, 3 filemarks" in said.stdout
    assert "damaged" in tape("dump", "TEST01L5", status=1).stdout


def test_looking_changes_no_file(tape, cartridge):
    def files():
        return {path: path.read_bytes() for path in cartridge.rglob("*") if path.is_file()}
    before = files()
    tape("verify", "TEST01L5"), tape("dump", "TEST01L5"), tape("export", "TEST01L5", "out.tap")
    assert files() == before


def test_export_writes_to_standard_output(programs, cartridge):
    done = subprocess.run([programs / "countersignctl", "tape", "export", cartridge, "-"],
                          capture_output=True, check=True, timeout=60)
    assert done.stdout == IMAGE


def test_export_overwrites_no_file(tape, cartridge):
    said = tape("export", "TEST01L5", "in.tap", status=1)
    assert "in.tap: File exists" in said.stderr
    assert (tape.dir / "in.tap").read_bytes() == IMAGE


@pytest.mark.parametrize("image", [b"\x05\0\0\0abc", b"\x04\0\0\0abcd\x05\0\0\0", b"x"])
def test_what_is_no_image_is_refused_with_the_place(tape, cartridge, image):
    (tape.dir / "bad.tap").write_bytes(image)
    said = tape("import", "TEST01L5", "bad.tap", status=1)
    assert re.search(r"bad\.tap: at byte \d+ it is no tape image", said.stderr)


def test_what_is_no_cartridge_is_refused(tape):
    (tape.dir / "folder").mkdir()
    assert "folder: " in tape("verify", "folder", status=1).stderr
    assert "No such file" in tape("verify", "nothing", status=1).stderr


@pytest.mark.parametrize("name", ["TEST01", "test01L5", "TEST01Q9"])
def test_a_new_cartridge_needs_a_barcode_with_a_generation(tape, name):
    (tape.dir / "in.tap").write_bytes(IMAGE)
    tape("import", "--create", name, "in.tap", status=2)
    assert not (tape.dir / name).exists()
