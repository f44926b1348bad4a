# SPDX-License-Identifier: BSD-2-Clause
"""Runs libiscsi's iscsi-test-cu against every kind of unit and tells honestly what came of it.

    conformance.py BUILD [-o FILE] [-t TOOL [-n NAME]] [-k KIND]...

BUILD has countersignd. A table of all tests on all kinds goes to FILE (default: stdout); the exit
status is 1 when a test failed or did not end anywhere. As a module: run() and table().

CUnit says "passed" of a test that did nothing. A test that printed [SKIPPED] is a skip here, with
the tool's own words, and so is one that did not say that it did anything, although it was asked to
(-V). What the tool prints between tests belongs to none.
"""
import argparse
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from conftest import Server

TOOL = "iscsi-test-cu"
FAMILY = "ALL"
SECONDS = 600
TARGET = "iqn.2026-11.com.example:conformance"
SIZE = "512M"

# Kind: what the table calls it, and the unit's configuration. Each has a server of its own.
KINDS = {
    "ram": ("in memory, thin", f'store = "ram"; size = "{SIZE}";'),
    "file": ("in a file, thin", f'store = "file"; path = "disk.img"; size = "{SIZE}"; '
                                'create = true;'),
    "4096": ("in a file, blocks of 4096 bytes", 'store = "file"; path = "disk.img"; '
             f'size = "{SIZE}"; create = true; block_size = 4096;'),
    "full": ("in memory, fully provisioned", f'store = "ram"; size = "{SIZE}"; thin = false;'),
    "ro": ("in memory, read-only", f'store = "ram"; size = "{SIZE}"; read_only = true;'),
    "rmb": ("in memory, removable", f'store = "ram"; size = "{SIZE}"; removable = true;'),
    "two": ("in memory, on two paths", f'store = "ram"; size = "{SIZE}";'),
    "phys": ("in memory, physical blocks of 4096 bytes",
             f'store = "ram"; size = "{SIZE}"; physical_block_size = 4096;'),
    "wipe": ("in memory, to be sanitized", 'store = "ram"; size = "1G";'),
    "chap": ("in memory, behind CHAP by MD5", f'store = "ram"; size = "{SIZE}";'),
}
TWO_PATHS = {"two"}
CHAP = {"chap"}
SANITIZED = {"wipe"}                   # -S: a test looks for 3 s and more whether one is under way
ONE_BY_ONE = {"phys", "chap"}          # a process for each test
# Tests that end the tool's session, so that those behind them would do nothing: likewise.
ALONE = r"iSCSITMF\.|iSCSISendTargets\."
ALONE_SECONDS = 30
# In 1.19 this one looks at a flag before it asks for the answer to its own reset, which alone sets the
# flag: it can pass only when it was run before in the same process. The second run counts.
TWICE = "iSCSITMF.LUNResetSimpleAsync"
SHORT = ["file", "two"]                # what `make check` takes the time for

# What makes no sense on a kind is not run there.
LEFT_OUT = {
    "ro": ("writes", r"CompareAndWrite|ExtendedCopy|GetLBAStatus\.UnmapSingle|MultipathIO|OrWrite"
                     r"|ProutReserve\.Access|Sanitize|Unmap|Write|iSCSIResiduals\.Write"
                     r"|ReceiveCopyResults\.CopyStatus|iSCSITMF|iSCSIdatasn"),
    "phys": ("sees nothing of physical blocks",
             r"(?!.*(InvalidDataOutSize|UnmapUnaligned|WriteAtomic))"),
    "wipe": ("sanitizes nothing", r"(?!Sanitize)"),
    "chap": ("proves nobody", r"(?!iSCSICHAP)"),
}

# Where the tool itself is wrong: (kinds, tests, what it says then, why). A test of these that fails so
# is not counted as failed, and shown as what it is.
ARTEFACTS = [
    ("4096", r"ProutReserve\.Access", "", "the tool reads and writes 512 bytes here, whatever the size "
                                          "of a block is"),
    (".*", r"iSCSITMF\.LUNResetSimpleAsync", r"^\S+ CU_ASSERT_EQUAL\(reconnect_succeeded,1\)$",
     "the tool looks for the answer to the reset before it has asked for it; run again, it crashes here"),
    (".*", r"iSCSITMF\.(AbortTask|LUNReset)SimpleAsync", r"^\S+ CU_ASSERT_EQUAL\(iscsi_out_queue_length\S+$",
     "the tool looks in its queue for what its library (1.20.3) has sent at once"),
    ("phys", r"CompareAndWrite\.InvalidDataOutSize", "_r,0", "the tool of 1.20 changes the size in every "
                                                             "PDU but that of the command"),
    (".*", r"iSCSISendTargets\.Simple", "", "asks for SendTargets=All in a normal session, where it MUST "
                                            "NOT be supported (RFC 7143, appendix C)"),
    (".*", r"iSCSISendTargets\.Invalid", "", "the tool drops its session at a key that is "
                                             "NotUnderstood (RFC 7143 6.2), and waits for ever"),
]

