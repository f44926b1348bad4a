# SPDX-License-Identifier: BSD-2-Clause
"""libiscsi's own tools: discovery, what a unit says of itself, write protection, a load."""
import re

import pytest
from support import (CREDENTIAL, DISK, HOST, PREFIX, conf, disk, lines, needs_ipv6, ram, target,
                     url)


def found(done):
    """What iscsi-ls has listed: {target: [portal, ...]}."""
    listed = {}
    for name, portal in re.findall(r"^Target:(\S+) Portal:(\S+)$", done.stdout, re.M):
        listed.setdefault(name, []).append(portal)
    return listed


# --- discovery --------------------------------------------------------------------------------


def test_every_target_is_listed_with_its_portal_and_group(start, run):
    server = start(conf(target(), target(PREFIX + "other")))
    portal = f"{server.portal},1"
    assert found(run("iscsi-ls", url(server))) == {DISK: [portal], PREFIX + "other": [portal]}


def test_a_target_is_listed_once_for_each_portal_of_each_group(start, run):
    server = start(conf(portals='''{ address = "127.0.0.1"; port = $port; },
                                   { address = "127.0.0.1"; port = $second_port; group = 2; }'''))
    second = f"127.0.0.1:{server.ports['second_port']},2"
    listed = found(run("iscsi-ls", url(server)))
    assert {name: sorted(portals) for name, portals in listed.items()} == \
        {DISK: sorted([f"{server.portal},1", second])}


def test_a_target_of_one_group_is_seen_and_reached_through_that_group_only(start, run):
    server = start(conf(target(more="portal_groups = [ 2 ];"),
                        portals='''{ address = "127.0.0.1"; port = $first_port; },
                                   { address = "127.0.0.1"; port = $port; group = 2; }'''))
    run("iscsi-inq", url(server, 0))
    assert found(run("iscsi-ls", url(server))) == {DISK: [f"{server.portal},2"]}
    first = url(server, 0).replace(str(server.port), str(server.ports["first_port"]))
    assert "Target not found" in run("iscsi-inq", first, status=None).stderr
    assert lines(server, f'login refused: target not found: "{DISK}"')


def test_an_initiator_of_no_proper_name_is_named_in_the_log(start, run):
    server = start(conf())
    assert "Initiator error" in run("iscsi-inq", "-i", "iqn.x:y", url(server, 0), status=None).stderr
    assert lines(server, 'login refused: initiator error: "iqn.x:y" is not an iSCSI name')


def test_a_server_on_ipv6_is_listed_in_brackets_and_serves(start, run):
    needs_ipv6()
    server = start(conf(portals='{ address = "::1"; port = $port; }'))
    listed = found(run("iscsi-ls", url(server, address="::1")))
    assert listed == {DISK: [f"[::1]:{server.port},1"]}
    assert "DIRECT_ACCESS" in run("iscsi-inq", url(server, 0, address="::1")).stdout


def test_a_wildcard_portal_is_listed_as_the_address_that_was_reached(start, run):
    server = start(conf(portals='{ address = "0.0.0.0"; port = $port; }'))
    there = url(server).replace("127.0.0.1", "127.0.0.3")
    assert found(run("iscsi-ls", there)) == {DISK: [f"127.0.0.3:{server.port},1"]}


def test_the_advertised_address_is_listed_instead(start, run):
    server = start(conf(portals='{ address = "127.0.0.1"; port = $port; '
                                'advertise = "storage.example.com:3261"; }'))
    assert found(run("iscsi-ls", url(server))) == {DISK: ["storage.example.com:3261,1"]}


def test_units_are_shown_with_their_kind_and_size(start, run):
    server = start(conf(target(luns=", ".join([
        ram(0, "64M"), disk("d.img", 1, "128M"), ram(200, "32M", "block_size = 4096;")]))))
    shown = run("iscsi-ls", "-s", url(server)).stdout
    assert re.findall(r"Lun:(\d+) +Type:DIRECT_ACCESS \(Size:(\w+)\)", shown) == \
        [("0", "63M"), ("1", "127M"), ("200", "31M")]     # iscsi-ls counts one block too few


def test_a_unit_beyond_255_has_a_number_in_the_flat_address_space(start, run):
    server = start(conf(target(luns=ram(300))))
    number = str(0x4000 | 300)                            # SAM-5 4.7.7.3; the tools do not decode it
    assert f"Lun:{number} " in run("iscsi-ls", "-s", url(server)).stdout
    assert "DIRECT_ACCESS" in run("iscsi-inq", url(server, number)).stdout


def test_what_a_target_behind_chap_has_is_shown_to_its_host_only(start, run):
    server = start(conf(target(credentials=CREDENTIAL)))
    shown = run("iscsi-ls", "-i", HOST, "-s", url(server), status=None)
    assert "Lun:" not in shown.stdout
    shown = run("iscsi-ls", "-i", HOST, "-s", url(server, user=HOST, secret="initiator-111111"))
    assert "Lun:0" in shown.stdout


def test_iscsi_ls_prints_urls_that_the_other_tools_take(start, run):
    server = start(conf())
    urls = run("iscsi-ls", "--url", url(server)).stdout.split()
    assert urls == [f"iscsi://{server.portal}/{DISK}/0"]
    run("iscsi-inq", urls[0])


