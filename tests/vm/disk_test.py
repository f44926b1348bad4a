# SPDX-License-Identifier: BSD-2-Clause
"""Linux uses a disk: file systems, digests, space, size, reservations."""
import os
import re

import pytest
from guest import GuestError
from openiscsi import NAME
from serving import OPEN, RAM, file_disk, open_disk

MIB = 1 << 20

MAKE = {"ext4": "mkfs.ext4 -q -F", "xfs": "mkfs.xfs -q -f"}
CHECK = {"ext4": "fsck.ext4 -f -n", "xfs": "xfs_repair -n"}


@pytest.fixture
def disk(linux, start):
    """disk(luns): a server with them, logged in to; gives it and the kernel name of LUN 0."""
    def call(luns=RAM):
        server = start(open_disk(luns))
        linux.discover(server)
        linux.login(OPEN)
        return server, linux.disk(OPEN)
    return call


def again(linux):
    """Logs out and in: nothing is left in the guest's caches. Gives the disk's name."""
    linux.logout(OPEN)
    linux.login(OPEN)
    return linux.disk(OPEN)


def kernel_had_no_trouble(linux):
    trouble = linux.guest.run(
        "dmesg | grep -E 'I/O error|conn error|Sense Key|hung task|BUG:|Oops|rejected' || true")
    assert not trouble, trouble


# --- file systems ----------------------------------------------------------------------------

@pytest.mark.parametrize("block_size", [512, 4096])
@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_a_file_system_keeps_what_was_written(linux, disk, saw, kind, block_size):
    _, name = disk(file_disk("512M", more=f"block_size = {block_size};"))
    guest = linux.guest
    assert guest.run(f"{MAKE[kind]} /dev/{name}") == ""     # nothing about it is strange
    guest.run(f"mount -t {kind} /dev/{name} /mnt")
    guest.run("""
        for n in 1 2 3 4; do dd if=/dev/urandom of=/mnt/random$n bs=1M count=8 status=none; done
        mkdir /mnt/dir && for n in $(seq 500); do echo $n >/mnt/dir/$n; done
        sync""")
    sums = "cd /mnt && find . -type f -exec sha256sum {} + | sort"
    before = guest.run(sums)
    guest.run("umount /mnt")
    name = again(linux)
    guest.run(f"mount -t {kind} /dev/{name} /mnt")
    assert guest.run(sums) == before
    guest.run(f"umount /mnt && {CHECK[kind]} /dev/{name}")
    kernel_had_no_trouble(linux)
    saw(f"{len(before.splitlines())} files with their checksums, {CHECK[kind]}: clean")


@pytest.mark.parametrize("header, data", [("CRC32C", "CRC32C"), ("CRC32C", "None"),
                                          ("None", "CRC32C"), ("CRC32C,None", "None,CRC32C")])
def test_digests(linux, start, saw, header, data):
    server = start(open_disk(file_disk("64M")))
    linux.configure(**{"node.conn[0].iscsi.HeaderDigest": header,
                       "node.conn[0].iscsi.DataDigest": data})
    linux.discover(server)
    linux.login(OPEN)
    found = linux.guest.run("cd /sys/class/iscsi_connection/connection*/ && "
                            "cat header_digest data_digest").split()
    assert found == ["1" if pair.startswith("CRC32C") else "0" for pair in (header, data)]
    name = linux.disk(OPEN)
    linux.guest.run("dd if=/dev/urandom of=/tmp/random bs=1M count=32 status=none")
    linux.guest.run(f"dd if=/tmp/random of=/dev/{name} bs=64k oflag=direct status=none")
    name = again(linux)
    linux.guest.run(f"cmp -n $((32 << 20)) /tmp/random /dev/{name}; rm /tmp/random")
    kernel_had_no_trouble(linux)
    saw(f"header digest {found[0]}, data digest {found[1]}: 32 MiB written and compared")


@pytest.mark.parametrize("immediate, initial_r2t", [("Yes", "Yes"), ("No", "No"), ("No", "Yes")])
def test_writes_with_and_without_unsolicited_data(linux, start, saw, immediate, initial_r2t):
    server = start(open_disk(file_disk("64M")))
    linux.configure(**{"node.session.iscsi.ImmediateData": immediate,
                       "node.session.iscsi.InitialR2T": initial_r2t})
    linux.discover(server)
    linux.login(OPEN)
    name = linux.disk(OPEN)
    linux.guest.run("dd if=/dev/urandom of=/tmp/random bs=1M count=16 status=none")
    for size in ("4k", "64k", "1M"):
        linux.guest.run(f"dd if=/tmp/random of=/dev/{name} bs={size} oflag=direct status=none")
        name = again(linux)
        linux.guest.run(f"cmp -n $((16 << 20)) /tmp/random /dev/{name}")
    kernel_had_no_trouble(linux)
    found = linux.guest.run("cd /sys/class/iscsi_session/session*/ && "
                            "echo $(cat immediate_data) $(cat initial_r2t)").split()
    saw(f"ImmediateData={found[0]} InitialR2T={found[1]}")