CONF = '''
state_dir = "state";
log_level = "notice";
portals = ( { address = "127.0.0.1"; port = $port; },
            { address = "127.0.0.1"; port = $second_port; group = 2; } );
chap = { algorithms = ( "MD5" ); };
targets = ( { name = "%s"; auth = "none"; luns = ( { lun = 0; %s } ); credentials = ( %s ); } );
'''
# A name is text, whatever it looks like (a test asks).
USER, SECRET = "0x746f6f6c", "initiator-111111"
CREDENTIAL = f'{{ user = "{USER}"; secret = "{SECRET}"; }}'


class Result:
    """What came of one test: "passed", "failed", "skipped", "not run", "did not end" or
    "artefact", and why."""

    def __init__(self, what, why=""):
        self.what, self.why = what, why


def list_of_tests(tool=TOOL):
    listed = subprocess.run([tool, "-l"], capture_output=True, text=True, check=True).stdout
    return [line.split(".", 1)[1] for line in listed.splitlines()
            if line.startswith(FAMILY + ".") and line.count(".") == 2]


def parse(output):
    """{suite.test: Result} of what the tool has printed; of a test that ran twice, the second."""
    results = {}
    for part in re.split(r"^Suite: ", output, flags=re.M)[1:]:
        suite, rest = part.split("\n", 1)
        tests = re.split(r"^  Test: (\S+) \.\.\.", rest, flags=re.M)
        for name, said in zip(tests[1::2], tests[2::2]):
            results[f"{suite.strip()}.{name}"] = judge(said)
    return results


def judge(said):
    """What the tool printed after "Test: NAME ...": noise, the verdict, and what comes later."""
    verdict = re.search(r"^(passed|FAILED)", said, re.M)
    if not verdict:
        return Result("did not end", last_words(said))
    noise, after = said[:verdict.start()], said[verdict.end():]
    if verdict[1] == "FAILED":
        asserts = re.findall(r"^ +\d+\. (\S+) +- (.*?)(?: {4}|$)", after, re.M)
        return Result("failed", "; ".join(f"{where} {what}" for where, what in asserts[:2]))
    skipped = re.findall(r"\[SKIPPED\] *(.*)", noise)
    if skipped:
        return Result("skipped", skipped[0].strip())
    return Result("passed") if noise.strip() else Result("skipped", "the tool does not say why")


def last_words(said):
    words = [line.strip() for line in said.splitlines() if line.strip()]
    return words[-1] if words else "no output"


def run(build, kind, tool=TOOL, options=("-d",)):
    """Runs all tests against one kind of unit; gives {suite.test: Result}, every test in it."""
    _, lun = KINDS[kind]
    names = list_of_tests(tool)
    left_out = not_for(kind, names)
    with tempfile.TemporaryDirectory(prefix="conformance") as folder:
        server = Server(Path(build).resolve(), Path(folder),
                        CONF % (TARGET, lun, CREDENTIAL if kind in CHAP else ""))
        server.start()
        try:
            who = f"{USER}%{SECRET}@" if kind in CHAP else ""
            urls = [f"iscsi://{who}127.0.0.1:{server.port}/{TARGET}/0"]
            if kind in TWO_PATHS:
                urls.append(f"iscsi://127.0.0.1:{server.ports['second_port']}/{TARGET}/0")
            tests = Path(folder) / "tests"
            tests.write_text("".join(f"{FAMILY}.{n}\n" for n in names
                                     if n not in left_out and not re.match(ALONE, n)))
            if kind in SANITIZED:
                options = [*options, "-S"]
            alone = [n for n in names if n not in left_out and (kind in ONE_BY_ONE or re.match(ALONE, n))]
            results = {} if kind in ONE_BY_ONE else parse(call(tool, options, urls, tests))
            for n in alone:
                times = 2 if n == TWICE else 1
                results.update(parse(call(tool, options, urls, ",".join([f"{FAMILY}.{n}"] * times),
                                          ALONE_SECONDS)))
        finally:
            server.stop()
    return {name: left_out.get(name) or
            excuse(kind, name, results.get(name, Result("did not end", "not reached")))
            for name in names}


def not_for(kind, names):
    why, tests = LEFT_OUT.get(kind, ("", "$"))
    return {name: Result("not run", why) for name in names if re.match(tests, name)}


