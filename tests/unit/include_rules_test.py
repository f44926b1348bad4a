# SPDX-License-Identifier: BSD-2-Clause
"""scripts/check-includes finds what it is there to find: small trees, one fault each."""
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "check-includes"


def run(tmp_path, files):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = subprocess.run(["/usr/bin/python3", SCRIPT, tmp_path], capture_output=True, text=True)
    return done.returncode, done.stderr


@pytest.mark.parametrize("path, header", [
    ("chap/digest.c", "chap/secret.h"),
    ("config/config.h", "chap/secret.h"),
    ("target/base/loop.c", "base/log.h"),
    ("target/net/listener.c", "base/loop.h"),
    ("target/vtl/library.c", "catalog/catalog.h"),
    ("target/scsi/sbc.c", "store/store.h"),
    ("target/scsi/ssc.c", "vtl/drive.h"),
    ("target/iscsi/login.c", "net/stream.h"),
    ("target/iscsi/login.c", "chap/digest.h"),
    ("target/iscsi/conn.c", "scsi/lu.h"),
    ("target/registry.c", "iscsi/session.h"),
    ("target/registry.c", "registry.h"),
    ("target/registry_units.c", "registry_units.h"),
    ("target/mgmt/native.c", "registry.h"),
    ("target/mgmt/native.c", "config/config.h"),
    ("target/main.c", "mgmt/http.h"),
])
def test_an_allowed_include_passes(tmp_path, path, header):
    home = header if header.startswith(("chap/", "config/")) else "target/" + header
    text = f'#include <stdint.h>\n#include "version.h"\n#include "{header}"\n'
    assert run(tmp_path, {home: "", path: text}) == (0, "")


@pytest.mark.parametrize("path, header", [
    ("chap/digest.c", "base/log.h"),
    ("config/parse.c", "chap/table.h"),
    ("config/parse.c", "base/log.h"),
    ("target/base/log.c", "net/stream.h"),
    ("target/net/stream.c", "iscsi/conn.h"),
    ("target/store/ram.c", "scsi/task.h"),
    ("target/catalog/catalog.c", "store/store.h"),
    ("target/vtl/library.c", "scsi/task.h"),
    ("target/scsi/sbc.c", "store/ram.h"),
    ("target/scsi/sbc.c", "iscsi/conn.h"),
    ("target/iscsi/conn.c", "scsi/sbc.h"),
    ("target/iscsi/conn.c", "net/listener.h"),
    ("target/iscsi/conn.c", "store/store.h"),
    ("target/iscsi/login.c", "registry.h"),
    ("target/iscsi/login.c", "config/config.h"),
    ("target/registry.c", "mgmt/http.h"),
    ("target/mgmt/native.c", "registry_units.h"),
    ("target/mgmt/native.c", "iscsi/session.h"),
    ("target/ctl/main.c", "registry.h"),
])
def test_an_include_across_the_layers_fails_with_file_and_line(tmp_path, path, header):
    home = header if header.startswith(("chap/", "config/")) else "target/" + header
    status, err = run(tmp_path, {home: "", path: f'/* head */\n#include "{header}"\n'})
    assert status == 1
    assert err.startswith(f"{path}:2: ") and f'"{header}"' in err


@pytest.mark.parametrize("path, text, wrong", [
    ("target/base/log.c", '#include "log.h"\n', "may not include"),
    ("target/base/log.c", '#include "base/gone.h"\n', "is not there"),
    ("target/net/stream.c", '#include "../base/log.h"\n', "not a header named by its folder"),
    ("target/base/log.c", '# include "base/loop.c"\n', "not a header named by its folder"),
    ("target/base/log.c", "#include HEADER\n", "cannot be checked"),
    ("config/validate.c", "#include <libconfig.h>\n", "config/parse.c alone"),
    ("chap/codec.c", "#include <sys/socket.h>\n", "chap/ is pure"),
    ("target/extra/new.c", "\n", "has no include rule"),
])
def test_an_odd_include_fails(tmp_path, path, text, wrong):
    status, err = run(tmp_path, {"target/base/log.h": "", "target/base/loop.c": "", path: text})
    assert status == 1
    assert err.startswith(f"{path}:1: ") and wrong in err


def test_every_fault_is_listed(tmp_path):
    text = '#include "iscsi/conn.h"\n#include <stdint.h>\n#include "net/stream.h"\n'
    status, err = run(tmp_path, {"target/base/log.c": text})
    assert status == 1
    assert [line.split(" ")[0] for line in err.splitlines()] == [
        "target/base/log.c:1:", "target/base/log.c:3:"]
