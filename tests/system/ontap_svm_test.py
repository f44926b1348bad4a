# SPDX-License-Identifier: BSD-2-Clause
"""Several SVMs in the ONTAP REST API: whose rows hold where, and accounts that see one of them."""
import json
import re

import pytest

from initiator import Refused, login
from ontap_test import (ADMIN, AUTH_FAILED, CREDENTIALS, EXAMPLES, FORBIDDEN, IN,
                        Api, chap, made, new)
from support import DISK, HOST, PREFIX, conf, target, wait_until

BLUE = PREFIX + "blue"
PAINTER = ("painter", "blue-is-a-colour")
MANAGEMENT = '''management = {
  http = ( { address = "127.0.0.1"; port = $httpport; },
           { address = "127.0.0.1"; port = $tlsport; tls = true; } );
  ontap = { users = ( { name = "%s"; password = "%s"; },
                      { name = "%s"; password = "%s"; svm = "blue"; } ); };
};''' % (*ADMIN, *PAINTER)


def in_svm(name, svm):
    """A target of another SVM."""
    return target(name, more=f'svm = "{svm}";')


@pytest.fixture
def server(start):
    return start(conf(target(), in_svm(BLUE, "blue"), more=MANAGEMENT))


@pytest.fixture
def api(server):
    return Api(server)


@pytest.fixture
def painter(server):
    return Api(server, PAINTER)


def uuids(api):
    return {r["name"]: r["uuid"] for r in api("GET", "/api/svm/svms")[1]["records"]}


def of(svm, initiator=HOST, **more):
    return {**new(initiator, "none", **more), "svm": {"name": svm}}


def shown(api, query=""):
    records = api("GET", CREDENTIALS + query)[1]["records"]
    return [(r["svm"]["name"], r["initiator"]) for r in records]


def login_status(server, name, **kwargs):
    try:
        login(server.port, name, initiator=HOST, **kwargs).logout()
    except Refused as refused:
        return refused.status
    return 0


def test_each_svm_has_an_identity_that_stays(server, api):
    was = uuids(api)
    assert sorted(was) == ["blue", "svm1"] and len(set(was.values())) == 2
    server.kill()
    server.start()
    assert uuids(api) == was
    one = api("GET", f"/api/svm/svms/{was['blue']}", Accept="application/json")[1]
    assert one == {"uuid": was["blue"], "name": "blue"}


def test_each_svm_tells_its_own_target(api):
    records = api("GET", "/api/protocols/san/iscsi/services?fields=target.name")[1]["records"]
    assert {r["svm"]["name"]: r["target"]["name"] for r in records} == {"svm1": DISK, "blue": BLUE}


def test_a_row_holds_for_the_targets_of_its_svm_alone(server, api):
    made(api, {**of("blue"), "authentication_type": "deny"})
    assert login_status(server, BLUE) == FORBIDDEN
    assert login_status(server, DISK) == 0
    assert api("PATCH", f"{CREDENTIALS}/{uuids(api)['svm1']}/default", {
        "authentication_type": "chap", "chap": chap()})[0] == 200
    assert login_status(server, DISK) == AUTH_FAILED
    assert login_status(server, DISK, user="user1", secret=IN) == 0
    assert login_status(server, BLUE) == FORBIDDEN


def test_a_denial_puts_out_the_sessions_of_its_svm_alone(server, api):
    with login(server.port, DISK, initiator=HOST) as stays:
        goes = login(server.port, BLUE, initiator=HOST)
        made(api, {**of("blue"), "authentication_type": "deny"})
        wait_until(lambda: goes.wire.is_closed(0), why="the session to be closed")
        stays.ready()


def test_one_initiator_may_have_a_row_in_each(api):
    for svm in ("svm1", "blue"):
        made(api, of(svm))
    assert api.error("POST", CREDENTIALS, of("blue")) == (409, "5374142")
    assert shown(api) == [("blue", "default"), ("svm1", "default"), ("blue", HOST), ("svm1", HOST)]
    assert shown(api, f"?initiator={HOST}") == [("blue", HOST), ("svm1", HOST)]
    assert shown(api, f"?initiator={HOST}&svm.name=svm1") == [("svm1", HOST)]
    path = f"{CREDENTIALS}/{uuids(api)['svm1']}/{HOST}"
    assert api("DELETE", path)[0] == 200
    assert shown(api, f"?initiator={HOST}") == [("blue", HOST)]
    assert api.error("DELETE", path) == (404, "5374895")


def test_rows_of_several_svms_are_made_whole_or_not_at_all(api):
    assert api.error("POST", CREDENTIALS, {"records": [of("svm1"), of("green")]}) == (
        404, "2621462")
    status, body = api("POST", CREDENTIALS + "?return_records=true",
                       {"records": [of("svm1"), of("blue")]})
    assert (status, [r["svm"]["name"] for r in body["records"]]) == (201, ["svm1", "blue"])


def test_the_location_names_the_svm_of_the_row(api):
    uuid = uuids(api)["blue"]
    made(api, of("blue"))
    place = api.headers["Location"]
    assert f"/{uuid}/" in place
    assert api("GET", place)[1]["svm"]["name"] == "blue"


def test_a_row_does_not_go_to_another_svm(api):
    ours, theirs = (uuids(api)[n] for n in ("blue", "svm1"))
    assert api.error("PATCH", f"{CREDENTIALS}/{ours}/default", {"svm": {"uuid": theirs}}) == (
        400, "262196")