@pytest.mark.parametrize("lengths", [
    {"session.iscsi.FirstBurstLength": 512, "conn[0].iscsi.MaxXmitDataSegmentLength": 512},
    {"session.iscsi.FirstBurstLength": 1000, "session.iscsi.MaxBurstLength": 3000,
     "conn[0].iscsi.MaxXmitDataSegmentLength": 700, "conn[0].iscsi.MaxRecvDataSegmentLength": 1500},
    {"session.iscsi.MaxOutstandingR2T": 16, "session.iscsi.ImmediateData": "No",
     "session.iscsi.MaxBurstLength": 4096},
], ids=["512", "odd", "r2t"])
def test_unusual_lengths(linux, start, saw, lengths):
    server = start(open_disk(file_disk("64M")))
    linux.configure(**{f"node.{key}": value for key, value in lengths.items()},
                    **{"node.conn[0].iscsi.HeaderDigest": "CRC32C",
                       "node.conn[0].iscsi.DataDigest": "CRC32C"})
    linux.discover(server)
    linux.login(OPEN)
    linux.guest.run(
        f"fio --name=mixed --filename=/dev/{linux.disk(OPEN)} --size=4M --direct=1 "
        "--ioengine=libaio --iodepth=16 --rw=randrw --bsrange=512-256k --blockalign=512 "
        "--verify=crc32c --verify_fatal=1", 120)
    kernel_had_no_trouble(linux)
    saw(linux.guest.run("cd /sys/class/iscsi_session/session*/ && grep . first_burst_len "
                        "max_burst_len max_outstanding_r2t; cd /sys/class/iscsi_connection/"
                        "connection*/ && grep . max_*_dlength").replace("\n", " "))


# --- space and size -----------------------------------------------------------------------------

def test_fstrim_gives_space_back_in_the_file(linux, disk, saw):
    server, name = disk(file_disk("256M"))
    guest = linux.guest

    def taken():
        return (server.dir / "disk.img").stat().st_blocks * 512

    guest.run(f"mkfs.ext4 -q -F /dev/{name} && mount -t ext4 /dev/{name} /mnt")
    guest.run("dd if=/dev/urandom of=/mnt/random bs=1M count=64 status=none && sync")
    before = taken()
    assert before > 64 * MIB
    guest.run("rm /mnt/random && sync && fstrim -v /mnt")
    after = taken()
    assert before - after > 60 * MIB
    guest.run(f"umount /mnt && fsck.ext4 -f -n /dev/{name}")
    kernel_had_no_trouble(linux)
    saw(f"disk.img takes {before // MIB} MiB with a file of 64 MiB, {after // MIB} MiB after fstrim")


def test_zeros_by_write_same(linux, disk, saw):
    server, name = disk(file_disk("64M"))
    linux.guest.run(f"dd if=/dev/urandom of=/dev/{name} bs=1M count=64 oflag=direct status=none")
    linux.guest.run(f"blkdiscard -z /dev/{name}")
    name = again(linux)
    linux.guest.run(f"cmp -n $((64 << 20)) /dev/zero /dev/{name}")
    kernel_had_no_trouble(linux)
    saw(f"disk.img takes {(server.dir / 'disk.img').stat().st_blocks * 512 // MIB} MiB")


def test_a_disk_that_grew_is_seen_by_a_rescan(linux, disk, ctl, saw):
    server, name = disk(file_disk("64M"))
    guest = linux.guest
    size = f"cat /sys/block/{name}/size"
    guest.run(f"mkfs.ext4 -q -F /dev/{name} && mount -t ext4 /dev/{name} /mnt")
    guest.run("dd if=/dev/urandom of=/mnt/random bs=1M count=20 status=none && sync")
    before = guest.run("sha256sum /mnt/random")
    assert int(guest.run(size)) * 512 == 64 * MIB
    server.write_conf(open_disk(file_disk("256M")))
    ctl(server, "reload")
    guest.run(f"iscsiadm -m node -T {OPEN} --rescan")
    guest.wait(f"[ $({size}) = {256 * MIB // 512} ]")
    guest.run(f"resize2fs /dev/{name}")
    free = int(guest.run("df -m /mnt | tail -n 1").split()[3])
    assert free > 180
    assert linux.sessions() == 1
    assert guest.run("sha256sum /mnt/random") == before
    guest.run(f"umount /mnt && fsck.ext4 -f -n /dev/{name}")
    saw(f"64 MiB, then 256 MiB without a new login; {free} MiB free after resize2fs")


