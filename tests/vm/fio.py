# SPDX-License-Identifier: BSD-2-Clause
"""fio in the guest: writes and verifies while a test makes trouble."""


class Fio:
    """fio, round after round until it is told to stop: writes each block of a device's beginning
    once, then reads them all and verifies that they are this round's and whole."""

    def __init__(self, guest, device):
        self.guest = guest
        self.command = (f"fio --name=verify --filename={device} --size=8M --rw=randwrite "
                        "--bsrange=4k-64k --blockalign=4k --direct=1 --ioengine=libaio "
                        "--iodepth=8 --verify=crc32c --verify_fatal=1")
        guest.run(f"""
            rm -f /tmp/fio.*
            (
                n=0 status=0
                until [ -e /tmp/fio.stop ] || [ $status != 0 ]; do
                    n=$((n + 1))
                    {self.command} --rate=,2m --randseed=$n --do_verify=1 || status=$?
                done
                echo $n $status >/tmp/fio.end
            ) >/tmp/fio.out 2>&1 &""")

    def finish(self):
        """Lets the round end and gives how many there were; none may have had an error. The last
        one's blocks are still there."""
        self.guest.run("touch /tmp/fio.stop")
        self.guest.wait("[ -e /tmp/fio.end ]", 240)
        rounds, status = self.guest.run("cat /tmp/fio.end").split()
        assert status == "0", self.guest.run("cat /tmp/fio.out; dmesg | tail -n 20")
        self.guest.run(f"{self.command} --randseed={rounds} --verify_only", 240)
        return rounds


def writes_of(guest, disk):
    """How many writes of the disk have been completed."""
    return int(guest.run(f"cat /sys/block/{disk}/stat").split()[4])


def wait_for_writes(guest, disk, more=20, seconds=90):
    """Waits until so many more are completed: the disk works."""
    end = writes_of(guest, disk) + more
    guest.wait(f"set -- $(cat /sys/block/{disk}/stat) && [ $5 -ge {end} ]", seconds)
