# SPDX-License-Identifier: BSD-2-Clause
"""Volumes: made, grown, moved and removed while the server runs, and there after it was killed."""
import contextlib
import http.client
import json
import os
import threading

import pytest

from credentials_test import Api
from initiator import Failed, Refused, login
from support import DISK, HOST, PREFIX, conf, target, wait_until

pytestmark = pytest.mark.threads
MADE = PREFIX + "made"
POOL = 'reactors = 2; pools = ( { name = "fast"; path = "pool"; max_size = "1G"; } );'
CLOSED = POOL.replace("max_size", 'auth = "chap"; max_size')
SECRET = "0123456789abcdef"
BLOCK = b"countersign-data" * 32
LUNS_CHANGED, CAPACITY_CHANGED = (6, 0x3f0e), (6, 0x2a09)


@pytest.fixture
def pooled(make_server):
    server = make_server(conf(target(), more=POOL))
    (server.dir / "pool").mkdir()
    server.start()
    return server


def create(server, size=64 << 20, status=201, **more):
    got, answer = Api(server).call("POST", "/v1/volumes", {"target": MADE, "size": size, **more})
    assert got == status, answer
    return answer


def change(server, method, path, body=None, status=200):
    got, answer = Api(server).call(method, f"/v1/volumes/{path}", body)
    assert got == status, answer
    return answer


def volumes(server):
    return Api(server).must("GET", "/v1/volumes")["volumes"]


def targets(server):
    return [t["name"] for t in Api(server).must("GET", "/v1/targets")["targets"]]


def attention(session, **kwargs):
    """The unit attention that the next command meets; None: it is carried out."""
    try:
        session.test_unit_ready(**kwargs)
    except Failed as e:
        return e.sense
    return None


# --- create ---------------------------------------------------------------------------------


def test_a_volume_is_served_at_once_and_after_kill_9(pooled):
    made = create(pooled)
    assert (made["state"], made["lun"], made["target"]) == ("available", 0, MADE)
    file = os.stat(made["path"])
    assert (file.st_size, file.st_blocks, file.st_mode & 0o777) == (64 << 20, 0, 0o600)
    with login(pooled.port, MADE) as session:
        session.ready()
        session.write(7, BLOCK)
        session.flush()
        name = session.inquiry(0x83)
    pooled.kill()
    pooled.start()
    assert volumes(pooled) == [made]
    with login(pooled.port, MADE) as session:
        session.ready()
        assert session.read(7, 1) == BLOCK
        assert session.inquiry(0x83) == name


def test_the_directory_of_a_pool_is_made_with_the_first_volume(pooled):
    (pooled.dir / "pool").rmdir()
    create(pooled)
    assert (pooled.dir / "pool").stat().st_mode & 0o777 == 0o700


def test_a_volume_of_a_pool_that_asks_for_chap_is_never_open(pooled, ctl):
    pooled.write_conf(conf(target(), more=CLOSED))
    ctl(pooled, "reload")
    create(pooled)
    for _ in range(2):
        with pytest.raises(Refused, match="0x0201"):
            login(pooled.port, MADE, initiator=HOST)
        Api(pooled).set(MADE, HOST, secret=SECRET)
        login(pooled.port, MADE, initiator=HOST, secret=SECRET).wire.close()
        Api(pooled).must("DELETE", f"/v1/targets/{MADE}/credentials/{HOST}")


def test_a_pool_that_asks_for_chap_from_now_on_ends_sessions_that_proved_nothing(pooled, ctl):
    create(pooled)
    with login(pooled.port, MADE) as made, login(pooled.port, DISK) as other:
        made.ready()
        pooled.write_conf(conf(target(), more=CLOSED))
        ctl(pooled, "reload")
        assert made.wire.is_closed()
        other.ready()


def test_sessions_learn_of_another_lun_exactly_once(pooled):
    create(pooled)
    with login(pooled.port, MADE) as one, login(pooled.port, MADE) as two:
        one.ready(), two.ready()
        assert create(pooled)["lun"] == 1
        for session in (one, two):
            assert attention(session, lun=0) == LUNS_CHANGED
            assert attention(session, lun=0) is None


def test_sessions_of_other_targets_notice_nothing(pooled):
    with login(pooled.port, DISK) as session:
        session.ready()
        create(pooled)
        assert attention(session) is None


@pytest.mark.parametrize("more, status, code", [
    ({"size": None}, 400, "bad_member"),
    ({"target": None}, 400, "bad_member"),
    ({"size": 0}, 400, "bad_size"),
    ({"size": 1000}, 400, "bad_size"),
    ({"size": -512}, 400, "bad_size"),
    ({"size": 2 << 30}, 409, "no_room"),
    ({"block_size": 520}, 400, "bad_block_size"),
    ({"block_size": 0}, 400, "bad_block_size"),
    ({"pool": "slow"}, 422, "no_such_pool"),
    ({"target": "nonsense"}, 400, "bad_target"),
    ({"target": DISK}, 409, "declared"),
    ({"lun": -1}, 409, "lun_taken"),
    ({"lun": 256}, 409, "lun_taken"),
])
def test_what_cannot_be_made_is_refused_and_leaves_nothing(pooled, more, status, code):
    assert create(pooled, status=status, **{"size": 1 << 20, **more})["error"]["code"] == code
    assert volumes(pooled) == [] and os.listdir(pooled.dir / "pool") == []
    assert targets(pooled) == [DISK]


