# SPDX-License-Identifier: BSD-2-Clause
"""Bacula backs up to a tape library: examples/bacula, and a director and a client around it."""
import re
from pathlib import Path

import pytest
from guest import HOST
from tape_test import library, separate  # noqa: F401 (a fixture)

EXAMPLE = Path(__file__).parents[2] / "examples" / "bacula" / "bacula-sd.conf"
PROGRAMS = ("bacula-sd", "bacula-fd", "bacula-dir")
FOLDER = "/var/lib/bacula"     # where mtx-changer wants to write, too
FOLDERS = f"WorkingDirectory = {FOLDER}; Pid Directory = {FOLDER};"

STORAGE = f"""
Storage {{ Name = guest-sd; SDAddress = 127.0.0.1; Maximum Concurrent Jobs = 4; {FOLDERS}
  Plugin Directory = {FOLDER} }}
Director {{ Name = guest-dir; Password = secret }}
Messages {{ Name = Standard; director = guest-dir = all }}
"""

CLIENT = f"""
FileDaemon {{ Name = guest-fd; FDAddress = 127.0.0.1; {FOLDERS} }}
Director {{ Name = guest-dir; Password = secret }}
Messages {{ Name = Standard; director = guest-dir = all, !skipped, !restored }}
"""

DIRECTOR = f"""
Director {{ Name = guest-dir; DirAddress = 127.0.0.1; {FOLDERS} Password = secret;
  QueryFile = /dev/null; Messages = Standard; Maximum Concurrent Jobs = 4 }}
Catalog {{ Name = guest; dbname = bacula; dbuser = ""; dbpassword = "" }}
Client {{ Name = guest-fd; Address = 127.0.0.1; Password = secret; Catalog = guest }}
Autochanger {{ Name = vtl0; Address = 127.0.0.1; Password = secret; Device = vtl0;
  Autochanger = vtl0; Media Type = LTO-5; Maximum Concurrent Jobs = 4 }}
Pool {{ Name = Default; Pool Type = Backup }}
FileSet {{ Name = files; Include {{ Options {{ signature = SHA1 }} File = /tmp/files }} }}
JobDefs {{ Name = any; Client = guest-fd; FileSet = files; Storage = vtl0; Pool = Default;
  Messages = Standard }}
Job {{ Name = Backup; JobDefs = any; Type = Backup; Level = Full }}
Job {{ Name = Verify; JobDefs = any; Type = Verify; Level = VolumeToCatalog;
  Verify Job = Backup }}
Job {{ Name = Restore; JobDefs = any; Type = Restore; Where = /tmp/restored }}
Messages {{ Name = Standard; console = all, !skipped, !saved; catalog = all }}
"""

CONSOLE = "Director { Name = guest-dir; Address = 127.0.0.1; Password = secret }\n"


@pytest.fixture
def bconsole(library):  # noqa: F811
    """bconsole(command, ...): what Bacula says. Its daemons run as long as the test does."""
    vtl = library(separate(size="16M"))
    guest = vtl.guest
    storage = EXAMPLE.read_text().replace("192.0.2.10:3260", f"{HOST}:{vtl.server.port}")
    guest.run(f"mkdir -p {FOLDER}")
    for name, text in [("bacula-sd", storage + STORAGE), ("bacula-fd", CLIENT),
                       ("bacula-dir", DIRECTOR), ("bconsole", CONSOLE)]:
        guest.write(f"/etc/bacula/{name}.conf", text)
    guest.run("sed s/XXX_DBNAME_XXX/bacula/ "
              "/usr/share/bacula-director/make_sqlite3_tables | sh")
    for program in PROGRAMS:
        guest.run(f"""
            cd {FOLDER}
            setsid {program} -f -c /etc/bacula/{program}.conf >{program}.log 2>&1 &
            echo $! >{program}.started""")
    guest.run(f"""
        n=0
        until echo quit | bconsole -c /etc/bacula/bconsole.conf; do
            n=$((n + 1)); [ $n -lt 5 ] || {{ cat {FOLDER}/*.log; exit 1; }}
        done""")

    def call(*commands):
        typed = "".join(f"{command}\\n" for command in commands)
        return guest.run(f"printf '{typed}' | bconsole -c /etc/bacula/bconsole.conf", 400)

    call.guest, call.vtl = guest, vtl
    yield call
    guest.run(f"kill $(cat {FOLDER}/*.started); sleep 1; "
              f"rm -rf {FOLDER} /tmp/files /tmp/restored")


def test_bacula_backs_up_verifies_and_restores_over_several_cartridges(bconsole, saw):
    guest = bconsole.guest
    guest.run("""
        mkdir -p /tmp/files
        for n in $(seq 40); do
            dd if=/dev/urandom of=/tmp/files/$n bs=1k count=1000 status=none
        done""")
    said = bconsole("label barcodes storage=vtl0 drive=0 pool=Default slots=1-4", "yes")
    assert said.count("3000 OK label") == 4, said
    said = bconsole("run job=Backup yes", "wait", "messages",
                    "run job=Verify yes", "wait", "messages",
                    "restore where=/tmp/restored select current all done yes", "wait", "messages")
    for job in "Backup", "Verify", "Restore":
        assert re.search(rf"^ *Termination: *{job} OK$", said, re.M), said
    volumes = re.search(r"^ *Volume name\(s\): *(\S+)$", said, re.M)[1].split("|")
    assert len(volumes) >= 3
    guest.run("""
        cd /tmp/restored/tmp/files
        [ $(ls | wc -l) = 40 ]
        for n in *; do cmp $n /tmp/files/$n || exit 1; done""")
    saw(f"40 MB on {len(volumes)} cartridges, verified and restored")
