# SPDX-License-Identifier: BSD-2-Clause
"""Tapes by the Storage Gateway API, as the AWS CLI and boto3 ask for them."""
import os
import re
import shutil
import tempfile

import pytest

from aws_test import (GATEWAY, KEY, KEY_SECRET, READER, client, code, endpoint, management, refused,
                      send)
from credentials_test import Api
from initiator import Failed, Refused, login
from library_test import EACH, changer, drive, library
from support import PREFIX, conf, wait_until
from tapes import DRIVE, MAIL, SLOT, ready

GIB = 1 << 30
ACCOUNT = GATEWAY.rsplit(":", 1)[0]
AWS = 'min_tape_size = "1G";'


def text(aws=AWS, barcodes=("TEST01L5",), slots=8):
    lib = library(barcodes=barcodes, slots=slots)
    return conf(more=management(aws=aws) + f"libraries = ( {lib} );")


@pytest.fixture
def server(start):
    return start(text())


@pytest.fixture
def sg(server):
    return client(server)


def arn(barcode):
    return f"{ACCOUNT}:tape/{barcode}"


def create(sg, barcode="AWS001L5", size=GIB, **more):
    return sg.create_tape_with_barcode(GatewayARN=GATEWAY, TapeSizeInBytes=size,
                                       TapeBarcode=barcode, **more)["TapeARN"]


def described(sg, barcode):
    return sg.describe_tapes(GatewayARN=GATEWAY, TapeARNs=[arn(barcode)])["Tapes"][0]


def in_library(sg):
    return {t["TapeBarcode"]: t["TapeStatus"]
            for t in sg.describe_tapes(GatewayARN=GATEWAY)["Tapes"]}


def in_archive(sg):
    return {t["TapeBarcode"]: t["TapeStatus"]
            for t in sg.describe_tape_archives()["TapeArchives"]}


def archive(server, sg, barcode="AWS001L5"):
    """Has a host export the cartridge, and waits until it is in the archive."""
    robot = changer(server)
    robot.move(robot.places()[barcode], (MAIL, 0))
    wait_until(lambda: in_archive(sg).get(barcode) == "ARCHIVED", 30)
    robot.session.wire.close()


# --- devices -------------------------------------------------------------------------------------


def test_devices_are_described_as_the_service_does(sg):
    devices = sg.describe_vtl_devices(GatewayARN=GATEWAY)["VTLDevices"]
    assert [d["VTLDeviceARN"].removeprefix(GATEWAY + "/device/") for d in devices] == [
        "AMZN_SGW-12A3456B_MEDIACHANGER_00001", "AMZN_SGW-12A3456B_TAPEDRIVE_00001",
        "AMZN_SGW-12A3456B_TAPEDRIVE_00002"]
    assert [(d["VTLDeviceType"], d["VTLDeviceVendor"], d["VTLDeviceProductIdentifier"])
            for d in devices] == [("Medium Changer", "STK", "L700")] + 2 * [
                ("Tape Drive", "IBM", "ULT3580-TD5")]
    attributes = devices[2]["DeviceiSCSIAttributes"]
    assert attributes.pop("NetworkInterfacePort") > 0
    assert attributes == {"TargetARN": f"{GATEWAY}/target/{EACH}-tapedrive-02",
                          "NetworkInterfaceId": "127.0.0.1", "ChapEnabled": False}


def test_devices_are_picked_and_paged(sg):
    changer_arn = GATEWAY + "/device/AMZN_SGW-12A3456B_MEDIACHANGER_00001"
    one = sg.describe_vtl_devices(GatewayARN=GATEWAY, VTLDeviceARNs=[changer_arn])["VTLDevices"]
    assert [d["VTLDeviceType"] for d in one] == ["Medium Changer"]
    page = sg.describe_vtl_devices(GatewayARN=GATEWAY, Limit=2)
    rest = sg.describe_vtl_devices(GatewayARN=GATEWAY, Limit=2, Marker=page["Marker"])
    assert (len(page["VTLDevices"]), len(rest["VTLDevices"])) == (2, 1)
    assert "Marker" not in rest