def test_a_lun_is_given_once(pooled):
    create(pooled, lun=5)
    assert create(pooled, lun=5, status=409)["error"]["code"] == "lun_taken"


# --- resize ---------------------------------------------------------------------------------


def test_every_session_sees_a_volume_grow_exactly_once(pooled):
    made = create(pooled)
    with login(pooled.port, MADE) as one, login(pooled.port, MADE) as two:
        one.ready(), two.ready()
        assert change(pooled, "PATCH", made["id"], {"size": 96 << 20})["size"] == 96 << 20
        for session in (one, two):
            assert attention(session) == CAPACITY_CHANGED
            assert attention(session) is None
        one.write((96 << 11) - 1, BLOCK)
        assert two.read((96 << 11) - 1, 1) == BLOCK
    pooled.kill()
    pooled.start()
    assert volumes(pooled)[0]["size"] == 96 << 20


def test_a_volume_does_not_shrink(pooled):
    made = create(pooled)
    assert change(pooled, "PATCH", made["id"], {"size": 1 << 20}, 409)["error"]["code"] == "shrinks"
    assert os.stat(made["path"]).st_size == 64 << 20


# --- detach, attach, delete -----------------------------------------------------------------


def test_a_detached_volume_keeps_its_data_and_its_identity(pooled):
    made = create(pooled)
    with login(pooled.port, MADE) as session:
        session.ready()
        session.write(0, BLOCK)
        name = session.inquiry(0x83)
        session.logout()
    assert change(pooled, "POST", made["id"] + "/detach", {"force": True})["state"] == "detached"
    assert targets(pooled) == [DISK]
    pooled.kill()
    pooled.start()
    assert volumes(pooled)[0]["state"] == "detached" and targets(pooled) == [DISK]
    change(pooled, "POST", made["id"] + "/attach", {"target": PREFIX + "other", "lun": 0})
    with login(pooled.port, PREFIX + "other") as session:
        session.ready()
        assert session.read(0, 1) == BLOCK
        # The name of the unit stays; what follows it in the page is of the target's port.
        assert session.inquiry(0x83)[4:24] == name[4:24]


@pytest.mark.parametrize("method, tail, body", [
    ("POST", "/detach", {}), ("DELETE", "", None), ("DELETE", "?force=yes", None)])
def test_a_volume_in_use_stays(pooled, method, tail, body):
    made = create(pooled)
    with login(pooled.port, MADE) as session:
        session.ready()
        answer = change(pooled, method, made["id"] + tail, body, 409)
        assert answer["error"]["code"] == "in_use"
        assert attention(session) is None
    assert volumes(pooled) == [made]


def test_a_volume_in_use_is_removed_by_force(pooled):
    made = create(pooled)
    with login(pooled.port, MADE) as session:
        session.ready()
        change(pooled, "DELETE", made["id"] + "?force=true")
        assert session.wire.is_closed()
    assert volumes(pooled) == [] and targets(pooled) == [DISK]
    assert os.listdir(pooled.dir / "pool") == []
    pooled.kill()
    pooled.start()
    assert volumes(pooled) == []
    change(pooled, "GET", made["id"], status=404)
    change(pooled, "DELETE", made["id"], status=404)


# --- reloads and restarts -------------------------------------------------------------------


def test_the_log_tells_of_volumes_in_one_line_and_of_no_reload(pooled):
    made = create(pooled)
    log = pooled.log()
    assert log.count(made["id"]) == 1 and "reload" not in log
    assert f"create volume {made['id']} (LUN 0 of {MADE})" in log


def test_a_reload_leaves_volumes_and_their_sessions_alone(pooled, ctl):
    create(pooled)
    with login(pooled.port, MADE) as session:
        session.ready()
        pooled.write_conf(conf(target(), target(PREFIX + "new"), more=POOL))
        ctl(pooled, "reload")
        assert attention(session) is None
    assert targets(pooled) == [DISK, PREFIX + "new", MADE]


def test_a_target_that_the_file_declares_later_wins_and_the_volume_waits(pooled, ctl):
    create(pooled)
    pooled.write_conf(conf(target(), target(MADE), more=POOL))
    ctl(pooled, "reload")
    assert volumes(pooled)[0]["state"] == "offline"
    pooled.write_conf(conf(target(), more=POOL))
    ctl(pooled, "reload")
    assert volumes(pooled)[0]["state"] == "available"