# --- what a unit says of itself -----------------------------------------------------------------


def test_the_names_of_a_unit_are_those_configured(start, run):
    server = start(conf(target(luns=ram(more='vendor = "ACME"; product = "Rocket disk"; '
                                              'revision = "7.1"; serial = "SN-4711"; '
                                              'naa = "600140512345678901234567890abcde";'))))
    said = run("iscsi-inq", url(server, 0)).stdout
    assert re.search(r"^Vendor:ACME +$", said, re.M)
    assert re.search(r"^Product:Rocket disk +$", said, re.M)
    assert re.search(r"^Revision:7\.1 *$", said, re.M)
    assert "SN-4711" in run("iscsi-inq", "-e", 1, "-c", 0x80, url(server, 0)).stdout
    ids = run("iscsi-inq", "-e", 1, "-c", 0x83, url(server, 0), errors="surrogateescape").stdout
    naa = ids.encode(errors="surrogateescape").split(b"(3) NAA\nDesignator:[")[1]
    assert naa.startswith(bytes.fromhex("600140512345678901234567890abcde"))


def test_a_disk_of_default_names(start, run):
    server = start(conf())
    said = run("iscsi-inq", url(server, 0)).stdout
    assert "Peripheral Device Type:DIRECT_ACCESS" in said
    assert "Vendor:CSIGN" in said and "Product:Countersign disk" in said
    for descriptor in ("iSCSI", "SPC-", "SBC-"):
        assert re.search(f"Version Descriptor:.*{descriptor}", said)


def test_the_vital_product_data_are_understood(start, run):
    server = start(conf())

    def page(code):
        return run("iscsi-inq", "-e", 1, "-c", code, url(server, 0), errors="replace").stdout

    listed = [int(code, 16) for code in re.findall(r"^Page:0x(\w\w)", page(0x00), re.M)]
    assert {0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2} <= set(listed)
    assert "Unit Serial Number:[" in page(0x80)
    assert re.search(r"maximum transfer length:\d+", page(0xb0), re.I)
    assert re.search(r"medium rotation rate:", page(0xb1), re.I)
    assert re.search(r"lbpu:1.*provisioning type:2", page(0xb2), re.I | re.S)


@pytest.mark.parametrize("more, size", [("", 512), ("block_size = 4096;", 4096)])
def test_the_capacity_is_told(start, run, more, size):
    server = start(conf(target(luns=ram(size="96M", more=more))))
    said = run("iscsi-readcapacity16", url(server, 0)).stdout
    assert f"LOGICAL BLOCK LENGTH IN BYTES:{size}\n" in said
    assert f"RETURNED LOGICAL BLOCK ADDRESS:{96 * 2**20 // size - 1}\n" in said
    assert "LBPME:1 LBPRZ:1\n" in said
    assert run("iscsi-readcapacity16", "-s", url(server, 0)).stdout.strip() == str(96 * 2**20)


def test_a_unit_that_is_not_there_is_said_to_be_missing(start, run):
    done = run("iscsi-inq", url(start(conf()), 7), status=None)
    assert done.returncode != 0 or "Peripheral Qualifier:NOT_SUPPORTED" in done.stdout


# --- write protection ---------------------------------------------------------------------------


def test_software_write_protection_is_turned_on_and_off(start, run):
    server = start(conf())

    def swp(*args):
        return re.findall(r"SWP:(\d)", run("iscsi-swp", *args, url(server, 0)).stdout)[-1]

    assert swp() == "0"
    swp("-s", "on")
    assert swp() == "1"
    refused = run("qemu-io", "-f", "raw", "-c", "write 0 4k", url(server, 0), status=1)
    assert "write protected" in (refused.stdout + refused.stderr).lower()
    swp("-s", "off")
    assert swp() == "0"
    run("qemu-io", "-f", "raw", "-c", "write 0 4k", url(server, 0))


# --- header digests -----------------------------------------------------------------------------


def test_a_required_header_digest_is_agreed_on(start, run):
    server = start(conf(more='iscsi = { header_digest = "required"; };'))
    assert "DIRECT_ACCESS" in run("iscsi-inq", url(server, 0)).stdout


def test_a_header_digest_protects_a_load(start, run):
    server = start(conf(more='iscsi = { header_digest = "required"; };'))
    done = run("iscsi-perf", "-m", 16, "-b", 64, "-t", 1, url(server, 0))
    assert "finished" in done.stdout
    assert not lines(server, "digest")


def test_a_header_digest_that_is_never_wanted_is_not_agreed_on(start, run):
    server = start(conf(more='iscsi = { header_digest = "never"; };'))
    assert "DIRECT_ACCESS" in run("iscsi-inq", url(server, 0)).stdout


# --- a load -------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [[], ["-r"]], ids=["sequential", "random"])
@pytest.mark.parametrize("store", ["ram", "file"])
@pytest.mark.threads
def test_reads_of_any_order_succeed(start, run, store, options):
    lun = ram() if store == "ram" else disk("disk.img")
    server = start(conf(target(luns=lun)))
    done = run("iscsi-perf", "-m", 32, "-b", 8, "-t", 1, *options, url(server, 0))
    assert int(re.search(r"iops average (\d+)", done.stdout)[1]) > 0
    assert "fail" not in done.stdout + done.stderr
    assert not lines(server, " (warning|error): ")
