# SPDX-License-Identifier: BSD-2-Clause
"""QEMU stores real images: in, out, compared, discarded, and on units that may not be written."""
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support import (CREDENTIAL, DISK, HOST, SECRET, TARGET_SECRET, conf, disk, lines, ram, sha256,
                     target, url, wait_until)

ROOT = Path(__file__).parents[2]
MIB = 1 << 20
ANY_HOST = f'{{ user = "qemu"; secret = "{SECRET}"; }}'
UNITS = {
    "ram-512": lambda size: ram(size=size),
    "ram-4096": lambda size: ram(size=size, more="block_size = 4096;"),
    "file-512": lambda size: disk("disk.img", size=size),
    "file-4096": lambda size: disk("disk.img", size=size, more="block_size = 4096;"),
}
each_unit = pytest.mark.parametrize("kind", UNITS)


@pytest.fixture
def unit(start):
    """unit(lun): a server whose one target, behind CHAP, has this LUN; and its URL."""
    def call(lun, **kwargs):
        server = start(conf(target(luns=lun, credentials=ANY_HOST), **kwargs))
        return server, url(server, 0, user="qemu", secret=SECRET)
    return call


@pytest.fixture
def qemu_img(run):
    """qemu_img(...): must succeed, and say nothing on stderr."""
    def call(*args):
        done = run("qemu-img", *args)
        assert done.stderr == "", done.stderr[:2000]
        return done.stdout
    return call


@pytest.fixture
def qemu_io(run):
    """qemu_io(url, command, ...): gives what it said; `options` go to the raw driver."""
    def call(there, *commands, options=(), status=0):
        args = [arg for c in commands for arg in ("-c", c)]
        done = run("qemu-io", *options, "-f", "raw", *args, there, status=status)
        return done.stdout + done.stderr
    return call


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A raw disk image of 96 MiB with an ext4 file system that holds this project's sources."""
    if not shutil.which("mke2fs", path="/sbin:/usr/sbin"):
        pytest.skip("e2fsprogs is not installed")
    path = tmp_path_factory.mktemp("image") / "image.raw"
    tree = path.parent / "tree"
    for name in ("target", "chap", "config", "man"):
        shutil.copytree(ROOT / name, tree / name)
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext4", "-d", tree, path, "96M"], check=True)
    fsck(path)
    return path


def fsck(path):
    subprocess.run(["/sbin/e2fsck", "-fn", path], check=True, capture_output=True)


# --- images ---------------------------------------------------------------------------------------


@each_unit
def test_an_image_comes_out_as_it_went_in(unit, qemu_img, image, tmp_path, kind):
    qcow2, back = tmp_path / "image.qcow2", tmp_path / "back.raw"
    qemu_img("convert", "-f", "raw", "-O", "qcow2", image, qcow2)
    _, there = unit(UNITS[kind]("96M"))
    qemu_img("convert", "-n", "-f", "qcow2", "-O", "raw", qcow2, there)
    assert "Images are identical." in qemu_img("compare", "-f", "qcow2", "-F", "raw", qcow2, there)
    qemu_img("convert", "-f", "raw", "-O", "raw", there, back)
    assert sha256(back) == sha256(image)
    fsck(back)


@each_unit
def test_a_gibibyte_comes_out_as_it_went_in(unit, qemu_img, tmp_path, kind):
    big, back = tmp_path / "big.raw", tmp_path / "back.raw"
    with open("/dev/urandom", "rb") as noise, open(big, "wb") as f:
        block = bytearray(noise.read(4 * MIB))
        for n in range(256):
            block[:8] = n.to_bytes(8, "big")    # no two of them alike
            f.write(block)
    _, there = unit(UNITS[kind]("1G"))
    qemu_img("convert", "-n", "-f", "raw", "-O", "raw", big, there)
    qemu_img("convert", "-f", "raw", "-O", "raw", there, back)
    assert sha256(back) == sha256(big)
    big.unlink()
    back.unlink()


