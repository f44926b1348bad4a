# SPDX-License-Identifier: BSD-2-Clause
"""Every error code that the documentation of ONTAP's iSCSI credentials has, each with its status, its
sentence and the part of the request that it is about."""
import pytest

from ontap_test import CREDENTIALS, IN, MANAGEMENT, NO_UUID, OUT, Api, chap, made, new, ranges
from support import HOST, PREFIX, conf, target

OTHER = PREFIX + "other"
NO_SVM = "An SVM with the specified UUID does not exist."
NOT_THE_SAME = ("Both the SVM UUID and SVM name were supplied, but they do not refer to the same "
                "SVM.")
NO_ROW = "The iSCSI security credential does not exist on the specified SVM."
HEX = "The iSCSI security password must contain an even number of valid hex digits."
DIFFERENT = "The CHAP inbound and outbound passwords must be different"
INBOUND = "The inbound user and password properties are required for CHAP authentication."
OUTBOUND = "Outbound CHAP authentication requires an outbound password."
NOT_DEFAULT = "The functionality is not supported for the default security credential."
NO_CHAP = ("Setting the CHAP authentication properties are not supported with authentication types "
           "none or deny.")
RANGES = "initiator_address.ranges"
BACKWARDS = (f'The value for property "{RANGES}.start" is greater than the value for property '
             f'"{RANGES}.end".')
MIXED = (f'The value for property "{RANGES}.start" does not belong to the same IP address family as '
         f'"{RANGES}.end".')
UNSPECIFIED = "No SVM was specified. Either `svm.name` or `svm.uuid` must be supplied."


def named(name):
    return new(name, "none")


def addresses(start, end):
    return {"initiator_address": ranges((start, end))}


def inbound(password):
    return {"chap": chap(password=password)}


