# SPDX-License-Identifier: BSD-2-Clause
"""open-iscsi in the guest, used as an administrator uses it: iscsid.conf, iscsiadm, by-path names."""
import re
from dataclasses import dataclass

from guest import HOST

NAME = "iqn.2026-11.com.example:host1"

# Short times, so that a test that fails does so soon. Settings are copied into a node's record
# when it is discovered.
QUICK = {
    "node.startup": "manual",
    "discovery.sendtargets.timeo.login_timeout": 30,
    "node.conn[0].timeo.login_timeout": 30,
    "node.conn[0].timeo.logout_timeout": 30,
    "node.conn[0].timeo.noop_out_interval": 10,
    "node.conn[0].timeo.noop_out_timeout": 30,
    "node.session.timeo.replacement_timeout": 60,
    "node.session.initial_login_retry_max": 2,
}

# Exit statuses of iscsiadm(8).
NO_OBJECTS = 21
AUTH_FAILED = 24     # the target refused: 0x0201 or 0x0202
LOGIN_FAILED = 19    # any other end of a login, as when we refuse the target


@dataclass(frozen=True)
class Chap:
    """What the initiator knows. Without `target_secret` the target need not prove itself."""
    user: str
    secret: str
    target_user: str = ""
    target_secret: str = ""
    algorithms: str = "SHA3-256,SHA256,SHA1,MD5"

    def settings(self, prefix):
        yield f"{prefix}.authmethod", "CHAP"
        yield f"{prefix}.chap_algs", self.algorithms
        yield f"{prefix}.username", self.user
        yield f"{prefix}.password", self.secret
        if self.target_secret:
            yield f"{prefix}.username_in", self.target_user
            yield f"{prefix}.password_in", self.target_secret


class OpenIscsi:
    """The one initiator of a guest. `portal` is what it is told; iscsid's log is in the guest's
    /tmp/iscsid.log."""

    def __init__(self, guest):
        self.guest = guest
        self.portal = None
        self.name = None

    def start(self, name=NAME, **settings):
        """Has iscsid run under that name, with settings as for configure()."""
        self.configure(**settings)
        if name == self.name:
            return
        self.name = name
        self.guest.write("/etc/iscsi/initiatorname.iscsi", f"InitiatorName={name}\n")
        self.guest.run("""
            up() { grep -q ISCSIADM_ABSTRACT_NAMESPACE /proc/net/unix; }
            modprobe -a iscsi_tcp sg
            if up; then iscsiadm -k 0; while up; do sleep 0.1; done; fi
            setsid iscsid -f >>/tmp/iscsid.log 2>&1 &
            until up; do sleep 0.1; done""")

    def configure(self, settings=QUICK, chap=None, discovery_chap=None, text="", **more):
        """Writes iscsid.conf; what is discovered from now on is logged in to as it says."""
        lines = [text] + [f"{key} = {value}" for key, value in {**settings, **more}.items()]
        if chap:
            lines += [f"{k} = {v}" for k, v in chap.settings("node.session.auth")]
        if discovery_chap:
            lines += [f"{k} = {v}" for k, v in discovery_chap.settings("discovery.sendtargets.auth")]
        self.guest.write("/etc/iscsi/iscsid.conf", "\n".join(lines) + "\n")

    def forget(self):
        """Removes all records of nodes and discoveries."""
        self.guest.run("rm -rf /etc/iscsi/nodes /etc/iscsi/send_targets")

    def discovery(self, portal=None):
        """Exit status and output of a discovery; earlier records are forgotten."""
        self.portal = portal or self.portal
        self.forget()
        return self.guest.status(f"iscsiadm -m discovery -t sendtargets -p {self.portal}")

    def discover(self, server=None):
        """The targets that there are, as (portal, group, name); they are on record afterwards."""
        status, out = self.discovery(f"{HOST}:{server.port}" if server else None)
        assert status == 0, f"iscsiadm ended with {status}:\n{out}"
        found = re.findall(r"^(\S+),(\d+) (\S+)$", out, re.M)
        return [(portal, int(group), name) for portal, group, name in found]

    def try_login(self, target, more=""):
        """Exit status and output of a login; iscsid's log begins with it."""
        self.guest.run(": >/tmp/iscsid.log")
        return self.guest.status(f"iscsiadm -m node -T {target} {more} --login")

    def login(self, target, more=""):
        status, out = self.try_login(target, more)
        assert status == 0, f"iscsiadm ended with {status}:\n{out}\n{self.log()}"

    def logout(self, target):
        self.guest.run(f"udevadm settle; iscsiadm -m node -T {target} --logout")

    def log(self):
        return self.guest.run("cat /tmp/iscsid.log")

    def sessions(self):
        return int(self.guest.run("ls /sys/class/iscsi_session | wc -l"))

    def by_path(self, target, lun=0, portal=None):
        """The LUN's name below /dev/disk/by-path, once it is there. From 256 on a number stands
        there as SAM-5 4.7 encodes it."""
        name = lun if lun < 256 else f"0x{0x4000 | lun:04x}000000000000"
        path = f"/dev/disk/by-path/ip-{portal or self.portal}-iscsi-{target}-lun-{name}"
        self.guest.wait(f"[ -b {path} ]")
        return path

    def disk(self, target, lun=0, portal=None):
        """The LUN's kernel name, such as sda."""
        return self.guest.run(
            f"basename $(readlink -f {self.by_path(target, lun, portal)})").strip()

    def generic(self, disk):
        """The SCSI generic device of a disk."""
        return "/dev/" + self.guest.run(f"ls /sys/block/{disk}/device/scsi_generic").strip()

    def reset(self):
        """Leaves the guest as it was before a test: no sessions, mounts, maps or records."""
        self.guest.run("""
            umount -a -t ext4,xfs
            ! [ -e /run/multipathd.pid ] || kill $(cat /run/multipathd.pid)
            dmsetup remove_all --retry
            iscsiadm -m node -U all || [ $? = 21 ]
            n=0
            until [ -z "$(ls /sys/class/iscsi_session)" ]; do
                n=$((n + 1)); [ $n -lt 100 ] || exit 1; sleep 0.1
            done
            rm -rf /etc/iscsi/nodes /etc/iscsi/send_targets /etc/iscsi/ifaces /etc/multipath*
            rm -f /etc/udev/rules.d/*
            udevadm control --reload
            dmesg -c >/dev/null""", 90)
