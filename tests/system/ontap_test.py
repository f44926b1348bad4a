# SPDX-License-Identifier: BSD-2-Clause
"""The ONTAP REST API: its own client (Ansible's netapp.ontap), curl, and bodies of every kind."""
import base64
import http.client
import json
import random
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from initiator import Refused, login
from support import (DISK, HOST, PREFIX, conf, lines, needs_ipv6, no_secret, target,
                     wait_until)

EXAMPLES = Path(__file__).parents[2] / "examples"
CREDENTIALS = "/api/protocols/san/iscsi/credentials"
ADMIN = ("admin", "netapp1!-secret")
READER = ("reader", "look-but-do-not-touch")
IN, OUT = "111111111111", "222222222222"
NO_UUID = "02c9e252-41be-11e9-81d5-00a0986138f7"
FORBIDDEN, AUTH_FAILED = 0x0202, 0x0201
MANAGEMENT = '''management = {
  http = ( { address = "127.0.0.1"; port = $httpport; },
           { address = "127.0.0.1"; port = $tlsport; tls = true; } );
  ontap = { users = ( { name = "%s"; password = "%s"; },
                      { name = "%s"; password = "%s"; read_only = true; } ); };
};''' % (*ADMIN, *READER)


class Api:
    """Calls over plain HTTP, as somebody."""

    def __init__(self, server, who=ADMIN):
        self.server = server
        self.head = {"Authorization": "Basic " + base64.b64encode(":".join(who).encode()).decode()}

    def __call__(self, method, path, body=None, **head):
        c = http.client.HTTPConnection("127.0.0.1", self.server.ports["httpport"], timeout=20)
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        c.request(method, path, body, {**self.head, **{k.replace("_", "-"): v
                                                       for k, v in head.items()}})
        answer = c.getresponse()
        self.headers = answer.headers
        text = answer.read()
        c.close()
        return answer.status, json.loads(text) if text else None

    def error(self, *args, **kwargs):
        """Status and code of a call that must be refused, as the API words refusals."""
        status, body = self(*args, **kwargs)
        assert status >= 400, body
        assert isinstance(body["error"]["code"], str) and body["error"]["message"]
        return status, body["error"]["code"]

    @property
    def uuid(self):
        return self("GET", "/api/svm/svms?name=svm1")[1]["records"][0]["uuid"]

    def path(self, initiator=HOST):
        return f"{CREDENTIALS}/{self.uuid}/{initiator}"

    def row(self, initiator=HOST):
        return self("GET", self.path(initiator) + "?fields=*", Accept="application/json")[1]


@pytest.fixture
def server(start):
    return start(conf(target(), more=MANAGEMENT))


@pytest.fixture
def api(server):
    return Api(server)


def chap(user="user1", password=IN, **out):
    return {"inbound": {"user": user, "password": password}, **out}


def new(initiator=HOST, kind="chap", **more):
    body = {"svm": {"name": "svm1"}, "initiator": initiator, "authentication_type": kind, **more}
    return {"chap": chap(), **body} if kind == "chap" else body


def ranges(*pairs):
    return {"ranges": [{"start": a, "end": b} for a, b in pairs]}


def made(api, body):
    status, answer = api("POST", CREDENTIALS, body)
    assert status == 201, answer


def patched(api, body, initiator=HOST, query=""):
    status, answer = api("PATCH", api.path(initiator) + query, body)
    assert (status, answer) == (200, {}), answer


# --- who may ----------------------------------------------------------------------------------


def test_a_wrong_password_is_told_in_the_words_that_clients_look_for(server):
    api = Api(server, ("admin", "wrong"))
    assert api("GET", "/api/cluster") == (
        401, {"error": {"message": "User is not authorized.", "code": "6691623"}})
    assert api.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("value", ["", "Basic", "Basic !!!!", "Basic YWRtaW4=", "Bearer x",
                                   "Basic " + "QUFB" * 2000])
