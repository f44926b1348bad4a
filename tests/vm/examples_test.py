# SPDX-License-Identifier: BSD-2-Clause
"""examples/linux does what it says: its files as they stand, its README's commands as typed."""
import configparser
import re

import pytest
from conftest import ROOT
from guest import HOST
from openiscsi import NAME
from serving import conf

LINUX = ROOT / "examples" / "linux"
DEMO = "iqn.2026-11.com.example:demo"


@pytest.fixture
def demo(start, demo_targets):
    """A server with the targets of examples/demo.conf."""
    return start(conf(demo_targets()))


@pytest.fixture
def commands(demo):
    """commands(number): what a step of the README says to type, at this server's portal."""
    steps = re.split(r"\n (?=\d\. )|\n\n(?=When)", (LINUX / "README").read_text())

    def call(number):
        lines = re.findall(r"^ {8}(\S.*)$", steps[number], re.M)
        return "\n".join(lines).replace("127.0.0.1:3260", f"{HOST}:{demo.port}")
    return call


@pytest.fixture
def host(linux):
    """A guest that is set up by the examples."""
    linux.guest.write("/etc/iscsi/iscsid.conf", (LINUX / "iscsid.conf").read_text())
    linux.guest.write("/etc/udev/rules.d/60-countersign.rules",
                      (LINUX / "60-countersign.rules").read_text())
    linux.guest.run("udevadm control --reload")
    return linux


def test_the_readme_leads_to_a_disk(host, demo, commands, ctl, saw):
    guest = host.guest
    assert NAME in guest.run(commands(1))
    guest.run(commands(3) + "; true")               # nothing is on record yet
    assert DEMO in guest.run(commands(4))
    host.portal = f"{HOST}:{demo.port}"
    host.by_path(DEMO, 0), host.by_path(DEMO, 1)
    assert len(guest.run(commands(5)).splitlines()) == 2
    assert "mutual CHAP, SHA3-256" in ctl(demo, "sessions").stdout
    guest.run(commands(3))                          # now something is
    assert host.sessions() == 0
    assert guest.status("iscsiadm -m node")[0] == 21    # no records
    saw("; ".join(commands(4).splitlines()))


def test_the_recommended_settings_are_in_force(host, demo, saw):
    host.discover(demo)
    host.login(DEMO)
    disk = host.disk(DEMO)
    found = dict(line.split() for line in host.guest.run(f"""
        cd /sys/class/iscsi_session/session*
        echo replacement_timeout $(cat recovery_tmo)
        echo FirstBurstLength $(cat first_burst_len)
        echo MaxBurstLength $(cat max_burst_len)
        cd /sys/class/iscsi_connection/connection*
        echo noop_out_interval $(cat recv_tmo)
        echo noop_out_timeout $(cat ping_tmo)
        echo MaxRecvDataSegmentLength $(cat max_recv_dlength)
        echo disk_timeout $(cat /sys/block/{disk}/device/timeout)""").splitlines())
    assert found == {
        "replacement_timeout": "600", "noop_out_interval": "60", "noop_out_timeout": "600",
        "FirstBurstLength": "262144", "MaxBurstLength": "1048576",
        "MaxRecvDataSegmentLength": "262144", "disk_timeout": "600"}
    saw(", ".join(f"{k} {v}" for k, v in found.items()))


def test_without_the_udev_rule_the_disk_timeout_is_the_kernels(linux, demo):
    linux.guest.write("/etc/iscsi/iscsid.conf", (LINUX / "iscsid.conf").read_text())
    linux.discover(demo)
    linux.login(DEMO)
    assert linux.guest.run(f"cat /sys/block/{linux.disk(DEMO)}/device/timeout").strip() == "30"


def test_the_mount_unit_names_a_disk_that_is_there(host, demo, saw):
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read(LINUX / "srv-demo.mount")
    mount = unit["Mount"]
    assert mount["Where"].strip("/").replace("/", "-") + ".mount" == "srv-demo.mount"
    what = mount["What"].replace("127.0.0.1:3260", f"{HOST}:{demo.port}")
    host.discover(demo)
    host.login(DEMO)
    assert host.by_path(DEMO, 0) == what
    # What only systemd and fsck know is not for the kernel.
    options = ",".join(o for o in mount["Options"].split(",") if o not in ("_netdev", "nofail"))
    host.guest.run(f"""
        mkfs.{mount['Type']} -q -F {what}
        mkdir -p {mount['Where']}
        mount -t {mount['Type']} -o {options} {what} {mount['Where']}
        echo here >{mount['Where']}/file && umount {mount['Where']}""")
    saw(f"{what} on {mount['Where']}")


# --- Windows: as far as it can be checked without one ----------------------------------------

def test_the_registry_file_and_the_script_for_windows_have_the_recommended_values():
    wanted = {"MaxRequestHoldTime": 600, "FirstBurstLength": 262144, "MaxBurstLength": 1048576,
              "MaxRecvDataSegmentLength": 262144, "TimeOutValue": 600}
    data = (ROOT / "examples/windows/countersign.reg").read_bytes()
    assert data.startswith(b"Windows Registry Editor Version 5.00\r\n\r\n")
    assert data.count(b"\n") == data.count(b"\r\n")
    found = re.findall(r'^"(\w+)"=dword:([0-9a-f]{8})\r$', data.decode(), re.M)
    assert {name: int(value, 16) for name, value in found} == wanted
    script = (ROOT / "examples/windows/settings.ps1").read_text()
    found = re.findall(r"^Set-Number \S+ (\w+) (\d+)", script, re.M)
    assert {name: int(value) for name, value in found} == wanted
