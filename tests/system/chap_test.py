# SPDX-License-Identifier: BSD-2-Clause
"""Who is let in and who is not: real initiators, and logins as an attacker would make them.

Whatever is refused leaves one line in the log that says who and why, and no secret anywhere.
"""
import json
import secrets
import time

import pytest
from initiator import (ALGORITHMS, FULL_FEATURE, OPERATIONAL, SECURITY, Closed, Login, NotTheTarget,
                       Refused, Wire, chap_response, login)
from support import (CREDENTIAL, DISK, HOST, ONE_WAY, PREFIX, SECRET, TARGET_SECRET, conf, lines,
                     no_secret, target, url, wait_until)

WRONG = "initiator-11111x"
WRONG_TARGET = "target---222222x"
AUTH_FAILED = 0x0201
MUTUAL = f"target_user={DISK}&target_password={TARGET_SECRET}"


@pytest.fixture
def locked(start):
    """A server whose one target wants CHAP from HOST, and can prove itself."""
    return start(conf(target(credentials=CREDENTIAL)))


@pytest.fixture
def inq(run):
    """inq(server, ...): iscsi-inq as HOST; gives what it said on both outputs."""
    def call(server, initiator=HOST, **kwargs):
        done = run("iscsi-inq", "-i", initiator, url(server, 0, **kwargs), status=None)
        return done.stdout + done.stderr
    return call


def refusal(server):
    """The one line about the one login that was refused."""
    server.wait_for_log("refused|given up")
    refused = lines(server, "refused|given up")
    assert len(refused) == 1, server.log()
    assert no_secret(server, WRONG, WRONG_TARGET), server.log()
    return refused[0]


# --- libiscsi -----------------------------------------------------------------------------------


def test_one_way_chap_lets_the_host_in(locked, inq):
    assert "DIRECT_ACCESS" in inq(locked, user=HOST, secret=SECRET)
    locked.wait_for_log(rf'"{HOST}": logged in to {DISK}, authentication CHAP MD5')
    assert no_secret(locked)


def test_mutual_chap_proves_both_sides(locked, inq):
    assert "DIRECT_ACCESS" in inq(locked, user=HOST, secret=SECRET, options=MUTUAL)
    locked.wait_for_log(rf'"{HOST}": logged in to {DISK}, authentication mutual CHAP MD5')
    assert no_secret(locked)


def test_names_of_the_hosts_and_the_targets_choice_are_used(start, inq):
    server = start(conf(target(credentials=f'''{{ user = "night-watch"; secret = "{SECRET}";
        target_user = "castle"; target_secret = "{TARGET_SECRET}"; }}''')))
    assert "DIRECT_ACCESS" in inq(server, user="night-watch", secret=SECRET,
                                  options=f"target_user=castle&target_password={TARGET_SECRET}")
    server.wait_for_log("logged in .*mutual CHAP")


def test_a_wrong_secret_is_refused(locked, inq):
    assert "Authentication failure(513)" in inq(locked, user=HOST, secret=WRONG, options=MUTUAL)
    assert refusal(locked).endswith(
        f'"{HOST}": login refused: authentication failed: wrong secret, CHAP name "{HOST}", for {DISK}')


def test_a_target_that_proves_itself_with_another_secret_is_refused_by_the_host(locked, inq):
    said = inq(locked, user=HOST, secret=SECRET,
               options=f"target_user={DISK}&target_password={WRONG_TARGET}")
    assert "Invalid CHAP_R response from the target" in said
    line = refusal(locked)
    assert f'"{HOST}": login given up by the initiator' in line and "target secret" in line
    assert not lines(locked, "logged in")


def test_a_target_of_another_name_is_refused_by_the_host(locked, inq):
    said = inq(locked, user=HOST, secret=SECRET,
               options=f"target_user=castle&target_password={TARGET_SECRET}")
    assert "Wrong CHAP targetname" in said
    assert "login given up by the initiator" in refusal(locked)