def test_what_is_no_proof_is_refused(server, value):
    api = Api(server)
    api.head = {"Authorization": value}
    assert api.error("GET", "/api/cluster") == (401, "6691623")


@pytest.mark.parametrize("who", [(READER[0], ADMIN[1]), (ADMIN[0], READER[1]),
                                 ("nobody", ADMIN[1]), ("", ADMIN[1])])
def test_the_password_of_another_user_is_no_proof(server, who):
    assert Api(server, who).error("GET", "/api/cluster") == (401, "6691623")


def test_what_follows_a_password_is_not_cut_off(server):
    api = Api(server, (ADMIN[0], ADMIN[1] + "\0more"))
    assert api.error("GET", "/api/cluster") == (401, "6691623")


def test_without_any_proof_nothing_is_told(server):
    api = Api(server)
    api.head = {}
    assert api.error("GET", "/api/svm/svms") == (401, "6691623")


def test_a_reader_looks_but_changes_nothing(server):
    api = Api(server, READER)
    assert api("GET", CREDENTIALS)[0] == 200
    assert api.error("POST", CREDENTIALS, new()) == (403, "6")
    assert api.error("DELETE", api.path()) == (403, "6")


def test_the_api_is_there_only_if_it_is_configured(start):
    server = start(conf(target(), more='management = { http = ( { address = "127.0.0.1"; '
                                       'port = $httpport; } ); };'))
    assert Api(server).error("GET", "/api/cluster") == (404, "3")


# --- the resources around -----------------------------------------------------------------------


def test_the_cluster_tells_a_version_that_clients_take(api):
    status, body = api("GET", "/api/cluster?fields=version")
    assert status == 200
    assert (body["version"]["generation"], body["version"]["major"]) >= (9, 6)
    assert set(body["version"]) == {"full", "generation", "major", "minor"}


def test_an_svm_keeps_its_uuid_over_a_restart(server, api):
    was = api.uuid
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", was)
    server.stop()
    server.start()
    assert api.uuid == was
    assert api("GET", f"/api/svm/svms/{was}", Accept="application/json") == (
        200, {"uuid": was, "name": "svm1"})


def test_the_iscsi_service_tells_a_target(api):
    status, body = api("GET", "/api/protocols/san/iscsi/services?svm.name=svm1&fields=*")
    assert status == 200 and body["num_records"] == 1
    assert body["records"][0]["target"]["name"] == DISK
    assert body["records"][0]["enabled"] is True
    one = api("GET", f"/api/protocols/san/iscsi/services/{api.uuid}?fields=enabled")[1]
    assert one["enabled"] is True


def test_what_is_not_there_is_said_so(api):
    assert api.error("GET", "/api/storage/volumes") == (404, "3")
    assert api.error("PUT", CREDENTIALS, {})[0] == 405
    assert api.error("GET", f"/api/svm/svms/{NO_UUID}") == (404, "4")
    assert api.error("GET", "/api/svm/svms/1") == (404, "2")
    assert api.error("GET", api.path()) == (404, "4")


# --- credentials --------------------------------------------------------------------------------


def test_default_is_always_there(api):
    assert api.row("default") == {"svm": {"uuid": api.uuid, "name": "svm1"},
                                  "initiator": "default", "authentication_type": "none"}
    assert api.error("POST", CREDENTIALS, new("default")) == (409, "5374142")
    assert api.error("DELETE", api.path("default")) == (400, "5374148")
    assert api.error("PATCH", api.path("default"), {
        "initiator_address": ranges(("10.0.0.1", "10.0.0.2"))}) == (400, "5374155")
    patched(api, {"authentication_type": "deny"}, "default")
    assert api.row("default")["authentication_type"] == "deny"