def test_a_credential_closes_one_device(server, sg):
    sg.update_chap_credentials(TargetARN=f"{GATEWAY}/target/{EACH}-tapedrive-01",
                               InitiatorName=PREFIX + "host1",
                               SecretToAuthenticateInitiator="initiator-1111")
    with pytest.raises(Refused):
        drive(server, 1)
    ready(login(server.port, EACH + "-tapedrive-01", secret="initiator-1111"))
    drive(server, 2)
    chap = [d["DeviceiSCSIAttributes"]["ChapEnabled"]
            for d in sg.describe_vtl_devices(GatewayARN=GATEWAY)["VTLDevices"]]
    assert chap == [False, True, False]


@pytest.mark.parametrize("kind, shown", [("AWS-Gateway-VTL", b"AWS     Gateway-VTL"),
                                         ("IBM-03584L32-0402", b"IBM     03584L32        0402")])
def test_the_changer_becomes_another_one_and_stays_it(server, sg, kind, shown):
    robot = changer(server)
    robot.move((SLOT, 0), (DRIVE, 1))
    which = GATEWAY + "/device/AMZN_SGW-12A3456B_MEDIACHANGER_00001"
    assert sg.update_vtl_device_type(VTLDeviceARN=which, DeviceType=kind)["VTLDeviceARN"] == which
    for _ in range(2):
        robot = changer(server)
        assert robot.session.inquiry()[8:36].startswith(shown)
        assert robot.places() == {"TEST01L5": (DRIVE, 1)}
        server.kill(), server.start()


def test_the_changer_alone_becomes_another_one_and_no_other_one(sg):
    device = GATEWAY + "/device/AMZN_SGW-12A3456B_"
    assert code(sg.update_vtl_device_type, VTLDeviceARN=device + "TAPEDRIVE_00001",
                DeviceType="STK-L700") == "InvalidParameters"
    for kind in ("Medium Changer", "IBM-ULT3580-TD5", "stk-l700"):
        assert code(sg.update_vtl_device_type, VTLDeviceARN=device + "MEDIACHANGER_00001",
                    DeviceType=kind) == "InvalidParameters"


# --- making --------------------------------------------------------------------------------------


def test_a_tape_with_a_barcode_is_made_and_described(server, sg):
    assert create(sg, "NEW001", 2 * GIB, Tags=[{"Key": "a", "Value": "b"}]) == arn("NEW001")
    tape = described(sg, "NEW001")
    assert tape.pop("TapeCreatedDate").year >= 2020 and tape.pop("PoolEntryDate")
    assert tape == {"TapeARN": arn("NEW001"), "TapeBarcode": "NEW001", "TapeSizeInBytes": 2 * GIB,
                    "TapeStatus": "AVAILABLE", "TapeUsedInBytes": 0, "PoolId": "GLACIER",
                    "Worm": False}
    assert changer(server).places()["NEW001"] == (SLOT, 1)
    assert sg.list_tags_for_resource(ResourceARN=arn("NEW001"))["Tags"] == [
        {"Key": "a", "Value": "b"}]


def test_tapes_are_made_up_once_for_a_token(server, sg):
    ask = dict(GatewayARN=GATEWAY, TapeSizeInBytes=GIB, ClientToken="token-1", NumTapesToCreate=3,
               TapeBarcodePrefix="TST", PoolId="DEEP_ARCHIVE", Worm=True)
    made = sg.create_tapes(**ask)["TapeARNs"]
    assert len(set(made)) == 3
    for one in made:
        digits = re.fullmatch(re.escape(ACCOUNT) + r":tape/TST([0-9A-F]{6})", one)[1]
        assert int(digits[:2], 16) ^ int(digits[4:], 16) == 0xa5
        tape = described(sg, one.rsplit("/", 1)[1])
        assert (tape["PoolId"], tape["Worm"]) == ("DEEP_ARCHIVE", True)
    assert sg.create_tapes(**ask)["TapeARNs"] == made
    server.kill(), server.start()
    assert sg.create_tapes(**ask)["TapeARNs"] == made
    assert len(in_library(sg)) == 4
    assert code(sg.create_tapes, **{**ask, "NumTapesToCreate": 2}) == "InvalidParameters"


