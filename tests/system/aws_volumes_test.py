# SPDX-License-Identifier: BSD-2-Clause
"""Volumes and gateways of the Storage Gateway API: made, attached, told, shut down and deleted by
the AWS CLI and boto3, and used by an initiator in between."""
import os
import re
import threading
import time

import pytest

from aws_test import (AMAZON, GATEWAY, KEY, NEW, OLD, ClientError, aws, client, code,
                      http_over_socket, management, refused, send, target_arn, tags_of)
from initiator import Refused, login
from support import DISK, HOST, PREFIX, conf, target

__all__ = ["aws"]  # a fixture

AMZN = "iqn.1997-05.com.amazon:"
TOKEN = "token-0001"
GIB = 1 << 30
BLOCK = b"countersign-data" * 32
PLACE = {"GatewayARN": GATEWAY, "NetworkInterfaceId": "127.0.0.1"}


@pytest.fixture
def server(start):
    """A gateway of cached volumes."""
    return start(conf(target(), more=management(aws="max_volumes = 4;")))


@pytest.fixture
def stored(make_server):
    """A gateway of stored volumes with three disks, of which the second is no whole GiB."""
    server = make_server(conf(target(), more=management(aws='''gateway_type = "STORED"; disks = (
        { id = "disk-a"; path = "a.img"; }, { id = "disk-b"; path = "b.img"; },
        { id = "disk-c"; path = "c.img"; }, { id = "gone"; path = "nothing.img"; } );''')))
    for name, size in (("a", GIB), ("b", GIB + 512), ("c", 2 * GIB), ("nothing", GIB)):
        with open(server.dir / f"{name}.img", "wb") as f:
            f.truncate(size)
    server.start()
    return server


def create(sg, name="vol1", token=TOKEN, size=GIB, **more):
    return sg.create_cached_iscsi_volume(VolumeSizeInBytes=size, TargetName=name, ClientToken=token,
                                         **{**PLACE, **more})


def create_stored(sg, disk="disk-a", name="vol1", preserve=True, **more):
    return sg.create_stored_iscsi_volume(DiskId=disk, PreserveExistingData=preserve,
                                         TargetName=name, **{**PLACE, **more})


def describe(sg, arn):
    (told,) = sg.describe_cached_iscsi_volumes(VolumeARNs=[arn])["CachediSCSIVolumes"]
    return told


def made(sg):
    """The volumes that are not of the configuration file."""
    return [v for v in sg.list_volumes()["VolumeInfos"] if len(v["VolumeId"]) == 12]


def files(server):
    return [f for f in os.listdir(server.dir) if f.startswith("vol-")]


# --- cached volumes -------------------------------------------------------------------------------


def test_the_cli_takes_a_volume_through_its_whole_life(aws, server):
    place = ("--gateway-arn", GATEWAY, "--network-interface-id", "127.0.0.1")
    got = aws("create-cached-iscsi-volume", *place, "--volume-size-in-bytes", str(GIB),
              "--target-name", "vol1", "--client-token", TOKEN,
              "--tags", "Key=owner,Value=me")
    arn, name = got["VolumeARN"], AMZN + "vol1"
    assert got["TargetARN"] == target_arn(name)
    assert aws("list-tags-for-resource", "--resource-arn", arn)["Tags"] == [
        {"Key": "owner", "Value": "me"}]
    aws("update-chap-credentials", "--target-arn", got["TargetARN"], "--initiator-name", HOST,
        "--secret-to-authenticate-initiator", OLD)
    with login(server.port, name, secret=OLD) as session:
        session.ready()
        session.write(7, BLOCK)
        assert aws("list-volume-initiators", "--volume-arn", arn)["Initiators"] == [
            "%s:%d" % session.wire.socket.getsockname()]
        assert "already in use" in aws("delete-volume", "--volume-arn", arn, status=254)
        session.logout()
    assert aws("detach-volume", "--volume-arn", arn) == {"VolumeARN": arn}
    assert aws("attach-volume", *place, "--volume-arn", arn, "--target-name", "vol2") == {
        "VolumeARN": arn, "TargetARN": target_arn(AMZN + "vol2")}
    with login(server.port, AMZN + "vol2") as session:
        session.ready()
        assert session.read(7, 1) == BLOCK
        session.logout()
    assert aws("delete-volume", "--volume-arn", arn) == {"VolumeARN": arn}
    assert files(server) == []