def test_a_file_unit_is_the_image(unit, qemu_img, image):
    """What a file unit keeps is the raw image, and nothing else."""
    server, there = unit(disk("disk.img", size="96M"))
    qemu_img("convert", "-n", "-f", "raw", "-O", "raw", image, there)
    server.stop()
    assert sha256(server.dir / "disk.img") == sha256(image)
    fsck(server.dir / "disk.img")


def test_an_image_that_is_a_file_unit_already_is_served(unit, qemu_img, image, tmp_path):
    copy = tmp_path / "copy.raw"
    shutil.copyfile(image, copy)
    _, there = unit(f'{{ lun = 0; store = "file"; path = "{copy}"; }}')
    assert "Images are identical." in qemu_img("compare", "-f", "raw", "-F", "raw", image, there)


@pytest.mark.threads
def test_several_images_at_a_time_do_not_mix(start, qemu_img, tmp_path):
    names = [f"{DISK}{n}" for n in range(4)]
    server = start(conf(*(target(name, luns=disk(f"disk{n}.img") if n % 2 else ram())
                          for n, name in enumerate(names))))

    def round_trip(n):
        there, mine, back = (url(server, 0, names[n]), tmp_path / f"{n}.raw", tmp_path / f"{n}.back")
        with open(mine, "wb") as f:
            for i in range(64):
                f.write(bytes([n + 1, i]) * (MIB // 2))
        qemu_img("convert", "-n", "-f", "raw", "-O", "raw", mine, there)
        qemu_img("convert", "-f", "raw", "-O", "raw", there, back)
        return sha256(mine) == sha256(back)
    with ThreadPoolExecutor() as pool:
        assert list(pool.map(round_trip, range(4))) == [True] * 4


def test_the_size_of_a_unit_is_told(unit, qemu_img):
    _, there = unit(ram(size="96M"))
    assert "virtual size: 96 MiB" in qemu_img("info", "-f", "raw", there)


# --- single reads and writes ------------------------------------------------------------------------


@each_unit
def test_writes_of_any_size_and_place_are_read_back(unit, qemu_io, kind):
    _, there = unit(UNITS[kind]("64M"))
    said = qemu_io(there, "write -P 1 0 64M", "write -P 2 3M 5M", "write -P 3 4096 4096",
                   "write -P 4 67104768 4096", "write -f -P 5 8k 64k", "aio_write -P 6 20M 10M",
                   "aio_flush", "flush",
                   "read -P 1 0 4096", "read -P 3 4096 4096", "read -P 5 8k 64k",
                   "read -P 2 3M 5M", "read -P 6 20M 10M", "read -P 4 67104768 4096",
                   "read -P 1 30M 33M")
    assert "fail" not in said.lower(), said


@each_unit
def test_zeros_are_written_with_and_without_giving_space_back(unit, qemu_io, kind):
    _, there = unit(UNITS[kind]("64M"))
    said = qemu_io(there, "write -P 7 0 64M", "write -z 1M 1M", "write -z -u 8M 16M",
                   "read -P 7 0 1M", "read -P 0 1M 1M", "read -P 7 2M 6M", "read -P 0 8M 16M",
                   "read -P 7 24M 40M", options=["-d", "unmap"])
    assert "fail" not in said.lower(), said


# --- space that is given back -----------------------------------------------------------------------


@pytest.mark.parametrize("block_size", [512, 4096])
def test_a_discard_gives_a_files_space_back(unit, qemu_io, block_size):
    server, there = unit(disk("disk.img", more=f"block_size = {block_size};"))

    def held():
        return (server.dir / "disk.img").stat().st_blocks * 512

    assert held() < MIB
    qemu_io(there, "write -P 7 0 64M", "flush")
    assert held() >= 64 * MIB
    said = qemu_io(there, "discard 16M 48M", "flush", "read -P 7 0 16M", "read -P 0 16M 48M",
                   options=["-d", "unmap"])
    assert "fail" not in said.lower(), said
    assert 16 * MIB <= held() < 17 * MIB


def test_a_discard_gives_memory_back(unit, qemu_io):
    server, there = unit(ram(size="256M"))

    def held():
        with open(f"/proc/{server.pid}/status") as f:
            return int(re.search(r"VmRSS:\s*(\d+) kB", f.read())[1]) << 10

    before = held()
    assert before < 200 * MIB            # untouched blocks take none
    qemu_io(there, "write -P 7 0 256M")
    assert held() >= before + 240 * MIB
    qemu_io(there, "discard 0 256M", "read -P 0 0 256M", options=["-d", "unmap"])
    wait_until(lambda: held() < before + 64 * MIB, why="the memory is not given back")


def test_a_unit_that_is_not_thin_keeps_its_space(unit, qemu_io):
    server, there = unit(disk("disk.img", more="thin = false;"))
    qemu_io(there, "write -P 7 0 64M")
    said = qemu_io(there, "discard 0 64M", "read -P 7 0 64M", options=["-d", "unmap"])
    assert "Pattern verification failed" not in said
    assert (server.dir / "disk.img").stat().st_blocks * 512 >= 64 * MIB


# --- units that may not be written --------------------------------------------------------------------


def test_a_read_only_unit_is_read_and_not_written(unit, qemu_io, image, tmp_path, qemu_img):
    copy = tmp_path / "copy.raw"
    shutil.copyfile(image, copy)
    _, there = unit(f'{{ lun = 0; store = "file"; path = "{copy}"; read_only = true; }}')
    said = qemu_io(there, "write -P 7 0 64k", status=1)
    assert "write protected" in said.lower()
    assert "Images are identical." in qemu_img("compare", "-f", "raw", "-F", "raw", image, there)
    assert sha256(copy) == sha256(image)


def test_a_read_only_file_may_be_one_that_cannot_be_written(unit, qemu_img, image, tmp_path):
    copy = tmp_path / "copy.raw"
    shutil.copyfile(image, copy)
    copy.chmod(0o400)
    _, there = unit(f'{{ lun = 0; store = "file"; path = "{copy}"; read_only = true; }}')
    assert "Images are identical." in qemu_img("compare", "-f", "raw", "-F", "raw", image, there)


# --- the examples -------------------------------------------------------------------------------------


@pytest.fixture
def secret_files(tmp_path, monkeypatch):
    (tmp_path / "chap.secret").write_text(SECRET)
    (tmp_path / "target.secret").write_text(TARGET_SECRET)
    monkeypatch.setenv("SECRET_FILE", str(tmp_path / "chap.secret"))
    monkeypatch.setenv("TARGET_SECRET_FILE", str(tmp_path / "target.secret"))


def test_the_example_for_qemu_stores_compares_and_fetches(start, run, image, tmp_path, monkeypatch,
                                                          secret_files, qemu_img):
    server = start(conf(target(luns=ram(size="128M"), credentials=CREDENTIAL)))
    monkeypatch.setenv("PORTAL", server.portal)
    monkeypatch.setenv("TARGET", DISK)
    monkeypatch.setenv("INITIATOR", HOST)
    script, back = ROOT / "examples/qemu/image", tmp_path / "back.qcow2"
    run(script, "store", image)
    assert "Images are identical." in run(script, "compare", image).stdout
    run(script, "fetch", back)
    assert "Images are identical." in qemu_img("compare", "-f", "raw", "-F", "qcow2", image, back)
    run(script, "nonsense", status=2)


def test_the_example_for_libiscsi_proves_both_sides(start, run, monkeypatch, secret_files):
    server = start(conf(target(credentials=CREDENTIAL)))
    monkeypatch.setenv("INITIATOR", HOST)
    monkeypatch.setenv("TARGET_USER", DISK)
    script = ROOT / "examples/libiscsi/with-chap"
    assert "DIRECT_ACCESS" in run(script, "iscsi-inq", url(server, 0)).stdout
    assert lines(server, "mutual CHAP")


def test_the_example_for_libiscsi_leaves_a_target_that_is_not_proved(start, run, monkeypatch,
                                                                     secret_files, tmp_path):
    server = start(conf(target(credentials=CREDENTIAL)))
    (tmp_path / "target.secret").write_text("another---secret")
    monkeypatch.setenv("INITIATOR", HOST)
    monkeypatch.setenv("TARGET_USER", DISK)
    script = ROOT / "examples/libiscsi/with-chap"
    assert "CHAP_R" in run(script, "iscsi-inq", url(server, 0), status=10).stderr