def test_what_is_made_is_shown_without_its_passwords(api):
    made(api, new(chap=chap(outbound={"user": "user2", "password": OUT}), initiator_address={
        **ranges(("10.125.10.0", "10.125.10.10"), ("10.125.193.78", "10.125.193.78")),
        "masks": [{"address": "10.1.0.0", "netmask": "255.255.0.0"}, {"address": "2001:db8::"}]}))
    assert api.row() == {
        "svm": {"uuid": api.uuid, "name": "svm1"}, "initiator": HOST,
        "authentication_type": "chap",
        "chap": {"inbound": {"user": "user1"}, "outbound": {"user": "user2"}},
        "initiator_address": {
            "ranges": [{"start": "10.125.10.0", "end": "10.125.10.10", "family": "ipv4"},
                       {"start": "10.125.193.78", "end": "10.125.193.78", "family": "ipv4"}],
            "masks": [{"address": "10.1.0.0", "netmask": "16", "family": "ipv4"},
                      {"address": "2001:db8::", "netmask": "64", "family": "ipv6"}]}}


def test_the_location_names_both_keys_and_leads_there(api):
    uuid = api.uuid
    made(api, new())
    place = api.headers["Location"]
    assert place == f"{CREDENTIALS}/{uuid}/{HOST.replace(':', '%3A')}"
    assert api("GET", place)[1]["initiator"] == HOST


def test_records_are_returned_on_demand(api):
    status, body = api("POST", CREDENTIALS + "?return_records=true", new())
    assert (status, body["num_records"]) == (201, 1)
    assert body["records"][0]["chap"] == {"inbound": {"user": "user1"}}


def test_several_are_made_whole_or_not_at_all(api):
    bodies = [new(f"{PREFIX}h{i}", "none") for i in range(3)]
    assert api.error("POST", CREDENTIALS, {"records": bodies + bodies[:1]}) == (409, "5374142")
    assert api("GET", CREDENTIALS)[1]["num_records"] == 1
    made(api, {"records": bodies})
    assert api("GET", CREDENTIALS)[1]["num_records"] == 4


def test_links_are_for_those_who_accept_them(api):
    made(api, new())
    assert "_links" in api("GET", api.path(), Accept="*/*")[1]
    body = api("GET", CREDENTIALS + "?fields=**", Accept="application/hal+json")[1]
    assert body["_links"]["self"]["href"] == CREDENTIALS + "?fields=**"
    assert api("GET", body["records"][1]["_links"]["self"]["href"])[1]["initiator"] == HOST
    assert "_links" not in json.dumps(api("GET", CREDENTIALS, Accept="application/json")[1])


def test_pages_are_followed_to_the_end(api):
    made(api, {"records": [new(f"{PREFIX}h{i:03}", "none") for i in range(25)]})
    seen, path = [], f"{CREDENTIALS}?max_records=10&initiator=iqn.*"
    while path:
        body = api("GET", path)[1]
        seen += [r["initiator"] for r in body["records"]]
        path = body["_links"].get("next", {}).get("href")
    assert seen == [f"{PREFIX}h{i:03}" for i in range(25)]


def test_headers_narrow_a_call_to_another_svm(api):
    assert api("GET", CREDENTIALS, X_Dot_SVM_Name="svm1")[1]["num_records"] == 1
    assert api("GET", CREDENTIALS, X_Dot_SVM_Name="other")[1]["num_records"] == 0
    assert api("GET", "/api/svm/svms", X_Dot_SVM_UUID=NO_UUID)[1]["records"] == []
    assert api.error("PATCH", api.path("default"), {"authentication_type": "deny"},
                     X_Dot_SVM_Name="other") == (404, "2621462")


def test_a_password_that_is_not_given_stays(server, api):
    made(api, new())
    patched(api, {"authentication_type": "chap", "chap": {
        "inbound": {"user": "user1", "password": None},
        "outbound": {"user": "user4", "password": "444444444444"}}})
    assert api.row()["chap"]["outbound"] == {"user": "user4"}
    login(server.port, DISK, initiator=HOST, user="user1", secret=IN, target_user="user4",
          target_secret="444444444444").logout()
    patched(api, {"chap": {"outbound": {}}})
    assert "outbound" not in api.row()["chap"]
    assert api.error("PATCH", api.path(), {"chap": {"inbound": {"user": "other"}}}) == (
        400, "5374149")
    assert api.error("PATCH", api.path(), {"chap": {"outbound": {"user": "x"}}}) == (
        400, "5374150")


