# SPDX-License-Identifier: BSD-2-Clause
"""Linux uses a tape library: st, sg and ch with mtx, mt, tar, sg3-utils and Bacula's btape."""
import json
import re
from dataclasses import replace

import pytest
from guest import GuestError
from serving import CREDENTIAL, MUTUAL, TARGET, conf

PREFIX = TARGET + "vtl0"
SINGLE = TARGET + "vtl1"
MUTUAL_OF_SINGLE = replace(MUTUAL, target_user=SINGLE)
SLOTS, MAIL_SLOTS = 16, 4
TAPES = [f"TEST0{n}L5" for n in range(1, 6)]

BTAPE = """
Storage {{ Name = guest; WorkingDirectory = /tmp; Pid Directory = /tmp; Plugin Directory = /tmp }}
Director {{ Name = nobody; Password = unused }}
Autochanger {{
  Name = library; Device = drive
  Changer Device = {changer}; Changer Command = "/etc/bacula/scripts/mtx-changer %c %o %S %a %d"
}}
Device {{
  Name = drive; Media Type = LTO-5; Archive Device = {tape}; Autochanger = yes; Drive Index = 0
  AutomaticMount = yes; AlwaysOpen = yes; RemovableMedia = yes; RandomAccess = no
}}
Messages {{ Name = Standard; console = all }}
"""


def tapes(barcodes=TAPES, size="64M"):
    return ", ".join(f'{{ barcode = "{barcode}"; size = "{size}"; }}' for barcode in barcodes)


def separate(size="64M"):
    """A library of which each device is a target."""
    return conf(more=f'''libraries = ( {{ name = "vtl0"; target_prefix = "{PREFIX}"; auth = "none";
        drives = 2; slots = {SLOTS}; import_export = {MAIL_SLOTS}; path = "vtl0";
        tapes = ( {tapes(size=size)} ); }} );''')


def together():
    """A library that is one target, behind mutual CHAP."""
    return conf(more=f'''libraries = ( {{ name = "vtl1"; layout = "luns"; target = "{SINGLE}";
        auth = "chap"; credentials = ( {CREDENTIAL} ); drives = 2; slots = 8; import_export = 2;
        path = "vtl1"; tapes = ( {tapes()} ); }} );''')


def devices(linux):
    """The device of each LUN that the guest has, such as {(PREFIX + "-mediachanger", 0): sg0};
    a drive's is a tape that does not rewind by itself."""
    found = linux.guest.run("""
        udevadm settle
        for session in /sys/class/iscsi_session/*; do
            for unit in $session/device/target*/*:*; do
                [ -e $unit/scsi_generic ] || continue
                tape=$(cd $unit/scsi_tape 2>/dev/null && ls | grep -x 'nst[0-9]*' || true)
                echo $(cat $session/targetname) ${unit##*:} ${tape:-$(ls $unit/scsi_generic)}
            done
        done""")
    return {(name, int(lun)): "/dev/" + device
            for name, lun, device in map(str.split, found.splitlines())}


class Library:
    """What the guest has of a library: `changer` and `drives`, and what is done with mtx."""

    def __init__(self, linux, server, changer, drives):
        self.guest, self.server, self.changer, self.drives = linux.guest, server, changer, drives

    def mtx(self, command):
        return self.guest.run(f"mtx -f {self.changer} {command}", 120)

    def status(self):
        """What is where: {"drive 0": barcode, "slot 1": barcode, ...}, full places only."""
        places = re.findall(r"^ *(Data Transfer|Storage) Element (\d+)(?: IMPORT/EXPORT)?:Full"
                            r".*?VolumeTag ?= ?(\S+)", self.mtx("status"), re.M)
        return {f"{'drive' if kind[0] == 'D' else 'slot'} {number}": barcode
                for kind, number, barcode in places}

    def load(self, slot=1, drive=0):
        """Puts a cartridge in a drive and waits until it is there; gives the tape."""
        self.mtx(f"load {slot} {drive}")
        tape = self.drives[drive]
        self.guest.wait(f"mt -f {tape} status | grep -q ONLINE")
        self.guest.run(f"mt -f {tape} setblk 0")
        return tape

    def position(self, drive=0):
        """File and block number, as st counts them."""
        status = self.guest.run(f"mt -f {self.drives[drive]} status")
        return tuple(map(int, re.search(r"File number=(-?\d+), block number=(-?\d+)",
                                        status).groups()))


