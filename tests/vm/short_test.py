# SPDX-License-Identifier: BSD-2-Clause
"""The short form of these tests, a part of every check: one Linux host, from discovery to fsck."""
from dataclasses import replace

from serving import LOCKED, MUTUAL, file_disk, locked_disk


def test_linux_logs_in_by_mutual_chap_and_keeps_its_files(linux, start, saw):
    server = start(locked_disk(file_disk("64M")))
    guest = linux.guest
    linux.configure(chap=replace(MUTUAL, algorithms="SHA3-256"))
    assert [name for _, _, name in linux.discover(server)] == [LOCKED]
    linux.login(LOCKED)
    server.wait_for_log("authentication mutual CHAP SHA3-256")
    disk = linux.by_path(LOCKED)
    guest.run(f"""
        mkfs.ext4 -q -F {disk} && mount -t ext4 {disk} /mnt
        dd if=/dev/urandom of=/tmp/random bs=1M count=16 status=none
        cp /tmp/random /mnt && umount /mnt""")
    linux.logout(LOCKED)
    linux.login(LOCKED)
    linux.by_path(LOCKED)
    guest.run(f"""
        mount -t ext4 {disk} /mnt && cmp /tmp/random /mnt/random && umount /mnt
        fsck.ext4 -f -n {disk} && rm /tmp/random""")
    saw("discovery, mutual CHAP by SHA3-256, ext4 with 16 MiB, the same after a new login, clean")