def test_addresses_are_added_removed_and_cleared(api):
    a, b = ("10.0.0.1", "10.0.0.5"), ("10.0.1.1", "10.0.1.1")
    made(api, new(kind="none", initiator_address=ranges(a)))

    def now():
        return [(r["start"], r["end"]) for r in api.row().get("initiator_address", {})
                .get("ranges", [])]
    patched(api, {"initiator_address": ranges(b)}, query="?add_initiator_addresses=true")
    assert now() == [a, b]
    patched(api, {"initiator_address": ranges(a)}, query="?remove_initiator_addresses=true")
    assert now() == [b]
    patched(api, {"initiator_address": ranges(a)})
    assert now() == [a]
    patched(api, {"initiator_address": {"ranges": []}})
    assert now() == []


def test_a_query_chooses_what_is_changed_and_deleted(server, api):
    made(api, {"records": [new(f"{PREFIX}{kind}{i}", kind) for i in range(3)
                           for kind in ("none", "deny")]})
    made(api, new(HOST))

    def kinds():
        records = api("GET", CREDENTIALS + "?fields=authentication_type")[1]["records"]
        return sorted((r["initiator"].removeprefix(PREFIX), r["authentication_type"])
                      for r in records)
    before = kinds()
    assert api("PATCH", CREDENTIALS + "?authentication_type=deny&initiator=!*2",
               {"authentication_type": "none"}) == (200, {"num_records": 2})
    assert [k for k in before if k not in kinds()] == [("deny0", "deny"), ("deny1", "deny")]
    assert api("DELETE", CREDENTIALS + "?authentication_type=none", {}) == (
        200, {"num_records": 5})        # "default", which is one of them, stays
    assert kinds() == [("default", "none"), ("deny2", "deny"), ("host1", "chap")]
    assert api("DELETE", CREDENTIALS + "?initiator=x") == (200, {"num_records": 0})
    assert api("PATCH", CREDENTIALS + "?initiator=*host1&add_initiator_addresses=true",
               {"initiator_address": ranges(("127.0.0.1", "127.0.0.1"))})[0] == 200
    assert status_of_login(server, user="user1", secret=IN) == 0


def test_a_change_of_several_is_made_whole_or_not_at_all(api):
    made(api, new(f"{PREFIX}a", "none"))
    made(api, new(HOST))
    was = rows_of(api)
    for method, query, body, wanted in [
            ("DELETE", "", None, (400, "2")), ("PATCH", "", {}, (400, "2")),
            ("DELETE", "?max_records=1", None, (400, "262179")),
            ("DELETE", "?bogus=1", None, (400, "262179")),
            ("PATCH", f"?initiator={PREFIX}*", {"chap": chap(password="another-secret")},
             (400, "5374900")),         # one of them has none to change
            ("PATCH", "?svm.name=svm1", {"initiator_address": ranges(("::1", "::2"))},
             (400, "5374155")),
            ("PATCH", f"?initiator={HOST}", {"svm": {"name": "other"}}, (404, "2621462")),
            ("PATCH", f"?initiator={HOST}", {"bogus": 1}, (400, "262179"))]:
        assert api.error(method, CREDENTIALS + query, body) == wanted, (method, query)
    reader = Api(api.server, READER)
    assert reader.error("DELETE", CREDENTIALS + "?initiator=*") == (403, "6")
    assert rows_of(api) == was


# --- bad input ----------------------------------------------------------------------------------