@pytest.fixture
def library(linux, start, ctl):
    """library(conf, chap): a server with that library, logged in to, as the guest sees it. What a
    server without libraries cannot show is skipped."""
    def call(text, chap=None):
        server = start(text)
        names = [t["name"] for t in json.loads(ctl(server, "--json", "targets").stdout)["targets"]]
        if not any(name.startswith((PREFIX, SINGLE)) for name in names):
            pytest.skip(f"countersignctl targets shows no library, but {names or 'nothing'}")
        if chap:
            linux.configure(chap=chap)
        linux.guest.run("modprobe -a st ch")
        assert sorted(name for _, _, name in linux.discover(server)) == sorted(names)
        linux.guest.run("iscsiadm -m node -L all", 120)
        places = [(SINGLE, lun) for lun in range(3)] if SINGLE in names else [
            (PREFIX + "-" + name, 0) for name in ("mediachanger", "tapedrive-01", "tapedrive-02")]
        linux.guest.wait(f"[ $(ls /sys/class/scsi_generic | wc -l) = {len(places)} ] && "
                         "[ $(ls /sys/class/scsi_tape | grep -cx 'nst[0-9]*') = 2 ]")
        found = devices(linux)
        changer, *drives = [found[place] for place in places]
        return Library(linux, server, changer, drives)
    return call


# --- the changer ------------------------------------------------------------------------------

def test_mtx_shows_what_is_where(library, saw):
    status = library(separate()).mtx("status")
    assert f"2 Drives, {SLOTS + MAIL_SLOTS} Slots ( {MAIL_SLOTS} Import/Export )" in status
    assert re.findall(r"Storage Element (\d+):Full :VolumeTag=(\S+)", status) == [
        (str(n), barcode) for n, barcode in enumerate(TAPES, 1)]
    saw(status.splitlines()[0].strip())


def test_mtx_loads_unloads_and_transfers(library, saw):
    vtl = library(separate())
    mail_slot = SLOTS + 1
    vtl.mtx("load 1 0")
    vtl.mtx("load 2 1")
    vtl.mtx("transfer 3 10")
    vtl.mtx(f"transfer 4 {mail_slot}")
    assert vtl.status() == {"drive 0": TAPES[0], "drive 1": TAPES[1], "slot 10": TAPES[2],
                            f"slot {mail_slot}": TAPES[3], "slot 5": TAPES[4]}
    for wrong in ("load 5 0", "load 9 1", "transfer 5 10", "transfer 9 11"):
        with pytest.raises(GuestError):
            vtl.mtx(wrong)          # a full destination, an empty source
    vtl.mtx("unload 2 0")
    vtl.mtx("unload 1 1")
    vtl.mtx("transfer 10 3")
    vtl.mtx(f"transfer {mail_slot} 4")
    assert vtl.status() == {"slot 1": TAPES[1], "slot 2": TAPES[0], "slot 3": TAPES[2],
                            "slot 4": TAPES[3], "slot 5": TAPES[4]}
    saw("two drives, a slot and a mail slot filled and emptied; four wrong moves refused")


def test_one_target_with_the_changer_before_the_drives(library, saw):
    vtl = library(together(), MUTUAL_OF_SINGLE)
    tape = vtl.load(2, 1)
    assert vtl.status()["drive 1"] == TAPES[1]
    vtl.guest.run(f"echo hello | dd of={tape} status=none && mt -f {tape} rewind && "
                  f"dd if={tape} status=none | grep -x hello")
    saw(vtl.guest.run("lsscsi"))


# --- the drive -----------------------------------------------------------------------------------

