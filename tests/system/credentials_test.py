# SPDX-License-Identifier: BSD-2-Clause
"""Credentials on a running server: the native API, countersignctl, and what initiators see of it."""
import http.client
import json
import os
import pty
import random
import re
import select
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

import initiator
from initiator import Closed, Refused, login
from support import (DISK, HOST, ONE_WAY, PREFIX, SECRET, conf, lines, ram, target, wait_until)

OTHER = PREFIX + "other"
HOST2 = PREFIX + "host2"
FRESH = "fresh-secret-0001"
TARGET_SECRET = "answer-of-target"
OURS = f"/v1/targets/{DISK}/credentials"
TWO = conf(target(), target(OTHER))


class Api:
    """The native API of a server, over its socket; every answer is JSON."""

    def __init__(self, server):
        self.path = str(server.dir / "state/ctl.sock")

    def call(self, method, path, body=None, raw=None):
        """(status, JSON); a body that is no text goes out as JSON."""
        connection = http.client.HTTPConnection("localhost", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(60)
        connection.sock.connect(self.path)
        with connection.sock:
            data = raw if raw is not None else None if body is None else json.dumps(body)
            connection.request(method, path, data)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def must(self, method, path, body=None):
        status, answer = self.call(method, path, body)
        assert status in (200, 201), answer
        return answer

    def set(self, name, initiator_name, **row):
        return self.must("PUT", f"/v1/targets/{name}/credentials/{initiator_name}", row)

    def rows(self, path="/v1/credentials"):
        return {row["initiator"]: row for row in self.must("GET", path)["credentials"]}


@pytest.fixture
def server(start):
    return start(TWO)


@pytest.fixture
def api(server):
    return Api(server)


def may_log_in(server, name=DISK, **how):
    """Whether a login succeeds; what else can come of it is to be refused as 0x0201."""
    try:
        login(server.port, name, **how).wire.close()
        return True
    except Refused as refused:
        assert refused.status == 0x0201
        return False


# --- the API ----------------------------------------------------------------------------------


def test_a_row_that_was_set_is_told_without_its_secrets(api):
    answer = api.set(DISK, HOST, secret=SECRET, target_secret=TARGET_SECRET, user="u",
                     target_user="t", addresses=["127.0.0.0/8", "::1"])
    row = {"scope": "target", "name": DISK, "initiator": HOST, "type": "chap", "user": "u",
           "mutual": True, "target_user": "t", "addresses": ["127.0.0.0/8", "::1"],
           "grace_until": None, "origin": "native"}
    assert answer["credential"].items() >= row.items()
    assert answer["credential"]["written_by"].startswith(f"uid {os.geteuid()}")
    for path in (OURS, "/v1/credentials"):
        told = api.must("GET", path)
        assert told["credentials"][0].items() >= row.items()
        assert SECRET not in json.dumps(told) and TARGET_SECRET not in json.dumps(told)
    assert api.must("GET", f"{OURS}/{HOST}").items() >= row.items()


def test_201_tells_a_new_row_from_one_that_was_replaced(api):
    path, body = f"{OURS}/{HOST}", {"secret": SECRET}
    assert api.call("PUT", path, body)[0] == 201
    assert api.call("PUT", path, body)[0] == 200
    assert api.call("DELETE", path)[0] == 200
    assert api.call("DELETE", path) == (404, {"error": {
        "code": "no_such_credential", "message": f"there is no credential of {HOST} for {DISK}"}})


def test_secrets_that_the_server_makes_are_told_once(server, api):
    answer = api.set(DISK, HOST, generate=True, mutual=True)
    secret, target_secret = answer["secret"], answer["target_secret"]
    assert len(secret) == len(target_secret) == 16 and secret != target_secret
    login(server.port, DISK, secret=secret, target_secret=target_secret).wire.close()
    told = json.dumps([api.must("GET", p) for p in ("/v1/credentials", "/v1/audit")])
    assert secret not in told and target_secret not in told


@pytest.mark.parametrize("body, status, code", [
    ({}, 400, "bad_secret"),
    ({"secret": None}, 400, "bad_secret"),
    ({"secret": "short"}, 400, "bad_secret"),
    ({"secret": ""}, 400, "bad_secret"),
    ({"secret": "x" * 513}, 400, "bad_secret"),
    ({"secret": "x" * 11}, 400, "bad_secret"),
    ({"secret": SECRET, "target_secret": "short"}, 400, "bad_secret"),
    ({"secret": SECRET, "target_secret": SECRET}, 400, "bad_credential"),
    ({"secret": 1}, 400, "bad_member"),
    ({"secret": [SECRET]}, 400, "bad_member"),
    ({"secret": SECRET, "user": 7}, 400, "bad_member"),
    ({"secret": SECRET, "user": "u" * 256}, 400, "bad_credential"),
    ({"secret": SECRET, "target_user": "t"}, 400, "bad_credential"),
    ({"secret": SECRET, "mutual": True}, 400, "bad_secret"),
    ({"secret": SECRET, "generate": True}, 400, "bad_secret"),
    ({"generate": "yes"}, 400, "bad_member"),
    ({"type": "nobody"}, 400, "bad_member"),
    ({"type": "none", "secret": SECRET}, 400, "bad_credential"),
    ({"type": "deny", "generate": True}, 400, "bad_secret"),
    ({"type": "deny", "user": "u"}, 400, "bad_credential"),
    ({"secret": SECRET, "addresses": "127.0.0.1"}, 400, "bad_member"),
    ({"secret": SECRET, "addresses": [1]}, 400, "bad_member"),
    ({"secret": SECRET, "addresses": ["here"]}, 400, "bad_addresses"),
    ({"secret": SECRET, "addresses": [""]}, 400, "bad_addresses"),
    ({"secret": SECRET, "addresses": ["127.0.0.1,127.0.0.2"]}, 400, "bad_addresses"),
    ({"secret": SECRET, "addresses": ["127.0.0.9-127.0.0.1"]}, 400, "bad_addresses"),
    ({"secret": SECRET, "addresses": ["::1"] * 1025}, 400, "bad_addresses"),
    ({"secret": SECRET, SECRET: 1}, 400, "unknown_member"),
])
def test_a_row_that_cannot_be_is_refused_and_nothing_changes(server, api, body, status, code):
    got, answer = api.call("PUT", f"{OURS}/{HOST}", body)
    assert (got, answer["error"]["code"]) == (status, code), answer
    assert SECRET not in json.dumps(answer)
    assert api.rows() == {} and api.must("GET", "/v1/audit")["audit"] == []


@pytest.mark.parametrize("raw", ["", "null", "[]", "7", "{", '{"secret": "\\ud800"}', "\0", "\xff",
                                 '{"secret": "%s", "secret": "%s"}' % (SECRET, SECRET),
                                 "[" * 100000])
def test_a_body_that_is_no_object_is_400(api, raw):
    for method, path in (("PUT", f"{OURS}/{HOST}"), ("POST", f"{OURS}/{HOST}/rotate")):
        status, answer = api.call(method, path, raw=raw.encode("latin-1"))
        assert status == 400 and answer["error"]["code"] == "bad_json"
        assert SECRET not in json.dumps(answer)


def generated_bodies(n, seed):
    """Bodies that are right in most of their members, and wrong in some way in others."""
    r = random.Random(seed)
    odd = [None, True, False, 0, -1, 2**63, 1e300, "", "x", "x" * 11, "x" * 12, "x" * 513, "\0" * 12,
           "\u00e4" * 8, "default", [], [""], ["::/0"], ["0.0.0.0/0", "::1"], ["1.2.3.4-1.2.3.9"],
           [[]], {}, {"secret": "x" * 12}, "none", "deny", "chap"]
    names = ["type", "user", "secret", "target_user", "target_secret", "generate", "mutual",
             "addresses", "grace", "Secret", ""]
    for _ in range(n):
        body = {"secret": f"secret-{r.random()}"} if r.random() < 0.7 else {}
        for name in r.sample(names, r.randint(0, 3)):
            body[name] = r.choice(odd)
        text = json.dumps(body)
        if r.random() < 0.2:
            at = r.randrange(len(text))
            text = text[:at] + chr(r.randrange(1, 256)) + text[at + r.randint(0, 2):]
        yield text.encode("latin-1")


@pytest.mark.parametrize("tail", ["", "/rotate"])
def test_of_ten_thousand_bodies_none_is_a_500_and_those_refused_change_nothing(api, tail):
    connection = http.client.HTTPConnection("localhost", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(api.path)
    seen = {}
    api.set(DISK, HOST, secret=SECRET)
    for body in generated_bodies(5000, tail):
        connection.request("POST" if tail else "PUT", f"{OURS}/{HOST}{tail}", body)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        seen[answer.status] = seen.get(answer.status, 0) + 1
        assert answer.status in (200, 400, 409), (body, told)
        assert answer.status == 200 or told["error"]["code"] not in ("internal", "not_stored")
    connection.close()
    assert seen[200] > 100 and seen[400] > 1000
    newest = api.must("GET", "/v1/audit?limit=1")["audit"][0]
    assert newest["id"] == seen[200] + 1


@pytest.mark.parametrize("name", ["host", "iqn.", "iqn.2026-13.com.example:x", "eui.12", "naa.1",
                                  "iqn.2026-11.com.example:a%20b", "iqn.2026-11.com.example:%ff",
                                  "x" * 300, "%27%3b"])
def test_an_initiator_must_have_a_name(api, name):
    status, answer = api.call("PUT", f"{OURS}/{name}", {"secret": SECRET})
    assert (status, answer["error"]["code"]) == (400, "bad_initiator")
    assert api.call("DELETE", f"{OURS}/{name}")[0] in (400, 404)
    assert api.call("GET", f"{OURS}/{name}")[0] == 404


def test_names_are_kept_in_lower_case(api):
    api.set(DISK, HOST.upper().replace("IQN", "iqn"), secret=SECRET)
    assert list(api.rows()) == [HOST]
    assert api.must("GET", f"{OURS}/{HOST.upper()}")["initiator"] == HOST


@pytest.mark.parametrize("path, code", [
    (f"/v1/targets/{PREFIX}gone/credentials", "no_such_target"),
    ("/v1/svms/svm2/credentials", "no_such_svm"),
])
def test_a_scope_that_is_not_there_is_404(api, path, code):
    for method, tail, body in (("GET", "", None), ("GET", "/" + HOST, None),
                               ("PUT", "/" + HOST, {"secret": SECRET})):
        status, answer = api.call(method, path + tail, body)
        assert (status, answer["error"]["code"]) == (404, code)
    for method, tail, body in (("DELETE", "", None), ("POST", "/rotate", {})):
        assert api.call(method, f"{path}/{HOST}{tail}", body)[0] == 404


@pytest.mark.parametrize("body", [{"grace": -1}, {"grace": 30 * 86400 + 1}, {"grace": 10**30},
                                  {"grace": "5m"}, {"grace": 1.5}, {"mutual": 1}, {"secret": "x"}])
def test_a_rotation_that_cannot_be_is_400(api, body):
    api.set(DISK, HOST, secret=SECRET)
    before = api.rows()
    assert api.call("POST", f"{OURS}/{HOST}/rotate", body)[0] == 400
    assert api.rows() == before


def test_what_has_no_secret_cannot_be_rotated(api):
    api.set(DISK, HOST, type="none")
    assert api.call("POST", f"{OURS}/{HOST}/rotate", {})[1]["error"]["code"] == "not_chap"
    status, answer = api.call("POST", f"{OURS}/{HOST2}/rotate", {})
    assert (status, answer["error"]["code"]) == (404, "no_such_credential")


def test_a_start_tells_of_targets_that_let_nobody_in(make_server):
    def locked(name):
        return target(name).replace('"none"', '"chap"')

    def told():
        return [line.split("notice: ")[1] for line in lines(server, "nobody in")]
    server = make_server(conf(target(PREFIX + "open"), locked(DISK)))
    server.start()
    assert told() == [f"target {DISK} lets nobody in until it has a credential"]
    Api(server).set(DISK, HOST, secret=SECRET)
    server.stop()
    server.start()
    assert len(told()) == 1
    server.stop()
    server.write_conf(conf(*map(locked, (DISK, PREFIX + "b", PREFIX + "c"))))
    server.start()
    assert told()[1:] == [f"target {PREFIX}b and 1 more let nobody in until they have a credential"]


def test_a_refusal_names_the_credential_and_its_target(api):
    def message(target):
        status, answer = api.call("POST", f"/v1/targets/{target}/credentials/{HOST2}/rotate", {})
        return status, answer["error"]["message"]
    assert message(DISK) == (404, f"there is no credential of {HOST2} for {DISK}")
    assert message(PREFIX + "none") == (404, f"there is no target {PREFIX}none")


@pytest.mark.parametrize("addresses, message", [
    (["::1", "10.0.0.300"],
     "address 2 is none of ADDRESS, FIRST-LAST, ADDRESS/BITS and ADDRESS/NETMASK"),
    (["127.0.0.9-127.0.0.1"],
     "address 1 is none of ADDRESS, FIRST-LAST, ADDRESS/BITS and ADDRESS/NETMASK"),
    (["::1"] * 1025, "a credential has at most 1024 addresses")])
def test_a_refusal_tells_which_address_is_wrong(api, addresses, message):
    """And not what it says, which may be a secret in the wrong place."""
    status, answer = api.call("PUT", f"{OURS}/{HOST2}", {"secret": SECRET, "addresses": addresses})
    assert (status, answer["error"]["message"]) == (400, message)


def test_what_the_file_declares_is_not_for_the_api(start):
    server = start(conf(target(credentials=ONE_WAY)))
    api = Api(server)
    assert api.rows()[HOST]["origin"] == "config"
    for method, tail, body in (("PUT", "", {"secret": FRESH}), ("DELETE", "", None),
                               ("POST", "/rotate", {})):
        status, answer = api.call(method, f"{OURS}/{HOST}{tail}", body)
        assert (status, answer["error"]["code"]) == (409, "declared")
        assert str(server.conf) in answer["error"]["message"]
    assert may_log_in(server, secret=SECRET)


def test_a_secret_never_serves_both_directions(api):
    api.set(DISK, HOST, secret=SECRET, target_secret=TARGET_SECRET)
    for body in ({"secret": TARGET_SECRET}, {"secret": FRESH, "target_secret": SECRET}):
        status, answer = api.call("PUT", f"/v1/svms/svm1/credentials/{HOST2}", body)
        assert (status, answer["error"]["code"]) == (409, "secret_conflict")
        assert not any(s in json.dumps(answer) for s in (SECRET, TARGET_SECRET, FRESH))


def test_a_secret_of_several_initiators_is_warned_of(server, api):
    api.set(DISK, HOST, secret=SECRET)
    assert not lines(server, "others have, too")
    api.set(OTHER, HOST2, secret=SECRET)
    server.wait_for_log(f'{re.escape(OTHER)}: initiator "{HOST2}" proves itself by a secret that '
                        "others have, too")


def test_svms_are_told_with_their_targets(api):
    assert api.must("GET", "/v1/svms") == {"svms": [{"name": "svm1", "targets": [DISK, OTHER]}]}


# --- over the network -------------------------------------------------------------------------


TOKEN, LOOKING = "token-of-an-operator", "token-of-somebody-who-looks"
NETWORK = conf(more="""management = {
  http = ( { address = "127.0.0.1"; port = $http_port; tls = false; } );
  tokens = ( { name = "ops"; token = "%s"; }, { name = "eyes"; token = "%s"; read_only = true; } );
};""" % (TOKEN, LOOKING))


def over_network(server, method, path, body=None, token=None, scheme="Bearer"):
    connection = http.client.HTTPConnection("127.0.0.1", server.ports["http_port"], timeout=60)
    connection.request(method, path, json.dumps(body) if body is not None else None,
                       {"Authorization": f"{scheme} {token}"} if token else {})
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    return answer.status, answer.headers, told


def test_a_token_opens_the_api_on_the_network(start):
    server = start(NETWORK)
    path = f"{OURS}/{HOST}"
    assert over_network(server, "PUT", path, {"secret": SECRET}, TOKEN)[0] == 201
    assert over_network(server, "GET", path, token=TOKEN, scheme="bearer")[0] == 200
    entry = Api(server).must("GET", "/v1/audit")["audit"][0]
    assert entry["who"].startswith("token:ops")
    assert may_log_in(server, secret=SECRET)


@pytest.mark.parametrize("token, scheme", [
    (None, ""), ("wrong-token-of-nobody", "Bearer"), (TOKEN[:-1], "Bearer"), (TOKEN, "Basic"),
    (TOKEN + "x", "Bearer"), ("", "Bearer"),
])
def test_without_a_token_nobody_is_served_on_the_network(start, token, scheme):
    server = start(NETWORK)
    for method, path in (("GET", "/v1/credentials"), ("PUT", f"{OURS}/{HOST}"),
                         ("GET", "/v1/nothing")):
        status, head, told = over_network(server, method, path, {"secret": SECRET}, token, scheme)
        assert (status, head["WWW-Authenticate"]) == (401, 'Bearer realm="countersign"')
        assert told["error"]["code"] == "unauthorized"
    assert Api(server).rows() == {}


def test_a_token_for_looking_changes_nothing(start):
    server = start(NETWORK)
    assert over_network(server, "GET", "/v1/credentials", token=LOOKING)[0] == 200
    for method, path in (("PUT", f"{OURS}/{HOST}"), ("DELETE", f"{OURS}/{HOST}"),
                         ("POST", f"{OURS}/{HOST}/rotate"), ("POST", "/v1/rekey"),
                         ("POST", "/v1/reload"), ("DELETE", "/v1/sessions/1")):
        status, _, told = over_network(server, method, path, {"secret": SECRET}, LOOKING)
        assert (status, told["error"]["code"]) == (403, "read_only")
    assert Api(server).rows() == {}


def test_tokens_change_with_a_reload(start, ctl):
    server = start(NETWORK)
    server.write_conf(server.conf.read_text().replace(TOKEN, "another-token-of-ops"))
    ctl(server, "reload")
    assert over_network(server, "GET", "/v1/status", token=TOKEN)[0] == 401
    assert over_network(server, "GET", "/v1/status", token="another-token-of-ops")[0] == 200


# --- logins -----------------------------------------------------------------------------------


def test_the_first_row_turns_chap_on(server, api):
    assert may_log_in(server)
    api.set(DISK, HOST, secret=SECRET)
    assert not may_log_in(server) and may_log_in(server, OTHER)
    assert not may_log_in(server, secret="wrong-" + SECRET)
    assert may_log_in(server, secret=SECRET)
    api.must("DELETE", f"{OURS}/{HOST}")
    assert may_log_in(server)


def test_rows_outlive_the_server(server, api):
    api.set(DISK, HOST, secret=SECRET, target_secret=TARGET_SECRET)
    server.stop()
    server.start()
    login(server.port, DISK, secret=SECRET, target_secret=TARGET_SECRET).wire.close()
    assert not may_log_in(server)


def test_a_row_of_the_default_and_its_user(server, api):
    api.set(DISK, "default", secret=SECRET, user="everybody")
    assert may_log_in(server, initiator=HOST2, user="everybody", secret=SECRET)
    assert not may_log_in(server, initiator=HOST2, secret=SECRET)


def test_discovery_has_rows_of_its_own(server, api):
    api.must("PUT", f"/v1/discovery/credentials/{HOST}", {"secret": SECRET})
    assert not may_log_in(server, None)
    assert may_log_in(server, None, secret=SECRET)
    assert may_log_in(server)


def test_an_svm_forbids_and_limits(server, api):
    rows = "/v1/svms/svm1/credentials"
    api.must("PUT", f"{rows}/{HOST}", {"type": "deny"})
    with pytest.raises(Refused, match="0x0202"):
        login(server.port, DISK)
    assert lines(server, f'access: "{DISK}": its credential says deny, or other addresses')
    api.must("PUT", f"{rows}/{HOST}", {"type": "none", "addresses": ["127.0.0.2"]})
    with pytest.raises(Refused, match="0x0202"):
        login(server.port, DISK, source="127.0.0.1")
    login(server.port, DISK, source="127.0.0.2").wire.close()
    api.must("PUT", f"{rows}/default", {"type": "deny"})
    with pytest.raises(Refused, match="0x0202"):
        login(server.port, DISK, initiator=HOST2)


def test_a_target_that_is_forbidden_is_not_told_either(server, api):
    def told(source="127.0.0.1", what="All"):
        with login(server.port, source=source) as session:
            return [v for k, v in session.send_targets(what) if k == "TargetName"]
    assert sorted(told()) == sorted([DISK, OTHER])
    api.must("PUT", f"/v1/targets/{DISK}/credentials/{HOST}", {"type": "deny"})
    assert told() == [OTHER] and told(what=DISK) == []
    api.must("PUT", f"/v1/targets/{DISK}/credentials/{HOST}",
             {"secret": SECRET, "addresses": ["127.0.0.2"]})
    assert told() == [OTHER]
    assert sorted(told(source="127.0.0.2")) == sorted([DISK, OTHER])


def test_the_file_wins_and_the_log_says_so(server, api):
    api.set(DISK, HOST, secret=FRESH)
    server.write_conf(conf(target(credentials=ONE_WAY), target(OTHER)))
    server.stop()
    server.start()
    server.wait_for_log(rf'countersign.conf:\d+: the file wins: the credential of initiator "{HOST}"')
    assert may_log_in(server, secret=SECRET) and not may_log_in(server, secret=FRESH)
    server.write_conf(TWO)
    server.reload()
    server.wait_for_log("the new configuration is in force")
    assert may_log_in(server, secret=FRESH) and not may_log_in(server, secret=SECRET)


def test_a_reload_that_displaces_a_row_closes_whoever_is_in_by_it(server, api):
    api.set(DISK, HOST, secret=FRESH)
    session, other = login(server.port, DISK, secret=FRESH), login(server.port, OTHER)
    server.write_conf(conf(target(credentials=ONE_WAY), target(OTHER)))
    server.reload()
    assert session.wire.is_closed()
    other.ping()
    other.wire.close()


# --- connections ------------------------------------------------------------------------------


def sessions(server, name, n, **how):
    """Sessions of so many initiators with one target."""
    return [login(server.port, name, initiator=f"{PREFIX}many{i}", **how) for i in range(n)]


MANY = conf(target(), target(OTHER), more="reactors = 4;")


def test_a_change_closes_all_connections_of_its_target_and_no_other(start):
    server = start(MANY)
    api = Api(server)
    ours, others = sessions(server, DISK, 12), sessions(server, OTHER, 12)
    reactors = {s["reactor"] for s in api.must("GET", "/v1/sessions")["sessions"]
                if s["target"] == DISK}
    assert len(reactors) > 1
    answer = api.set(DISK, HOST, secret=SECRET)
    # They are gone when the answer is there.
    left = {s["target"] for s in api.must("GET", "/v1/sessions")["sessions"]}
    assert left == {OTHER} and answer["connections_closed"] == 12
    assert all(s.wire.is_closed() for s in ours)
    for s in others:
        s.ping()
        s.wire.close()


@pytest.mark.parametrize("change", [
    lambda api: api.set(DISK, HOST, secret=FRESH),
    lambda api: api.must("DELETE", f"{OURS}/{HOST}"),
    lambda api: api.must("POST", f"{OURS}/{HOST}/rotate", {}),
])
def test_a_change_in_the_midst_of_a_transfer_ends_it(start, change):
    server = start(MANY)
    api = Api(server)
    api.set(DISK, HOST, secret=SECRET)
    session = login(server.port, DISK, secret=SECRET)
    beside = login(server.port, OTHER)
    moved, other_moved, stop = [0], [0], threading.Event()

    def move(s, count):
        s.ready()
        data = bytes(range(256)) * 1024
        try:
            while not stop.is_set():
                s.write(0, data)
                assert s.read(0, len(data) // 512) == data
                count[0] += 1
        except Closed:
            return
    threads = [threading.Thread(target=move, args=a) for a in ((session, moved),
                                                                (beside, other_moved))]
    for t in threads:
        t.start()
    wait_until(lambda: moved[0] > 3 and other_moved[0] > 3)
    assert change(api)["connections_closed"] == 1
    threads[0].join(20)
    assert not threads[0].is_alive()
    at = other_moved[0]
    wait_until(lambda: other_moved[0] > at + 3)
    stop.set()
    threads[1].join(20)
    beside.wire.close()


def test_a_change_of_an_svm_closes_those_that_it_forbids_alone(start):
    server = start(MANY)
    api = Api(server)
    bad = login(server.port, DISK, initiator=HOST), login(server.port, OTHER, initiator=HOST)
    good = login(server.port, DISK, initiator=HOST2, source="127.0.0.2")
    away = login(server.port, OTHER, initiator=HOST2, source="127.0.0.3")
    rows = "/v1/svms/svm1/credentials"
    assert api.must("PUT", f"{rows}/{HOST}", {"type": "deny"})["connections_closed"] == 2
    assert all(s.wire.is_closed() for s in bad)
    answer = api.must("PUT", f"{rows}/{HOST2}", {"type": "none", "addresses": ["127.0.0.2"]})
    assert answer["connections_closed"] == 1 and away.wire.is_closed()
    # A secret where there was none is for the next login.
    assert api.must("PUT", f"{rows}/{HOST2}", {"secret": SECRET})["connections_closed"] == 0
    assert api.must("DELETE", f"{rows}/{HOST2}")["connections_closed"] == 0
    good.ping()
    good.wire.close()


def test_a_login_half_way_does_not_get_in_by_what_was_replaced(server, api):
    api.set(DISK, HOST, secret=SECRET)
    wire = initiator.Wire("127.0.0.1", server.port)
    half = initiator.Login(wire)
    half.ask({"InitiatorName": HOST, "SessionType": "Normal", "TargetName": DISK,
              "AuthMethod": "CHAP"})
    assert half.chap(HOST, SECRET)
    api.set(DISK, HOST, secret=FRESH)
    assert wire.is_closed()
    wire.close()


# --- a power cut ------------------------------------------------------------------------------


class Changes:
    """Rows that are set and deleted one after the other, and what has been answered of it."""

    def __init__(self):
        self.count = 0
        self.rows = {}          # initiator: number of its secret
        self.flying = None      # the change that is not answered yet: (initiator, number or None)

    def next(self):
        self.count += 1
        name = f"{PREFIX}cut{self.count % 5}"
        self.flying = name, None if self.count % 7 == 0 else self.count
        return self.flying

    def settle(self, name, number):
        self.rows.pop(name, None)
        if number is not None:
            self.rows[name] = number

    def make_until_it_dies(self, server):
        api = Api(server)
        try:
            while True:
                name, number = self.next()
                if number is None:
                    assert api.call("DELETE", f"{OURS}/{name}")[0] in (200, 404)
                else:
                    api.set(DISK, name, secret=self.secret(number))
                self.settle(name, number)
                self.flying = None
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            return

    @staticmethod
    def secret(number):
        return f"secret-number-{number:06}"

    def candidates(self, name):
        """The numbers that a row may have after the end; None: no row."""
        found = {self.rows.get(name)}
        return found | {self.flying[1]} if self.flying and self.flying[0] == name else found


def test_after_kill_9_there_is_what_was_answered_and_at_most_the_one_in_flight(start):
    server, changes, rounds = start(TWO), Changes(), 0
    while changes.count < 1000 and rounds < 80:     # that many only where a change takes very long
        thread = threading.Thread(target=changes.make_until_it_dies, args=(server,))
        thread.start()
        time.sleep(0.05 + rounds % 12 * 0.017)
        server.kill()
        thread.join(30)
        assert not thread.is_alive()
        server.start()
        there = Api(server).rows(OURS)
        for name in [f"{PREFIX}cut{i}" for i in range(5)]:
            candidates = changes.candidates(name)
            if name not in there:
                assert None in candidates, (name, candidates)
                changes.settle(name, None)
                continue
            right = [c for c in candidates if c is not None and may_log_in(
                server, initiator=name, secret=changes.secret(c))]
            assert len(right) == 1, (name, candidates)
            changes.settle(name, right[0])
        changes.flying = None
        rounds += 1
    assert changes.count > 5 * rounds


def test_a_stop_in_the_midst_of_changes_is_clean(start):
    server = start(TWO)
    path = str(server.dir / "state/ctl.sock")
    waiting = []
    for i in range(50):
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        body = json.dumps({"secret": SECRET})
        s.sendall(f"PUT {OURS}/{PREFIX}stop{i} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}"
                  f"\r\n\r\n{body}".encode())
        waiting.append(s)
    wait_until(lambda: "stop3" in server.log())
    server.stop()
    answered = 0
    for s in waiting:
        with s:
            try:
                answered += s.recv(4096).startswith(b"HTTP/1.1 201")
            except ConnectionError:
                pass
    server.start()
    assert len(Api(server).rows()) >= answered > 0


# --- countersignctl ---------------------------------------------------------------------------


def test_ctl_sets_lists_and_deletes(server, ctl):
    assert ctl(server, "credentials", "list").stdout == "there are no credentials\n"
    done = ctl(server, "credentials", "set", DISK, HOST, "--mutual", "--address", "127.0.0.0/8",
               "--address=::1", "--user", "me", input=f"{SECRET}\n{TARGET_SECRET}\n")
    assert (done.stdout, done.stderr) == ("set, 0 connections closed\n", "")
    head, row = ctl(server, "credentials", "list", DISK).stdout.splitlines()
    assert head.split()[:3] == ["SCOPE", "INITIATOR", "TYPE"]
    assert re.match(rf"{DISK}  {HOST}  mutual chap  me +-  +127.0.0.0/8, ::1  +-  +native", row)
    login(server.port, DISK, user="me", secret=SECRET, target_secret=TARGET_SECRET).wire.close()
    assert "deleted" in ctl(server, "credentials", "delete", DISK, HOST).stdout
    assert may_log_in(server)


def test_ctl_takes_secrets_from_files(server, ctl, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text(SECRET + "\n")
    two.write_text(TARGET_SECRET)
    ctl(server, "credentials", "set", DISK, HOST, "--secret-file", one, "--target-secret-file", two)
    login(server.port, DISK, secret=SECRET, target_secret=TARGET_SECRET).wire.close()
    ctl(server, "credentials", "set", DISK, HOST, "--secret-file", "-", input=FRESH)
    assert may_log_in(server, secret=FRESH)


def test_ctl_speaks_of_svms_and_discovery(server, ctl):
    ctl(server, "credentials", "set", "svm:svm1", "default", "--type", "deny")
    ctl(server, "credentials", "set", "discovery", HOST, "--generate")
    text = ctl(server, "credentials", "list").stdout
    assert re.search(r"^svm:svm1 +default +deny", text, re.M)
    assert re.search(rf"^discovery +{HOST} +chap", text, re.M)
    ctl(server, "credentials", "delete", "svm:svm1", "default")


def test_ctl_prints_new_secrets_once(server, ctl):
    made = ctl(server, "credentials", "set", DISK, HOST, "--generate", "--mutual").stdout
    found = re.fullmatch(r"secret +(\S{16})\ntarget secret +(\S{16})\nset, 0 connections closed\n",
                         made)
    login(server.port, DISK, secret=found[1], target_secret=found[2]).wire.close()
    told = json.loads(ctl(server, "--json", "credentials", "rotate", DISK, HOST).stdout)
    assert told["secret"] != found[1] and "target_secret" not in told
    login(server.port, DISK, secret=told["secret"], target_secret=found[2]).wire.close()


@pytest.mark.parametrize("args, words, text", [
    (["set", DISK, HOST], "there is no secret on standard input; --secret-file names", ""),
    (["set", DISK, HOST], "there is no secret", "\n"),
    (["set", DISK, HOST], "512 bytes at most", "x" * 600),
    (["set", DISK, HOST, "--mutual"], "secret of the target: there is no secret", SECRET + "\n"),
    (["set", DISK, HOST, "--secret-file", "/nowhere"], "No such file", ""),
    (["set", DISK, HOST, "--generate", "--secret-file", "x"], "no file is read", ""),
    (["set", DISK, HOST, "--secret-file", "-", "--target-secret-file", "-"], "cannot be both", ""),
    (["set", DISK, HOST, "--type", "none", "--secret-file", "-"], "--type none takes no secret",
     SECRET),
    (["set", DISK, HOST, "--type", "deny", "--mutual"], "--type deny takes no secret", ""),
    (["set", DISK, HOST, "--type", "deny", "--generate"], "--type deny takes no secret", ""),
    (["set", DISK, HOST, "--secret", "x"], "there is no option --secret", ""),
    (["set", DISK, HOST, SECRET], "usage: countersignctl credentials set SCOPE INITIATOR", ""),
    (["set", "svm:", HOST, "--generate"], "named by a scope", ""),
    (["set", DISK, "", "--generate"], "named by a scope", ""),
    (["rotate", DISK, HOST, "--grace", "soon"], "--grace takes a time", ""),
    (["rotate", DISK, HOST, "--grace", "0"], "--grace takes a time", ""),
    (["rotate", DISK, HOST, "--grace"], "an argument is missing after --grace", ""),
    (["rotate", DISK, HOST, "--mutual=yes"], "--mutual takes no value", ""),
    (["dance"], "there is no command credentials dance", ""),
    ([], "say what to do with credentials", ""),
])
def test_ctl_refuses_a_wrong_line_with_2(server, ctl, args, words, text):
    done = ctl(server, "credentials", *args, status=2, input=text)
    assert done.stdout == "" and words in done.stderr and SECRET not in done.stderr
    assert not lines(server, "credential of")


def at_terminal(program, args, answers):
    """Runs a program with a terminal of its own and types; (exit status, what was shown)."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(program, [str(program), *map(str, args)])
    shown = b""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not select.select([fd], [], [], 0.1)[0]:
            continue
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        shown += data
        if answers and shown.endswith(b": "):
            os.write(fd, answers.pop(0))
            shown += b"<typed>"
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_ctl_asks_at_the_terminal_twice_and_without_an_echo(server, programs):
    args = ["-s", server.dir / "state/ctl.sock", "credentials", "set", DISK, HOST, "--mutual"]
    typed = [f"{SECRET}\r", f"{SECRET}\r", f"xж\x7f\x7f{TARGET_SECRET}\r", f"{TARGET_SECRET}\r"]
    status, shown = at_terminal(programs / "countersignctl", args, [t.encode() for t in typed])
    assert status == 0, shown
    assert SECRET not in shown and TARGET_SECRET not in shown
    assert "secret of the initiator again: " in shown and "secret of the target: " in shown
    login(server.port, DISK, secret=SECRET, target_secret=TARGET_SECRET).wire.close()


def test_ctl_leaves_no_core_dump(server, programs):
    asks = subprocess.Popen([programs / "countersignctl", "-s", server.dir / "state/ctl.sock",
                             "credentials", "set", DISK, HOST], stdin=subprocess.PIPE)
    limits = Path(f"/proc/{asks.pid}/limits")
    wait_until(lambda: re.search(r"^Max core file size +0 +0 ", limits.read_text(), re.M))
    asks.communicate(SECRET.encode())
    assert asks.returncode == 0


@pytest.mark.parametrize("typed, words", [
    ([SECRET + "\r", "another\r"], "the two are not the same"),
    (["\x03"], "given up"),
    ([SECRET + "\r", "\x04"], "given up"),
    (["\r"], "there is no secret"),
])
def test_ctl_may_be_given_up_at_the_terminal(server, programs, typed, words):
    args = ["-s", server.dir / "state/ctl.sock", "credentials", "set", DISK, HOST]
    status, shown = at_terminal(programs / "countersignctl", args, [t.encode() for t in typed])
    assert status == 2 and words in shown and SECRET not in shown
    assert may_log_in(server)


def test_rekey_changes_the_key_and_nothing_else(server, ctl, api):
    key = server.dir / "state/key"
    api.set(DISK, HOST, secret=SECRET)
    before = key.read_bytes()
    assert ctl(server, "rekey").stdout == "the stored secrets are under a new key\n"
    assert key.read_bytes() != before and len(key.read_bytes()) == 32
    server.stop()
    server.start()
    assert may_log_in(server, secret=SECRET)


# --- completion -------------------------------------------------------------------------------


COMPLETION = Path(__file__).parents[2] / "dist/completion/countersignctl"


def complete(line, env=None):
    script = ('. "$1"; COMP_LINE=$2 COMP_POINT=${#2}; _countersignctl; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    return set(subprocess.run(["bash", "-c", script, "bash", COMPLETION, line], text=True, env=env,
                              capture_output=True, check=True, timeout=20).stdout.split())


def test_completion_knows_every_command_and_option(programs, run):
    text = run(programs / "countersignctl", "help").stdout
    general = set(re.findall(r"^  -\w, (--\w+)", text, re.M))
    groups = {"credentials", "volume", "tape", "library", "drive", "port-group"}
    commands = re.findall(
        rf"^  ((?:(?:{'|'.join(groups)}) )?[a-z]+).*\n((?:^ {{5,}}.*\n)*)", text, re.M)
    assert len(commands) >= 12
    assert complete("countersignctl ") == {name.split()[0] for name, _ in commands}
    for group in groups:
        assert complete(f"countersignctl {group} ") == {
            name.split()[1] for name, _ in commands if name.startswith(group + " ")}
    for name, rest in commands:
        assert complete(f"countersignctl {name} --") == general | set(
            re.findall(r"^      (--\S+)", rest, re.M)), name


def test_completion_asks_the_server_for_names(server, programs, api):
    api.set(DISK, HOST, secret=SECRET)
    env = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}",
           "COUNTERSIGN_SOCKET": str(server.dir / "state/ctl.sock")}
    assert complete("countersignctl targets ", env) == {DISK, OTHER}
    assert complete("countersignctl credentials rotate ", env) == {DISK, OTHER, "discovery"}
    assert complete("countersignctl port-group set ", env) == {"1"}
    assert complete("countersignctl port-group set 1 act", env) == {"active-optimized", "active-non-optimized"}
    # What stands before the last colon has been typed.
    assert complete(f"countersignctl credentials rotate {PREFIX}d", env) == {"disk"}
    assert complete(f"countersignctl credentials rotate {DISK} ", env) == {HOST}
