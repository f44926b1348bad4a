# SPDX-License-Identifier: BSD-2-Clause
"""The description of the native API (examples/native-api.openapi.json) against the server: the same
paths and methods, and answers of the shapes that it promises."""
import json
import re
from pathlib import Path

from credentials_test import TWO, Api
from initiator import login
from support import DISK, HOST, SECRET, wait_until

TREE = Path(__file__).parents[2]
DOCUMENT = json.loads((TREE / "examples/native-api.openapi.json").read_text())
METHODS = {"get", "post", "put", "patch", "delete"}
OPERATIONS = {(method.upper(), path) for path, item in DOCUMENT["paths"].items()
              for method in item if method in METHODS}
KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
         "null": type(None)}


def resolve(node):
    while "$ref" in node:
        at = DOCUMENT
        for step in node["$ref"].split("/")[1:]:
            at = at[step]
        node = at
    return node


def check(value, schema, where="answer"):
    """That a value is what a schema says; knows as much of JSON Schema as the document uses."""
    schema = resolve(schema)
    known = {"type", "properties", "required", "additionalProperties", "items", "enum",
             "description", "minLength", "maxLength", "minimum", "maximum", "writeOnly", "default"}
    assert set(schema) <= known, f"{where}: {set(schema) - known} is not checked"
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    assert any(type(value) is KINDS[kind] for kind in kinds), f"{where}: {value!r} is no {kinds}"
    assert "enum" not in schema or value in schema["enum"], f"{where}: {value!r}"
    if isinstance(value, dict) and "properties" in schema:
        assert set(schema["required"]) <= set(value), f"{where}: {set(schema['required']) - set(value)}"
        for name, member in value.items():
            assert name in schema["properties"], f"{where}: {name} is not described"
            check(member, schema["properties"][name], f"{where}.{name}")
    if isinstance(value, list):
        for i, item in enumerate(value):
            check(item, schema["items"], f"{where}[{i}]")


def routes():
    """(method, path) of the server's table."""
    source = (TREE / "target/mgmt/native.c").read_text()
    rows = set(re.findall(r'\{ ROUTE_(\w+), +"([^"]+)"', source))
    each = re.findall(r'\{ ROUTE_(\w+), +path(?: "([^"]+)")?', source)
    bases = re.findall(r'^\tCREDENTIALS\("([^"]+)"', source, re.M)
    assert len(each) == 5 and len(bases) == 3
    return rows | {(method, base + tail) for base in bases for method, tail in each}


def test_the_document_has_every_route_and_no_other():
    assert OPERATIONS == routes()


def test_every_reference_leads_somewhere():
    for name in re.findall(r'"\$ref": "([^"]+)"', json.dumps(DOCUMENT)):
        assert resolve({"$ref": name})


class Described:
    """Calls that hold answers to what the document says of them."""

    def __init__(self, api):
        self.api = api
        self.called = set()

    def __call__(self, method, pattern, status, body=None, tail="", **names):
        operation = DOCUMENT["paths"][pattern][method.lower()]
        self.called.add((method, pattern))
        if body is not None:
            asked = operation["requestBody"]["content"]["application/json"]["schema"]
            if status < 400:
                check(body, asked, "body")
        got, answer = self.api.call(method, pattern.format(**names) + tail, body)
        assert got == status, answer
        promised = operation["responses"].get(str(got))
        assert promised, f"{method} {pattern}: {got} is not described"
        check(answer, resolve(promised)["content"]["application/json"]["schema"])
        return answer


def call_for_volumes(call):
    one, new = "/v1/volumes/{id}", {"target": DISK + "-made", "size": 1 << 20}
    made = call("POST", "/v1/volumes", 201, new)["id"]
    call("POST", "/v1/volumes", 400, {**new, "size": 1})
    call("POST", "/v1/volumes", 409, {**new, "lun": 0})
    call("POST", "/v1/volumes", 422, {**new, "pool": "none"})
    assert call("GET", "/v1/volumes", 200)["volumes"]
    call("GET", one, 200, id=made)
    call("PATCH", one, 200, {"size": 2 << 20}, id=made)
    call("PATCH", one, 409, {"size": 1 << 20}, id=made)
    call("POST", one + "/attach", 409, {}, id=made)
    call("POST", one + "/detach", 200, {"force": False}, id=made)
    call("POST", one + "/detach", 409, {}, id=made)
    call("POST", one + "/attach", 200, {"lun": 1}, id=made)
    call("DELETE", one, 200, id=made)
    call("DELETE", one, 404, id=made)


LIBRARY = '''libraries = ( { name = "vtl"; layout = "luns"; target = "%s-vtl"; auth = "none";
    drives = 1; slots = 3; import_export = 1; path = "vtl"; } );''' % DISK