def test_mt_finds_files_and_blocks(library, saw):
    vtl = library(separate())
    tape = vtl.load()
    mt = f"mt -f {tape}"
    vtl.guest.run(f"""
        for n in 0 1 2; do
            dd if=/dev/urandom of=/tmp/tape$n bs=64k count=4 status=none
            dd if=/tmp/tape$n of={tape} bs=64k status=none
        done""")
    assert vtl.position() == (3, 0)
    # st knows no block number behind a move to the end of data.
    for command, where in [("rewind", (0, 0)), ("fsf 1", (1, 0)), ("fsr 2", (1, 2)),
                           ("bsr 1", (1, 1)), ("asf 2", (2, 0)), ("bsfm 1", (2, 0)),
                           ("fsr 3", (2, 3)), ("eod", (3, -1)), ("asf 0", (0, 0))]:
        vtl.guest.run(f"{mt} {command}")
        assert vtl.position() == where, command
    for n in (2, 0, 1):
        vtl.guest.run(f"{mt} asf {n} && dd if={tape} bs=64k status=none | cmp - /tmp/tape{n}")
    vtl.guest.run(f"{mt} asf 1 && {mt} fsr 1")
    there = re.search(r"\d+", vtl.guest.run(f"{mt} tell"))[0]
    assert there == "6"             # four blocks and a mark, and one block
    vtl.guest.run(f"""
        {mt} rewind && {mt} seek {there}
        dd if={tape} bs=64k count=1 status=none >/tmp/block
        dd if=/tmp/tape1 bs=64k skip=1 count=1 status=none | cmp - /tmp/block""")
    saw("rewind, fsf, fsr, bsr, asf, bsfm, eod, tell, seek")


def test_mt_writes_marks_erases_and_unloads(library, saw):
    vtl = library(separate())
    tape = vtl.load()
    mt = f"mt -f {tape}"
    vtl.guest.run(f"echo text | dd of={tape} status=none && {mt} weof 2")
    assert vtl.position() == (3, 0)
    vtl.guest.run(f"{mt} rewind && {mt} erase && {mt} rewind")
    left = vtl.guest.run(f"dd if={tape} bs=64k status=none 2>/dev/null | wc -c || true")
    assert left.strip() == "0"
    vtl.guest.run(f"{mt} retension && {mt} compression 0 && {mt} compression 1 && {mt} lock")
    with pytest.raises(GuestError):
        vtl.mtx("unload 1 0")       # the host prevents it
    vtl.guest.run(f"{mt} unlock && {mt} offline")
    vtl.mtx("unload 1 0")
    assert vtl.status()["slot 1"] == TAPES[0]
    saw("weof, erase, retension, compression, lock, unlock, offline")


def test_mt_knows_both_sides_of_a_filemark(library, saw):
    vtl = library(separate())
    tape = vtl.load()
    mt = f"mt -f {tape}"
    vtl.guest.run(f"for n in 0 1 2; do echo file $n | dd of={tape} status=none; done")
    # Behind the mark or in front of it: st counts the blocks backwards as long as it can.
    for command, file, text in [("rewind", 0, "file 0"), ("fsf 2", 2, "file 2"),
                                ("bsfm 2", 1, "file 1"), ("asf 2", 2, "file 2"),
                                ("eod", 3, ""), ("bsfm 1", 3, "")]:
        vtl.guest.run(f"{mt} {command}")
        assert vtl.position()[0] == file, command
        assert vtl.guest.run(f"dd if={tape} status=none 2>&1 || true").strip() == text or not text
        vtl.guest.run(f"{mt} rewind && {mt} fsf {file}")
    vtl.guest.run(f"{mt} rewind && {mt} fsf 2 && {mt} bsf 1")
    assert vtl.position()[0] == 1                # in front of the mark that ends file 1
    assert vtl.guest.run(f"dd if={tape} status=none | wc -c").strip() == "0"
    assert vtl.guest.run(f"dd if={tape} status=none") == "file 2\n"
    vtl.guest.run(f"{mt} rewind && {mt} fsfm 1")
    assert vtl.position()[0] == 0
    saw("fsf, fsfm, bsf, bsfm, eod")


def test_mt_sets_what_a_drive_can_be_set_to(library, saw):
    vtl = library(separate())
    tape = vtl.load()
    mt = f"mt -f {tape}"
    assert "0x58" in vtl.guest.run(f"{mt} status")              # the density of LTO-5
    vtl.guest.run(f"{mt} setdensity 0x58 && {mt} defdensity 0x58")
    for wrong in ("setdensity 0x20", "wset 1", "fss 1", "setblk 16777215"):
        with pytest.raises(GuestError):
            vtl.guest.run(f"{mt} {wrong}")
    vtl.guest.run(f"""
        {mt} drvbuffer 0 && {mt} drvbuffer 1 && {mt} defblksize 0 && {mt} defcompression 1
        {mt} stsetoptions scsi2logical can-bsr && {mt} stshowoptions | grep can-bsr
        {mt} sttimeout 900 && {mt} stlongtimeout 14000
        echo text | dd of={tape} status=none
        {mt} offline && {mt} load
        until {mt} status | grep -q ONLINE; do sleep 0.1; done
        dd if={tape} status=none | grep -x text""")
    saw("setdensity, drvbuffer, options, timeouts, offline, load")