def test_a_target_without_a_secret_does_not_pretend_to_prove_itself(start, inq):
    server = start(conf(target(credentials=ONE_WAY)))
    said = inq(server, user=HOST, secret=SECRET, options=MUTUAL)
    assert "Authentication failure(513)" in said
    assert "mutual CHAP asked, no target secret" in refusal(server)


def test_a_host_without_a_secret_is_refused(locked, inq):
    assert "Authentication failure(513)" in inq(locked)
    assert "CHAP is required" in refusal(locked)


def test_another_user_name_is_refused(locked, inq):
    assert "Authentication failure(513)" in inq(locked, user="bob", secret=SECRET)
    assert 'wrong CHAP name, CHAP name "bob"' in refusal(locked)


def test_another_initiator_is_refused_although_it_knows_user_and_secret(locked, inq):
    assert "Authentication failure(513)" in inq(locked, PREFIX + "host2", user=HOST, secret=SECRET)
    assert f'"{PREFIX}host2": login refused: authentication failed: no credential' in \
        refusal(locked)


def test_the_targets_secret_does_not_let_a_host_in(locked, inq):
    assert "Authentication failure(513)" in inq(locked, user=HOST, secret=TARGET_SECRET)
    assert "answered with the target's secret" in refusal(locked)


def test_a_target_without_credentials_lets_nobody_in(start, inq):
    server = start(conf(target().replace('auth = "none"', 'auth = "chap"')))
    assert "Authentication failure(513)" in inq(server)
    assert "Authentication failure(513)" in inq(server, user=HOST, secret=SECRET)
    assert len(lines(server, "login refused: authentication failed")) == 2


def test_what_a_peer_calls_itself_is_quoted_in_the_log(locked, inq):
    inq(locked, user="bob\nroot\t\x1b[2J", secret=SECRET)
    assert r'CHAP name "bob\nroot\x09\x1b[2J", for ' in refusal(locked)


# --- discovery ----------------------------------------------------------------------------------


DISCOVERY = f'''discovery = {{ auth = "chap"; credentials = ( {{ user = "scout";
    secret = "{SECRET}"; target_user = "castle"; target_secret = "{TARGET_SECRET}"; }} ); }};'''


def test_discovery_behind_chap_is_for_those_who_prove_themselves(start, run, monkeypatch):
    server = start(conf(more=DISCOVERY))
    assert DISK in run("iscsi-ls", url(server, user="scout", secret=SECRET)).stdout
    monkeypatch.setenv("LIBISCSI_CHAP_TARGET_USERNAME", "castle")
    monkeypatch.setenv("LIBISCSI_CHAP_TARGET_PASSWORD", TARGET_SECRET)
    assert DISK in run("iscsi-ls", url(server, user="scout", secret=SECRET)).stdout
    assert [line.split("authentication ")[1] for line in lines(server, "discovery session")] == \
        ["CHAP MD5", "mutual CHAP MD5"]


@pytest.mark.parametrize("who", [{}, {"user": "scout", "secret": WRONG},
                                 {"user": "spy", "secret": SECRET}])
def test_discovery_behind_chap_tells_others_nothing(start, run, who):
    server = start(conf(more=DISCOVERY))
    done = run("iscsi-ls", url(server, **who), status=None)
    assert done.returncode and DISK not in done.stdout
    assert "login refused: authentication failed" in refusal(server)
    assert refusal(server).endswith(", for discovery")


# --- QEMU ---------------------------------------------------------------------------------------


@pytest.fixture
def qemu_io(run, tmp_path):
    """qemu_io(server, secret, *commands): with CHAP, the secret from a file."""
    def call(server, secret, *commands, status=0, options=""):
        path = tmp_path / "chap.secret"
        path.write_text(secret)
        args = [arg for c in commands for arg in ("-c", c)]
        return run("qemu-io", "--object", f"secret,id=chap,file={path}", *args, "--image-opts",
                   f"driver=iscsi,transport=tcp,portal={server.portal},target={DISK},lun=0,"
                   f"initiator-name={HOST},user={HOST},password-secret=chap{options}",
                   status=status)
    return call