def call_for_tapes(call):
    base, one = "/v1/libraries/{name}", "/v1/tapes/{barcode}"
    assert call("GET", "/v1/libraries", 200)["libraries"]
    for path in (base, base + "/drives", base + "/tapes"):
        call("GET", path, 200, name="vtl")
        call("GET", path, 404, name="none")
    call("GET", base + "/drives/{drive}", 404, name="vtl", drive=2)
    assert call("PATCH", base, 200, {"changer": "AWS-Gateway-VTL"}, name="vtl")["vendor"] == "AWS"
    call("PATCH", base, 400, {"changer": "STK-L180"}, name="vtl")
    call("PATCH", base, 404, {"changer": "STK-L700"}, name="none")
    make = ("POST", base + "/tapes")
    call(*make, 201, {"barcode": "TEST01L5", "size": 64 << 20, "to": "mail slot"}, name="vtl")
    call(*make, 409, {"barcode": "TEST01L5"}, name="vtl")
    call(*make, 400, {"barcode": "x"}, name="vtl")
    call(*make, 422, {"barcode": "TEST02L5", "number": 9}, name="vtl")
    call(*make, 404, {"barcode": "TEST02L5"}, name="none")
    assert call("GET", "/v1/tapes", 200)["tapes"]
    assert call("GET", "/v1/drives", 200)["drives"]
    for method, tail, good, bad in [
            ("POST", "/move", {"to": "drive"}, {"to": "moon"}),
            ("POST", "/unload", None, None),
            ("PATCH", "", {"write_protect": True}, {}),
            ("PATCH", "", {"pool": "GLACIER"}, {"pool": 1})]:
        call(method, one + tail, 200, good, barcode="TEST01L5")
        call("GET", base + "/drives/{drive}", 200, name="vtl", drive=1)
        call(method, one + tail, 400 if bad is not None else 409, bad, barcode="TEST01L5")
        call(method, one + tail, 404, good, barcode="TEST09L5")
    call("POST", one + "/move", 422, {"to": "slot", "number": 9}, barcode="TEST01L5")
    call("POST", one + "/look", 200, barcode="TEST01L5")
    call("POST", one + "/look", 404, barcode="TEST09L5")
    call("POST", one + "/archive", 200, barcode="TEST01L5")
    call("POST", one + "/retrieve", 404, {}, barcode="TEST09L5")
    call("POST", one + "/cancel", 404, barcode="TEST09L5")
    wait_until(lambda: call("GET", one, 200, barcode="TEST01L5")["state"] == "ARCHIVED")
    call("POST", one + "/archive", 409, barcode="TEST01L5")
    call("POST", one + "/cancel", 409, barcode="TEST01L5")
    call("POST", one + "/retrieve", 200, {"write_protect": True}, barcode="TEST01L5")
    wait_until(lambda: call("GET", one, 200, barcode="TEST01L5")["state"] == "AVAILABLE")
    call("DELETE", one, 200, barcode="TEST01L5")
    call("DELETE", one, 404, barcode="TEST01L5")
    call("GET", one, 404, barcode="TEST01L5")


def test_answers_have_the_shapes_that_are_described(make_server):
    server = make_server(TWO + 'pools = ( { name = "fast"; path = "pool"; } );' + LIBRARY)
    (server.dir / "pool").mkdir()
    server.start()
    call = Described(Api(server))
    session = login(server.port, DISK)
    tsih = call("GET", "/v1/sessions", 200)["sessions"][0]["tsih"]
    for path in ("/v1/status", "/v1/stats", "/v1/targets", "/v1/svms", "/v1/credentials"):
        call("GET", path, 200)
    call("GET", "/v1/targets/{name}", 200, name=DISK)
    call("GET", "/v1/targets/{name}", 404, name="x")
    connect = "/v1/targets/{name}/connect"
    call("GET", connect, 200, name=DISK)
    call("GET", connect, 400, tail="?initiator=x", name=DISK)
    call("GET", connect, 404, name="x")
    call("POST", connect, 200, {"initiator": HOST}, name=DISK)
    call("POST", connect, 400, {"initiator": "x"}, name=DISK)
    call("POST", connect, 404, {}, name="x")
    call("DELETE", "/v1/sessions/{tsih}", 200, tsih=tsih)
    call("DELETE", "/v1/sessions/{tsih}", 404, tsih=tsih)
    call("DELETE", "/v1/sessions/{tsih}", 400, tsih="x")
    session.wire.close()
    for base, name in (("/v1/targets/{name}/credentials", DISK),
                       ("/v1/svms/{name}/credentials", "svm1"), ("/v1/discovery/credentials", "")):
        row, names = base + "/{initiator}", {"name": name, "initiator": HOST}
        call("GET", row, 404, **names)
        call("PUT", row, 201, {"secret": SECRET, "addresses": ["127.0.0.1"]}, **names)
        call("PUT", row, 200, {"generate": True, "mutual": base.startswith("/v1/t"), "type": None},
             **names)
        call("PUT", row, 400, {"secret": 1}, **names)
        call("POST", row + "/rotate", 200, {"mutual": base.startswith("/v1/t"), "grace": 60},
             **names)
        call("POST", row + "/rotate", 400, {"grace": -1}, **names)
        call("GET", row, 200, **names)
        assert call("GET", base, 200, **names)["credentials"]
        call("DELETE", row, 200, **names)
        call("DELETE", row, 404, **names)
        call("POST", row + "/rotate", 404, {}, **names)
    call_for_volumes(call)
    call_for_tapes(call)
    assert call("GET", "/v1/port-groups", 200)["port_groups"]
    call("PATCH", "/v1/port-groups/{group}", 200, {"state": "standby"}, group=1)
    call("PATCH", "/v1/port-groups/{group}", 400, {"state": "asleep"}, group=1)
    call("PATCH", "/v1/port-groups/{group}", 404, {"state": "standby"}, group=2)
    call("GET", "/v1/audit", 200)
    call("GET", "/v1/audit", 400, tail="?limit=0")
    call("POST", "/v1/rekey", 200)
    call("POST", "/v1/reload", 200)
    server.write_conf("nonsense")
    call("POST", "/v1/reload", 422)
    assert call.called == OPERATIONS
