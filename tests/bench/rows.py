# SPDX-License-Identifier: BSD-2-Clause
"""The rows of the table: what is run, and what is asked of the figures."""
import json
import os
import shutil
import statistics
import subprocess
import time

import machine
import tape_rows
from run import Failed, Turns, chap_args
from report import short
from servers import Floor, NotMeasured, Server

SLEEPING, POLLING = "floor, sleeping", "floor, polling"
OURS, QUIET, TGT = "ours", "ours, poll_us = 0", "tgt"
MIB = 1 << 20
SHA256, MD5 = 7, 5


def show(r, turns, key, unit, scale=1.0):
    """Medians of everybody, in a line."""
    r.report.figures("; ".join(f"{name} {short(turns.median(name, key) * scale)}"
                               for name in turns.of) + f" {unit}")


def judge_ratio(r, turns, key, what, ours, other, asked, at_most=False):
    ratio = turns.ratio(key, ours, other)
    if ratio is None:
        r.report.not_measured(what, r.why_missing(other))
    else:
        r.report.judge(what, ratio, asked, at_most=at_most)


# --- rates ----------------------------------------------------------------------------------------

def read_4k(r):
    t = r.in_turn([SLEEPING, POLLING, OURS, QUIET, TGT], "-m", "read", "-q", 32)
    show(r, t, "ops_s", "thousand op/s", 1e-3)
    show(r, t, "cpu_us", "us of processor per operation")
    judge_ratio(r, t, "ops_s", "op/s / floor, polling", OURS, POLLING, 0.7)
    judge_ratio(r, t, "ops_s", "op/s / tgt", OURS, TGT, 12)
    judge_ratio(r, t, "ops_s", "poll_us = 0: op/s / floor, sleeping", QUIET, SLEEPING, 0.9)
    judge_ratio(r, t, "cpu_us", "poll_us = 0: processor per operation / floor, sleeping",
                QUIET, SLEEPING, 1.6, at_most=True)


def write_4k(r):
    t = r.in_turn([SLEEPING, POLLING, OURS, TGT], "-m", "write", "-q", 32)
    show(r, t, "ops_s", "thousand op/s", 1e-3)
    judge_ratio(r, t, "ops_s", "op/s / floor, polling", OURS, POLLING, 0.6)
    judge_ratio(r, t, "ops_s", "op/s / tgt", OURS, TGT, 12)


def latency(r):
    t = r.in_turn([SLEEPING, POLLING, OURS, QUIET, TGT], "-m", "read", "-q", 1)
    show(r, t, "p50_us", "us, median")
    show(r, t, "p99_us", "us, 99 of 100")
    judge_ratio(r, t, "p50_us", "median latency / floor, polling", OURS, POLLING, 1.05,
                at_most=True)
    judge_ratio(r, t, "p50_us", "poll_us = 0: median latency / floor, sleeping", QUIET, SLEEPING,
                1.1, at_most=True)


def read_256k(r):
    t = r.in_turn([SLEEPING, POLLING, OURS, TGT], "-m", "read", "-b", 256 << 10, "-q", 8, "-S")
    show(r, t, "mib_s", "MiB/s")
    judge_ratio(r, t, "mib_s", "MiB/s / floor, polling", OURS, POLLING, 0.9)
    judge_ratio(r, t, "mib_s", "MiB/s / tgt", OURS, TGT, 4)


def write_256k(r):
    t = r.in_turn([SLEEPING, POLLING, OURS, TGT], "-m", "write", "-b", 256 << 10, "-q", 8, "-S")
    show(r, t, "mib_s", "MiB/s")
    judge_ratio(r, t, "mib_s", "MiB/s / floor, polling", OURS, POLLING, 1.1)
    judge_ratio(r, t, "mib_s", "MiB/s / tgt", OURS, TGT, 5)


def mix(r):
    t = r.in_turn([SLEEPING, POLLING, OURS, TGT], "-m", "mix", "-c", 16, "-q", 16)
    show(r, t, "ops_s", "thousand op/s", 1e-3)
    judge_ratio(r, t, "ops_s", "op/s / floor, polling", OURS, POLLING, 0.5)
    worst = min(f["conn_min"] / f["conn_mean"] for f in t.of[OURS])
    r.report.judge("the slowest connection of any turn / the mean", worst, 0.5)


def first_touch(r):
    """For information: the RAM store's memory is taken as it is written."""
    t = Turns()
    for _ in range(r.turns):
        for ram_name, fill in (("blocks never written before", []), ("written before", ["-F"])):
            s = r.ours()
            try:
                t.add(ram_name, r.load(s, "-m", "write", "-q", 32, "-s", 0.1, "-w", 0, *fill))
            finally:
                s.stop()
    show(r, t, "ops_s", "thousand op/s", 1e-3)


