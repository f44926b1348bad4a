# SPDX-License-Identifier: BSD-2-Clause
"""The rows of the tape library: how fast drives stream, beside dd on the same file system, and how
long the inventory of a large library takes."""
import os
import shutil
import statistics
import subprocess
import time

import machine
from report import short
from run import Failed, Turns

MIB = 1 << 20
BLOCK = 256 << 10
LIBRARY = "iqn.2026-11.com.example:bench-vtl"
DD, DDS, DRIVE, DRIVES, BLANK = "dd", "two dd", "a drive", "two drives", "two drives, blank tapes"


def library(slots=8, mail_slots=0):
    return f'''reactors = 1;
libraries = ( {{ name = "vtl"; target_prefix = "{LIBRARY}"; auth = "none"; drives = 2;
  slots = {slots}; import_export = {mail_slots}; path = "vtl"; }} );'''


def cpus(r):
    """Drives work on threads of a pool, so all processors but that of the load are theirs."""
    return set(os.sched_getaffinity(0)) - {r.cpus.load} or {r.cpus.load}


def ctl(r, server, *args):
    subprocess.run([r.build / "countersignctl", "-s", server.dir / "state/ctl.sock", *args],
                   check=True, stdout=subprocess.DEVNULL)


def dd(folder, source, count, copies=1):
    """MiB/s of what so many dd at once write and make durable; the source is in the page cache."""
    paths = [folder / f"dd{n}" for n in range(copies)]
    start = time.monotonic()
    running = [subprocess.Popen(["dd", f"if={source}", f"of={path}", f"bs={BLOCK}",
                                 f"count={count}", "conv=fdatasync", "status=none"])
               for path in paths]
    if any([p.wait() for p in running]):
        raise Failed("dd has failed")
    seconds = time.monotonic() - start
    for path in paths:
        path.unlink()
    return {"mib_s": copies * count * BLOCK / MIB / seconds}


def random_file(path, size):
    with open(path, "wb") as f:
        for _ in range(size // (8 * MIB)):
            f.write(os.urandom(8 * MIB))


def start_tape(r, server, n, on):
    return machine.spawn(on, r.build / "bench/iload", "-p", server.port, "-t",
                         f"{LIBRARY}-tapedrive-0{n}", "-m", "tape", "-b", BLOCK, "-s", r.seconds,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def streams(r, server, drives):
    """Two loads would share one processor, where two dd have all of them: so have they."""
    on = {r.cpus.load} if len(drives) == 1 else os.sched_getaffinity(0)
    loads = [start_tape(r, server, n, on) for n in drives]
    figures = [r.finish_load(p) for p in loads]
    return {"mib_s": sum(f["write_mib_s"] for f in figures),
            "read_mib_s": sum(f["read_mib_s"] for f in figures),
            "blocks": min(f["blocks"] for f in figures)}


class Tapes:
    """A blank tape in each of the two drives; no barcode is given twice."""

    def __init__(self, r, server, turn):
        self.ctl = lambda *args: ctl(r, server, *args)
        self.barcodes = [f"T{turn:02}D{n}L5" for n in (1, 2)]

    def __enter__(self):
        for n, barcode in enumerate(self.barcodes, 1):
            self.ctl("tape", "create", barcode, "--size", "64G")
            self.ctl("tape", "load", barcode, str(n))

    def __exit__(self, *_):
        for barcode in self.barcodes:
            self.ctl("tape", "unload", barcode)
            self.ctl("tape", "delete", barcode)


def judge_two(r, t, drives):
    r.report.judge(f"{drives}, at once / twice 0.7 of dd, or what two dd reach if that is less",
                   statistics.median(both["mib_s"] / min(1.4 * one["mib_s"], two["mib_s"])
                                     for both, one, two in zip(t.of[drives], t.of[DD], t.of[DDS])),
                   1)


def tape(r):
    """dd writes to new files, the drives to tapes that are blank, and over what they wrote."""
    server = r.ours(settings=library(), cpus=cpus(r))
    source, t = r.work / "random", Turns()
    try:
        random_file(source, (256 if r.quick else 1024) * MIB)
        most = source.stat().st_size // BLOCK
        for turn in range(r.turns):
            with Tapes(r, server, turn):
                t.add(BLANK, streams(r, server, (1, 2)))
                t.add(DD, dd(r.work, source, most))
                t.add(DRIVES, streams(r, server, (1, 2)))
                t.add(DDS, dd(r.work, source, most, copies=2))
                t.add(DRIVE, streams(r, server, (1,)))
    finally:
        server.stop()
        source.unlink(missing_ok=True)
        shutil.rmtree(server.dir / "vtl", ignore_errors=True)
    written = "; ".join(f"{n} {short(t.median(n, 'mib_s'))}" for n in t.of)
    r.report.figures(f"{written} MiB/s, durable")
    r.report.figures("read: " + "; ".join(f"{n} {short(t.median(n, 'read_mib_s'))}"
                                          for n in (DRIVE, DRIVES)) + " MiB/s")
    r.report.judge("a drive / dd with fdatasync", t.ratio("mib_s", DRIVE, DD), 0.7)
    judge_two(r, t, DRIVES)
    judge_two(r, t, BLANK)


def changer(r):
    server = r.ours(settings=library(slots=1600, mail_slots=1600), cpus={r.cpus.target})
    try:
        found = r.load(server, "-m", "elements", "-s", r.seconds, target=f"{LIBRARY}-mediachanger")
    finally:
        server.stop()
    r.report.judge(f"ms for READ ELEMENT STATUS of {found['elements']:,.0f} elements",
                   found["p50_us"] * 1e-3, 5, at_most=True)


ROWS = {
    "tape": ("Tape: blocks of 256 KiB, compression off, made durable by a filemark", tape),
    "changer": ("A library of 3,200 slots", changer),
}
