# SPDX-License-Identifier: BSD-2-Clause
"""Runs the load against servers, one at a time and in turn."""
import re
import statistics
import subprocess
import time

import machine
from servers import CHAP, Floor, NotMeasured, Ours, Tgt


SETTLE_SECONDS = 30


class Failed(Exception):
    """The load did not end well; the text says how."""


class Turns:
    """What the load said of each server in each turn."""

    def __init__(self):
        self.of = {}            # name of the server -> one dict of figures per turn

    def add(self, name, figures):
        self.of.setdefault(name, []).append(figures)

    def median(self, name, key):
        return statistics.median(f[key] for f in self.of[name])

    def ratio(self, key, ours, other):
        """The median of the ratios within each turn; None where the other one did not run."""
        if other not in self.of:
            return None
        return statistics.median(a[key] / b[key]
                                 for a, b in zip(self.of[ours], self.of[other]) if b[key])


class Runner:
    def __init__(self, build, work, quick, report):
        self.build, self.work, self.quick, self.report = build, work, quick, report
        self.cpus = machine.Cpus()
        self.descriptors = machine.raise_limits()
        self.turns = 3 if quick else 5
        self.seconds, self.warm = (0.35, 0.15) if quick else (2, 0.5)
        self.servers = {}       # running, and standing still
        self.missing = {}       # name -> why it cannot be had

    # --- servers --------------------------------------------------------------------------------

    def make(self, name):
        on_target = {self.cpus.target}
        if name.startswith("floor"):
            return Floor(on_target, self.build, name == "floor, polling")
        if name == "tgt":
            return Tgt(on_target, self.work)
        settings = "reactors = 1;" + (" poll_us = 0;" if name == "ours, poll_us = 0" else "")
        return Ours(on_target, self.build, self.work, settings=settings, name=name)

    def server(self, name):
        """The server of that name, started and with its disk written; raises NotMeasured."""
        if name in self.missing:
            raise NotMeasured(self.missing[name])
        if name not in self.servers:
            try:
                s = self.make(name)
                self.servers[name] = s.start()
            except NotMeasured as why:
                self.missing[name] = str(why)
                raise
            if not name.startswith("floor"):
                self.load(s, "-m", "write", "-b", 262144, "-q", 8, "-F", "-w", 0, "-s", 0.01)
                self.settle(s)
            s.pause()
        return self.servers[name]

    def settle(self, server):
        """Uses the disk until no more of it is put on huge pages, which takes a server seconds."""
        was, still = -1, 0
        deadline = time.monotonic() + SETTLE_SECONDS
        while still < 2 and time.monotonic() < deadline:
            self.load(server, "-m", "mix", "-q", 16, "-w", 0, "-s", 0.5)
            now = machine.huge(server.pid)
            was, still = now, still + 1 if now == was else 0

    def ours(self, **kwargs):
        """A server of ours for one row, running; the caller stops it."""
        cpus = kwargs.pop("cpus", {self.cpus.target})
        return Ours(cpus, self.build, self.work, **kwargs).start()

    def stop(self):
        for s in self.servers.values():
            s.stop()

    # --- the load -------------------------------------------------------------------------------

    def load_command(self, server, *args, target=None):
        return [self.build / "bench/iload", "-p", server.port, "-t", target or server.target,
                "-l", server.lun, "-P", server.pid, *args]

    def start_load(self, server, *args, target=None, cpu=None):
        return machine.spawn({self.cpus.load if cpu is None else cpu},
                             *self.load_command(server, *args, target=target),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @staticmethod
    def finish_load(process):
        """The figures of a load, once it has ended."""
        out, err = process.communicate(timeout=600)
        if process.returncode != 0:
            raise Failed((err or out).strip())
        return {key: float(value)
                for key, value in re.findall(r"(\w+)=([0-9.]+)(?=\s)", out)}

    def load(self, server, *args, target=None, cpu=None):
        return self.finish_load(self.start_load(server, *args, target=target, cpu=cpu))

    def load_for(self, server, *args, **kwargs):
        """The load for the usual time."""
        return self.load(server, "-s", self.seconds, "-w", self.warm, *args, **kwargs)

    def in_turn(self, names, *args, **kwargs):
        """The same load against several servers, in turn; those that cannot be had are left out."""
        return self.take_turns({n: (n, args, kwargs) for n in names})

    def take_turns(self, plan):
        """plan: label -> (name of the server, arguments of the load, keywords)."""
        turns = Turns()
        for _ in range(self.turns):
            for label, (name, args, kwargs) in plan.items():
                try:
                    server = self.server(name)
                except NotMeasured:
                    continue
                server.resume()
                try:
                    turns.add(label, self.load_for(server, *args, **kwargs))
                finally:
                    server.pause()
        return turns

    def why_missing(self, name):
        return self.missing.get(name, "it did not run")


def chap_args(algorithm):
    return ["-a", algorithm, "-u", CHAP["user"], "-k", CHAP["secret"],
            "-U", CHAP["target_user"], "-K", CHAP["target_secret"]]
