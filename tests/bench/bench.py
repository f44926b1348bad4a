#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs countersignd beside the floor (limit) and tgt, and says how near to the one and how far from
the other it is.

    bench.py [--build DIR] [--quick] [--note TEXT] [ROW...]

Every row of the table is measured in turns: each server in its turn, five times over (three with
--quick). Figures are medians; a ratio is the median of the ratios within each turn, so that what
the machine does besides falls on both. The whole table goes to tests/bench/RESULTS, with a picture
beside it; a part of it, and --quick, go to DIR/bench/.
"""
import argparse
import datetime
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import machine
import picture
import rows
from report import Report
from run import Runner

HERE = Path(__file__).resolve().parent


def version(build):
    """What the server says of itself: the commit that it was built from."""
    done = subprocess.run([build / "countersignd", "--version"], text=True, capture_output=True,
                          check=False)
    return done.stdout.strip() or "no countersignd"


def options():
    p = argparse.ArgumentParser(description="Speed beside the floor and tgt.",
                                epilog="Rows: " + ", ".join(rows.ROWS))
    p.add_argument("--build", type=Path, default=HERE.parents[1] / "build")
    p.add_argument("--quick", action="store_true", help="three minutes instead of fifteen")
    p.add_argument("--note", help="a line for the head, such as what else the machine does")
    p.add_argument("row", nargs="*", metavar="ROW", help="these rows alone, without the picture")
    o = p.parse_args()
    for name in o.row:
        if name not in rows.ROWS:
            p.error(f"there is no row {name}; there are {', '.join(rows.ROWS)}")
    return o


def head(report, o):
    report.say(f"{version(o.build)}, {datetime.date.today()}"
               + (", the quick form" if o.quick else ""))
    for line in machine.describe().splitlines():
        report.say(line)
    if o.note:
        report.say(o.note)
    report.say(f"Load average before: {machine.load_average()}")
    report.say("")


def main():
    o = options()
    out = o.build / "bench"
    whole = not o.row and not o.quick
    work = Path(tempfile.mkdtemp(prefix="work-", dir=out))
    report = Report(sys.stdout)
    head(report, o)
    runner = Runner(o.build.resolve(), work.resolve(), o.quick, report)
    try:
        for name in o.row or rows.ROWS:
            rows.measure(runner, name)
        if not o.row:
            picture.draw(runner, (HERE if whole else out) / "results.svg")
    finally:
        runner.stop()
        shutil.rmtree(work)
    report.say("")
    report.say(f"Load average after: {machine.load_average()}")
    report.say(report.sum())
    (HERE / "RESULTS" if whole else out / "RESULTS").write_text(report.text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
