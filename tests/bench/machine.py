# SPDX-License-Identifier: BSD-2-Clause
"""The machine that the benchmark runs on: its processors, its name, and processes on it."""
import ctypes
import os
import platform
import re
import resource
import signal
import subprocess
from pathlib import Path

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def _cores_first(cpus):
    """One processor of each core, the others behind them."""
    cores, first, rest = set(), [], []
    for cpu in cpus:
        path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        core = path.read_text().strip() if path.exists() else str(cpu)
        (rest if core in cores else first).append(cpu)
        cores.add(core)
    return first + rest


class Cpus:
    """Who runs where: the load on `load`, the server on `target`; a second pair where there are
    four processors."""

    def __init__(self):
        cpus = _cores_first(sorted(os.sched_getaffinity(0)))
        if len(cpus) < 2:
            raise SystemExit("bench: two processors are needed, one for the server and one for "
                             "the load")
        self.load, self.target = cpus[:2]
        self.load2, self.target2 = cpus[2:4] if len(cpus) > 3 else (None, None)


def be_root():
    return os.geteuid() == 0


def raise_limits():
    """As many descriptors as there may be, for us and our children."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (max(hard, 65536), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            return limit
        except (ValueError, OSError):
            pass
    return hard


def _first(path, pattern, default="?"):
    try:
        found = re.search(pattern, Path(path).read_text(errors="replace"), re.M)
    except OSError:
        return default
    return found.group(1).strip() if found else default


def _version(package):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package],
                          capture_output=True, text=True, check=False)
    return done.stdout or "not installed"


def describe():
    """The machine in two lines of text."""
    model = _first("/proc/cpuinfo", r"^model name\s*:\s*(.*)$")
    guest = " (virtual machine)" if " hypervisor" in _first("/proc/cpuinfo", r"^(flags.*)$") else ""
    memory = int(_first("/proc/meminfo", r"^MemTotal:\s*(\d+)", "0")) / (1 << 20)
    return (f"{model}{guest}, {os.cpu_count()} processors, {memory:.0f} GiB, "
            f"Linux {platform.release()}\n"
            f"tgt {_version('tgt')}, fio {_version('fio')}")


def load_average():
    return " ".join(f"{x:.1f}" for x in os.getloadavg())


def _prepare(cpus):
    """In the child: dies with us, runs where it shall and, as root, before everybody else."""
    def run():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.setsid()
        os.sched_setaffinity(0, cpus)
        try:
            os.setpriority(os.PRIO_PROCESS, 0, -20)
            Path("/proc/self/autogroup").write_text("-20")
        except OSError:
            pass                # not root: as everybody else
    return run


def spawn(cpus, *command, **kwargs):
    """A process on these processors."""
    return subprocess.Popen([str(c) for c in command], preexec_fn=_prepare(set(cpus)),
                            stdin=subprocess.DEVNULL, **kwargs)


def contention_us():
    """For how long, since the start, some task wanted a processor and had to wait: on a machine of
    our own hardly ever, as each who is measured has a processor. None: the kernel does not say."""
    total = _first("/proc/pressure/cpu", r"^some .*total=(\d+)", "")
    return int(total) if total else None


# --- what /proc says of a process -----------------------------------------------------------------

def huge(pid):
    """Bytes of a process that stand on huge pages."""
    kib = _first(f"/proc/{pid}/smaps_rollup", r"^AnonHugePages:\s*(\d+)", "0")
    return int(kib) << 10


def resident(pid):
    """Bytes in memory."""
    return int(_first(f"/proc/{pid}/smaps_rollup", r"^Rss:\s*(\d+)", "0")) * 1024


def _tasks(pid):
    return Path(f"/proc/{pid}/task").iterdir()


def cpu_ns(pid):
    """Processor time of all threads."""
    return sum(int((t / "schedstat").read_text().split()[0]) for t in _tasks(pid))


def sleeps(pid):
    """How often its threads have gone to sleep, which is how often they were woken."""
    return sum(int(_first(t / "status", r"^voluntary_ctxt_switches:\s*(\d+)", "0"))
               for t in _tasks(pid))
