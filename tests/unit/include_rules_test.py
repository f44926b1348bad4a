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
    ("target/registry/registry.c", "iscsi/session.h"),
    ("target/registry/registry.c", "registry/registry.h"),
    ("target/registry/units.c", "registry/units.h"),
    ("target/mgmt/native.c", "registry/registry.h"),
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
    ("target/iscsi/login.c", "registry/registry.h"),
    ("target/iscsi/login.c", "config/config.h"),
    ("target/registry/registry.c", "mgmt/http.h"),
    ("target/mgmt/native.c", "registry/units.h"),
    ("target/mgmt/native.c", "iscsi/session.h"),
    ("target/ctl/main.c", "registry/registry.h"),
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
    ("target/base/log.c", "#import \"net/stream.h\"\n", "cannot be checked"),
    ("target/base/log.c", "#include_next <stdio.h>\n", "cannot be checked"),
    ("target/base/log.c", "%: include \"net/stream.h\"\n", "cannot be checked"),
    ("target/base/log.c", "#include \"base/loop.h\" \"net/stream.h\"\n", "cannot be checked"),
    ("target/base/log.c", "/* of a connection */ #include \"net/stream.h\"\n", "may not include"),
    ("target/base/log.c", "#inc\\\nlude \"net/str\\\neam.h\"\n", "may not include"),
    ("target/base/log.c", "#/* a */include/* b */\"net/stream.h\" // c\n", "may not include"),
    ("target/net/stream.c", "#include <base/log.h>\n", 'is ours: write "base/log.h"'),
    ("target/net/stream.c", "extern int conn_open(void);\n", "declared in a header"),
    ("target/net/stream.c", "int conn_open(const char *name,\n\tint n);\n", "declared in a header"),
    ("target/base/more.inc", "int x;\n", "only .c and .h"),
    ("config/validate.c", "#include <libconfig.h>\n", "config/parse.c alone"),
    ("target/iscsi/login.c", "#include <sqlite3.h>\n", "target/catalog/ alone"),
    ("target/net/stream.c", "#include <event2/buffer.h>\n", "target/base/ and target/mgmt/"),
    ("chap/codec.c", "#include <sys/socket.h>\n", "chap/ is pure"),
    ("chap/codec.c", "#include <unistd.h>\n", "chap/ is pure"),
    ("target/extra/new.c", "\n", "has no include rule"),
])
def test_an_odd_include_fails(tmp_path, path, text, wrong):
    status, err = run(tmp_path, {
        "target/base/log.h": "", "target/base/loop.h": "", "target/base/loop.c": "", path: text})
    assert status == 1
    assert err.startswith(f"{path}:1: ") and wrong in err


@pytest.mark.parametrize("text", [
    '/* #include "net/stream.h"\n#include "net/stream.h" */\n',
    '// #include "net/stream.h"\n',
    'static int own(void);\nint theirs(void)\n{\n\treturn own();\n}\n',
    'typedef void on_end(void *arg);\n#define CALL(f) \\\n\tint f(void);\n',
])
def test_what_only_looks_like_an_include_or_a_declaration_passes(tmp_path, text):
    assert run(tmp_path, {"target/base/log.c": text}) == (0, "")


def test_a_string_that_looks_like_a_comment_hides_nothing(tmp_path):
    text = 'static const char a[] = "/*";\n#include "net/stream.h"\nstatic const char b[] = "*/";\n'
    status, err = run(tmp_path, {"target/net/stream.h": "", "target/base/log.c": text})
    assert status == 1 and err.startswith("target/base/log.c:2: ")


@pytest.mark.parametrize("files, circle", [
    ({"target/iscsi/a.h": '#include "iscsi/b.h"\n', "target/iscsi/b.h": '#include "iscsi/a.h"\n'},
     "iscsi/a.h -> iscsi/b.h -> iscsi/a.h"),
    ({"config/a.h": "", "config/a.c": '#include "config/b.h"\n',
      "config/b.h": '#include "config/a.h"\n'}, "config/a -> config/b -> config/a"),
])
def test_a_circle_is_a_fault_with_its_way(tmp_path, files, circle):
    status, err = run(tmp_path, files)
    assert status == 1 and err == f"these include each other in a circle: {circle}\n"


@pytest.mark.parametrize("files", [
    # In this folder parts call each other.
    {"target/iscsi/a.h": "", "target/iscsi/a.c": '#include "iscsi/b.h"\n',
     "target/iscsi/b.h": '#include "iscsi/a.h"\n'},
    # The private half of a header belongs to it.
    {"chap/a.h": "", "chap/a.c": '#include "chap/a_private.h"\n',
     "chap/a_private.h": '#include "chap/a.h"\n'},
])
def test_what_is_no_circle_passes(tmp_path, files):
    assert run(tmp_path, files) == (0, "")


def test_every_fault_is_listed(tmp_path):
    text = '#include "iscsi/conn.h"\n#include <stdint.h>\n#include "net/stream.h"\n'
    status, err = run(tmp_path, {"target/base/log.c": text})
    assert status == 1
    assert [line.split(" ")[0] for line in err.splitlines()] == [
        "target/base/log.c:1:", "target/base/log.c:3:"]