# Method, whose row (None: the collection), body, status, code, beginning of the sentence, target.
# Rows: HOST proves itself in both directions, "open" need not.
OPEN = PREFIX + "open"
CASES = [
    # Which SVM.
    ("POST", None, {**new(OTHER), "svm": {"uuid": NO_UUID}}, 404, "2621462", NO_SVM, "svm.uuid"),
    ("POST", None, {**new(OTHER), "svm": {"name": "x"}}, 404, "2621462",
     'SVM "x" does not exist.', "svm.name"),
    ("PATCH", HOST, {"svm": {"uuid": NO_UUID}}, 404, "2621462", NO_SVM, "svm.uuid"),
    ("POST", None, {**new(OTHER), "svm": {"uuid": NO_UUID, "name": "svm1"}}, 400, "2621706",
     NOT_THE_SAME, "svm"),
    ("PATCH", HOST, {"svm": {"uuid": NO_UUID, "name": "svm1"}}, 400, "2621706", NOT_THE_SAME, "svm"),
    ("POST", None, {**new(OTHER), "svm": {}}, 400, "2621707", UNSPECIFIED, "svm"),
    # The initiator's name.
    ("POST", None, named("iqn."), 400, "5373969", "A non-empty qualifier is required", "initiator"),
    ("POST", None, named("iqn.1995-08.com.example:"), 400, "5373969",
     "A non-empty qualifier is required", "initiator"),
    ("POST", None, named("iqm"), 400, "5373997", "The initiator name is invalid", "initiator"),
    ("POST", None, named("iqnx.1995-08.com"), 400, "5373970",
     'The IQN prefix is invalid; it must be "iqn".', "initiator"),
    ("POST", None, named("iqn.1995-13.com.example:x"), 400, "5373971",
     'The date field is invalid; it must be "yyyy-mm".', "initiator"),
    ("POST", None, named("iqn.1995-08.com.example:a_b"), 400, "5373972",
     "The naming authority and the string may contain only a-z, 0-9", "initiator"),
    ("POST", None, named("eui.0123456789abcde"), 400, "5373977",
     "The EUI-64 identifier must be exactly 16 hexadecimal digits.", "initiator"),
    ("POST", None, named("eui:0123456789abcdef"), 400, "5373978",
     "The EUI formatted initiator name is invalid.", "initiator"),
    ("POST", None, named("naa.5000c50012345678"), 400, "5373997", "The initiator name is invalid",
     "initiator"),
    # Whether there is a row.
    ("POST", None, new(HOST), 409, "5374142",
     "An iSCSI security credential already exists for the specified initiator.", "initiator"),
    ("POST", None, new("default", "none"), 409, "5374142",
     "An iSCSI security credential already exists for the specified initiator.", "initiator"),
    ("PATCH", OTHER, {"authentication_type": "deny"}, 404, "5374895", NO_ROW, "initiator"),
    ("DELETE", OTHER, None, 404, "5374895", NO_ROW, "initiator"),
    ("DELETE", "default", None, 400, "5374148",
     "The default security credential cannot be deleted for an SVM.", None),
    # Passwords.
    ("POST", None, {**new(OTHER), **inbound("0x12345")}, 400, "5374145", HEX,
     "chap.inbound.password"),
    ("PATCH", HOST, inbound("0xno"), 400, "5374145", HEX, "chap.inbound.password"),
    ("PATCH", HOST, {"chap": {"outbound": {"password": "0X1"}}}, 400, "5374145", HEX,
     "chap.outbound.password"),
    ("POST", None, new(OTHER, chap=chap(outbound={"user": "u", "password": IN})), 400, "5374147",
     DIFFERENT, "chap.outbound.password"),
    ("PATCH", HOST, inbound(OUT), 400, "5374147", DIFFERENT, "chap.outbound.password"),
    ("PATCH", HOST, inbound("0x" + OUT.encode().hex()), 400, "5374147", DIFFERENT,
     "chap.outbound.password"),
    ("POST", None, {**new(OTHER), **inbound(OUT)}, 400, "5374147", DIFFERENT, None),
    ("POST", None, new(OTHER, chap={}), 400, "5374149", INBOUND, "chap.inbound"),
    ("PATCH", OPEN, {"authentication_type": "chap"}, 400, "5374149", INBOUND, "chap.inbound"),
    ("PATCH", HOST, {"chap": {"inbound": {"user": "another"}}}, 400, "5374149", INBOUND,
     "chap.inbound"),
    ("POST", None, new(OTHER, chap=chap(outbound={"user": "u"})), 400, "5374150", OUTBOUND,
     "chap.outbound.password"),
    ("POST", None, new(OTHER, "deny", chap=chap()), 400, "5374900", NO_CHAP, "chap"),
    ("PATCH", OPEN, {"chap": chap()}, 400, "5374900", NO_CHAP, "chap"),
    ("PATCH", HOST, {"authentication_type": "none", "chap": chap()}, 400, "5374900", NO_CHAP, "chap"),
    # Addresses.
    ("PATCH", "default", addresses("10.0.0.1", "10.0.0.2"), 400, "5374155", NOT_DEFAULT,
     "initiator_address"),
    ("POST", None, {**named(OTHER), **addresses("10.0.0.2", "10.0.0.1")}, 400, "5374855", BACKWARDS,
     RANGES + ".start"),
    ("PATCH", HOST, addresses("2001:db8::2", "2001:db8::1"), 400, "5374855", BACKWARDS,
     RANGES + ".start"),
    ("PATCH", HOST, addresses("10.0.0.2", "::1"), 400, "5374856", MIXED, RANGES + ".start"),
    # What every resource of that API says.
    ("GET", OTHER, None, 404, "4", "entry doesn't exist", "initiator"),
    ("POST", None, "{", 400, "262254", "the body is not JSON", None),
    ("POST", None, new(OTHER, bogus=1), 400, "262179", 'Unexpected argument "bogus".', None),
    ("PATCH", HOST, {"initiator": OTHER}, 400, "262196",
     'Field "initiator" cannot be set in this operation', "initiator"),
    ("POST", None, new(OTHER, "maybe"), 400, "262197",
     'The value "maybe" is invalid for field "authentication_type".', "authentication_type"),
    ("POST", None, new(OTHER, initiator_address={"ranges": 1}), 400, "262185",
     f'Invalid value for field "{RANGES}".', RANGES),
    ("POST", None, {"svm": {"name": "svm1"}, "authentication_type": "none"}, 400, "262278",
     'Field "initiator" is required.', "initiator"),
]
DOCUMENTED = {
    "2621462", "2621706", "2621707", "5373969", "5373970", "5373971", "5373972", "5373977",
    "5373978", "5373997", "5374142", "5374145", "5374147", "5374148", "5374149", "5374150",
    "5374155", "5374855", "5374856", "5374895", "5374900"}


@pytest.fixture
def api(start):
    api = Api(start(conf(target(), more=MANAGEMENT)))
    made(api, new(chap=chap(outbound={"user": "user2", "password": OUT})))
    made(api, named(OPEN))
    return api


def test_every_documented_code_is_among_the_cases():
    assert DOCUMENTED <= {code for _, _, _, _, code, _, _ in CASES}


def test_every_code_comes_with_its_status_its_words_and_its_target(api):
    was = api("GET", CREDENTIALS + "?fields=**")
    for method, initiator, body, status, code, words, about in CASES:
        case = (method, initiator, body)
        got, answer = api(method, api.path(initiator) if initiator else CREDENTIALS, body)
        error = answer["error"]
        assert (got, error["code"]) == (status, code), (case, answer)
        assert error["message"].startswith(words), (case, answer)
        assert error.get("target") == about, (case, answer)
        assert IN not in str(answer) and OUT not in str(answer), (case, answer)
    assert api("GET", CREDENTIALS + "?fields=**") == was


def test_a_change_may_say_which_svm_it_is_of(api):
    for svm in ({}, {"name": "svm1"}, {"uuid": api.uuid}, {"uuid": api.uuid, "name": "svm1"}, None):
        assert api("PATCH", api.path(), {"svm": svm, "chap": {"outbound": {}}}) == (200, {})