def test_a_token_is_good_also_when_its_tapes_were_the_last_that_there_may_be(start):
    sg = client(start(text(barcodes=[f"T{i:05}L5" for i in range(1498)], slots=1600)))
    ask = dict(GatewayARN=GATEWAY, TapeSizeInBytes=GIB, ClientToken="token-1", NumTapesToCreate=2,
               TapeBarcodePrefix="TST")
    made = sg.create_tapes(**ask)["TapeARNs"]
    assert sg.create_tapes(**ask)["TapeARNs"] == made
    assert code(sg.create_tapes, **{**ask, "ClientToken": "token-2"}) == \
        "MaximumTapeCartridgeCountExceeded"


def test_a_barcode_is_never_used_again(sg):
    create(sg, "NEW001")
    assert code(sg.create_tape_with_barcode, GatewayARN=GATEWAY, TapeSizeInBytes=GIB,
                TapeBarcode="NEW001") == "InvalidParameters"
    sg.delete_tape(GatewayARN=GATEWAY, TapeARN=arn("NEW001"))
    assert code(sg.create_tape_with_barcode, GatewayARN=GATEWAY, TapeSizeInBytes=GIB,
                TapeBarcode="NEW001") == "InvalidParameters"


@pytest.mark.parametrize("wrong, number", [
    ({"TapeSizeInBytes": GIB + 1}, "InvalidParameters"),
    ({"TapeSizeInBytes": 0}, "InvalidParameters"),
    ({"TapeSizeInBytes": 16 << 40}, "InvalidParameters"),
    ({"PoolId": "WARM"}, "InvalidParameters"),
    ({"KMSEncrypted": True}, "NotSupported"),
    ({"GatewayARN": GATEWAY[:-1] + "C"}, "GatewayNotFound"),
])
def test_what_a_tape_cannot_be_is_refused(sg, wrong, number):
    right = dict(GatewayARN=GATEWAY, TapeSizeInBytes=GIB, TapeBarcode="NEW001")
    assert code(sg.create_tape_with_barcode, **{**right, **wrong}) == number
    assert "NEW001" not in in_library(sg)


def test_refusals_say_what_would_be_right(sg):
    def why(**wrong):
        return refused(sg.create_tape_with_barcode, **{
            "GatewayARN": GATEWAY, "TapeSizeInBytes": GIB, "TapeBarcode": "NEW001", **wrong})[1]
    assert "a multiple of 1 GiB from 1 to 15360 GiB" in why(TapeSizeInBytes=GIB + 1)
    assert "GLACIER and DEEP_ARCHIVE" in why(PoolId="WARM")
    assert "in slot 1 of library vtl0" in why(TapeBarcode="TEST01L5")
    ask = dict(GatewayARN=GATEWAY, TapeSizeInBytes=GIB, ClientToken="token", NumTapesToCreate=1,
               TapeBarcodePrefix="T")
    sg.create_tapes(**ask)
    assert "was used for another request" in refused(sg.create_tapes,
                                                     **{**ask, "TapeBarcodePrefix": "U"})[1]


@pytest.mark.parametrize("member, value", [("TapeBarcode", "abc01"), ("TapeBarcode", "ABC1"),
                                           ("TapeBarcode", "A" * 17)])
def test_a_barcode_has_its_pattern(sg, member, value):
    name, message, _ = refused(sg.create_tape_with_barcode, **{
        "GatewayARN": GATEWAY, "TapeSizeInBytes": GIB, "TapeBarcode": "NEW001", member: value})
    assert name == "ValidationException" and f"'{value}' at 'tapeBarcode'" in message


def test_the_default_bounds_are_those_of_the_service(start):
    sg = client(start(text(aws="")))
    create(sg, "NEW001", 100 * GIB)
    assert code(sg.create_tape_with_barcode, GatewayARN=GATEWAY, TapeSizeInBytes=99 * GIB,
                TapeBarcode="NEW002") == "InvalidParameters"


def test_more_tapes_than_slots_are_refused(start):
    sg = client(start(text(slots=2)))
    create(sg, "NEW001")
    assert code(sg.create_tape_with_barcode, GatewayARN=GATEWAY, TapeSizeInBytes=GIB,
                TapeBarcode="NEW002") == "MaximumTapeCartridgeCountExceeded"


# --- looking ---------------------------------------------------------------------------------------


