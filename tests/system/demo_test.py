# SPDX-License-Identifier: BSD-2-Clause
"""What README and `make run` tell a newcomer to type works as it stands."""
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from conftest import READY_SECONDS, REPORT, SANITIZER_OPTIONS, free_port

ROOT = Path(__file__).parents[2]


def a_build(tmp_path):
    return tmp_path / ("deep" * 20) / "a build"


@pytest.fixture
def demo(programs, tmp_path):
    """What scripts/demo has printed, with its server running until the test is over. The clone
    lies deep, in a folder with a blank in its name."""
    build = a_build(tmp_path)
    build.mkdir(parents=True)
    for name in ("countersignd", "countersignctl"):
        (build / name).symlink_to(programs / name)
    out = tmp_path / "out"
    with open(out, "wb") as f:
        process = subprocess.Popen(
            [ROOT / "scripts" / "demo", build], stdin=subprocess.DEVNULL, stdout=f, stderr=f,
            env={**os.environ, **SANITIZER_OPTIONS, "PORT": str(free_port())})
    deadline = time.monotonic() + READY_SECONDS
    while "Ctrl-C stops the server" not in out.read_text():
        assert process.poll() is None and time.monotonic() < deadline, out.read_text()
        time.sleep(0.05)
    yield out.read_text()
    process.terminate()
    assert process.wait(READY_SECONDS) == 0, out.read_text()
    assert not REPORT.search(out.read_text()), out.read_text()


def commands(text, heading):
    """The indented lines behind HEADING, up to the next line that is not indented."""
    block = text[text.index(heading):].partition("\n\n")[2]
    return re.match(r"(?:  .*\n)+", block)[0]


def shell(script):
    return subprocess.run(["bash", "-e", "-c", script], capture_output=True, text=True,
                          timeout=300)


@pytest.mark.skipif(not shutil.which("iscsi-ls"), reason="libiscsi-bin is not installed")
def test_the_libiscsi_commands_that_it_prints_work(demo):
    done = shell(commands(demo, "libiscsi's tools"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "iqn.2026-11.org.countersign:demo" in done.stdout
    assert "DIRECT_ACCESS" in done.stdout
    assert "iqn.2026-11.org.countersign:tapes" in done.stdout


@pytest.mark.skipif(not shutil.which("qemu-img"), reason="qemu-utils is not installed")
def test_the_qemu_commands_that_it_prints_work(demo, tmp_path):
    look = commands(demo, "QEMU to").partition("  qemu-system")[0]
    done = shell(f"cd {tmp_path}\n{look}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "virtual size: 4 GiB" in done.stdout


def test_the_commands_for_more_that_it_prints_work(demo):
    done = shell(commands(demo, "In another shell"))
    assert done.returncode == 0, done.stderr
    for text in ("countersign:tapes-lun-2-nst", "Connect-IscsiTarget", "friend-of-you-02",
                 "\ntarget secret  ", "usage: countersignctl"):
        assert text in done.stdout


def test_volumes_can_be_made_in_it(demo):
    here = "\n".join(commands(demo, "In another shell").splitlines()[:2])
    done = shell(f"{here}\ncountersignctl volume create iqn.2026-11.org.countersign:more 1G")
    assert "LUN 0 of iqn.2026-11.org.countersign:more, 1.0 GiB" in done.stdout, done.stderr


def test_a_second_demo_on_the_port_says_that_it_is_in_use(demo, tmp_path):
    port = re.search(r"on port (\d+) of 127\.0\.0\.1\.", demo)[1]
    done = subprocess.run([ROOT / "scripts" / "demo", a_build(tmp_path)], capture_output=True,
                          text=True, timeout=60, env={**os.environ, "PORT": port})
    assert done.returncode == 1
    assert f"port {port} is in use" in done.stderr


README = (ROOT / "README").read_text()


@pytest.fixture
def readme(make_server):
    """A server with the configuration of the README, but for places."""
    text = "\n".join(re.search(rf"^    {name} = .*?^      \}} \);$", README, re.M | re.S)[0]
                     for name in ("state_dir", "libraries"))
    for place, here in {"/var/lib/countersign": "state", "0.0.0.0": "127.0.0.1",
                        "3260": "$port"}.items():
        assert place in text
        text = text.replace(place, here)
    return make_server(text)


def test_the_configuration_in_the_readme_is_right(readme, run, programs):
    run(programs / "countersignd", "-t", "-c", readme.conf)


def test_the_commands_in_the_readme_work(readme, programs, run):
    readme.start()
    socket = str(readme.dir / "state/ctl.sock")
    env = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "COUNTERSIGN_SOCKET": socket}
    lines = re.findall(r"^ {4,}((?:countersignctl|curl) .*)$", README, re.M)
    assert len(lines) >= 10
    said = [run("bash", "-ec", line.replace("/var/lib/countersign/ctl.sock", socket), env=env).stdout
            for line in lines]
    assert any("resized: LUN 0 of iqn.2026-11.com.example:db1, 40.0 GiB" in text for text in said)
