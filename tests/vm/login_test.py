# SPDX-License-Identifier: BSD-2-Clause
"""Linux logs in: who proves what to whom, by which digest, and who is kept out by which side."""
import json
import re
from dataclasses import replace

import pytest
from guest import HOST
from openiscsi import AUTH_FAILED, LOGIN_FAILED, NAME
from serving import (CREDENTIAL, LOCKED, MUTUAL, ONE_WAY, OPEN, RAM, SECRET, TARGET,
                     TARGET_SECRET, conf, locked_disk, open_disk, target)

ALGORITHMS = ["MD5", "SHA1", "SHA256", "SHA3-256"]


@pytest.fixture
def session(ctl):
    """session(server): what the server says of the only session that it has."""
    def call(server):
        found = json.loads(ctl(server, "--json", "sessions").stdout)["sessions"]
        assert len(found) == 1, found
        return {**found[0], "algorithm": (found[0]["algorithm"] or "").replace("SHA-", "SHA")}
    return call


@pytest.fixture
def refused(linux, ctl, saw):
    """refused(server, status, name): a login fails with that exit status of iscsiadm, both sides
    are rid of it, and the server lives."""
    def call(server, status, name=LOCKED):
        linux.discover(server)
        got, out = linux.try_login(name)
        assert got == status, f"iscsiadm ended with {got}, not {status}:\n{out}\n{linux.log()}"
        assert linux.sessions() == 0
        assert json.loads(ctl(server, "--json", "sessions").stdout)["sessions"] == []
        saw("iscsiadm: " + re.search(r"reported error \((.*)\)", out)[1])
    return call


# --- discovery ------------------------------------------------------------------------------

def test_discovery_tells_of_the_targets_and_where_they_are(linux, start, saw):
    server = start(conf(target(OPEN), target(LOCKED, RAM, "chap", CREDENTIAL),
                        target(TARGET + "other")))
    portal = f"{HOST}:{server.port}"
    found = linux.discover(server)
    assert sorted(found) == [(portal, 1, LOCKED), (portal, 1, OPEN), (portal, 1, TARGET + "other")]
    saw(f"{len(found)} targets at {portal},1")


def test_discovery_of_many_targets_takes_several_pdus(linux, start, saw):
    names = [f"{TARGET}{'x' * 150}-{i:03}" for i in range(300)]
    server = start(conf(*[target(name, '{ lun = 0; store = "ram"; size = "1M"; }')
                          for name in names]))
    assert sorted(name for _, _, name in linux.discover(server)) == names
    saw("300 targets with long names")


DISCOVERY_CHAP = f'''discovery = {{ auth = "chap"; credentials = (
    {{ user = "finder"; secret = "{SECRET}"; target_user = "found"; target_secret = "{TARGET_SECRET}"; }}
); }};'''
FINDER = replace(ONE_WAY, user="finder")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("chap", [FINDER, replace(FINDER, target_user="found",
                                                  target_secret=TARGET_SECRET)],
                         ids=["one_way", "mutual"])
def test_discovery_with_chap(linux, start, chap, algorithm):
    server = start(open_disk(more=DISCOVERY_CHAP))
    linux.configure(discovery_chap=replace(chap, algorithms=algorithm))
    assert [name for _, _, name in linux.discover(server)] == [OPEN]


@pytest.mark.parametrize("chap", [
    None,
    replace(FINDER, secret="not-the-secret-1"),
    replace(FINDER, user="nobody"),
    replace(FINDER, target_user="found", target_secret="not-the-secret-2"),
    replace(FINDER, target_user="somebody else", target_secret=TARGET_SECRET),
], ids=["without_chap", "wrong_secret", "wrong_user", "wrong_target_secret", "wrong_target_user"])
def test_discovery_without_the_right_proof_is_refused(linux, start, saw, chap):
    server = start(open_disk(more=DISCOVERY_CHAP))
    linux.configure(discovery_chap=chap)
    status, out = linux.discovery(f"{HOST}:{server.port}")
    assert status != 0 and OPEN not in out, out
    assert "authenticat" in out, out
    saw(out.strip().splitlines()[-1])


# --- right logins -----------------------------------------------------------------------------

def test_login_without_chap(linux, start, session, saw):
    server = start(open_disk())
    linux.discover(server)
    linux.login(OPEN)
    assert session(server)["auth"] == "none"
    assert session(server)["initiator"] == NAME
    linux.disk(OPEN)
    linux.logout(OPEN)
    saw(f"{NAME} without a proof")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_login_with_one_way_chap(linux, start, session, saw, algorithm):
    server = start(locked_disk())
    linux.configure(chap=replace(ONE_WAY, algorithms=algorithm))
    linux.discover(server)
    linux.login(LOCKED)
    found = session(server)
    assert (found["auth"], found["algorithm"], found["user"]) == ("CHAP", algorithm, NAME)
    linux.disk(LOCKED)
    saw(f"{found['auth']} by {found['algorithm']}")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_login_with_mutual_chap(linux, start, session, saw, algorithm):
    server = start(locked_disk())
    linux.configure(chap=replace(MUTUAL, algorithms=algorithm))
    linux.discover(server)
    linux.login(LOCKED)
    found = session(server)
    assert (found["auth"], found["algorithm"], found["user"]) == ("mutual CHAP", algorithm, NAME)
    linux.disk(LOCKED)
    saw(f"{found['auth']} by {found['algorithm']}")