def test_a_loaded_tape_names_its_drive_and_what_is_on_it(server, sg):
    robot = changer(server)
    robot.move((SLOT, 0), (DRIVE, 1))
    tape = drive(server, 2)
    tape.write(b"x" * 65536), tape.marks()
    found = described(sg, "TEST01L5")
    assert found["VTLDevice"] == GATEWAY + "/device/AMZN_SGW-12A3456B_TAPEDRIVE_00002"
    assert found["TapeUsedInBytes"] > 0
    tape.session.wire.close(), robot.session.wire.close()
    assert "is in a tape drive" in refused(sg.delete_tape, GatewayARN=GATEWAY,
                                           TapeARN=arn("TEST01L5"))[1]


def test_lists_are_paged_and_picked(sg):
    for n in range(4):
        create(sg, f"NEW00{n}")
    names, ask = [], {}
    while True:
        page = sg.list_tapes(Limit=2, **ask)
        names += [t["TapeBarcode"] for t in page["TapeInfos"]]
        if "Marker" not in page:
            break
        ask = {"Marker": page["Marker"]}
    assert names == ["NEW000", "NEW001", "NEW002", "NEW003", "TEST01L5"]
    two = sg.list_tapes(TapeARNs=[arn("TEST01L5"), arn("NEW002")])["TapeInfos"]
    assert [t["TapeBarcode"] for t in two] == ["NEW002", "TEST01L5"]
    assert all(t["GatewayARN"] == GATEWAY for t in two)
    assert code(sg.describe_tapes, GatewayARN=GATEWAY,
                TapeARNs=[arn("NOTAPE")]) == "TapeCartridgeNotFound"


def test_there_are_no_recovery_points_and_no_pools_of_ones_own(sg):
    assert sg.describe_tape_recovery_points(GatewayARN=GATEWAY)["TapeRecoveryPointInfos"] == []
    assert sg.list_tape_pools()["PoolInfos"] == []
    assert code(sg.retrieve_tape_recovery_point, GatewayARN=GATEWAY,
                TapeARN=arn("TEST01L5")) == "TapeCartridgeNotFound"


def test_a_gateway_without_a_library_has_no_tapes(start):
    sg = client(start(conf(more=management())))
    assert sg.list_tapes()["TapeInfos"] == []
    assert sg.describe_tape_archives()["TapeArchives"] == []
    assert code(sg.describe_tapes, GatewayARN=GATEWAY) == "UnsupportedOperationForGatewayType"


# --- the archive -------------------------------------------------------------------------------------


def test_a_tape_goes_to_the_archive_and_comes_back_to_be_read(server, sg):
    create(sg)
    robot, tape = changer(server), drive(server)
    robot.move((SLOT, 1), (DRIVE, 0))
    ready(tape.session)
    tape.write(b"x" * 1000), tape.marks()
    robot.move((DRIVE, 0), (MAIL, 1))
    assert in_library(sg)["AWS001L5"] in ("IN TRANSIT TO VTS", "ARCHIVING")
    wait_until(lambda: in_archive(sg) == {"AWS001L5": "ARCHIVED"}, 30)
    assert in_library(sg) == {"TEST01L5": "AVAILABLE"}
    listed = {t["TapeBarcode"]: t for t in sg.list_tapes()["TapeInfos"]}
    assert "GatewayARN" not in listed["AWS001L5"]
    archived = sg.describe_tape_archives(TapeARNs=[arn("AWS001L5")])["TapeArchives"][0]
    assert archived["CompletionTime"] >= archived["TapeCreatedDate"]
    assert "RetrievedTo" not in archived and archived["TapeUsedInBytes"] > 0
    back = dict(GatewayARN=GATEWAY, TapeARN=arn("AWS001L5"))
    for _ in range(2):
        assert sg.retrieve_tape_archive(**back)["TapeARN"] == arn("AWS001L5")
    wait_until(lambda: in_library(sg)["AWS001L5"] == "RETRIEVED")
    archived = sg.describe_tape_archives()["TapeArchives"][0]
    assert (archived["TapeStatus"], archived["RetrievedTo"]) == ("RETRIEVED", GATEWAY)
    robot.session.attention(), robot.session.attention()
    robot.move((SLOT, 1), (DRIVE, 0))
    ready(tape.session)
    assert tape.read(2000) == b"x" * 1000
    with pytest.raises(Failed) as e:
        tape.write(b"y")
    assert e.value.sense[0] == 7            # it is write-protected
    tape.session.wire.close(), robot.session.wire.close()