def test_a_uuid_and_the_name_of_another_are_refused(api):
    body = {**of("blue"), "svm": {"name": "blue", "uuid": uuids(api)["svm1"]}}
    assert api.error("POST", CREDENTIALS, body) == (400, "2621706")
    body["svm"]["uuid"] = uuids(api)["blue"]
    made(api, body)


def test_pages_go_on_between_rows_of_one_initiator(api):
    made(api, {"records": [of(svm, f"{PREFIX}h{i}") for i in range(5) for svm in ("svm1", "blue")]})
    whole, seen, path = shown(api), [], f"{CREDENTIALS}?max_records=3"
    assert len(whole) == 12
    while path:
        body = api("GET", path)[1]
        assert len(body["records"]) <= 3
        seen += [(r["svm"]["name"], r["initiator"]) for r in body["records"]]
        path = body["_links"].get("next", {}).get("href")
    assert seen == whole


def test_a_header_narrows_a_call_to_its_svm(api):
    assert shown_with(api, X_Dot_SVM_Name="blue") == [("blue", "default")]
    assert shown_with(api, X_Dot_SVM_UUID=uuids(api)["svm1"]) == [("svm1", "default")]
    status, _ = api("POST", CREDENTIALS, {"initiator": HOST, "authentication_type": "none"},
                    X_Dot_SVM_Name="blue")
    assert status == 201 and ("blue", HOST) in shown(api)


def shown_with(api, **head):
    return [(r["svm"]["name"], r["initiator"])
            for r in api("GET", CREDENTIALS, **head)[1]["records"]]


# --- accounts of one SVM --------------------------------------------------------------------------


def test_an_account_of_one_svm_sees_that_alone(api, painter):
    there = uuids(api)
    assert uuids(painter) == {"blue": there["blue"]}
    assert shown(painter) == [("blue", "default")]
    assert painter("GET", "/api/cluster?fields=version")[0] == 200
    assert painter.error("GET", f"/api/svm/svms/{there['svm1']}") == (404, "4")
    assert painter.error("GET", f"{CREDENTIALS}/{there['svm1']}/default") == (404, "4")
    assert painter("GET", "/api/svm/svms", X_Dot_SVM_Name="svm1")[1]["records"] == []


def test_an_account_of_one_svm_changes_that_alone(server, api, painter):
    there = uuids(api)
    other = f"{CREDENTIALS}/{there['svm1']}/default"
    assert painter.error("PATCH", other, {"authentication_type": "deny"}) == (404, "2621462")
    assert painter.error("DELETE", f"{CREDENTIALS}/{there['svm1']}/{HOST}") == (404, "2621462")
    assert painter.error("POST", CREDENTIALS, of("svm1")) == (404, "2621462")
    assert painter.error("POST", CREDENTIALS, {
        **of("svm1"), "svm": {"uuid": there["svm1"]}}) == (404, "2621462")
    # What it does not say can only mean its own.
    assert painter("POST", CREDENTIALS, {"initiator": HOST, "authentication_type": "deny"})[0] == 201
    assert login_status(server, BLUE) == FORBIDDEN and login_status(server, DISK) == 0
    assert shown(api, f"?initiator={HOST}") == [("blue", HOST)]


def test_a_user_of_an_svm_that_is_none_is_a_fault(server, ctl):
    server.write_conf(conf(target(), more=MANAGEMENT))
    done = ctl(server, "reload", status=1)
    assert 'svm: no target is in an SVM of the name "blue"' in done.stderr + done.stdout


# --- reload ---------------------------------------------------------------------------------------


def test_a_target_that_moves_to_another_svm_drops_its_sessions(server, api, ctl):
    made(api, {**of("blue"), "authentication_type": "deny"})
    session = login(server.port, DISK, initiator=HOST)
    with login(server.port, BLUE, initiator=HOST + "2") as other:
        server.write_conf(conf(in_svm(DISK, "blue"), in_svm(BLUE, "blue"), more=MANAGEMENT))
        ctl(server, "reload")
        assert session.wire.is_closed(2)
        other.ready()
    assert login_status(server, DISK) == FORBIDDEN


def test_rows_of_an_svm_stay_when_it_has_no_target_for_a_while(server, api, ctl):
    made(api, of("blue"))
    quiet = MANAGEMENT.replace('svm = "blue";', "")
    server.write_conf(conf(target(), more=quiet))
    ctl(server, "reload")
    assert list(uuids(api)) == ["svm1"] and shown(api) == [("svm1", "default")]
    server.write_conf(conf(target(), in_svm(BLUE, "blue"), more=quiet))
    ctl(server, "reload")
    assert ("blue", HOST) in shown(api)


# --- Ansible --------------------------------------------------------------------------------------


def test_ansible_keeps_one_initiator_in_two_svms_by_two_accounts(server, api, run, tmp_path):
    def play(who, svm, kind):
        variables = {"ontap_host": "127.0.0.1", "ontap_port": server.ports["tlsport"],
                     "ontap_user": who[0], "ontap_password": who[1], "initiator": HOST,
                     "svm": svm, "auth_type": kind,
                     "ansible_python_interpreter": "/usr/bin/python3"}
        done = run("ansible-playbook", "-i", "localhost,", "-e", json.dumps(variables),
                   EXAMPLES / "ansible/ontap-credential.yml",
                   env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"})
        return int(re.search(r"changed=(\d+)", done.stdout)[1])

    assert play(PAINTER, "blue", "deny") == 1
    assert play(PAINTER, "blue", "deny") == 0
    assert (login_status(server, BLUE), login_status(server, DISK)) == (FORBIDDEN, 0)