def test_qemu_logs_in_with_chap(locked, qemu_io):
    qemu_io(locked, SECRET, "write -P 7 0 64k", "read -P 7 0 64k")
    locked.wait_for_log("logged in .*authentication CHAP MD5")


def test_qemu_agrees_on_a_header_digest(start, qemu_io):
    server = start(conf(target(credentials=CREDENTIAL),
                        more='iscsi = { header_digest = "required"; };'))
    qemu_io(server, SECRET, "write -P 7 0 1M", "read -P 7 0 1M", options=",header-digest=crc32c")
    assert not lines(server, "digest")


def test_qemu_without_the_digest_that_is_required_is_refused(start, qemu_io):
    server = start(conf(target(credentials=CREDENTIAL),
                        more='iscsi = { header_digest = "required"; };'))
    qemu_io(server, SECRET, "read 0 4k", options=",header-digest=none", status=1)
    assert "a digest is required here" in refusal(server)


def test_qemu_with_a_wrong_secret_is_refused(locked, qemu_io):
    said = qemu_io(locked, WRONG, "read 0 4k", status=1).stderr
    assert "Authentication failure(513)" in said
    assert "wrong secret" in refusal(locked)


# --- every algorithm ----------------------------------------------------------------------------


@pytest.mark.parametrize("number, name", [(5, "MD5"), (6, "SHA1"), (7, "SHA-256"), (8, "SHA3-256")])
def test_both_sides_prove_themselves_with(locked, number, name):
    with login(locked.port, DISK, secret=SECRET, target_secret=TARGET_SECRET, target_user=DISK,
               algorithms=[number]) as session:
        session.ready().logout()
    locked.wait_for_log(f"authentication mutual CHAP {name},")


def test_the_strongest_algorithm_is_taken(locked):
    with login(locked.port, DISK, secret=SECRET, algorithms=[5, 6, 8, 7]):
        locked.wait_for_log("authentication CHAP SHA3-256,")


# --- logins that no right initiator makes ---------------------------------------------------------


WHO = {"InitiatorName": HOST, "TargetName": DISK, "SessionType": "Normal"}


def refused(server, attempt, *, source="127.0.0.2"):
    """The status with which the login is refused that attempt(login) makes; the target must then
    close the connection, and say no more than the status."""
    wire = Wire("127.0.0.1", server.port, source)
    with pytest.raises(Refused) as refusal_:
        attempt(Login(wire))
    assert wire.is_closed()
    wire.close()
    return refusal_.value.status


def challenged(l, **who):
    """Up to the target's challenge: (identifier, challenge)."""
    l.ask(WHO | who | {"AuthMethod": "CHAP"})
    got, _ = l.ask({"CHAP_A": 8})
    return int(got["CHAP_I"]), bytes.fromhex(got["CHAP_C"][2:])


def answered(l, secret=SECRET, user=HOST, **keys):
    identifier, challenge = challenged(l)
    response = chap_response(ALGORITHMS[8], identifier, secret, challenge).hex()
    return l.ask({"CHAP_N": user, "CHAP_R": "0x" + response} | keys, nsg=OPERATIONAL,
                 transit=True)


@pytest.mark.parametrize("secret, user", [
    (WRONG, HOST), (SECRET, "bob"), (SECRET[:-1], HOST), ("", HOST), (SECRET + "\0", HOST)])
def test_a_challenge_is_not_answered_to_those_who_do_not_prove_themselves(locked, secret, user):
    """The answer to a wrong response that brings a challenge along is the bare status."""
    sent = []

    def attempt(l):
        send = l.receive
        l.receive = lambda: sent.append(1) or send()
        answered(l, secret, user, CHAP_I=1, CHAP_C="0x" + secrets.token_hex(32))
    assert refused(locked, attempt) == AUTH_FAILED
    assert len(sent) == 3                       # AuthMethod, the challenge, the refusal
    assert "login refused: authentication failed" in refusal(locked)


def test_a_login_without_chap_is_refused(locked):
    assert refused(locked, lambda l: l.ask(WHO | {"AuthMethod": "None"})) == AUTH_FAILED
    assert "CHAP is required, and was not offered" in refusal(locked)