def digests(r):
    for mode in ("read", "write"):
        args = ("-m", mode, "-b", 256 << 10, "-q", 8, "-S")
        t = r.take_turns({"without": (OURS, args, {}), "with digests": (OURS, (*args, "-d"), {})})
        show(r, t, "mib_s", f"MiB/s, {mode}")
        judge_ratio(r, t, "mib_s", f"256 KiB {mode}, with / without", "with digests", "without", 0.7)


def verify(r):
    s = r.server(OURS)
    s.resume()
    try:
        f = r.load_for(s, "-m", "mix", "-c", 8, "-q", 16, "-d", "-V")
    finally:
        s.pause()
    r.report.figures(f"{short(f['ops_s'] * 1e-3)} thousand op/s, 8 connections, digests, "
                     "every block checked")
    r.report.judge("reads that gave anything but what was written", f["corrupt"], 0, at_most=True)


# --- more reactors --------------------------------------------------------------------------------

def two_loads(r, servers):
    """Two loads at once, on two processors, each against the server at its place in the list:
    processor time of the servers per operation."""
    args = ("-m", "read", "-q", 32, "-s", r.seconds, "-w", r.warm)
    loads = [r.start_load(s, *args, cpu=cpu)
             for s, cpu in zip(servers, (r.cpus.load, r.cpus.load2))]
    figures = [r.finish_load(p) for p in loads]
    ops = sum(f["ops_s"] for f in figures)
    cpu = sum(f["cpu_percent"] for f in figures)
    if servers[0] is servers[1]:
        cpu /= 2
    return {"ops_s": ops, "cpu_us": cpu * 1e4 / ops}


def reactors(r):
    """Two floors, and two servers that share nothing, show what two processors of this machine take
    from each other."""
    what = "processor per operation, two reactors / one"
    if r.cpus.load2 is None:
        r.report.not_measured(what, "four processors are needed")
        return
    first, second = {r.cpus.target}, {r.cpus.target2}
    one = r.ours(cpus=first)
    two = r.ours(settings="reactors = 2;", cpus=first | second)
    other = r.ours(cpus=second)
    floors = [Floor(cpus, r.build, True).start() for cpus in (first, second)]
    running = [one, two, other, *floors]
    t = Turns()
    try:
        for s in (one, two, other):
            r.load(s, "-m", "write", "-F", "-w", 0, "-s", 0.01)
            r.settle(s)
        for s in running:
            s.pause()
        for _ in range(r.turns):
            for name, servers in (("one reactor", [one, one]), ("two reactors", [two, two]),
                                  ("two servers", [one, other]),
                                  ("one floor", [floors[0]] * 2), ("two floors", floors)):
                for s in set(servers):
                    s.resume()
                t.add(name, two_loads(r, servers))
                for s in set(servers):
                    s.pause()
    finally:
        for s in running:
            s.stop()
    show(r, t, "ops_s", "thousand op/s", 1e-3)
    show(r, t, "cpu_us", "us of processor per operation")
    judge_ratio(r, t, "cpu_us", what, "two reactors", "one reactor", 1.1, at_most=True)


# --- files ----------------------------------------------------------------------------------------