def test_a_volume_is_described_as_documented(server):
    sg = client(server)
    before = int(time.time())
    got = create(sg)
    assert set(got) == {"VolumeARN", "TargetARN", "ResponseMetadata"}
    told = describe(sg, got["VolumeARN"])
    created = told.pop("CreatedDate").timestamp()
    assert before <= created <= time.time()
    volume_id = got["VolumeARN"].rsplit("/", 1)[1]
    assert told == {
        "VolumeARN": got["VolumeARN"], "VolumeId": volume_id, "VolumeType": "CACHED",
        "VolumeStatus": "AVAILABLE", "VolumeAttachmentStatus": "ATTACHED",
        "VolumeSizeInBytes": GIB, "VolumeUsedInBytes": 0, "TargetName": "vol1",
        "VolumeiSCSIAttributes": {
            "TargetARN": target_arn(AMZN + "vol1"), "NetworkInterfaceId": "127.0.0.1",
            "NetworkInterfacePort": server.port, "LunNumber": 0, "ChapEnabled": False}}
    assert made(sg) == [{
        "VolumeARN": got["VolumeARN"], "VolumeId": volume_id, "GatewayARN": GATEWAY,
        "GatewayId": "sgw-12A3456B", "VolumeType": "CACHED", "VolumeSizeInBytes": GIB,
        "VolumeAttachmentStatus": "ATTACHED"}]


def test_a_volume_and_its_data_are_there_after_kill_9(server):
    arn = create(client(server))["VolumeARN"]
    with login(server.port, AMZN + "vol1") as session:
        session.ready()
        session.write(0, BLOCK)
        session.flush()
    before = describe(client(server), arn)
    server.kill()
    server.start()
    after = describe(client(server), arn)
    assert {**after, "VolumeUsedInBytes": 0} == {**before, "VolumeUsedInBytes": 0}
    with login(server.port, AMZN + "vol1") as session:
        session.ready()
        assert session.read(0, 1) == BLOCK


def test_space_that_is_written_is_told_as_used(server):
    sg = client(server)
    arn = create(sg)["VolumeARN"]
    with login(server.port, AMZN + "vol1") as session:
        session.ready()
        session.write(0, BLOCK)
        session.flush()
        session.logout()
    assert 512 <= describe(sg, arn)["VolumeUsedInBytes"] <= 1 << 20


def test_a_volume_of_the_native_api_is_a_volume_here_too(server, ctl):
    ctl(server, "volume", "create", PREFIX + "native", "2G")
    sg = client(server)
    (volume,) = made(sg)
    told = describe(sg, volume["VolumeARN"])
    assert told["VolumeiSCSIAttributes"]["TargetARN"] == target_arn(PREFIX + "native")
    assert "TargetName" not in told     # clients would put the service's prefix in front of it
    sg.delete_volume(VolumeARN=volume["VolumeARN"])
    assert "no volumes" in ctl(server, "volume", "list").stdout


# --- tokens ---------------------------------------------------------------------------------------


def test_a_repeated_request_is_answered_alike_and_done_once_also_after_kill_9(server):
    first = create(client(server))
    server.kill()
    server.start()
    sg = client(server)
    again = create(sg)
    for answer in (first, again):
        del answer["ResponseMetadata"]
    assert again == first and len(made(sg)) == 1 and len(files(server)) == 1


def test_another_request_with_the_same_token_is_refused(server):
    sg = client(server)
    create(sg)
    for more in ({"name": "vol2"}, {"size": 2 * GIB}, {"Tags": [{"Key": "a", "Value": "b"}]}):
        name, message, number = refused(lambda **m: create(sg, **m), **more)
        assert number == "InvalidParameters", (name, message)
    assert len(made(sg)) == 1


def test_a_refused_request_may_be_repeated_with_its_token(server):
    sg = client(server)
    create(sg, name="taken", token="token-0000")
    assert code(lambda **m: create(sg, **m), name="taken") == "TargetAlreadyExists"
    sg.delete_volume(VolumeARN=made(sg)[0]["VolumeARN"])
    create(sg, name="taken")
    assert len(made(sg)) == 1