def test_a_jump_past_chap_is_refused(locked):
    assert refused(locked, lambda l: l.ask(WHO, csg=OPERATIONAL, nsg=FULL_FEATURE,
                                           transit=True)) == AUTH_FAILED
    assert "CHAP is required, and the initiator went on without it" in refusal(locked)


@pytest.mark.parametrize("nsg", [OPERATIONAL, FULL_FEATURE])
def test_a_jump_past_chap_after_the_challenge_is_refused(locked, nsg):
    def attempt(l):
        challenged(l)
        _, left = l.ask(nsg=nsg, transit=True)
        assert not left
        l.ask(csg=OPERATIONAL, nsg=FULL_FEATURE, transit=True)
    assert refused(locked, attempt) in (AUTH_FAILED, 0x0200)
    assert "login refused: " in refusal(locked)


def test_a_challenge_that_comes_back_closes_the_connection(locked):
    def attempt(l):
        identifier, challenge = challenged(l)
        right = chap_response(ALGORITHMS[8], identifier, SECRET, challenge).hex()
        l.ask({"CHAP_N": HOST, "CHAP_R": "0x" + right, "CHAP_I": identifier,
               "CHAP_C": "0x" + challenge.hex()})
    assert refused(locked, attempt) == AUTH_FAILED
    assert "reflected challenge" in refusal(locked)


def test_a_challenge_that_comes_back_on_another_connection_closes_it(locked):
    """RFC 7143 9.2.1: the attacker would have one connection answer for the other."""
    other = Login(Wire("127.0.0.1", locked.port))
    identifier, challenge = challenged(other)

    def attempt(l):
        answered(l, CHAP_I=identifier, CHAP_C="0x" + challenge.hex())
    assert refused(locked, attempt) == AUTH_FAILED
    assert "reflected challenge" in refusal(locked)
    other.wire.close()


@pytest.mark.parametrize("keys", [
    {"CHAP_R": "0xzz"}, {"CHAP_R": ""}, {"CHAP_R": "0x"}, {"CHAP_R": "0x00"},
    {"CHAP_R": "0b!!!!"}, {"CHAP_R": "0x" + 33 * "00"}, {"CHAP_R": "0x" + 500 * "00"},
    {"CHAP_I": 256, "CHAP_C": "0x" + 64 * "1"}, {"CHAP_I": "x", "CHAP_C": "0x" + 64 * "1"},
    {"CHAP_I": 1, "CHAP_C": "0x"}, {"CHAP_I": 1, "CHAP_C": "0x" + 2050 * "00"}, {"CHAP_I": 1},
], ids=str)
def test_malformed_values_are_refused(locked, keys):
    assert refused(locked, lambda l: answered(l, **keys)) in (AUTH_FAILED, 0x0200)
    refusal(locked)


@pytest.mark.parametrize("list_", ["", "0", "x", "5,,6", "4", "99999999999999999999", "8" * 500])
def test_malformed_or_unknown_algorithms_are_refused(locked, list_):
    def attempt(l):
        l.ask(WHO | {"AuthMethod": "CHAP"})
        l.ask({"CHAP_A": list_})
    assert refused(locked, attempt) in (AUTH_FAILED, 0x0200)
    refusal(locked)


@pytest.mark.parametrize("text_", [
    b"no equals sign\0", b"=\0", b"\xff\xfe=x\0", b"InitiatorName=" + 300 * b"i" + b"\0",
    b"K" * 100 + b"=v\0"])
def test_text_that_makes_no_sense_is_refused(locked, text_):
    assert refused(locked, lambda l: l.ask(text_)) >> 8 == 2
    refusal(locked)


def test_a_request_of_more_than_8192_bytes_is_refused(locked):
    assert refused(locked, lambda l: l.ask(b"X-a=" + bytes([97]) * 8192 + b"\0")) >> 8 == 2
    assert "8192" in refusal(locked)