IQN = "iqn.1995-08.com.example:x"
BAD_POSTS = [
    ("{", 400, "262254"), ("[]", 400, "262254"), ("", 400, "262254"),
    (new(bogus=1), 400, "262179"),
    ({**new(), "svm": {}}, 400, "2621707"),
    ({**new(), "svm": {"uuid": NO_UUID}}, 404, "2621462"),
    ({**new(), "svm": {"name": "other"}}, 404, "2621462"),
    ({**new(), "svm": {"name": "svm1", "uuid": NO_UUID}}, 400, "2621706"),
    (new("iqn."), 400, "5373969"), (new("iqn-1995-08.com"), 400, "5373970"),
    (new("iqn.1995-8.com"), 400, "5373971"), (new("iqn.1995-08.com:A"), 400, "5373972"),
    (new("eui.123"), 400, "5373977"), (new("eui-0123456789abcdef"), 400, "5373978"),
    (new("naa.5200"), 400, "5373997"), (new(17), 400, "262185"), (new(None), 400, "262278"),
    (new(kind="chap", chap={}), 400, "5374149"),
    (new(kind="chap", chap={"inbound": {"user": "u"}}), 400, "5374149"),
    (new(kind="chap", chap={"inbound": {"password": IN}}), 400, "5374149"),
    (new(kind="chap", chap=chap(password="0x123")), 400, "5374145"),
    (new(kind="chap", chap=chap(password="0xzz")), 400, "5374145"),
    (new(kind="chap", chap=chap(password="x" * 513)), 400, "262185"),
    (new(kind="chap", chap=chap(user="x" * 129)), 400, "262185"),
    (new(kind="chap", chap=chap(outbound={"user": "u", "password": IN})), 400, "5374147"),
    (new(kind="chap", chap=chap(outbound={"user": "u"})), 400, "5374150"),
    (new(kind="none", chap=chap()), 400, "5374900"),
    (new(kind="deny", chap=chap()), 400, "5374900"),
    (new(kind="maybe"), 400, "262197"), (new(kind=None), 400, "262278"),
    (new(initiator_address=ranges(("10.0.0.2", "10.0.0.1"))), 400, "5374855"),
    (new(initiator_address=ranges(("10.0.0.2", "::1"))), 400, "5374856"),
    (new(initiator_address=ranges(("10.0.0.2", "x"))), 400, "262197"),
    (new(initiator_address={"ranges": [{}]}), 400, "262278"),
    (new(initiator_address={"ranges": 7}), 400, "262185"),
    (new(initiator_address={"masks": [{"address": "10.0.0.0", "netmask": "33"}]}), 400, "262197"),
    (new(initiator_address={"masks": [{"address": "10.0.0.0", "netmask": "255.0.255.0"}]}),
     400, "262197"),
    (new(initiator_address="x"), 400, "262197"),
    ({"records": []}, 400, "262185"), ({"records": [7]}, 400, "262185"),
]


def test_bad_bodies_get_their_code_and_change_nothing(api):
    for body, status, code in BAD_POSTS:
        assert api.error("POST", CREDENTIALS, body) == (status, code), body
    assert api("GET", CREDENTIALS)[1]["num_records"] == 1


def test_bad_changes_get_their_code_and_change_nothing(api):
    made(api, new(kind="none"))
    was = api.row()
    for path, body, status, code in [
            (api.path(), {"svm": {"name": "other"}}, 404, "2621462"),
            (api.path(), {"initiator": IQN}, 400, "262196"),
            (api.path(), {"chap": chap()}, 400, "5374900"),
            (api.path(), {"authentication_type": "chap"}, 400, "5374149"),
            (api.path() + "?bogus=1", {}, 400, "262179"),
            (api.path() + "?add_initiator_addresses=maybe", {}, 400, "262197"),
            (api.path() + "?add_initiator_addresses=true&remove_initiator_addresses=true", {},
             400, "262186"),
            (api.path(IQN), {"authentication_type": "deny"}, 404, "5374895"),
            (api.path("x" * 900), {}, 404, "5374895"),
            (f"{CREDENTIALS}/{NO_UUID}/{HOST}", {}, 404, "2621462"),
            (f"{CREDENTIALS}/1/{HOST}", {}, 404, "2")]:
        assert api.error("PATCH", path, body) == (status, code), (path, body)
    assert api.error("DELETE", api.path(IQN)) == (404, "5374895")
    assert api.row() == was


