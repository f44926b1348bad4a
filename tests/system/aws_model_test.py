# SPDX-License-Identifier: BSD-2-Clause
"""The Storage Gateway API against its published model, as botocore has it: every constraint of every
member that a request may have, and the shape of every answer."""
import re

import pytest

from aws_tape_test import archive, arn
from aws_test import BACK, GATEWAY, HOST, OLD, OPERATIONS, client, management, send, target_arn
from initiator import login
from library_test import library
from support import conf, target

session = pytest.importorskip("botocore.session", reason="python3-boto3 is not installed")

GIB = 1 << 30
PLACE = {"GatewayARN": GATEWAY, "NetworkInterfaceId": "127.0.0.1"}
MODEL = session.get_session().get_service_model("storagegateway")


@pytest.fixture
def server(start):
    return start(conf(target(), more=management()))


# --- requests -------------------------------------------------------------------------------------

WRONG_TYPES = {"string": [1, [], {}, True], "boolean": ["true", 1, []], "list": ["x", {}, [1], [[]]],
               "integer": ["1", 1.5, True, []], "long": ["1", 1.5, True, []]}
MANY = "Member must satisfy constraint: \\["


def broken_texts(shape):
    """Texts that break one constraint, each with what is said of it."""
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
    if least:
        yield "x" * (least - 1), f"length greater than or equal to {least}"
    if most:
        yield "x" * (most + 1), f"length less than or equal to {most}"
        yield "\U0001f600" * (most + 1), f"length less than or equal to {most}"
    if shape.metadata.get("enum"):
        yield "x" * max(least, 1), "satisfy enum value set: \\["
    if "pattern" in shape.metadata:
        yield "\x01" * max(least, 1), ("regular expression pattern: "
                                       + re.escape(shape.metadata["pattern"]))


def broken_numbers(shape):
    for bound, step, said in (("min", -1, "greater"), ("max", 1, "less")):
        if bound in shape.metadata:
            limit = shape.metadata[bound]
            yield limit + step, f"value {said} than or equal to {limit}"


def broken(name, shape):
    """Values of a member that are of its type and wrong, each with where and what is told."""
    if shape.type_name == "string":
        for value, said in broken_texts(shape):
            yield value, f"at '{name}' failed to satisfy constraint: Member must .*{said}"
    elif shape.type_name in ("integer", "long"):
        for value, said in broken_numbers(shape):
            yield value, f"Value '{value}' at '{name}' failed to satisfy constraint: .*{said}"
    elif shape.type_name == "list" and shape.member.type_name == "string":
        for value, said in broken_texts(shape.member):
            yield [value], f"at '{name}' failed to satisfy constraint: {MANY}.*{said}"
    elif shape.type_name == "list":
        for member in shape.member.required_members:
            where = f"{name}.1.member.{member[0].lower()}{member[1:]}"
            yield [{}], f"Value null at '{where}' failed to satisfy constraint: Member must not be null"


def members():
    """Each member of each operation: the operation, the name, the shape."""
    for operation in OPERATIONS:
        shape = MODEL.operation_model(operation).input_shape
        for name, member in shape.members.items():
            yield operation, name, member


def ask(server, operation, body):
    return send(server, body, "StorageGateway_20130630." + operation)


def test_every_operation_of_the_table_is_one_of_the_service():
    assert set(OPERATIONS) <= set(MODEL.operation_names)


def test_every_member_has_its_type(server):
    for operation, name, shape in members():
        for value in WRONG_TYPES[shape.type_name]:
            status, answer = ask(server, operation, {name: value})
            assert (status, answer["__type"]) == (400, "SerializationException"), \
                (operation, name, value, answer)


def test_every_constraint_of_every_member_holds(server):
    faults = []
    for operation, name, shape in members():
        shown = name[0].lower() + name[1:]
        for value, said in broken(shown, shape):
            status, answer = ask(server, operation, {name: value})
            if (status, answer["__type"]) != (400, "ValidationException") or \
                    not re.search(said, answer["message"], re.S):
                faults.append((operation, name, str(value)[:20], said, answer))
    assert not faults, "\n".join(map(str, faults))