def test_mt_divides_a_tape_into_partitions(library, saw):
    vtl = library(separate())
    tape = vtl.load()
    mt = f"mt -f {tape}"
    vtl.guest.run(f"""
        {mt} stsetoptions can-partitions scsi2logical
        {mt} mkpartition 16
        {mt} setpartition 1 && echo one | dd of={tape} status=none
        {mt} setpartition 0 && echo zero | dd of={tape} status=none
        {mt} partseek 1 0 && dd if={tape} status=none | grep -x one
        {mt} setpartition 0 && {mt} rewind && dd if={tape} status=none | grep -x zero
        {mt} status | grep 'partition=0'
        {mt} mkpartition 0 && ! {mt} setpartition 1""")
    saw("mkpartition, setpartition, partseek")


@pytest.mark.parametrize("block", [512, 65536, 1 << 20])
def test_fixed_blocks(library, block):
    vtl = library(separate())
    tape = vtl.load()
    vtl.guest.run(f"""
        mt -f {tape} setblk {block} && mt -f {tape} status | grep 'block size {block} bytes'
        dd if=/dev/urandom of=/tmp/fixed bs=1M count=4 status=none
        dd if=/tmp/fixed of={tape} bs=1M status=none && mt -f {tape} rewind
        dd if={tape} bs=1M status=none | cmp - /tmp/fixed""")


def test_what_a_filemark_follows_is_there_after_a_kill(library, saw):
    vtl = library(separate())
    tape = vtl.load()
    vtl.guest.run(f"""
        dd if=/dev/urandom of=/tmp/kept bs=64k count=64 status=none
        dd if=/tmp/kept of={tape} bs=64k status=none""")
    vtl.server.kill()
    vtl.server.start()
    vtl.guest.wait(f"mt -f {tape} rewind", 120)
    vtl.guest.run(f"mt -f {tape} setblk 0 && dd if={tape} bs=64k status=none | cmp - /tmp/kept")
    assert vtl.status()["drive 0"] == TAPES[0]
    saw("4 MiB and where the cartridge was")


# --- programs -------------------------------------------------------------------------------------

def test_tar_goes_on_with_the_next_cartridge(library, saw):
    vtl = library(separate(size="16M"))
    tape = vtl.load()
    guest = vtl.guest
    guest.write("/tmp/next", f"""#!/bin/sh
        slot=$(mtx -f {vtl.changer} status |
            sed -n 's/^Data Transfer Element 0:Full (Storage Element \\([0-9]*\\).*/\\1/p')
        [ $TAR_SUBCOMMAND != -c ] || echo $slot >>/tmp/volumes
        mt -f {tape} offline; mtx -f {vtl.changer} unload $slot 0 >&2
        mtx -f {vtl.changer} load $((slot + 1)) 0 >&2
        until mt -f {tape} status | grep -q ONLINE; do sleep 0.2; done
        mt -f {tape} setblk 0""")
    guest.run("""
        chmod +x /tmp/next
        rm -rf /tmp/volumes /tmp/many /tmp/back; mkdir /tmp/many /tmp/back
        for n in $(seq 50); do
            dd if=/dev/urandom of=/tmp/many/$n bs=1k count=800 status=none
        done""")
    guest.run(f"tar -C /tmp -b 128 -cMf {tape} -F /tmp/next many", 300)
    volumes = len(guest.run("cat /tmp/volumes").split()) + 1
    assert volumes >= 3
    loaded = next(n for n, barcode in enumerate(TAPES, 1)
                  if vtl.status()["drive 0"] == barcode)
    guest.run(f"mt -f {tape} offline")
    vtl.mtx(f"unload {loaded} 0")
    vtl.load()
    guest.run(f"tar -C /tmp/back -b 128 -xMf {tape} -F /tmp/next", 300)
    guest.run("cd /tmp/many && for n in *; do cmp $n /tmp/back/many/$n || exit 1; done; "
              "[ $(ls /tmp/back/many | wc -l) = 50 ]; rm -rf /tmp/many /tmp/back")
    saw(f"50 files on {volumes} cartridges of 16 MiB")