def write_file(path, size):
    """A file with every block written, and on the disk."""
    block = os.urandom(8 * MIB)
    with open(path, "wb", buffering=0) as f:
        for _ in range(size // len(block)):
            f.write(block)
        os.fsync(f.fileno())


def with_file(r, size):
    """A server with a file of this size at LUN 1, and the path of the file."""
    path = r.work / f"disk-{size // MIB}"
    write_file(path, size)
    disk = f', {{ lun = 1; store = "file"; path = "{path}"; size = "{size // MIB}M"; }}'
    server = r.ours(disks=disk)
    server.lun = 1
    return server, path


def file_warm(r):
    server, path = with_file(r, 512 * MIB)
    path.read_bytes()
    t = Turns()
    try:
        for _ in range(r.turns):
            ram = r.server(OURS)
            ram.resume()
            t.add("RAM", r.load_for(ram, "-q", 32))
            ram.pause()
            t.add("file", r.load_for(server, "-q", 32))
    finally:
        server.stop()
        path.unlink()
    show(r, t, "ops_s", "thousand op/s", 1e-3)
    show(r, t, "cpu_us", "us of processor per operation")
    judge_ratio(r, t, "cpu_us", "processor per operation, file / RAM", "file", "RAM", 1.4,
                at_most=True)


def cool(path):
    """Takes the file out of the page cache."""
    fd = os.open(path, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def fio(r, path, direct):
    """In milliseconds: fio takes half a second for none, and reads the whole file then."""
    done = machine.spawn(
        {r.cpus.target}, "fio", "--name=bench", f"--filename={path}", "--readonly",
        "--rw=randread", "--bs=4k", "--ioengine=io_uring", "--iodepth=32", "--norandommap",
        "--randrepeat=0", f"--direct={direct}", "--time_based",
        f"--runtime={r.seconds * 1000:.0f}ms", f"--ramp_time={r.warm * 1000:.0f}ms",
        "--output-format=json", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    out, _ = done.communicate(timeout=120)
    return {"ops_s": json.loads(out[out.index("{"):])["jobs"][0]["read"]["iops"]}


def file_cold(r):
    what = "op/s / fio"
    if not shutil.which("fio"):
        r.report.not_measured(what, "fio is not installed")
        return
    server, path = with_file(r, (1 if r.quick else 4) << 30)
    t = Turns()
    try:
        for _ in range(r.turns):
            for name, run in (("fio", lambda: fio(r, path, 0)),
                              (OURS, lambda: r.load_for(server, "-q", 32)),
                              ("fio, direct", lambda: fio(r, path, 1))):
                cool(path)
                t.add(name, run())
    finally:
        server.stop()
        path.unlink()
    show(r, t, "ops_s", "thousand op/s", 1e-3)
    judge_ratio(r, t, "ops_s", what, OURS, "fio", 0.9)


# --- logins and sessions --------------------------------------------------------------------------

def logins(r):
    """The floor takes any response to its challenge and proves nothing itself: what is left is the
    round trips, as many as with mutual CHAP. Several at a time keep the load's processor full, and
    not even the floor reaches twice tgt's rate then: so it is the floor that is asked for."""
    one_way = chap_args(SHA256)[:-4]
    for at_once in (1, 8):
        def load(*chap):
            return ("-m", "login", "-c", at_once, *chap), {"target": Server.chap_target}
        t = r.take_turns({SLEEPING: (SLEEPING, *load(*one_way)),
                          POLLING: (POLLING, *load(*one_way)),
                          OURS: (OURS, *load(*chap_args(SHA256))),
                          TGT: (TGT, *load(*chap_args(MD5)))})
        show(r, t, "logins_s", f"logins/s, {at_once} at a time")
        show(r, t, "cpu_us", "us of processor per login")
        if at_once == 1:
            judge_ratio(r, t, "logins_s", f"mutual CHAP, {at_once} at a time: "
                        "ours (SHA-256) / tgt (MD5)", OURS, TGT, 2)
        else:
            tgt = t.ratio("logins_s", OURS, TGT)
            r.report.figures(f"ours / tgt {short(tgt) if tgt else r.why_missing(TGT)}")
            judge_ratio(r, t, "logins_s", f"mutual CHAP, {at_once} at a time: "
                        "ours / floor, polling", OURS, POLLING, 0.9)


def start_hold(r, server, count, seconds, every=0):
    load = r.start_load(server, "-m", "hold", "-c", count, "-s", seconds, "-i", every)
    if load.stdout.readline().strip() != "holding":
        r.finish_load(load)
        raise Failed("the sessions could not be held")
    return load


def resident_per_session(r, server, count):
    """Bytes; the server has had a session before, so that its code and first buffers are there."""
    before = machine.resident(server.pid)
    load = start_hold(r, server, count, 1)
    held = machine.resident(server.pid) - before
    figures = r.finish_load(load)
    return held / count, figures


def memory_of_ours(r, count):
    server = r.ours(ram="1M")
    try:
        r.load(server, "-m", "hold", "-s", 0.1, "-i", 0.01)
        each, figures = resident_per_session(r, server, count)
        served = Turns()
        for _ in range(r.turns):
            for n in (1, count):
                load = start_hold(r, server, n, 0.6 if r.quick else 2, every=0.002)
                served.add(str(n), r.finish_load(load))
    finally:
        server.stop()
    r.report.judge(f"KiB resident per idle session, of {count:,}", each / 1024, 6, at_most=True)
    r.report.judge("sessions of these that were dropped", figures["dropped"], 0, at_most=True)
    show(r, served, "p50_us", "us for a read over any session of so many")
    judge_ratio(r, served, "p50_us", "the same, of all / of one", str(count), "1", 1.2,
                at_most=True)


def memory(r):
    count = 1000 if r.quick else 10000
    if r.descriptors < count + 100:
        r.report.not_measured("memory of idle sessions",
                              f"{r.descriptors} descriptors are allowed")
        return
    memory_of_ours(r, count)
    try:
        tgt = r.server(TGT)
    except NotMeasured as why:
        r.report.figures(f"tgt: not measured: {why}")
        return
    tgt.resume()
    try:
        each, _ = resident_per_session(r, tgt, 1000)
        r.report.figures(f"tgt: {short(each / 1024)} KiB per session, of 1,000")
    finally:
        tgt.pause()


def idle(r):
    """What 1,000 sessions cost that say nothing, and what a lone command leaves running."""
    settle, seconds = 2.5, 3 if r.quick else 10     # the buffers of the logins go meanwhile
    server = r.ours(ram="1M")
    try:
        load = start_hold(r, server, 1000, settle + seconds + 1)
        time.sleep(settle)
        cpu, sleeps = machine.cpu_ns(server.pid), machine.sleeps(server.pid)
        time.sleep(seconds)
        cpu = machine.cpu_ns(server.pid) - cpu
        sleeps = machine.sleeps(server.pid) - sleeps
        r.finish_load(load)
        pace = 0.01
        load = start_hold(r, server, 1, 1 if r.quick else 3, every=pace)
        lone = machine.cpu_ns(server.pid)
        asked = r.finish_load(load)["asked"]
        lone = (machine.cpu_ns(server.pid) - lone) / asked
    finally:
        server.stop()
    r.report.judge("% of a processor, 1,000 idle sessions", cpu / seconds * 1e-7, 0.05,
                   at_most=True)
    r.report.judge(f"wake-ups in {seconds} s, all threads", sleeps, 0, at_most=True)
    r.report.judge("us of processor for a lone command, polling after it included", lone * 1e-3,
                   1000, at_most=True)


# --- many targets ---------------------------------------------------------------------------------

def many_targets(targets, rows_each):
    """Configuration text of so many targets with so many credentials each."""
    text = []
    for i in range(targets):
        credentials = ", ".join(
            f'{{ initiator = "iqn.2026-11.com.example:host{i}-{k}"; '
            f'secret = "secret-{i:05}-{k:03}"; }}' for k in range(rows_each))
        text.append(f',\n  {{ name = "iqn.2026-11.com.example:disk{i}"; '
                    'luns = ( { lun = 0; store = "ram"; size = "1M"; } ); '
                    f'credentials = ( {credentials} ); }}')
    return "".join(text)


def many(r):
    targets = 10000
    one = r.ours()
    try:
        crowd = r.ours(targets=many_targets(targets, 10), name="10,000 targets")
    except NotMeasured:
        one.stop()
        raise
    t = Turns()
    try:
        found = r.load(crowd, "-m", "discover", "-s", 0.5)
        one.pause()
        crowd.pause()
        for _ in range(r.turns):
            for s in (one, crowd):
                s.resume()
                t.add(s.name, r.load_for(s, "-m", "login", *chap_args(SHA256),
                                         target=s.chap_target))
                s.pause()
    finally:
        one.stop()
        crowd.stop()
    r.report.judge("seconds to start with 10,000 targets, 100,000 credentials", crowd.started, 2,
                   at_most=True)
    r.report.judge(f"ms for SendTargets=All ({found['targets']:,.0f} targets)",
                   found["p50_us"] * 1e-3, 100, at_most=True)
    show(r, t, "p50_us", "us per login")
    judge_ratio(r, t, "p50_us", "login time, with 10,000 targets / with two", "10,000 targets",
                OURS, 1.1, at_most=True)


ROWS = {
    "read-4k": ("4 KiB random read, depth 32", read_4k),
    "write-4k": ("4 KiB random write (immediate data), depth 32", write_4k),
    "latency": ("4 KiB random read, depth 1", latency),
    "read-256k": ("256 KiB sequential read, depth 8", read_256k),
    "write-256k": ("256 KiB sequential write, depth 8", write_256k),
    "mix": ("5/8 read mix of 4 KiB, 16 connections, depth 16", mix),
    "digests": ("Header and data digests", digests),
    "reactors": ("Two reactors, two loads: 4 KiB random read, depth 32", reactors),
    "file-warm": ("File store, page cache warm: 4 KiB random read, depth 32", file_warm),
    "file-cold": ("File store, page cache cold: 4 KiB random read, depth 32", file_cold),
    "logins": ("Logins, from connect to full feature to logout", logins),
    "memory": ("Idle sessions: memory, and service to any one", memory),
    "idle": ("Idle sessions: processor time", idle),
    "many": ("Many targets", many),
    **tape_rows.ROWS,
    "verify": ("What is read is what was written", verify),
    "first-touch": ("For information: 4 KiB random write into a new RAM store", first_touch),
}


def measure(r, name):
    title, run = ROWS[name]
    r.report.title(title)
    start, waited = time.monotonic(), machine.contention_us()
    try:
        run(r)
    except (NotMeasured, Failed) as why:
        r.report.not_measured("", str(why))
    if waited is not None:
        share = (machine.contention_us() - waited) / (time.monotonic() - start) * 1e-4
        r.report.figures(f"Tasks waited for a processor {share:.0f} % of the time")