def test_every_member_that_is_required_is_missed(server):
    for operation in OPERATIONS:
        status, answer = ask(server, operation, {})
        for name in MODEL.operation_model(operation).input_shape.required_members:
            assert (status, answer["__type"]) == (400, "ValidationException"), operation
            assert f"Value null at '{name[0].lower()}{name[1:]}'" in answer["message"], operation


# --- answers --------------------------------------------------------------------------------------

# What the service itself answers though its model forbids it.
EXCEPTIONS = {".LunNumber"}


def text_is_of(shape, value):
    known = shape.metadata
    return (isinstance(value, str) and known.get("min", 0) <= len(value) <= known.get("max", 1e9)
            and value in (known.get("enum") or [value])
            and (shape.type_name != "string" or "\\p{" in known.get("pattern", "\\p{")
                 or re.search(known["pattern"].replace(r"\z", r"\Z"), value)))


def is_number(value, kinds, shape):
    return (isinstance(value, kinds) and not isinstance(value, bool)
            and value >= shape.metadata.get("min", value))


def strays(shape, value, path=""):
    """Where an answer is not as the model has it."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name, part in value.items():
            if name not in shape.members:
                yield f"{path}.{name} is none of {shape.name}"
            else:
                yield from strays(shape.members[name], part, f"{path}.{name}")
    elif kind == "list" and isinstance(value, list):
        for part in value:
            yield from strays(shape.member, part, path)
    elif not {"string": lambda: text_is_of(shape, value),
              "integer": lambda: is_number(value, int, shape),
              "long": lambda: is_number(value, int, shape),
              "double": lambda: is_number(value, (int, float), shape),
              "timestamp": lambda: is_number(value, (int, float), shape),
              "boolean": lambda: isinstance(value, bool)}.get(kind, lambda: False)():
        if not any(path.endswith(e) for e in EXCEPTIONS):
            yield f"{path} is {value!r}, which is no {shape.name}"


class Asked:
    """Asks, checks the answers, and notes what has been asked."""

    def __init__(self, server):
        self.server = server
        self.operations = set()

    def __call__(self, operation, **members):
        self.operations.add(operation)
        status, answer = ask(self.server, operation, members)
        assert status == 200, (operation, answer)
        stray = list(strays(MODEL.operation_model(operation).output_shape, answer))
        assert not stray, (operation, answer, stray)
        return answer


@pytest.fixture
def asked(server):
    return Asked(server)


def test_answers_about_the_gateway_and_credentials_have_their_shape(asked):
    asked("ListGateways")
    asked("UpdateGatewayInformation", GatewayARN=GATEWAY, GatewayName="other",
          GatewayTimezone="GMT+2:00", GatewayCapacity="Medium")
    tags = [{"Key": "a", "Value": ""}, {"Key": "b", "Value": "2"}]
    asked("AddTagsToResource", ResourceARN=GATEWAY, Tags=tags)
    assert asked("ListTagsForResource", ResourceARN=GATEWAY, Limit=1)["Marker"]
    assert asked("DescribeGatewayInformation", GatewayARN=GATEWAY)["Tags"] == tags
    asked("RemoveTagsFromResource", ResourceARN=GATEWAY, TagKeys=["a"])
    pair = {"TargetARN": target_arn(), "InitiatorName": HOST}
    asked("UpdateChapCredentials", **pair, SecretToAuthenticateInitiator=OLD,
          SecretToAuthenticateTarget=BACK)
    assert asked("DescribeChapCredentials", TargetARN=target_arn())["ChapCredentials"]
    asked("DeleteChapCredentials", **pair)
    for operation in ("ShutdownGateway", "DescribeGatewayInformation", "StartGateway"):
        asked(operation, GatewayARN=GATEWAY)


def test_answers_about_cached_volumes_have_their_shape(asked):
    arns = asked("CreateCachediSCSIVolume", VolumeSizeInBytes=GIB, TargetName="v",
                 ClientToken="token", **PLACE)
    volume = arns["VolumeARN"]
    with login(asked.server.port, "iqn.1997-05.com.amazon:v"):
        assert asked("ListVolumeInitiators", VolumeARN=volume)["Initiators"]
    all_of_them = asked("ListVolumes", Limit=1)
    all_of_them = [v["VolumeARN"] for v in all_of_them["VolumeInfos"]
                   + asked("ListVolumes", Marker=all_of_them["Marker"])["VolumeInfos"]]
    assert len(all_of_them) == 2
    told = asked("DescribeCachediSCSIVolumes", VolumeARNs=all_of_them)["CachediSCSIVolumes"]
    assert len(told) == 2
    asked("DetachVolume", VolumeARN=volume)
    asked("DescribeCachediSCSIVolumes", VolumeARNs=[volume])
    asked("AttachVolume", VolumeARN=volume, TargetName="w", **PLACE)
    asked("DeleteVolume", VolumeARN=volume)
    assert asked("ListLocalDisks", GatewayARN=GATEWAY)["Disks"] == []


def test_answers_about_stored_volumes_and_disks_have_their_shape(make_server):
    server = make_server(conf(target(), more=management(aws='''gateway_type = "STORED"; disks = (
        { id = "disk-a"; path = "a.img"; }, { id = "disk-b"; path = "b.img"; },
        { id = "disk-c"; path = "c.img"; } );''')))
    for name in "abc":
        with open(server.dir / f"{name}.img", "wb") as f:
            f.truncate(GIB)
    asked = Asked(server.start())
    volume = asked("CreateStorediSCSIVolume", DiskId="disk-a", PreserveExistingData=True,
                   TargetName="v", **PLACE)["VolumeARN"]
    asked("DescribeStorediSCSIVolumes", VolumeARNs=[volume])
    asked("AddUploadBuffer", GatewayARN=GATEWAY, DiskIds=["disk-b"])
    asked("AddWorkingStorage", GatewayARN=GATEWAY, DiskIds=["disk-c"])
    for operation in ("ListLocalDisks", "DescribeUploadBuffer", "DescribeWorkingStorage"):
        asked(operation, GatewayARN=GATEWAY)
    asked("DetachVolume", VolumeARN=volume, ForceDetach=True)
    asked("AttachVolume", VolumeARN=volume, DiskId="disk-a", **PLACE)
    asked("DeleteVolume", VolumeARN=volume)


def test_answers_about_tapes_have_their_shape(start):
    asked = Asked(start(conf(more=management(aws='min_tape_size = "1G";')
                             + f"libraries = ( {library(barcodes=('TEST01L5',), slots=8)} );")))
    device = asked("DescribeVTLDevices", GatewayARN=GATEWAY)["VTLDevices"][0]["VTLDeviceARN"]
    asked("DescribeVTLDevices", GatewayARN=GATEWAY, VTLDeviceARNs=[device], Limit=1)
    asked("UpdateVTLDeviceType", VTLDeviceARN=device, DeviceType="AWS-Gateway-VTL")
    new = {"GatewayARN": GATEWAY, "TapeSizeInBytes": GIB}
    asked("CreateTapes", ClientToken="token", NumTapesToCreate=2, TapeBarcodePrefix="T", **new)
    asked("CreateTapeWithBarcode", TapeBarcode="AWS001L5", PoolId="GLACIER", Worm=True, **new)
    asked("DescribeTapes", GatewayARN=GATEWAY)
    asked("DescribeTapes", GatewayARN=GATEWAY, Limit=1)
    asked("ListTapes")
    archive(asked.server, client(asked.server))
    asked("DescribeTapeArchives")
    asked("ListTapes")
    asked("RetrieveTapeArchive", GatewayARN=GATEWAY, TapeARN=arn("AWS001L5"))
    asked("DescribeTapes", GatewayARN=GATEWAY)
    asked("DescribeTapeArchives")
    asked("DescribeTapeRecoveryPoints", GatewayARN=GATEWAY)
    asked("ListTapePools")
