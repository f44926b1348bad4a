# SPDX-License-Identifier: BSD-2-Clause
"""What countersignd(8) tells of state_dir: it can be copied while the server runs, brought back, and
moved, and what comes up then is the same server."""
import json
import shutil
import sqlite3
import stat

import pytest

from credentials_test import Api
from initiator import login
from support import DISK, HOST, PREFIX, SECRET, conf, disk, target

MADE = PREFIX + "made"
TEXT = conf(target(luns=disk("disk.img")), more='pools = ( { name = "main"; path = "pool"; } );')


@pytest.fixture
def server(start):
    """A server that remembers a credential and a volume with something on it."""
    server = start(TEXT)
    api = Api(server)
    api.must("POST", "/v1/volumes", {"target": MADE, "size": 16 << 20})
    api.must("PUT", f"/v1/targets/{DISK}/credentials/{HOST}", {"secret": SECRET})
    with login(server.port, MADE) as session:
        session.ready()
        session.write(7, b"c" * 512)
        session.flush()
    return server


def what_is_seen(server):
    """What hosts know the disks by, and what a host finds on the volume."""
    with login(server.port, MADE) as made:
        made.ready()
        seen = made.inquiry(0x83), made.read(7, 1)
    with login(server.port, DISK, initiator=HOST, user=HOST, secret=SECRET) as declared:
        declared.ready()
        return *seen, declared.inquiry(0x83)


def test_a_copy_that_was_made_while_it_ran_is_the_same_server(server, make_server):
    copy = make_server(TEXT)
    backup = copy.dir / "state"
    backup.mkdir(mode=0o700)
    for name in ("key", "identity"):
        shutil.copy(server.dir / "state" / name, backup)
    source = sqlite3.connect(server.dir / "state/catalog.db")
    with sqlite3.connect(backup / "catalog.db") as out:
        source.backup(out)
    out.close(), source.close()
    shutil.copytree(server.dir / "pool", copy.dir / "pool")
    before = what_is_seen(server)
    server.stop()
    copy.start()
    assert what_is_seen(copy) == before


def test_a_state_dir_may_be_moved_while_the_server_is_stopped(server):
    before = what_is_seen(server)
    server.stop()
    (server.dir / "state").rename(server.dir / "elsewhere")
    server.write_conf(TEXT.replace('"state"', '"elsewhere"'))
    server.start()
    assert what_is_seen(server) == before
    assert stat.S_ISSOCK((server.dir / "elsewhere/ctl.sock").stat().st_mode)


def test_another_state_dir_is_refused_in_a_reload(server, ctl):
    server.write_conf(TEXT.replace('"state"', '"elsewhere"'))
    done = ctl(server, "reload", status=1)
    assert "countersign.conf:1: state_dir: it cannot change while the server runs" in done.stderr
    assert json.loads(ctl(server, "--json", "status").stdout)["state_dir"].endswith("/state")


@pytest.mark.parametrize("lose", [
    lambda path: path.unlink(),
    lambda path: path.write_bytes(b""),
], ids=["removed", "emptied"])
def test_a_catalog_that_is_lost_is_not_replaced_without_a_word(server, lose):
    assert "is new and empty" not in server.log()
    server.stop()
    lose(server.dir / "state/catalog.db")
    server.start()
    assert "state/key: the catalog beside this key is new and empty" in server.log()
    server.stop()
    before = server.log()
    server.start()
    assert "is new and empty" not in server.log()[len(before):]