def test_a_secret_serves_one_direction_only(api):
    made(api, new(chap=chap(outbound={"user": "u", "password": OUT})))
    assert api.error("POST", CREDENTIALS, new(IQN, chap=chap(password=OUT))) == (400, "5374147")


def test_weak_passwords_are_taken_with_a_warning_unless_strict(start, server, api):
    made(api, new(chap=chap(password="password1")))
    assert lines(server, f'warning: svm1: a secret of initiator "{HOST}" is shorter than 12 bytes')
    assert no_secret(server, "password1", *ADMIN[1:])
    strict = Api(start(conf(target(), more=MANAGEMENT + " chap = { strict = true; };")))
    assert strict.error("POST", CREDENTIALS, new(chap=chap(password="password1"))) == (400, "2")


ODD = [None, True, 0, -1, 1e300, "", "x", "default", "chap", "0x", "0x3", "\u00e9" * 300, [], {},
       [[]], [{}], {"user": 7}, {"start": "::"}, {"address": "1.2.3.4", "netmask": "x"}, "x" * 5000]


def spoiled(rng, value):
    """The body with one part of it, at any depth, made into something odd, or gone."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        name = rng.choice(list(value))
        if rng.random() < 0.1:
            return {k: v for k, v in value.items() if k != name}
        return {**value, name: spoiled(rng, value[name])}
    if isinstance(value, list) and value and rng.random() < 0.6:
        return [spoiled(rng, value[0])]
    return rng.choice(ODD)


def rows_of(api):
    """All that the API shows of rows, as one text."""
    return json.dumps(api("GET", CREDENTIALS + "?fields=**")[1], sort_keys=True)


def test_generated_bodies_get_an_answer_of_the_api_and_never_a_500(server, api):
    rng = random.Random(20261121)
    body = new(IQN, chap=chap(outbound={"user": "u", "password": OUT}), initiator_address={
        **ranges(("10.0.0.1", "10.0.0.2")), "masks": [{"address": "10.0.0.0", "netmask": "8"}]})
    made(api, new(kind="none"))
    path = api.path()
    was = rows_of(api)
    for _ in range(5000):
        bad = spoiled(rng, body)
        for method, where, what in [
                ("POST", CREDENTIALS, bad),
                ("PATCH", path, {k: v for k, v in bad.items() if k not in ("svm", "initiator")}
                 if isinstance(bad, dict) else bad)]:
            status, answer = api(method, where, what)
            assert status in (200, 201, 400, 404, 409), (method, what, answer)
            assert status < 400 or answer["error"]["code"].isdigit()
            now = rows_of(api)
            assert status < 400 or now == was, (method, what)
            was = now
    assert no_secret(server, IN, OUT)


def query(rng):
    """Some arguments, known and unknown, with values that may be of them."""
    names = ["svm.name", "svm.uuid", "initiator", "authentication_type", "chap.inbound.user",
             "initiator_address.ranges.start", "fields", "order_by", "max_records", "start",
             "return_records", "add_initiator_addresses", "remove_initiator_addresses", "bogus"]
    values = ["*", "!deny", "null", "!null", "none|chap", "<z", ">=a", "a..z", "..", "|", "!", "",
              '"x"', "true", "1", "svm1", "initiator desc", "%00", "a" * 2000, PREFIX + "n1*"]
    return "&".join(f"{rng.choice(names)}={quote(rng.choice(values))}"
                    for _ in range(rng.randrange(4)))


def test_generated_queries_get_an_answer_of_the_api_and_never_a_500(api):
    rng = random.Random(20261122)
    body = {"authentication_type": "chap", "chap": chap(), "initiator_address": ranges(
        ("10.0.0.1", "10.0.0.2"))}
    for n in range(800):
        if n % 40 == 0:     # what has been deleted comes back
            for i in range(10):
                api("POST", CREDENTIALS, new(f"{PREFIX}n{i}", rng.choice(["none", "deny", "chap"])))
        method = rng.choice(["GET", "PATCH", "DELETE"])
        what = spoiled(rng, body) if method == "PATCH" else None
        path = f"{CREDENTIALS}?{query(rng)}"
        status, answer = api(method, path, what)
        assert status in (200, 400, 404), (method, path, what, answer)
        assert status < 400 or answer["error"]["code"].isdigit()
    assert api.row("default")["initiator"] == "default"


# --- login --------------------------------------------------------------------------------------


def status_of_login(server, **kwargs):
    """0 if it works."""
    try:
        login(server.port, DISK, initiator=HOST, **kwargs).logout()
    except Refused as refused:
        return refused.status
    return 0


def test_types_hold_at_login(server, api):
    assert status_of_login(server) == 0
    made(api, new(kind="deny"))
    assert status_of_login(server) == FORBIDDEN
    patched(api, {"authentication_type": "chap", "chap": chap(password="0x" + IN.encode().hex())})
    assert status_of_login(server, user="user1", secret=IN) == 0
    assert status_of_login(server, user="user1", secret=OUT) == AUTH_FAILED
    patched(api, {"authentication_type": "none"})
    assert status_of_login(server) == 0
    patched(api, {"authentication_type": "deny"}, "default")
    assert status_of_login(server) == 0
    assert api("DELETE", api.path())[0] == 200
    assert status_of_login(server) == FORBIDDEN


@pytest.mark.parametrize("addresses, lets_in", [
    (ranges(("127.0.0.1", "127.0.0.9")), True),
    (ranges(("127.0.0.2", "127.0.0.9")), False),
    ({"masks": [{"address": "127.0.0.0", "netmask": 8}]}, True),
    ({"masks": [{"address": "10.0.0.0", "netmask": "255.0.0.0"}]}, False)])
def test_addresses_hold_at_login(server, api, addresses, lets_in):
    made(api, new(kind="none", initiator_address=addresses))
    assert status_of_login(server) == (0 if lets_in else FORBIDDEN)


@pytest.mark.parametrize("addresses, lets_in", [
    (ranges(("::1", "::f")), True), (ranges(("2001:db8::1", "2001:db8::9")), False),
    ({"masks": [{"address": "::"}]}, True), ({"masks": [{"address": "::1", "netmask": 128}]}, True),
    ({"masks": [{"address": "2001:db8::", "netmask": "32"}]}, False),
    ({"masks": [{"address": "0.0.0.0", "netmask": 0}]}, False)])
def test_addresses_of_ipv6_hold_at_login(start, addresses, lets_in):
    needs_ipv6()
    server = start(conf(target(), portals='{ address = "::1"; port = $port; }', more=MANAGEMENT))
    made(Api(server), new(kind="none", initiator_address=addresses))
    assert status_of_login(server, address="::1") == (0 if lets_in else FORBIDDEN)


def test_who_is_denied_is_put_out(server, api):
    session = login(server.port, DISK, initiator=HOST)
    made(api, new(kind="deny"))
    wait_until(lambda: session.wire.is_closed(0), why="the session to be closed")


# --- curl ---------------------------------------------------------------------------------------


def test_the_curl_example_works(server, api, run):
    run("sh", EXAMPLES / "curl/ontap-credentials.sh", env={
        "PATH": "/usr/bin:/bin", "SERVER": f"127.0.0.1:{server.ports['tlsport']}",
        "LOGIN": ":".join(ADMIN), "INITIATOR": HOST})
    assert api.row()["authentication_type"] == "deny"


# --- Ansible ------------------------------------------------------------------------------------


@pytest.fixture
def play(server, run, tmp_path):
    """play(**variables): runs the example playbook; how many tasks changed something."""
    def call(example="ontap-credential.yml", **variables):
        who = {"ontap_host": "127.0.0.1", "ontap_port": server.ports["tlsport"],
               "ontap_user": ADMIN[0], "ontap_password": ADMIN[1], "initiator": HOST,
               "ansible_python_interpreter": "/usr/bin/python3", **variables}
        done = run("ansible-playbook", "-i", "localhost,", "-e", json.dumps(who),
                   EXAMPLES / "ansible" / example,
                   env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"})
        return int(re.search(r"changed=(\d+)", done.stdout)[1])
    return call


def test_ansible_keeps_a_credential(server, api, play):
    mutual = {"auth_type": "chap", "inbound_username": "user1", "inbound_password": IN,
              "outbound_username": "user2", "outbound_password": OUT,
              "address_ranges": ["127.0.0.0-127.0.0.10", "10.125.193.78"]}
    assert play(**mutual) == 1
    assert play(**mutual) == 0
    assert status_of_login(server, user="user1", secret=IN, target_user="user2",
                           target_secret=OUT) == 0
    changed = {**mutual, "outbound_username": "user3", "outbound_password": "333333333333"}
    assert play(**changed) == 1
    assert api.row()["chap"]["outbound"]["user"] == "user3"
    assert play(**{**changed, "address_ranges": ["10.125.10.20-10.125.10.30"]}) == 1
    assert status_of_login(server, user="user1", secret=IN) == FORBIDDEN
    assert play(auth_type="deny") == 1
    assert api.row()["authentication_type"] == "deny"
    assert play(state="absent") == 1
    assert play(state="absent") == 0
    assert api.error("GET", api.path()) == (404, "4")


@pytest.fixture
def gather(server, run, tmp_path):
    """What Ansible gathers of these collections."""
    def gather(*collections, **more):
        args = {"hostname": "127.0.0.1", "http_port": server.ports["tlsport"],
                "username": READER[0], "password": READER[1], "validate_certs": False,
                "use_rest": "always", "fields": ["*"], "gather_subset": collections, **more}
        done = run("ansible", "localhost", "-m", "netapp.ontap.na_ontap_rest_info",
                   "-a", json.dumps(args), "-e", "ansible_python_interpreter=/usr/bin/python3",
                   env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"})
        return json.loads(done.stdout[done.stdout.index("{"):])["ontap_info"]
    return gather


@pytest.mark.parametrize("more", [{}, {"parameters": {"order_by": "initiator desc"}}])
def test_ansible_gathers_page_after_page(api, gather, more):
    names = [f"{PREFIX}page{n}" for n in range(3)]
    for name in names:
        made(api, new(name, "none"))
    told = gather("protocols/san/iscsi/credentials", max_records=1, **more)
    records = told["protocols/san/iscsi/credentials"]["records"]
    assert sorted(r["initiator"] for r in records) == ["default", *names]


def test_ansible_gathers_what_there_is(gather):
    told = gather("cluster", "svm/svms", "protocols/san/iscsi/services",
                  "protocols/san/iscsi/credentials")
    assert told["cluster"]["version"]["generation"] == 9
    assert told["svm/svms"]["records"][0]["name"] == "svm1"
    assert told["protocols/san/iscsi/services"]["records"][0]["target"]["name"] == DISK
    assert told["protocols/san/iscsi/credentials"]["records"][0]["initiator"] == "default"


def test_ansible_sets_the_default(server, api, play):
    assert play(initiator="default", auth_type="chap", inbound_username="dflt",
                inbound_password="555555555555") == 1
    assert status_of_login(server, user="dflt", secret="555555555555") == 0
    assert status_of_login(server) == AUTH_FAILED