def test_the_same_request_eight_times_at_once_makes_one_volume(server):
    answers = []

    def ask(sg):
        answers.append(create(sg)["VolumeARN"])

    # boto3 makes clients for one thread at a time.
    threads = [threading.Thread(target=ask, args=(client(server),)) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(answers) == 8 and len(set(answers)) == 1
    assert len(made(client(server))) == 1 and len(files(server)) == 1


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("more, number", [
    ({"SnapshotId": "snap-1122aabb"}, "NotSupported"),
    ({"SourceVolumeARN": GATEWAY + "/volume/vol-1122AABB"}, "NotSupported"),
    ({"KMSEncrypted": True}, "NotSupported"),
    ({"NetworkInterfaceId": "192.0.2.77"}, "NetworkConfigurationChanged"),
    ({"NetworkInterfaceId": "0.0.0.0"}, "InvalidParameters"),
    ({"NetworkInterfaceId": "127.0.0.2"}, "NetworkConfigurationChanged"),
    ({"GatewayARN": GATEWAY[:-1] + "C"}, "GatewayNotFound"),
    ({"size": 0}, "InvalidParameters"),
    ({"size": -GIB}, "InvalidParameters"),
    ({"size": GIB + 1}, "InvalidParameters"),
    ({"size": 2**63 - 1}, "InvalidParameters"),
    ({"name": "a;b"}, "TargetInvalid"),
    ({"name": "myvolume"}, "TargetAlreadyExists"),
    ({"Tags": [{"Key": "aws:x", "Value": "1"}]}, "InvalidParameters"),
    ({"Tags": [{"Key": f"k{i}", "Value": "1"} for i in range(51)]}, "InvalidParameters"),
])
def test_a_volume_that_cannot_be_is_refused_and_leaves_nothing(start, more, number):
    server = start(conf(target(AMAZON), more=management()))
    sg = client(server)
    assert code(lambda **m: create(sg, **m), **more) == number
    assert made(sg) == [] and files(server) == []
    # The token was not used up.
    assert len(set(create(sg)["VolumeARN"] for _ in range(2))) == 1


@pytest.mark.parametrize("more, said", [
    ({"name": "A"}, "at 'targetName' .*regular expression pattern"),
    ({"name": "x" * 201}, "at 'targetName' .*less than or equal to 200"),
    ({"name": ""}, "at 'targetName' .*greater than or equal to 1"),
    ({"token": "four"}, "at 'clientToken' .*greater than or equal to 5"),
    ({"token": "x" * 101}, "at 'clientToken' .*less than or equal to 100"),
    ({"token": None}, "Value null at 'clientToken'"),
    ({"size": None}, "Value null at 'volumeSizeInBytes'"),
    ({"NetworkInterfaceId": "eth0"}, "at 'networkInterfaceId' .*regular expression pattern"),
    ({"SnapshotId": "snap-xyz"}, "at 'snapshotId'"),
])
def test_constraints_of_a_new_volume_hold(server, more, said):
    import re
    name, message, _ = refused(lambda **m: create(client(server), **m), **more)
    assert name == "ValidationException" and re.search(said, message, re.S), message


def test_the_maximum_number_of_volumes_holds(server):
    sg = client(server)
    for i in range(4):
        create(sg, name=f"v{i}", token=f"token-{i}")
    assert refused(lambda **m: create(sg, **m))[1:] == (
        "The maximum volume count was exceeded.", "MaximumVolumeCountExceeded")
    assert len(made(sg)) == len(files(server)) == 4


def test_the_limit_of_the_pool_holds(start):
    server = start(conf(target(), more=management().replace(
        'path = ".";', 'path = "."; max_size = "2G";')))
    sg = client(server)
    create(sg)
    assert refused(lambda **m: create(sg, **m), name="vol2", token="token-2", size=2 * GIB)[1:] == (
        "The local storage limit was exceeded.", "LocalStorageLimitExceeded")


def test_without_a_pool_there_are_no_disks(start):
    server = start(conf(target(), more=management().replace(
        'pools = ( { name = "p"; path = "."; } );', "")))
    assert code(lambda **m: create(client(server), **m)) == "NoDisksAvailable"


def test_a_volume_of_the_configuration_file_stays_as_it_is(server):
    sg = client(server)
    (arn,) = (v["VolumeARN"] for v in sg.list_volumes()["VolumeInfos"])
    for call, more in ((sg.delete_volume, {}), (sg.detach_volume, {}),
                       (sg.attach_volume, {**PLACE, "TargetName": "x"})):
        name, message, number = refused(call, VolumeARN=arn, **more)
        assert number == "NotSupported" and "configuration file" in message
    assert len(sg.list_volumes()["VolumeInfos"]) == 1


@pytest.mark.parametrize("arn, number", [
    (GATEWAY + "/volume/vol-00000000", "VolumeNotFound"),
    (GATEWAY + "/volum/vol-00000000", "VolumeIdInvalid"),
    (GATEWAY.replace("us-east-1", "us-east-2") + "/volume/vol-00000000", "GatewayNotFound"),
])
def test_changes_of_volumes_that_are_not_there_are_refused(server, arn, number):
    sg = client(server)
    assert code(sg.delete_volume, VolumeARN=arn) == number
    assert code(sg.detach_volume, VolumeARN=arn) == number
    assert code(sg.attach_volume, VolumeARN=arn, TargetName="x", **PLACE) == number
    assert code(sg.list_volume_initiators, VolumeARN=arn) == number


# --- attach, detach, delete -----------------------------------------------------------------------


def test_a_detached_volume_is_told_as_such_and_not_served(server):
    sg = client(server)
    arn = create(sg)["VolumeARN"]
    sg.detach_volume(VolumeARN=arn)
    assert made(sg)[0]["VolumeAttachmentStatus"] == "DETACHED"
    told = describe(sg, arn)
    assert "VolumeiSCSIAttributes" not in told and "TargetName" not in told
    with pytest.raises(Refused) as e:
        login(server.port, AMZN + "vol1")
    assert e.value.status == 0x0203
    assert refused(sg.detach_volume, VolumeARN=arn)[1:] == (
        "The specified volume is not ready.", "VolumeNotReady")
    # Without a name it goes back where it was.
    assert sg.attach_volume(VolumeARN=arn, **PLACE)["TargetARN"] == target_arn(AMZN + "vol1")
    assert code(sg.attach_volume, VolumeARN=arn, **PLACE) == "VolumeInUse"
    login(server.port, AMZN + "vol1").logout()


def test_a_volume_in_use_is_detached_by_force_alone(server):
    sg = client(server)
    arn = create(sg)["VolumeARN"]
    with login(server.port, AMZN + "vol1") as session:
        assert code(sg.detach_volume, VolumeARN=arn) == "VolumeInUse"
        session.ready()
        sg.detach_volume(VolumeARN=arn, ForceDetach=True)
        assert session.wire.is_closed()


def test_a_target_that_is_taken_takes_no_other_volume(server):
    sg = client(server)
    first = create(sg)["VolumeARN"]
    sg.detach_volume(VolumeARN=first)
    create(sg, token="token-0002")
    assert refused(sg.attach_volume, VolumeARN=first, **PLACE)[1:] == (
        "The specified target already exists.", "TargetAlreadyExists")


def test_credentials_and_tags_of_a_deleted_volume_are_gone(server):
    sg = client(server)
    got = create(sg, Tags=[{"Key": "a", "Value": "b"}])
    sg.update_chap_credentials(TargetARN=got["TargetARN"], InitiatorName=HOST,
                               SecretToAuthenticateInitiator=OLD)
    assert describe(sg, got["VolumeARN"])["VolumeiSCSIAttributes"]["ChapEnabled"]
    sg.delete_volume(VolumeARN=got["VolumeARN"])
    assert code(sg.describe_chap_credentials, TargetARN=got["TargetARN"]) == "TargetNotFound"
    again = create(sg, token="token-0002")
    assert sg.describe_chap_credentials(TargetARN=again["TargetARN"])["ChapCredentials"] == []
    assert tags_of(sg, again["VolumeARN"]) == {}
    login(server.port, AMZN + "vol1").logout()
    what = [e["what"] for e in http_over_socket(server, "GET", "/v1/audit", answer=True)["audit"]]
    assert what == ["create volume", "delete credentials of a deleted volume", "delete volume",
                    "set credential", "create volume"]


def test_a_key_for_reading_makes_and_deletes_nothing(server):
    from aws_test import READER
    arn = create(client(server))["VolumeARN"]
    sg = client(server, key=READER)
    for call, more in ((sg.delete_volume, {"VolumeARN": arn}),
                       (sg.detach_volume, {"VolumeARN": arn}),
                       (sg.attach_volume, {"VolumeARN": arn, **PLACE}),
                       (sg.shutdown_gateway, {"GatewayARN": GATEWAY}),
                       (sg.start_gateway, {"GatewayARN": GATEWAY}),
                       (sg.update_gateway_information, {"GatewayARN": GATEWAY}),
                       (sg.add_cache, {"GatewayARN": GATEWAY, "DiskIds": ["x"]})):
        assert refused(call, **more)[0] == "AccessDeniedException"
    assert refused(lambda **m: create(sg, **m), token="token-2")[0] == "AccessDeniedException"
    assert len(made(sg)) == 1


# --- stored volumes and disks ---------------------------------------------------------------------


def test_a_stored_volume_is_its_disk(stored):
    sg = client(stored)
    (stored.dir / "a.img").open("r+b").write(BLOCK)
    got = create_stored(sg)
    assert (got["VolumeSizeInBytes"], got["TargetARN"]) == (GIB, target_arn(AMZN + "vol1"))
    (told,) = sg.describe_stored_iscsi_volumes(
        VolumeARNs=[got["VolumeARN"]])["StorediSCSIVolumes"]
    assert (told["VolumeType"], told["VolumeDiskId"], told["PreservedExistingData"]) == \
        ("STORED", "disk-a", True)
    disk = sg.list_local_disks(GatewayARN=GATEWAY)["Disks"][0]
    assert (disk["DiskAllocationType"], disk["DiskAllocationResource"]) == (
        "STORED iSCSI VOLUME", f"{AMZN}vol1::0::us-east-1-{told['VolumeId']}")
    with login(stored.port, AMZN + "vol1") as session:
        session.ready()
        assert session.read(0, 1) == BLOCK
        session.write(1, BLOCK)
        session.logout()
    stored.kill()
    stored.start()
    sg = client(stored)
    sg.delete_volume(VolumeARN=got["VolumeARN"])
    assert (stored.dir / "a.img").open("rb").read(1024) == BLOCK * 2
    assert sg.list_local_disks(GatewayARN=GATEWAY)["Disks"][0]["DiskAllocationType"] == "AVAILABLE"


def test_a_stored_volume_is_attached_with_its_own_disk_alone(stored):
    sg = client(stored)
    arn = create_stored(sg)["VolumeARN"]
    sg.detach_volume(VolumeARN=arn)
    assert code(sg.attach_volume, VolumeARN=arn, DiskId="disk-c", **PLACE) == "DiskDoesNotExist"
    assert sg.attach_volume(VolumeARN=arn, DiskId="disk-a", TargetName="vol2", **PLACE)[
        "TargetARN"] == target_arn(AMZN + "vol2")
    login(stored.port, AMZN + "vol2").logout()


def test_a_disk_that_is_not_to_be_preserved_is_erased(stored):
    (stored.dir / "a.img").open("r+b").write(BLOCK)
    create_stored(client(stored), preserve=False)
    assert (stored.dir / "a.img").open("rb").read(512) == bytes(512)
    assert (stored.dir / "a.img").stat().st_size == GIB


@pytest.mark.parametrize("disk, number", [
    ("disk-b", "DiskSizeNotGigAligned"), ("gone", "DiskDoesNotExist"),
    ("nonsense", "DiskDoesNotExist")])
def test_a_disk_that_cannot_be_a_volume_is_refused(stored, disk, number):
    (stored.dir / "nothing.img").unlink()
    assert code(lambda **m: create_stored(client(stored), **m), disk=disk) == number


def test_a_disk_serves_one_purpose(stored):
    sg = client(stored)
    create_stored(sg)
    assert refused(lambda **m: create_stored(sg, **m), name="vol2")[1:] == (
        "The specified disk is already allocated.", "DiskAlreadyAllocated")
    assert code(sg.add_upload_buffer, GatewayARN=GATEWAY, DiskIds=["disk-a"]) == \
        "DiskAlreadyAllocated"
    sg.add_upload_buffer(GatewayARN=GATEWAY, DiskIds=["disk-c"])
    (stored.dir / "c.img").open("r+b").write(BLOCK)
    assert code(lambda **m: create_stored(sg, **m), disk="disk-c", name="vol2", preserve=False) == \
        "DiskAlreadyAllocated"
    assert (stored.dir / "c.img").open("rb").read(512) == BLOCK
    assert code(sg.add_working_storage, GatewayARN=GATEWAY, DiskIds=["disk-b", "disk-c"]) == \
        "DiskAlreadyAllocated"
    told = {d["DiskId"]: d["DiskAllocationType"]
            for d in sg.list_local_disks(GatewayARN=GATEWAY)["Disks"]}
    assert told == {"disk-a": "STORED iSCSI VOLUME", "disk-b": "AVAILABLE",
                    "disk-c": "UPLOAD BUFFER", "gone": "AVAILABLE"}


def test_buffers_are_remembered_and_told(stored):
    client(stored).add_upload_buffer(GatewayARN=GATEWAY, DiskIds=["disk-a"])
    client(stored).add_working_storage(GatewayARN=GATEWAY, DiskIds=["disk-c"])
    stored.kill()
    stored.start()
    sg = client(stored)
    buffer = sg.describe_upload_buffer(GatewayARN=GATEWAY)
    assert (buffer["DiskIds"], buffer["UploadBufferAllocatedInBytes"],
            buffer["UploadBufferUsedInBytes"]) == (["disk-a"], GIB, 0)
    storage = sg.describe_working_storage(GatewayARN=GATEWAY)
    assert (storage["DiskIds"], storage["WorkingStorageAllocatedInBytes"],
            storage["WorkingStorageUsedInBytes"]) == (["disk-c"], 2 * GIB, 0)
    assert code(sg.describe_cache, GatewayARN=GATEWAY) == "UnsupportedOperationForGatewayType"
    assert code(sg.add_upload_buffer, GatewayARN=GATEWAY, DiskIds=[]) == "InvalidParameters"
    assert code(sg.add_upload_buffer, GatewayARN=GATEWAY, DiskIds=["none"]) == "DiskDoesNotExist"


def test_the_cache_of_the_walk_through_is_told(aws, make_server):
    server = make_server(conf(target(), more=management(
        aws='disks = ( { id = "disk-a"; path = "a.img"; } );')))
    (server.dir / "a.img").touch()
    server.start()
    sg = client(server)
    assert sg.add_cache(GatewayARN=GATEWAY, DiskIds=["disk-a"])["GatewayARN"] == GATEWAY
    told = sg.describe_cache(GatewayARN=GATEWAY)
    assert (told["DiskIds"], told["CacheAllocatedInBytes"], told["CacheUsedPercentage"]) == \
        (["disk-a"], 0, 0.0)
    assert code(sg.add_working_storage, GatewayARN=GATEWAY, DiskIds=["disk-a"]) == \
        "UnsupportedOperationForGatewayType"


def test_each_type_of_gateway_makes_its_own_type_of_volume(server, stored):
    assert code(lambda **m: create_stored(client(server), **m)) == \
        "UnsupportedOperationForGatewayType"
    assert code(lambda **m: create(client(stored), **m)) == "UnsupportedOperationForGatewayType"


# --- the gateway ----------------------------------------------------------------------------------


def state(sg):
    return sg.describe_gateway_information(GatewayARN=GATEWAY)["GatewayState"]


def test_a_gateway_that_is_shut_down_takes_no_logins_until_it_is_started(aws, server):
    sg = client(server)
    with login(server.port, DISK) as session:
        session.ready()
        assert aws("shutdown-gateway", "--gateway-arn", GATEWAY) == {"GatewayARN": GATEWAY}
        assert session.wire.is_closed(2)
    assert state(sg) == "SHUTDOWN"
    for _ in range(2):
        with pytest.raises(Refused) as e:
            login(server.port, DISK)
        assert e.value.status == 0x0301
        server.kill()
        server.start()
    sg = client(server)
    assert aws("start-gateway", "--gateway-arn", GATEWAY) == {"GatewayARN": GATEWAY}
    assert state(sg) == "RUNNING"
    with login(server.port, DISK) as session:
        session.ready()
    sg.start_gateway(GatewayARN=GATEWAY)


def test_a_server_says_that_its_gateway_is_shut_down(server, ctl):
    sg = client(server)
    https = f"https://127.0.0.1:{server.ports['tls_port']}"
    assert "gateway        sgw-12A3456B, running\n" in ctl(server, "status").stdout
    assert f"\n{'':15}{https}\n" in ctl(server, "status").stdout
    sg.shutdown_gateway(GatewayARN=GATEWAY)
    server.stop()
    server.start()
    server.wait_for_log("warning: gateway sgw-12A3456B is shut down: nobody can log in")
    assert "gateway        sgw-12A3456B, shut down: nobody can log in\n" in \
        ctl(server, "status").stdout


def test_while_a_gateway_is_shut_down_only_three_operations_are_answered(server):
    sg = client(server)
    sg.shutdown_gateway(GatewayARN=GATEWAY)
    assert len(sg.list_gateways()["Gateways"]) == 1 and state(sg) == "SHUTDOWN"
    arn = GATEWAY + "/volume/vol-00000000"
    for call, more in (
            (sg.list_volumes, {}), (sg.list_local_disks, {"GatewayARN": GATEWAY}),
            (sg.shutdown_gateway, {"GatewayARN": GATEWAY}),
            (sg.update_gateway_information, {"GatewayARN": GATEWAY}),
            (sg.describe_cached_iscsi_volumes, {"VolumeARNs": [arn]}),
            (sg.delete_volume, {"VolumeARN": arn}),
            (sg.describe_chap_credentials, {"TargetARN": target_arn()}),
            (sg.list_tags_for_resource, {"ResourceARN": GATEWAY})):
        assert refused(call, **more) == (
            "InvalidGatewayRequestException", "The specified gateway is not connected.",
            "GatewayNotConnected")
    sg.start_gateway(GatewayARN=GATEWAY)
    assert sg.list_volumes()["VolumeInfos"]


def test_shutting_down_and_starting_at_once_leaves_one_of_both_states(server):
    answers = []

    def change(sg, name):
        for _ in range(10):
            try:
                getattr(sg, name)(GatewayARN=GATEWAY)
                answers.append("done")
            except ClientError as e:
                answers.append(e.response["error"]["errorCode"])

    threads = [threading.Thread(target=change, args=(client(server), name))
               for name in ("shutdown_gateway", "start_gateway") * 3]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert set(answers) <= {"done", "GatewayNotConnected", "GatewayProxyNetworkConnectionBusy"}
    assert len(answers) == 60 and "done" in answers
    for name, is_open in (("start_gateway", True), ("shutdown_gateway", False)):
        getattr(client(server), name)(GatewayARN=GATEWAY)
        if is_open:
            login(server.port, DISK).logout()
        else:
            with pytest.raises(Refused):
                login(server.port, DISK)


def test_a_shut_down_gateway_stays_so_over_a_reload(server, ctl):
    client(server).shutdown_gateway(GatewayARN=GATEWAY)
    server.write_conf(conf(target(), target(PREFIX + "new"), more=management()))
    ctl(server, "reload")
    for name in (DISK, PREFIX + "new"):
        with pytest.raises(Refused) as e:
            login(server.port, name)
        assert e.value.status == 0x0301


def test_a_new_name_and_time_zone_stay(aws, server):
    assert aws("update-gateway-information", "--gateway-arn", GATEWAY, "--gateway-name", "other",
               "--gateway-timezone", "GMT-8:00") == {"GatewayARN": GATEWAY, "GatewayName": "other"}
    server.kill()
    server.start()
    sg = client(server)
    told = sg.describe_gateway_information(GatewayARN=GATEWAY)
    assert (told["GatewayName"], told["GatewayTimezone"]) == ("other", "GMT-8:00")
    assert sg.list_gateways()["Gateways"][0]["GatewayName"] == "other"
    # By its name, as the older version of the API has it; the old name is free.
    assert sg.list_volumes(GatewayARN=GATEWAY.replace("sgw-12A3456B", "other"))
    assert code(sg.list_volumes, GatewayARN=GATEWAY.replace("sgw-12A3456B", "mygateway")) == \
        "GatewayNotFound"
    assert sg.update_gateway_information(
        GatewayARN=GATEWAY, GatewayTimezone="GMT")["GatewayName"] == "other"
    assert refused(sg.update_gateway_information, GatewayARN=GATEWAY, GatewayName="a/b")[0] == \
        "ValidationException"


def test_a_capacity_stays_and_a_log_group_is_refused(aws, server):
    aws("update-gateway-information", "--gateway-arn", GATEWAY, "--gateway-capacity", "Large")
    server.kill()
    server.start()
    sg = client(server)
    assert sg.describe_gateway_information(GatewayARN=GATEWAY)["GatewayCapacity"] == "Large"
    group = "arn:aws:logs:us-east-1:111122223333:log-group:/x:*"
    assert code(sg.update_gateway_information, GatewayARN=GATEWAY, GatewayName="other",
                CloudWatchLogGroupARN=group) == "NotSupported"
    assert sg.update_gateway_information(GatewayARN=GATEWAY, CloudWatchLogGroupARN="")[
        "GatewayName"] == "mygateway"


@pytest.fixture
def inactive(start):
    return start(conf(target(), more=management(aws='activation_key = "AB12C-DE34F";')))


def activate(sg, **more):
    return sg.activate_gateway(**{
        "ActivationKey": "AB12C-DE34F", "GatewayName": "first", "GatewayTimezone": "GMT+1:00",
        "GatewayRegion": "us-east-1", "GatewayType": "CACHED", **more})


def test_a_gateway_with_a_key_is_none_before_it_is_activated(inactive):
    sg = client(inactive)
    assert sg.list_gateways()["Gateways"] == []
    assert code(sg.list_volumes) == code(sg.start_gateway, GatewayARN=GATEWAY) == \
        code(sg.describe_gateway_information, GatewayARN=GATEWAY) == "GatewayNotFound"
    for more, number in (({"ActivationKey": "AB12C-DE34G"}, "ActivationKeyInvalid"),
                         ({"GatewayRegion": "us-east-2"}, "RegionInvalid"),
                         ({"GatewayType": "VTL"}, "InvalidParameters")):
        assert code(lambda **m: activate(sg, **m), **more) == number
    assert activate(sg)["GatewayARN"] == GATEWAY
    inactive.kill()
    inactive.start()
    sg = client(inactive)
    (told,) = sg.list_gateways()["Gateways"]
    assert told["GatewayName"] == "first"
    assert refused(lambda **m: activate(sg, **m))[1:] == (
        "The specified activation key is invalid.", "ActivationKeyInvalid")


def test_all_of_it_is_spoken_in_the_older_version_too(server):
    status, answer = send(server, {**PLACE, "VolumeSizeInBytes": GIB, "TargetName": "old",
                                   "ClientToken": TOKEN},
                          "StorageGateway_20120630.CreateCachediSCSIVolume")
    assert status == 200 and answer["TargetARN"] == target_arn(AMZN + "old")
    for name, body in (("ShutdownGateway", {"GatewayARN": GATEWAY}),
                       ("StartGateway", {"GatewayARN": GATEWAY}),
                       ("DeleteVolume", {"VolumeARN": answer["VolumeARN"]})):
        assert send(server, body, "StorageGateway_20120630." + name)[0] == 200


# --- portals --------------------------------------------------------------------------------------


BOTH = '''{ address = "127.0.0.1"; port = $port; },
            { address = "127.0.0.2"; port = $other_port; group = 2; }'''


def test_a_volume_is_shown_by_the_interface_that_was_asked_for(start):
    server = start(conf(target(), portals=BOTH, more=management()))
    create(client(server), NetworkInterfaceId="127.0.0.2")
    with pytest.raises(Refused):
        login(server.port, AMZN + "vol1")
    login(server.ports["other_port"], AMZN + "vol1", address="127.0.0.2").logout()


def test_a_volume_whose_interface_is_gone_is_not_shown_by_another(start, ctl):
    server = start(conf(target(), portals=BOTH, more=management()))
    sg = client(server)
    arn = create(sg, NetworkInterfaceId="127.0.0.2")["VolumeARN"]
    server.write_conf(conf(target(), more=management()))
    ctl(server, "reload")
    assert describe(sg, arn)["VolumeStatus"] == "IRRECOVERABLE"
    with pytest.raises(Refused):
        login(server.port, AMZN + "vol1")


# --- the log --------------------------------------------------------------------------------------


def test_every_refusal_is_a_line_of_the_log(server):
    sg = client(server)
    create(sg)
    code(lambda **m: create(sg, **m), token="token-0002")
    sg.update_chap_credentials(TargetARN=target_arn(), InitiatorName=HOST,
                               SecretToAuthenticateInitiator=OLD)
    for initiator, secret, more in ((HOST, NEW * 3, {}), (HOST, NEW, {"TargetARN": GATEWAY}),
                                    (PREFIX + "b", OLD[:5], {"SecretToAuthenticateTarget": NEW}),
                                    (HOST + "\n", NEW, {})):
        refused(sg.update_chap_credentials, **{
            "TargetARN": target_arn(), "InitiatorName": initiator,
            "SecretToAuthenticateInitiator": secret, **more})
    said = re.findall(rf"notice: management: refused: (\w+): aws:{KEY} from 127.0.0.1: (\".*\")$",
                      server.log(), re.M)
    assert [what for what, _ in said] == ["CreateCachediSCSIVolume"] + 4 * ["UpdateChapCredentials"]
    assert [why for _, why in said[1:4]] == [
        '"a secret has 12 to 16 bytes"',
        f'"TargetARN is none of ours, which are {GATEWAY}/target/NAME: {GATEWAY}"',
        '"a secret has 12 to 16 bytes"']
    assert NEW not in server.log() and OLD not in server.log()