def test_a_request_that_continues_without_end_is_refused(locked):
    def attempt(l):
        for n in range(10000):
            l.ask(f"X-{n}=".encode() + b"v" * 255 + b"\0", more=True)
    assert refused(locked, attempt) >> 8 == 2
    assert "login refused" in refusal(locked)


def test_requests_without_end_are_refused(locked):
    def attempt(l):
        l.ask(WHO | {"AuthMethod": "CHAP"})
        for _ in range(10000):
            l.ask()
    assert refused(locked, attempt) >> 8 == 2
    refusal(locked)


def test_keys_without_end_are_refused(locked):
    many = b"".join(b"X-%d=1\0" % n for n in range(1000))
    assert refused(locked, lambda l: l.ask(many)) >> 8 == 2
    refusal(locked)


@pytest.mark.parametrize("keys, status", [
    ({"TargetName": PREFIX + "unknown"}, 0x0203), ({"TargetName": "no name"}, 0x0203),
    ({"InitiatorName": "no name"}, 0x0200), ({"SessionType": "Other"}, 0x0209)])
def test_wrong_names_are_refused_with_their_status(locked, keys, status):
    assert refused(locked, lambda l: l.ask(WHO | keys | {"AuthMethod": "CHAP"})) == status
    assert "login refused: " in refusal(locked)


@pytest.mark.parametrize("missing", ["InitiatorName", "TargetName"])
def test_a_missing_name_is_refused(locked, missing):
    keys = {k: v for k, v in WHO.items() if k != missing}
    assert refused(locked, lambda l: l.ask(keys | {"AuthMethod": "CHAP"})) == 0x0207
    assert "missing parameter" in refusal(locked)


def test_what_is_not_a_login_is_dropped(locked):
    wire = Wire("127.0.0.1", locked.port)
    wire.send(bytes([0x41]) + bytes(47))
    assert wire.is_closed()
    assert len(lines(locked, "the first request is not a login")) == 1
    wire.close()


def test_garbage_is_dropped(locked):
    wire = Wire("127.0.0.1", locked.port)
    with pytest.raises((Closed, ConnectionError)):
        wire.send_bytes(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n" + bytes(4096))
        wire.receive_bytes(1 << 20)
    wire.close()
    with login(locked.port, DISK, secret=SECRET):
        pass


def test_the_host_notices_a_target_that_cannot_prove_itself(locked):
    with pytest.raises(NotTheTarget):
        login(locked.port, DISK, secret=SECRET, target_secret=WRONG_TARGET)
    assert "may expect another target secret" in refusal(locked)


def test_refusals_leave_nothing_behind(locked, ctl):
    """Nothing half-open, no session; what they held in memory a sanitizer looks for at the end."""
    for n in range(50):
        refused(locked, lambda l: answered(l, WRONG), source=f"127.0.0.{2 + n}")
        refused(locked, lambda l: l.ask(WHO, csg=OPERATIONAL), source=f"127.0.0.{2 + n}")

    def state():
        return json.loads(ctl(locked, "--json", "status").stdout)["iscsi"]
    wait_until(lambda: state()["connections"] == 0)
    assert (state()["half_open"], state()["sessions"], state()["logins_refused"]) == (0, 0, 100)
    assert len(lines(locked, "login refused: ")) == 100


# --- in the processes of this machine ---------------------------------------------------------------


def test_no_secret_is_in_the_command_line_or_the_environment(locked):
    for name in ("cmdline", "environ"):
        with open(f"/proc/{locked.pid}/{name}", "rb") as f:
            assert SECRET.encode() not in f.read()


def test_a_password_that_failed_often_still_works_at_once_when_it_is_right(locked):
    """Back-off delays refusals, never a right login."""
    for _ in range(8):
        wire = Wire("127.0.0.1", locked.port)
        l = Login(wire)
        identifier, challenge = challenged(l)
        l.send({"CHAP_N": HOST, "CHAP_R": "0x" + 64 * "0"}, csg=SECURITY)
    begun = time.monotonic()
    with login(locked.port, DISK, secret=SECRET) as session:
        session.ready()
    assert time.monotonic() - begun < 1
