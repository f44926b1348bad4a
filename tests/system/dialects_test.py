# SPDX-License-Identifier: BSD-2-Clause
"""One table of credentials, three dialects: which row holds at login when the Storage Gateway API and
the ONTAP API have both written some, and what each shows of the other's."""
import contextlib
import http.client
import itertools
import json
import ssl

import pytest
from botocore.exceptions import ClientError

from aws_test import READER, client, code, management, refused, rows, target_arn, update
from credentials_test import Api as Native
from initiator import Refused, login
from ontap_test import ADMIN, CREDENTIALS, Api, chap, made, new, patched
from support import DISK, HOST, PREFIX, conf, lines, no_secret, target

OTHER = PREFIX + "other"
FORBIDDEN, AUTH_FAILED = 0x0202, 0x0201
# What proves an initiator: by the row of the target, of the SVM, or by the default.
PROOF = {"target": {"secret": "target-secret1"}, "svm": {"user": "one", "secret": "svm---secret-2"},
         "default": {"user": "all", "secret": "all---secret-3"}, None: {}}
HERE, ELSEWHERE = ("127.0.0.0", "127.255.255.255"), ("192.0.2.1", "192.0.2.1")   # ranges


@pytest.fixture
def server(start):
    return start(conf(target(), more=management(
        more=f'ontap = {{ users = ( {{ name = "{ADMIN[0]}"; password = "{ADMIN[1]}"; }} ); }};'
    ).replace("$api_port", "$httpport").replace("$tls_port", "$tlsport")))


@pytest.fixture
def sg(server):
    server.ports["api_port"] = server.ports["httpport"]
    return client(server)


@pytest.fixture
def api(server):
    return Api(server)


@pytest.fixture
def sources():
    """Addresses of this host, each of which has failed nothing yet: one that has waits for its answer."""
    return (f"127.0.{n // 250}.{n % 250 + 2}" for n in itertools.count())


def status_with(server, source, proof):
    """0 if an attempt to log in with this succeeds."""
    try:
        login(server.port, DISK, source=source, initiator=HOST, **PROOF[proof]).wire.close()
    except Refused as refused:
        return refused.status
    return 0


# --- which row holds ------------------------------------------------------------------------------

SVM_ROWS = [None, "deny", "none", "chap", ("none", HERE), ("none", ELSEWHERE), ("chap", ELSEWHERE)]
DEFAULTS = ["none", "chap", "deny"]


def expected(svm_row, target_row, closed, default):
    """The proof that lets in (None: none is asked for), or the status of a refusal: the seven rules,
    in their order."""
    kind, address = svm_row if isinstance(svm_row, tuple) else (svm_row, HERE)
    if kind == "deny" or address != HERE:
        return FORBIDDEN
    if target_row:
        return "target"
    if kind == "chap":
        return "svm"
    if closed:
        return AUTH_FAILED
    if kind == "none":
        return None
    return {"none": None, "chap": "default", "deny": FORBIDDEN}[default]


def write(api, initiator, row):
    """Has the SVM this row for an initiator, whatever it had before."""
    if initiator != "default":
        api("DELETE", api.path(initiator))
    kind, address = row if isinstance(row, tuple) else (row, None)
    body = {"authentication_type": kind}
    if kind == "chap":
        proof = PROOF["default" if initiator == "default" else "svm"]
        body["chap"] = chap(proof["user"], proof["secret"])
    if address:
        body["initiator_address"] = {"ranges": [dict(zip(("start", "end"), address))]}
    if initiator == "default":
        patched(api, body, "default")
    elif kind:
        made(api, {**new(initiator, "none"), **body})


def write_target_row(sg, initiator, wanted):
    if wanted:
        update(sg, initiator, PROOF["target"]["secret"])
    elif any(r["InitiatorName"] == initiator and "SecretToAuthenticateInitiator" in r
             for r in rows(sg)):
        sg.delete_chap_credentials(TargetARN=target_arn(), InitiatorName=initiator)


def test_the_row_that_holds_is_the_one_that_the_rules_name(server, sg, api, sources):
    writers = (lambda row: write(api, HOST, row), lambda kind: write(api, "default", kind),
               lambda wanted: write_target_row(sg, HOST, wanted),
               lambda wanted: write_target_row(sg, OTHER, wanted))
    was = (None,) * 4
    for case in itertools.product(SVM_ROWS, DEFAULTS, (False, True), (False, True)):
        for writer, old, wanted in zip(writers, was, case):
            if old != wanted:
                writer(wanted)
        was = case
        svm_row, default, target_row, closed = case
        want = expected(svm_row, target_row, target_row or closed, default)
        if isinstance(want, int):
            assert status_with(server, next(sources), None) == want, case
        else:
            assert status_with(server, next(sources), want) == 0, case
        if isinstance(want, str):
            wrong = "svm" if want == "target" else "target"
            assert status_with(server, next(sources), wrong) == AUTH_FAILED, case


# --- what each shows ------------------------------------------------------------------------------


def test_rows_of_the_storage_gateway_are_none_of_ontaps(sg, api):
    update(sg)
    assert api("GET", CREDENTIALS)[1]["num_records"] == 1     # that of "default"
    assert api.error("GET", api.path()) == (404, "4")
    assert api.error("PATCH", api.path(), {"authentication_type": "deny"}) == (404, "5374895")
    assert api.error("DELETE", api.path()) == (404, "5374895")
    made(api, new())
    assert api.row()["chap"] == {"inbound": {"user": "user1"}}