def test_luns_that_come_are_seen_by_a_rescan(linux, disk, ctl, saw):
    server, name = disk(file_disk("64M"))
    more = ",".join([file_disk("64M")] + [file_disk("32M", f"disk{n}.img", n) for n in (1, 2, 300)])
    server.write_conf(open_disk(more))
    ctl(server, "reload")
    linux.guest.run(f"iscsiadm -m node -T {OPEN} --rescan")
    for lun in (1, 2, 300):
        linux.guest.run(f"blockdev --getsize64 {linux.by_path(OPEN, lun)} | grep -x {32 * MIB}")
    assert linux.disk(OPEN) == name
    saw("LUN 1, 2 and 300")


# --- sg3-utils ------------------------------------------------------------------------------------

def test_sg_compare_and_write(linux, disk, saw):
    _, name = disk(file_disk("64M"))
    guest, sg = linux.guest, linux.generic(name)
    guest.run("""
        cd /tmp
        head -c 512 /dev/zero >old; head -c 512 /dev/urandom >new; cat old new >right
        head -c 512 /dev/urandom >other; cat other new >wrong""")
    status, out = guest.status(f"sg_compare_and_write --in=/tmp/wrong --lba=100 {sg}")
    assert status == 14, out        # MISCOMPARE
    guest.run(f"dd if=/dev/{name} iflag=direct bs=512 skip=100 count=1 status=none | cmp - /tmp/old")
    guest.run(f"sg_compare_and_write --in=/tmp/right --lba=100 {sg}")
    guest.run(f"dd if=/dev/{name} iflag=direct bs=512 skip=100 count=1 status=none | cmp - /tmp/new")
    status, _ = guest.status(f"sg_compare_and_write --in=/tmp/right --lba=100 {sg}")
    assert status == 14
    saw("a right comparison writes, a wrong one does not: " + out.strip().splitlines()[-1])


@pytest.fixture
def two_initiators(linux, start):
    """A server, and the generic device and the disk of its LUN for each of two initiators."""
    other = "iqn.2026-11.com.example:host2"
    server = start(open_disk(file_disk("64M")))
    linux.discover(server)
    linux.guest.run(f"""
        iscsiadm -m iface -o new -I other
        iscsiadm -m iface -o update -I other -n iface.initiatorname -v {other}
        iscsiadm -m iface -o update -I other -n iface.transport_name -v tcp
        iscsiadm -m node -o new -T {OPEN} -p {linux.portal} -I other""")
    linux.login(OPEN)
    assert linux.sessions() == 2
    linux.guest.wait("[ $(ls /sys/class/scsi_generic | wc -l) = 2 ]")
    found = linux.guest.run("""
        for d in /sys/class/scsi_generic/*; do
            name=$(cat $(readlink -f $d/device/../..)/iscsi_session/*/initiatorname)
            echo $name /dev/${d##*/} $(ls $d/device/block)
        done""")
    by_name = {line.split()[0]: line.split()[1:] for line in found.splitlines()}
    return server, by_name[NAME], by_name[other]