@pytest.mark.parametrize("offered, chosen", [
    ("MD5,SHA1,SHA256,SHA3-256", "SHA3-256"),
    ("SHA3-256,SHA256,SHA1,MD5", "SHA3-256"),
    ("SHA1,SHA256,MD5", "SHA256"),
    ("MD5,SHA1", "SHA1"),
])
def test_of_a_list_the_strongest_digest_is_taken(linux, start, session, saw, offered, chosen):
    server = start(locked_disk())
    linux.configure(chap=replace(MUTUAL, algorithms=offered))
    linux.discover(server)
    linux.login(LOCKED)
    assert session(server)["algorithm"] == chosen
    saw(f"{chosen} of {offered}")


def test_of_a_list_what_the_server_prefers_is_taken(linux, start, session, saw):
    server = start(locked_disk(more='chap = { algorithms = [ "SHA1", "SHA256" ]; };'))
    linux.configure(chap=MUTUAL)
    linux.discover(server)
    linux.login(LOCKED)
    assert session(server)["algorithm"] == "SHA1"
    saw(f"SHA1 of {MUTUAL.algorithms}")


def test_login_with_a_user_that_is_no_iscsi_name(linux, start, session):
    server = start(locked_disk(credentials=f'{{ user = "backup host"; secret = "{SECRET}"; '
                                           f'target_user = "the vault"; '
                                           f'target_secret = "{TARGET_SECRET}"; }}'))
    linux.configure(chap=replace(MUTUAL, user="backup host", target_user="the vault"))
    linux.discover(server)
    linux.login(LOCKED)
    assert session(server)["user"] == "backup host"


@pytest.mark.parametrize("length", [12, 16, 255])
def test_login_with_secrets_short_and_long(linux, start, session, saw, length):
    secret, target_secret = "i" * length, "t" * length
    server = start(locked_disk(credentials=f'{{ initiator = "{NAME}"; secret = "{secret}"; '
                                           f'target_secret = "{target_secret}"; }}'))
    linux.configure(chap=replace(MUTUAL, secret=secret, target_secret=target_secret))
    linux.discover(server)
    linux.login(LOCKED)
    assert session(server)["auth"] == "mutual CHAP"
    saw(f"secrets of {length} bytes")


# --- wrong logins: the target refuses -------------------------------------------------------

@pytest.mark.parametrize("chap", [
    replace(ONE_WAY, secret="not-the-secret-1"),
    replace(MUTUAL, secret="not-the-secret-1"),
    replace(MUTUAL, user="nobody"),
    replace(MUTUAL, secret=TARGET_SECRET, target_secret=SECRET),
    None,
], ids=["wrong_secret_one_way", "wrong_secret_mutual", "wrong_user", "secrets_swapped",
        "without_chap"])
def test_the_target_refuses(linux, start, refused, chap):
    server = start(locked_disk())
    linux.configure(chap=chap)
    refused(server, AUTH_FAILED)
    server.wait_for_log("refused")


def test_the_target_refuses_the_right_secret_of_another_initiator(linux, start, refused):
    server = start(locked_disk())
    linux.start(name="iqn.2026-11.com.example:stranger")
    linux.configure(chap=MUTUAL)
    refused(server, AUTH_FAILED)


def test_the_target_refuses_a_digest_that_is_not_wanted(linux, start, refused):
    server = start(locked_disk(more='chap = { algorithms = [ "SHA3-256", "SHA256" ]; };'))
    linux.configure(chap=replace(MUTUAL, algorithms="MD5,SHA1"))
    refused(server, AUTH_FAILED)


def test_a_target_that_is_not_there_is_not_found(linux, start, refused):
    server = start(open_disk())
    linux.discover(server)
    portal = linux.portal
    linux.guest.run(f"iscsiadm -m node -o new -T {TARGET}none -p {portal}")
    status, out = linux.try_login(TARGET + "none")
    assert status == LOGIN_FAILED, out
    assert "target not found (02/03)" in linux.log(), linux.log()


def test_a_right_login_follows_wrong_ones(linux, start, session):
    server = start(locked_disk())
    linux.configure(chap=replace(MUTUAL, secret="not-the-secret-1"))
    linux.discover(server)
    for _ in range(3):
        assert linux.try_login(LOCKED)[0] == AUTH_FAILED
    linux.configure(chap=MUTUAL)
    linux.discover(server)
    linux.login(LOCKED)
    assert session(server)["auth"] == "mutual CHAP"


# --- wrong logins: the initiator refuses -------------------------------------------------------

@pytest.mark.parametrize("chap", [
    replace(MUTUAL, target_secret="not-the-secret-2"),
    replace(MUTUAL, target_user="somebody-else"),
], ids=["wrong_target_secret", "wrong_target_user"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_initiator_refuses(linux, start, refused, chap, algorithm):
    server = start(locked_disk())
    linux.configure(chap=replace(chap, algorithms=algorithm))
    refused(server, LOGIN_FAILED)


def test_the_initiator_refuses_a_target_that_has_nothing_to_prove_itself_with(
        linux, start, refused):
    server = start(locked_disk(credentials=f'{{ initiator = "{NAME}"; secret = "{SECRET}"; }}'))
    linux.configure(chap=MUTUAL)
    refused(server, AUTH_FAILED)


def test_the_initiator_refuses_a_target_that_asks_for_no_proof(linux, start, refused):
    server = start(open_disk())
    linux.configure(chap=replace(MUTUAL, target_user=OPEN))
    refused(server, AUTH_FAILED, OPEN)