def test_rows_of_ontap_are_shown_without_secrets_until_the_target_has_its_own(sg, api):
    made(api, new())
    made(api, new(OTHER, "deny"))
    patched(api, {"authentication_type": "chap", "chap": chap("all", "all---secret-3")}, "default")
    assert rows(sg) == [{"TargetARN": target_arn(), "InitiatorName": HOST}]
    assert code(sg.delete_chap_credentials, TargetARN=target_arn(), InitiatorName=HOST) == \
        "InitiatorNotFound"
    update(sg, secret="target-secret1")
    assert rows(sg) == [{"TargetARN": target_arn(), "InitiatorName": HOST,
                         "SecretToAuthenticateInitiator": "target-secret1"}]
    sg.delete_chap_credentials(TargetARN=target_arn(), InitiatorName=HOST)
    assert rows(sg) == [{"TargetARN": target_arn(), "InitiatorName": HOST}]
    assert api.row()["chap"] == {"inbound": {"user": "user1"}}


def test_a_secret_of_one_dialect_never_serves_the_other_direction_in_another(sg, api):
    update(sg, secret="target-secret1", back="target-secret9")
    assert api.error("POST", CREDENTIALS, new(chap=chap(password="target-secret9"))) == (
        400, "5374147")
    made(api, new(chap=chap(outbound={"user": "u", "password": "svm---secret-9"})))
    assert code(sg.update_chap_credentials, TargetARN=target_arn(), InitiatorName=OTHER,
                SecretToAuthenticateInitiator="svm---secret-9") == "InvalidParameters"


# --- what is refused ------------------------------------------------------------------------------


def test_a_change_that_is_refused_is_a_line_of_the_log_in_any_dialect(server, sg, api):
    native = Native(server)
    weak = "tooshort"
    pair = {"TargetARN": target_arn(), "InitiatorName": HOST, "SecretToAuthenticateInitiator": weak}
    assert native.call("PUT", f"/v1/targets/{DISK}/credentials/{HOST}", {"secret": weak})[0] == 400
    assert native.call("DELETE", f"/v1/targets/x%0Ay/credentials/{HOST}")[0] == 404
    assert native.call("GET", f"/v1/targets/x/credentials/{HOST}")[0] == 404
    assert api.error("POST", CREDENTIALS, new(chap={})) == (400, "5374149")
    assert api.error("GET", api.path()) == (404, "4")
    assert code(sg.update_chap_credentials, **pair) == "InvalidParameters"
    assert refused(client(server, key=READER).update_chap_credentials, **pair)[0] == \
        "AccessDeniedException"
    said = [line.split("management: refused: ")[1] for line in lines(server, "management: refused")]
    assert [s.split(": ")[0] for s in said] == [
        "PUT /v1/targets/{name}/credentials/{initiator}",
        "DELETE /v1/targets/{name}/credentials/{initiator}",
        f"POST {CREDENTIALS}", "UpdateChapCredentials", "UpdateChapCredentials"]
    assert r' for x\ny"' in said[1] and "ontap:admin from 127.0.0.1" in said[2]
    assert no_secret(server, weak)


# --- what is refused before a dialect is known ------------------------------------------------------

def understood(answer, status, aws_type):
    """Whether the answer to a request that is none says so to the clients of all three APIs."""
    assert answer.status == status
    assert answer.getheader("Content-Type") == "application/json"
    body = json.loads(answer.read())
    assert body["__type"] == aws_type
    assert body["message"] == body["error"]["message"] and body["error"]["code"]


def connection(server, tls=False):
    port = server.ports["tlsport" if tls else "httpport"]
    return contextlib.closing(
        http.client.HTTPSConnection("127.0.0.1", port, context=ssl._create_unverified_context())
        if tls else http.client.HTTPConnection("127.0.0.1", port))


@pytest.mark.parametrize("tls", [False, True])
def test_a_body_that_is_too_large_is_refused_in_words(server, tls):
    with connection(server, tls) as c:
        c.request("POST", CREDENTIALS, b"x" * (5 << 20))
        understood(c.getresponse(), 413, "RequestEntityTooLargeException")


@pytest.mark.parametrize("path", ["/api/", "/api///cluster", CREDENTIALS + "/", "/api/%zz", "/api/x"])
def test_a_path_that_is_none_is_refused_in_the_words_of_what_it_begins_with(api, path):
    assert api.error("GET", path) == (404, "3")


def test_boto3_is_told_that_its_request_is_too_large(sg):
    with pytest.raises(ClientError, match="RequestEntityTooLargeException.* 1 MiB of body"):
        sg.add_tags_to_resource(ResourceARN=target_arn(),
                                Tags=[{"Key": "a", "Value": "x" * (2 << 20)}])


def test_a_request_that_is_none_is_refused_in_words(server):
    too_large, malformed = "RequestEntityTooLargeException", "MalformedHttpRequestException"
    for head, status in (("GET / HTTP/1.1\r\nno colon\r\n", 400), ("BREW / HTTP/1.1\r\n", 501),
                         ("POST / HTTP/1.1\r\nContent-Length: -5\r\n", 400),
                         ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n500000", 413),
                         ("GET / HTTP/1.1\r\nA: " + "x" * 20000 + "\r\n", 400),
                         ("POST / HTTP/1.1\r\nContent-Length: 5\r\nExpect: a miracle\r\n", 417)):
        with connection(server) as c:
            c.connect()
            c.sock.sendall(head.encode() + b"\r\n")
            answer = http.client.HTTPResponse(c.sock)
            answer.begin()
            understood(answer, status, too_large if status == 413 else malformed)
    said = lines(server, r"notice: management: refused: 127\.0\.0\.1:\d+: ")
    assert len(said) == 6 and "at most 1 MiB of body" in said[3]