def test_a_retrieved_tape_is_archived_again(server, sg):
    create(sg)
    archive(server, sg)
    sg.retrieve_tape_archive(GatewayARN=GATEWAY, TapeARN=arn("AWS001L5"))
    wait_until(lambda: in_library(sg).get("AWS001L5") == "RETRIEVED")
    archive(server, sg)
    assert "AWS001L5" not in in_library(sg)
    assert "RetrievedTo" not in sg.describe_tape_archives()["TapeArchives"][0]


def test_a_tape_of_the_configuration_stays_in_its_mail_slot(server, sg):
    robot = changer(server)
    robot.move((SLOT, 0), (MAIL, 0))
    create(sg)
    robot.session.attention()
    robot.move((SLOT, 0), (MAIL, 1))
    wait_until(lambda: "AWS001L5" in in_archive(sg), 30)
    assert in_library(sg) == {"TEST01L5": "AVAILABLE"}


def test_archival_is_cancelled_while_the_tape_waits(server, sg):
    create(sg)
    changer(server).move((SLOT, 1), (MAIL, 0))
    cancel = dict(GatewayARN=GATEWAY, TapeARN=arn("AWS001L5"))
    assert sg.cancel_archival(**cancel)["TapeARN"] == arn("AWS001L5")
    assert in_library(sg)["AWS001L5"] == "AVAILABLE"
    assert changer(server).places()["AWS001L5"] == (SLOT, 1)
    assert code(sg.cancel_archival, **cancel) == "InvalidParameters"
    assert code(sg.cancel_retrieval, **cancel) == "InvalidParameters"


@pytest.fixture
def far():
    """A directory on another file system, with room for a large tape."""
    if not os.access("/dev/shm", os.W_OK) or shutil.disk_usage("/dev/shm").free < 2 << 30:
        pytest.skip("there is no other file system with room")
    folder = tempfile.mkdtemp(dir="/dev/shm")
    yield folder
    shutil.rmtree(folder)


def test_a_tape_turns_back_on_its_way_to_the_archive_and_from_there(start, far):
    lib = library(barcodes=("TEST01L5",), more=f'archive = "{far}";')
    server = start(conf(more=management(aws=AWS) + f"libraries = ( {lib} );"))
    sg = client(server)
    create(sg)
    with open(server.dir / "vtl0/AWS001L5/ballast", "wb") as f:
        for _ in range(64):
            f.write(bytes(range(256)) * (1 << 15))
    which = dict(GatewayARN=GATEWAY, TapeARN=arn("AWS001L5"))
    send_away = ("POST", "/v1/tapes/AWS001L5/archive")

    Api(server).must(*send_away)
    on_its_way = described(sg, "AWS001L5")
    assert on_its_way["TapeStatus"] == "ARCHIVING" and 0 <= on_its_way["Progress"] < 100
    sg.cancel_archival(**which)
    assert in_library(sg)["AWS001L5"] == "AVAILABLE" and in_archive(sg) == {}
    assert os.listdir(far) == []

    Api(server).must(*send_away)
    wait_until(lambda: in_archive(sg) == {"AWS001L5": "ARCHIVED"}, 60)
    sg.retrieve_tape_archive(**which)
    assert in_library(sg)["AWS001L5"] == in_archive(sg)["AWS001L5"] == "RETRIEVING"
    sg.cancel_retrieval(**which)
    assert in_archive(sg) == {"AWS001L5": "ARCHIVED"} and "AWS001L5" not in in_library(sg)
    assert not (server.dir / "vtl0/AWS001L5").exists()


def test_a_tape_is_deleted_where_it_is_and_nowhere_else(server, sg):
    create(sg), create(sg, "AWS002L5")
    archive(server, sg)
    assert code(sg.delete_tape, GatewayARN=GATEWAY,
                TapeARN=arn("AWS001L5")) == "TapeCartridgeNotFound"
    assert code(sg.delete_tape_archive, TapeARN=arn("AWS002L5")) == "TapeCartridgeNotFound"
    assert sg.delete_tape_archive(TapeARN=arn("AWS001L5"))["TapeARN"] == arn("AWS001L5")
    assert sg.delete_tape(GatewayARN=GATEWAY, TapeARN=arn("AWS002L5"))["TapeARN"] == arn("AWS002L5")
    assert in_archive(sg) == {} and in_library(sg) == {"TEST01L5": "AVAILABLE"}
    assert not list((server.dir / "vtl0").rglob("AWS00*"))