def test_sg_persist(linux, two_initiators, saw):
    _, (mine, _), (theirs, their_disk) = two_initiators
    guest = linux.guest
    guest.run(f"sg_persist --out --register --param-sark=0x111 {mine}")
    guest.run(f"sg_persist --out --register --param-sark=0x222 {theirs}")
    keys = guest.run(f"sg_persist --in --read-keys {mine}")
    assert "0x111" in keys and "0x222" in keys
    guest.run(f"sg_persist --out --reserve --param-rk=0x111 --prout-type=5 {mine}")
    held = guest.run(f"sg_persist --in --read-reservation {theirs}")
    assert "Key=0x111" in held and "Write Exclusive, registrants only" in held
    write = f"dd if=/dev/zero of=/dev/{their_disk} bs=4k count=1 oflag=direct status=none"
    guest.run(write)                                            # a registrant may
    guest.run(f"sg_persist --out --register --param-rk=0x222 --param-sark=0 {theirs}")
    with pytest.raises(GuestError):
        guest.run(write)                                        # a stranger may not
    guest.run(f"dd if=/dev/{their_disk} of=/dev/null bs=4k count=1 iflag=direct status=none")
    guest.run(f"sg_persist --out --register --param-sark=0x333 {theirs}")
    guest.run(f"sg_persist --out --preempt --param-rk=0x333 --param-sark=0x111 --prout-type=1 "
              f"{theirs}")
    assert "Registrations preempted" in guest.run(f"sg_requests {mine}")
    assert "Key=0x333" in guest.run(f"sg_persist --in --read-reservation {mine}")
    assert guest.status(f"sg_persist --out --release --param-rk=0x111 --prout-type=1 {mine}")[0]
    full = guest.run(f"sg_persist --in --read-full-status {theirs}")
    assert "iqn.2026-11.com.example:host2" in full
    guest.run(f"sg_persist --out --clear --param-rk=0x333 {theirs}")
    assert "there are NO registered reservation keys" in guest.run(f"sg_persist -i -k {mine}")
    saw("registered, reserved, kept a stranger from writing, preempted, cleared")


def test_a_fenced_host_stays_fenced_when_the_server_is_killed(linux, two_initiators, saw):
    """The commands of pacemaker's fence_scsi with aptpl=1."""
    server, (_, mine), (_, theirs) = two_initiators
    guest = linux.guest
    write = "dd if=/dev/zero of=/dev/{} bs=4k count=1 oflag=direct status=none"

    def restart():
        server.kill()
        server.start()
        guest.run(f"sg_persist -n -i -k -d /dev/{mine}; sg_persist -n -i -k -d /dev/{theirs}; true")

    guest.run(f"sg_persist -n -o -I -S 0x1 -Z -d /dev/{mine}")
    guest.run(f"sg_persist -n -o -I -S 0x2 -Z -d /dev/{theirs}")
    guest.run(f"sg_persist -n -o -R -T 5 -K 0x1 -d /dev/{mine}")
    restart()
    for disk in (mine, theirs):
        guest.run(write.format(disk))
    guest.run(f"sg_persist -n -o -A -T 5 -K 0x1 -S 0x2 -d /dev/{mine}")     # fence
    for _ in range(2):
        with pytest.raises(GuestError):
            guest.run(write.format(theirs))
        guest.run(write.format(mine))
        restart()
    guest.run(f"sg_persist -n -o -I -S 0x2 -Z -d /dev/{theirs}")            # let in again
    guest.run(write.format(theirs))
    saw(guest.run(f"sg_persist -n -i -r -d /dev/{mine}").strip().splitlines()[-1].strip())


def test_sg_opcodes_and_pages(linux, disk, saw):
    _, name = disk(file_disk("64M"))
    guest, sg = linux.guest, linux.generic(name)
    commands = guest.run(f"sg_opcodes {sg}")
    for page in ("sv", "di", "bl", "lbpv", "bdc", "sn"):
        guest.run(f"sg_vpd --page={page} {sg}")
    guest.run(f"sg_inq {sg}; sg_readcap --16 {sg}; sg_luns {sg}; sg_modes --all {sg}; "
              f"sg_turs {sg}; sg_sync {sg}; sg_get_lba_status --lba=0 {sg}; "
              f"sg_verify --lba=0 --count=64 {sg}")
    guest.run(f"sg_unmap --lba=0 --num=64 {sg}; sg_write_same --lba=0 --num=64 --unmap --in=/dev/zero {sg}")
    saw(f"{len(re.findall(r'^ *[0-9a-f]{2} ', commands, re.M))} rows of sg_opcodes")


def test_the_names_below_dev_disk(linux, disk, saw):
    server, name = disk(file_disk("64M", more='naa = "600140512345678901234567890abcde";'))
    links = linux.guest.run(f"cd /dev/disk && find . -type l -exec sh -c "
                            f"'[ $(basename $(readlink $1)) != {name} ] || echo $1' - {{}} \\;")
    assert "./by-id/wwn-0x600140512345678901234567890abcde" in links
    assert "./by-id/scsi-3600140512345678901234567890abcde" in links
    assert f"./by-path/ip-10.0.2.2:{server.port}-iscsi-{OPEN}-lun-0" in links
    saw(", ".join(os.path.basename(link) for link in links.split() if "diskseq" not in link))