def test_tar_finds_each_of_many_archives(library, saw):
    vtl = library(separate())
    tape = vtl.load()
    vtl.guest.run(f"for n in $(seq 50); do echo $n >/tmp/$n; tar -C /tmp -cf {tape} $n; done", 240)
    for n in (50, 1, 27):
        vtl.guest.run(f"mt -f {tape} asf {n - 1} && [ $(tar -xOf {tape}) = {n} ]")
    saw("50 archives, each before a filemark")


def test_sg_logs_and_sg_read_attr(library, saw):
    vtl = library(separate())
    tape = vtl.load()
    sg = "/dev/" + vtl.guest.run(
        f"ls /sys/class/scsi_tape/{tape.removeprefix('/dev/')}/device/scsi_generic").strip()
    pages = vtl.guest.run(f"sg_logs --list {sg}")
    for page in ("0x02", "0x03", "0x0c", "0x11", "0x2e"):
        assert page in pages, pages
        vtl.guest.run(f"sg_logs --page={page} {sg}")
    assert TAPES[0] in vtl.guest.run(f"sg_read_attr {sg}")
    vtl.guest.run(f"sg_read_block_limits {sg}")
    for page in re.findall("^ *(0x[0-9a-f]+)", pages, re.M):
        vtl.guest.run(f"sg_logs --page={page} {sg}")
    saw(f"{len(re.findall('0x', pages))} log pages")


def test_sg_logs_resets_counters_and_the_buffer_comes_back(library, saw):
    vtl = library(separate())
    tape = vtl.load()
    guest = vtl.guest
    sg = "/dev/" + guest.run(
        f"ls /sys/class/scsi_tape/{tape.removeprefix('/dev/')}/device/scsi_generic").strip()

    def written():
        return int(re.search("Total bytes processed = ([0-9]+)",
                             guest.run(f"sg_logs --page=0x02 {sg}"))[1])
    guest.run(f"dd if=/dev/zero of={tape} bs=64k count=4 && mt -f {tape} rewind")
    assert written() == 4 << 16
    guest.run(f"sg_logs --reset --select --page=0x02 {sg}")
    assert written() == 0
    length = "00 00 00 00 00 02 00 00"      # no offset, 512 bytes
    guest.run("head -c 512 /dev/urandom >/tmp/sent")
    for unit in (sg, vtl.changer):
        guest.run(f"sg_raw -s 512 -i /tmp/sent {unit} 3b 02 {length} && "
                  f"sg_raw -r 512 -b {unit} 3c 02 {length} >/tmp/got && cmp /tmp/sent /tmp/got")
    with pytest.raises(GuestError):
        guest.run(f"sg_raw -s 512 -i /tmp/sent {sg} 3b 05 {length}")
    saw("counters at zero; 512 bytes there and back; no microcode")


@pytest.fixture
def btape(library):
    """btape(answers): Bacula's tape test with what is typed in; gives all that it says. It
    writes 1.3 GB."""
    vtl = library(separate("2G"))
    vtl.load()
    guest = vtl.guest
    guest.write("/tmp/bacula-sd.conf", BTAPE.format(changer=vtl.changer, tape=vtl.drives[0]))
    guest.run("mkdir -p /var/lib/bacula")

    def call(*answers):
        typed = "".join(f"{answer}\\n" for answer in answers)
        return guest.run(f"printf '{typed}' | "
                         f"btape -c /tmp/bacula-sd.conf {vtl.drives[0]} 2>&1", 600)
    return call


def test_btape(btape, saw):
    # "n": the test of the changer is a test of its own.
    said = btape("test", "n", "quit")
    assert "The above Bacula scan should have output identical to what follows." in said
    # What is on the tape, and behind it what should be.
    scanned = re.findall(r"(\d+) blocks? of \d+ bytes in file (\d+)", said)
    assert scanned == 2 * [("1", "1"), ("2", "2"), ("3", "3"), ("1", "4")], said
    assert "=== End Forward space files test ===" in said
    assert not re.search(r"\bfailed\b|\bERR\b|did not work", said, re.I), said
    saw("the write, read, append, position and forward space tests")


def test_btape_tries_the_changer(btape, saw):
    said = btape("autochanger", "y", "quit")
    assert "Slot 1 loaded. I am going to unload it." in said, said
    assert "The test autochanger worked!!" in said, said
    saw("the autochanger test worked")
