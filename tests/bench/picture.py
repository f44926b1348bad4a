# SPDX-License-Identifier: BSD-2-Clause
"""The picture: rate and latency against depth and connections, drawn by gnuplot."""
import shutil
import subprocess

from servers import NotMeasured

NAMES = ["floor, polling", "floor, sleeping", "ours", "tgt"]
DEPTHS = [1, 2, 4, 8, 16, 32, 64, 128]
CONNS = [1, 2, 4, 8, 16, 32]
DEPTH_EACH = 8                  # of each of several connections

SCRIPT = """
set terminal svg size 1000,760 font "sans-serif,13" background "white"
set output "{out}"
set multiplot layout 2,2 title "Countersign beside the floor and tgt: 4 KiB random reads"
set logscale x 2
set logscale y 10
set grid
set style line 1 lc rgb "#999999" lw 2 pt 4
set style line 2 lc rgb "#bbbbbb" lw 2 pt 6 dt 2
set style line 3 lc rgb "#c0392b" lw 3 pt 7
set style line 4 lc rgb "#2c6fa8" lw 2 pt 8
{plots}
unset multiplot
"""

PLOT = """
{key}
set xlabel "{xlabel}"
set ylabel "{ylabel}"
plot {lines}
"""


def sweep(r, points, args):
    """{name: [(x, op/s, median latency in us)]}"""
    found = {}
    seconds, warm = (0.3, 0.1) if r.quick else (1, 0.3)
    for x in points:
        for name in NAMES:
            try:
                server = r.server(name)
            except NotMeasured:
                continue
            server.resume()
            try:
                f = r.load(server, "-s", seconds, "-w", warm, *args(x))
            finally:
                server.pause()
            found.setdefault(name, []).append((x, f["ops_s"], f["p50_us"]))
    return found


def blocks(prefix, found):
    """Data blocks for gnuplot."""
    text = []
    for i, points in enumerate(found.values()):
        rows = "\n".join(f"{x} {ops / 1e3:.2f} {us:.2f}" for x, ops, us in points)
        text.append(f"${prefix}{i} << EOD\n{rows}\nEOD\n")
    return "".join(text)


def plot(prefix, found, column, xlabel, ylabel):
    """One of the four; the upper left corner of those with latencies has room for the key."""
    key = "set key left top reverse Left samplen 2" if column == 3 else "unset key"
    lines = ", ".join(
        f'${prefix}{i} using 1:{column} with linespoints ls {NAMES.index(name) + 1} title "{name}"'
        for i, name in enumerate(found))
    return PLOT.format(key=key, xlabel=xlabel, ylabel=ylabel, lines=lines)


def draw(r, out):
    if not shutil.which("gnuplot"):
        r.report.not_measured("picture", "gnuplot is not installed")
        return
    every = 2 if r.quick else 1
    depth = sweep(r, DEPTHS[::every], lambda x: ("-q", x))
    conns = sweep(r, CONNS[::every], lambda x: ("-c", x, "-q", DEPTH_EACH))
    by_conns = f"connections, depth {DEPTH_EACH} each"
    plots = (plot("d", depth, 2, "depth, one connection", "thousand op/s")
             + plot("c", conns, 2, by_conns, "thousand op/s")
             + plot("d", depth, 3, "depth, one connection", "median latency, us")
             + plot("c", conns, 3, by_conns, "median latency, us"))
    script = blocks("d", depth) + blocks("c", conns) + SCRIPT.format(out=out, plots=plots)
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
    r.report.figures(f"Picture: {out.name}")