def test_a_file_that_is_not_there_is_not_made_anew(pooled):
    made = create(pooled)
    pooled.kill()
    os.rename(made["path"], made["path"] + ".away")
    pooled.start()
    assert volumes(pooled)[0]["state"] == "offline"
    assert not os.path.exists(made["path"])


def test_what_was_answered_before_kill_9_is_there(pooled):
    ids = []
    for i in range(8):
        ids.append(create(pooled, size=1 << 20)["id"])
        if i % 2:
            change(pooled, "DELETE", ids.pop(0))
        pooled.kill()
        pooled.start()
        assert sorted(v["id"] for v in volumes(pooled)) == sorted(ids)


def test_killed_in_the_middle_every_answered_volume_is_there(pooled):
    """Four clients make volumes until the server dies; each may have had one more on its way."""
    answered = []

    def client(n):
        with contextlib.suppress(OSError, http.client.HTTPException):
            while True:
                answered.append(create(pooled, size=1 << 20, target=f"{MADE}{n}")["id"])

    threads = [threading.Thread(target=client, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    wait_until(lambda: len(answered) >= 10)
    pooled.kill()
    for t in threads:
        t.join()
    pooled.start()
    there = {v["id"]: v for v in volumes(pooled)}
    assert set(answered) <= set(there) and len(there) <= len(answered) + 4
    assert all(v["state"] == "available" for v in there.values())
    assert sorted(os.listdir(pooled.dir / "pool")) == sorted(f"{i}.img" for i in there)


def test_killed_while_volumes_come_and_go_no_file_is_left_over(pooled):
    """One client makes and removes volumes without end; the server dies five times."""
    for _ in range(5):
        n = 0
        stop = threading.Event()

        def client():
            nonlocal n
            with contextlib.suppress(OSError, http.client.HTTPException):
                while not stop.is_set():
                    change(pooled, "DELETE", create(pooled, size=1 << 20)["id"])
                    n += 1

        thread = threading.Thread(target=client)
        thread.start()
        wait_until(lambda: n >= 5)
        pooled.kill()
        stop.set()
        thread.join()
        pooled.start()
        assert sorted(os.listdir(pooled.dir / "pool")) == \
            sorted(f"{v['id']}.img" for v in volumes(pooled))


# --- the command ----------------------------------------------------------------------------


def test_the_command_makes_grows_moves_and_removes(pooled, ctl):
    assert "no volumes" in ctl(pooled, "volume", "list").stdout
    made = json.loads(ctl(pooled, "--json", "volume", "create", MADE, "16M", "--lun", "3",
                          "--block-size", "4096", "--pool", "fast").stdout)
    assert (made["size"], made["lun"], made["block_size"]) == (16 << 20, 3, 4096)
    said = ctl(pooled, "volume", "create", MADE, "16M").stdout
    assert f"anybody may log in to {MADE} until it has a credential:\n" in said
    assert f"countersignctl credentials set --generate {MADE} INITIATOR\n" in said
    ctl(pooled, "credentials", "set", "--generate", MADE, HOST)
    said = ctl(pooled, "volume", "create", MADE, "16M").stdout
    assert "made: LUN 1 of" in said and "credential" not in said
    assert "resized" in ctl(pooled, "volume", "resize", made["id"], "512m").stdout
    assert "detached" in ctl(pooled, "volume", "detach", made["id"]).stdout
    assert "attached" in ctl(pooled, "volume", "attach", made["id"], MADE).stdout
    assert made["id"] in ctl(pooled, "volume", "list").stdout
    assert "deleted" in ctl(pooled, "volume", "delete", made["id"], "--force").stdout
    done = ctl(pooled, "audit", "--of", made["id"]).stdout
    for verb in ("create", "resize", "detach", "attach", "delete"):
        assert f"{verb} volume" in done
    ctl(pooled, "volume", "create", MADE, "a lot", status=2)


def test_a_volume_goes_by_the_name_of_its_target_too(pooled, ctl):
    ctl(pooled, "volume", "create", MADE, "16M")
    assert "32.0 MiB" in ctl(pooled, "volume", "resize", MADE.upper(), "32M").stdout
    changed = json.loads(ctl(pooled, "--json", "volume", "resize", MADE, "48M").stdout)
    assert (changed["target"], changed["size"]) == (MADE, 48 << 20)
    ctl(pooled, "volume", "create", MADE, "16M")
    said = ctl(pooled, "volume", "delete", MADE, status=2).stderr
    assert f"{MADE} has 2 volumes: say which" in said
    assert len(volumes(pooled)) == 2


def test_a_refusal_names_what_is_wrong(pooled, ctl):
    def said(*args):
        return ctl(pooled, "volume", *args, status=1).stderr
    assert "there is no volume vol-1\n" in said("resize", "vol-1", "1G")
    assert "db1: not an iSCSI name, as iqn." in said("create", "db1", "1G")
    assert "slow: no such pool; `pools` in" in said("create", MADE, "1G", "--pool", "slow")