def test_tags_go_with_their_tape(sg):
    create(sg)
    sg.add_tags_to_resource(ResourceARN=arn("AWS001L5"), Tags=[{"Key": "k", "Value": "v"}])
    assert sg.list_tags_for_resource(ResourceARN=arn("AWS001L5"))["Tags"]
    sg.delete_tape(GatewayARN=GATEWAY, TapeARN=arn("AWS001L5"))
    assert code(sg.list_tags_for_resource, ResourceARN=arn("AWS001L5"))


def test_a_pool_becomes_colder_and_not_warmer(sg):
    create(sg)
    sg.assign_tape_pool(TapeARN=arn("AWS001L5"), PoolId="DEEP_ARCHIVE")
    assert described(sg, "AWS001L5")["PoolId"] == "DEEP_ARCHIVE"
    assert code(sg.assign_tape_pool, TapeARN=arn("AWS001L5"),
                PoolId="GLACIER") == "InvalidParameters"


# --- others --------------------------------------------------------------------------------------------


def test_the_cli_makes_and_lists_tapes(server, run, monkeypatch):
    for name, value in (("ACCESS_KEY_ID", KEY), ("SECRET_ACCESS_KEY", KEY_SECRET),
                        ("DEFAULT_REGION", "us-east-1"), ("EC2_METADATA_DISABLED", "true"),
                        ("CONFIG_FILE", "/nonexistent")):
        monkeypatch.setenv("AWS_" + name, value)

    def aws(*args):
        return run("/usr/bin/aws", "--output", "text", "--endpoint-url", endpoint(server),
                   "storagegateway", *args).stdout.split()
    made = aws("create-tapes", "--gateway-arn", GATEWAY, "--tape-size-in-bytes", str(GIB),
               "--client-token", "token", "--num-tapes-to-create", "2", "--tape-barcode-prefix",
               "CLI", "--query", "TapeARNs[]")
    assert len(made) == 2
    listed = aws("describe-tapes", "--gateway-arn", GATEWAY, "--page-size", "1", "--query",
                 "Tapes[].TapeARN")
    assert sorted(listed) == sorted(made + [arn("TEST01L5")])


def test_a_key_for_reading_makes_no_tape(server):
    reader = client(server, key=READER)
    assert reader.list_tapes()["TapeInfos"]
    assert refused(reader.create_tape_with_barcode, GatewayARN=GATEWAY, TapeSizeInBytes=GIB,
                   TapeBarcode="NEW001")[0] == "AccessDeniedException"


# --- what no client sends ----------------------------------------------------------------------------

SIZE = {"TapeSizeInBytes": GIB}
TAPE = {"TapeARN": f"{ACCOUNT}:tape/TEST01L5"}
OF = {"GatewayARN": GATEWAY}
CHANGER = {"VTLDeviceARN": GATEWAY + "/device/AMZN_SGW-12A3456B_MEDIACHANGER_00001"}
TOKEN = {"ClientToken": "token", "NumTapesToCreate": 1, "TapeBarcodePrefix": "T"}
# Each operation with all that it needs, none of which is right in the end.
RIGHT = {
    "CreateTapes": {**OF, **SIZE, **TOKEN, "PoolId": "NONE"},
    "CreateTapeWithBarcode": {**OF, **SIZE, "TapeBarcode": "NEW001", "PoolId": "NONE"},
    "DeleteTape": {**OF, "TapeARN": f"{ACCOUNT}:tape/NOTAPE"},
    "DeleteTapeArchive": {**TAPE},
    "RetrieveTapeArchive": {**OF, **TAPE},
    "RetrieveTapeRecoveryPoint": {**OF, **TAPE},
    "CancelArchival": {**OF, **TAPE},
    "CancelRetrieval": {**OF, **TAPE},
    "AssignTapePool": {**TAPE, "PoolId": "NONE"},
    "UpdateVTLDeviceType": {**CHANGER, "DeviceType": "NONE"},
    "DescribeTapes": {**OF},
    "DescribeTapeRecoveryPoints": {**OF},
    "DescribeVTLDevices": {**OF},
    "ListTapes": {},
    "DescribeTapeArchives": {},
    "ListTapePools": {},
}
WRONG_TYPE = {"GatewayARN": 1, "TapeARN": ["x"], "VTLDeviceARN": {}, "PoolId": 1, "ClientToken": 5,
              "TapeSizeInBytes": "1073741824", "NumTapesToCreate": 1.5, "TapeBarcode": True,
              "TapeBarcodePrefix": [], "DeviceType": 0, "TapeARNs": "x", "Limit": "2", "Marker": 3,
              "Worm": "yes", "Tags": {"Key": "a"}, "BypassGovernanceRetention": 0}