def excuse(kind, name, result):
    for kinds, tests, said, why in ARTEFACTS:
        if (result.what in ("failed", "did not end") and re.fullmatch(kinds, kind) and
                re.match(tests, name) and re.search(said, result.why)):
            return Result("artefact", why)
    return result


def call(tool, options, urls, tests, seconds=SECONDS):
    """What the tool prints when it runs the tests: one, or a file with a list of them."""
    try:
        return subprocess.run([tool, *options, "-V", "-t", tests, *urls], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds,
                              check=False).stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode(errors="replace")


# --- the table --------------------------------------------------------------------------------


def version(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def rows(kinds, found):
    """Lines of the table, and the reasons that they refer to by number."""
    reasons = {}
    width = max(map(len, found[kinds[0]]))

    def mark(result):
        if result.what in ("passed", "not run"):
            return "+" if result.what == "passed" else "-"
        number = reasons.setdefault((result.what, result.why), len(reasons) + 1)
        return {"failed": "F", "did not end": "E", "artefact": "A", "skipped": ""}[result.what] + \
            str(number)

    yield f"{'test':{width}}" + "".join(f"{kind:>6}" for kind in kinds)
    for name in found[kinds[0]]:
        yield f"{name:{width}}" + "".join(f"{mark(found[kind][name]):>6}" for kind in kinds)
    yield ""
    for (what, why), number in reasons.items():
        yield f"{number:4}  {what}: {why}"


def count(results, what):
    return sum(result.what == what for result in results.values())


def table(found, about):
    """The text of CONFORMANCE: totals, then every test on every kind."""
    kinds = list(found)
    names = list(found[kinds[0]])
    once = [n for n in names if any(found[k][n].what == "passed" for k in kinds)]
    head = [f"{about}", "",
            f"{len(names)} tests on {len(kinds)} kinds of units; {len(once)} of them ran and "
            "passed on at least one.", ""]
    head += [f"{k:>6}  {KINDS[k][0]}" for k in kinds] + [""]
    totals = [f"{'':14}" + "".join(f"{k:>6}" for k in kinds)]
    for what in ("passed", "skipped", "not run", "failed", "did not end", "artefact"):
        totals.append(f"{what:14}" + "".join(f"{count(found[k], what):>6}" for k in kinds))
    never = [n for n in names if n not in once]
    if never:
        totals += ["", "Passed on none:"] + [
            f"  {n}: {found[kinds[0]][n].why or found[kinds[0]][n].what}" for n in never]
    legend = ["", "+ ran and passed; a number alone: skipped by the tool, for the reason below; "
              "- not",
              "run on this kind; F failed; E did not end; A failed, but by a fault of the tool.",
              f"{TWICE} runs twice in one process, and the second run", "counts: that of 1.19 looks "
              "for what only the run before can have set.", ""]
    return "\n".join(head + totals + legend + list(rows(kinds, found))) + "\n"


def about_versions(build, tool, name, options):
    if tool == TOOL:
        name = version("dpkg-query", "-W", "-f", "${Package} ${Version}", "libiscsi-bin")
    return (f"{version(Path(build) / 'countersignd', '-V')} under {name or tool}: "
            f"{Path(tool).name} {' '.join(options)} -t {FAMILY}")


def main():
    args = argparse.ArgumentParser(description="conformance by iscsi-test-cu")
    args.add_argument("build")
    args.add_argument("-o", "--output")
    args.add_argument("-t", "--tool", default=TOOL)
    args.add_argument("-n", "--name", help="what to call the tool")
    args.add_argument("-k", "--kind", action="append", choices=KINDS)
    args = args.parse_args()
    options = ["-d"]
    names = list_of_tests(args.tool)
    kinds = args.kind or [kind for kind in KINDS if len(not_for(kind, names)) < len(names)]
    with ThreadPoolExecutor() as pool:
        results = pool.map(lambda kind: run(args.build, kind, args.tool, options), kinds)
        found = dict(zip(kinds, results))
    by = "`make conformance`" if args.tool == TOOL else "conformance.py -t"
    text = (f"Made by {by}: what iscsi-test-cu says of every kind of unit.\n\n" +
            table(found, about_versions(args.build, args.tool, args.name, options)))
    if args.output:
        Path(args.output).write_text(text)
    else:
        print(text, end="")
    bad = [(kind, name, r) for kind in kinds for name, r in found[kind].items()
           if r.what in ("failed", "did not end")]
    for kind, name, r in bad:
        print(f"{kind}: {name} {r.what}: {r.why}", file=sys.stderr)
    print(f"{sum(count(found[k], 'passed') for k in kinds)} passed, {len(bad)} failed, "
          f"{sum(count(found[k], 'skipped') for k in kinds)} skipped")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