OUT_OF_BOUNDS = {
    "GatewayARN": ("short", "length greater than or equal to 50"),
    "TapeARN": ("arn:aws:storagegateway:us-east-1:111122223333:tape/abc01", "pattern"),
    "VTLDeviceARN": ("x" * 501, "length less than or equal to 500"),
    "PoolId": ("x" * 101, "length less than or equal to 100"),
    "ClientToken": ("1234", "length greater than or equal to 5"),
    "NumTapesToCreate": (0, "value greater than or equal to 1"),
    "TapeBarcode": ("ABC-01", "pattern: ^[A-Z0-9]*$"),
    "TapeBarcodePrefix": ("AB1", "pattern: ^[A-Z]*$"),
    "DeviceType": ("x", "length greater than or equal to 2"),
    "TapeARNs": (["short"], "length greater than or equal to 50"),
    "Limit": (0, "value greater than or equal to 1"),
    "Marker": ("x" * 2001, "length less than or equal to"),
}
OPTIONAL = {"DescribeTapes": {"TapeARNs", "Limit", "Marker"}, "ListTapes": {"TapeARNs", "Limit"},
            "DescribeTapeArchives": {"TapeARNs", "Limit"}, "DescribeVTLDevices": {"Limit", "Marker"},
            "DescribeTapeRecoveryPoints": {"Limit"}, "ListTapePools": {"Limit"},
            "CreateTapes": {"Worm", "Tags"}, "CreateTapeWithBarcode": {"Worm", "Tags"},
            "DeleteTape": {"BypassGovernanceRetention"}}


def test_every_tape_operation_holds_its_members_to_their_constraints(server):
    def answer(operation, body):
        status, answered = send(server, body, "StorageGateway_20130630." + operation)
        return status, answered.get("__type"), answered.get("message", "")
    for operation, right in RIGHT.items():
        expected = answer(operation, right)
        assert expected[1] in ("InvalidGatewayRequestException", None), (operation, expected)
        # What is unknown, or null where it may be absent, changes nothing.
        optional = OPTIONAL.get(operation, set())
        assert answer(operation, {**right, "Unknown": [1], **dict.fromkeys(optional)}) == expected
        for member in right:
            without = {k: v for k, v in right.items() if k != member}
            status, name, message = answer(operation, without)
            if (operation, member) in {("CreateTapes", "PoolId"), ("CreateTapeWithBarcode", "PoolId")}:
                continue
            camel = member[0].lower() + member[1:]
            assert (status, name) == (400, "ValidationException"), (operation, member)
            assert f"Value null at '{camel}' failed to satisfy constraint: Member must not be null" \
                in message
        for member in {*right, *optional}:
            if member in WRONG_TYPE:
                assert answer(operation, {**right, member: WRONG_TYPE[member]})[:2] == (
                    400, "SerializationException"), (operation, member)
            if member in OUT_OF_BOUNDS:
                value, why = OUT_OF_BOUNDS[member]
                status, name, message = answer(operation, {**right, member: value})
                assert (status, name) == (400, "ValidationException"), (operation, member)
                assert why in message or member == "TapeARNs", (operation, member, message)
    assert in_library(client(server))["TEST01L5"] == "AVAILABLE"


def test_a_marker_that_was_never_given_is_refused_or_leads_somewhere(server):
    for marker in ("x", "999999999999999999999", "-1", "%00", "TEST01L5"):
        status, answered = send(server, {"Marker": marker}, "StorageGateway_20130630.ListTapes")
        assert status == 400 or answered["TapeInfos"] is not None, (marker, answered)
        assert status in (200, 400)
