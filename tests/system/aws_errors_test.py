# SPDX-License-Identifier: BSD-2-Clause
"""Every error code of the Storage Gateway API that this server has a use for, in the published words:
clients are known to compare them."""
import re

import pytest

from aws_test import GATEWAY, HOST, OLD, client, management, refused, target_arn
from initiator import login
from support import PREFIX, conf, lines, target

GIB = 1 << 30
ELSEWHERE = GATEWAY.replace("12A3456B", "FFFFFFFF")
PLACE = {"GatewayARN": GATEWAY, "NetworkInterfaceId": "127.0.0.1"}
VOLUME = GATEWAY + "/volume/vol-"
PUBLISHED = {
    "ActivationKeyInvalid": "The specified activation key is invalid.",
    "DiskAlreadyAllocated": "The specified disk is already allocated.",
    "DiskDoesNotExist": "The specified disk does not exist.",
    "DiskSizeNotGigAligned": "The specified disk is not gigabyte-aligned.",
    "GatewayNotConnected": "The specified gateway is not connected.",
    "GatewayNotFound": "The specified gateway was not found.",
    "InitiatorInvalid": "The specified initiator is invalid.",
    "InitiatorNotFound": "The specified initiator was not found.",
    "InvalidParameters": "The specified request contains invalid parameters.",
    "MaximumVolumeCountExceeded": "The maximum volume count was exceeded.",
    "NetworkConfigurationChanged": "The gateway network configuration has changed.",
    "NotSupported": "The specified operation is not supported.",
    "TargetAlreadyExists": "The specified target already exists.",
    "TargetInvalid": "The specified target is invalid.",
    "TargetNotFound": "The specified target was not found.",
    "UnsupportedOperationForGatewayType":
        "The specified operation is not valid for the type of the gateway.",
    "VolumeIdInvalid": "The specified volume is invalid.",
    "VolumeInUse": "The specified volume is already in use.",
    "VolumeNotFound": "The specified volume was not found.",
}


def chap(target_arn=target_arn(), initiator=HOST, **more):
    return {"TargetARN": target_arn, "InitiatorName": initiator, **more}


def with_secret(*args, secret=OLD, **more):
    return chap(*args, SecretToAuthenticateInitiator=secret, **more)


def cached(**more):
    return {**PLACE, "VolumeSizeInBytes": GIB, "TargetName": "v", "ClientToken": "token-2", **more}


def stored(**more):
    return {**PLACE, "DiskId": "disk-a", "PreserveExistingData": True, "TargetName": "w", **more}


# Operations of a gateway of cached volumes, which may have one and has it, and somebody is logged in.
CACHED = [
    ("describe_gateway_information", {"GatewayARN": ELSEWHERE}, "GatewayNotFound"),
    ("list_volumes", {"GatewayARN": ELSEWHERE}, "GatewayNotFound"),
    ("activate_gateway", {"ActivationKey": "AAAAA-BBBBB", "GatewayName": "a-gateway",
                          "GatewayTimezone": "GMT", "GatewayRegion": "us-east-1"},
     "ActivationKeyInvalid"),
    ("describe_chap_credentials", {"TargetARN": target_arn(gateway=ELSEWHERE)}, "GatewayNotFound"),
    ("describe_chap_credentials", {"TargetARN": GATEWAY}, "TargetInvalid"),
    ("describe_chap_credentials", {"TargetARN": target_arn("x")}, "TargetInvalid"),
    ("describe_chap_credentials", {"TargetARN": target_arn(PREFIX + "x")}, "TargetNotFound"),
    ("update_chap_credentials", with_secret(target_arn(PREFIX + "x")), "TargetNotFound"),
    ("update_chap_credentials", with_secret(initiator="default"), "InitiatorInvalid"),
    ("update_chap_credentials", with_secret(secret="eleven-byte"), "InvalidParameters"),
    ("update_chap_credentials", with_secret(secret="seventeen-bytes-x"), "InvalidParameters"),
    ("update_chap_credentials", with_secret(SecretToAuthenticateTarget=OLD), "InvalidParameters"),
    ("delete_chap_credentials", chap(), "InitiatorNotFound"),
    ("delete_chap_credentials", chap(initiator="abc"), "InitiatorInvalid"),
    ("create_cached_iscsi_volume", cached(TargetName="new"), "MaximumVolumeCountExceeded"),
    ("create_cached_iscsi_volume", cached(ClientToken="token-1", TargetName="other"),
     "InvalidParameters"),
    ("create_cached_iscsi_volume", cached(NetworkInterfaceId="192.0.2.77"),
     "NetworkConfigurationChanged"),
    ("create_cached_iscsi_volume", cached(SnapshotId="snap-1122aabb"), "NotSupported"),
    ("create_cached_iscsi_volume", cached(KMSEncrypted=True), "NotSupported"),
    ("create_stored_iscsi_volume", stored(), "UnsupportedOperationForGatewayType"),
    ("describe_cached_iscsi_volumes", {"VolumeARNs": [VOLUME + "1122AABB"]}, "VolumeNotFound"),
    ("describe_cached_iscsi_volumes", {"VolumeARNs": [target_arn()]}, "VolumeIdInvalid"),
    ("list_volume_initiators", {"VolumeARN": VOLUME + "1122AABB"}, "VolumeNotFound"),
    ("delete_volume", {"VolumeARN": VOLUME + "1122AABB"}, "VolumeNotFound"),
    ("delete_volume", {"VolumeARN": None}, "VolumeInUse"),
    ("detach_volume", {"VolumeARN": None}, "VolumeInUse"),
    ("attach_volume", {**PLACE, "VolumeARN": None}, "VolumeInUse"),
    ("add_working_storage", {"GatewayARN": GATEWAY, "DiskIds": ["disk-a"]},
     "UnsupportedOperationForGatewayType"),
    ("add_cache", {"GatewayARN": GATEWAY, "DiskIds": ["none"]}, "DiskDoesNotExist"),
]
# Those of a gateway of stored volumes, which has disk-a in use, disk-b that is no whole GiB, and disk-c.
STORED = [
    ("create_stored_iscsi_volume", stored(DiskId="none"), "DiskDoesNotExist"),
    ("create_stored_iscsi_volume", stored(DiskId="disk-b"), "DiskSizeNotGigAligned"),
    ("create_stored_iscsi_volume", stored(TargetName="other"), "DiskAlreadyAllocated"),
    ("create_stored_iscsi_volume", stored(DiskId="disk-c"), "TargetAlreadyExists"),
    ("add_upload_buffer", {"GatewayARN": GATEWAY, "DiskIds": ["disk-a"]}, "DiskAlreadyAllocated"),
    ("create_cached_iscsi_volume", cached(), "UnsupportedOperationForGatewayType"),
]
STOPPED = [("list_volumes", {}, "GatewayNotConnected"),
           ("update_chap_credentials", with_secret(), "GatewayNotConnected"),
           ("update_gateway_information", {"GatewayARN": GATEWAY}, "GatewayNotConnected")]


def check(sg, cases, volume):
    for operation, members, number in cases:
        members = {k: volume if v is None else v for k, v in members.items()}
        assert refused(getattr(sg, operation), **members) == (
            "InvalidGatewayRequestException", PUBLISHED[number], number), (operation, members)


def test_every_published_text_is_met():
    assert {number for cases in (CACHED, STORED, STOPPED) for _, _, number in cases} == set(PUBLISHED)


def test_refusals_of_a_cached_gateway_are_in_the_published_words(start):
    server = start(conf(target(), more=management(aws="max_volumes = 1;")))
    sg = client(server)
    volume = sg.create_cached_iscsi_volume(**cached(ClientToken="token-1"))["VolumeARN"]
    before = sg.list_volumes()["VolumeInfos"]
    with login(server.port, "iqn.1997-05.com.amazon:v"):
        check(sg, CACHED, volume)
    assert sg.list_volumes()["VolumeInfos"] == before
    sg.shutdown_gateway(GatewayARN=GATEWAY)
    check(sg, STOPPED, volume)


def test_refusals_of_a_stored_gateway_are_in_the_published_words(make_server):
    server = make_server(conf(target(), more=management(aws='''gateway_type = "STORED"; disks = (
        { id = "disk-a"; path = "a.img"; }, { id = "disk-b"; path = "b.img"; },
        { id = "disk-c"; path = "c.img"; } );''')))
    for name, size in (("a", GIB), ("b", GIB + 512), ("c", GIB)):
        with open(server.dir / f"{name}.img", "wb") as f:
            f.truncate(size)
    sg = client(server.start())
    check(sg, STORED, sg.create_stored_iscsi_volume(**stored())["VolumeARN"])


# What the published words leave open, and the log tells.
CAUSES = [
    ("create_cached_iscsi_volume", cached(NetworkInterfaceId="192.0.2.77"),
     "NetworkInterfaceId 192.0.2.77 is no address of this machine"),
    ("create_cached_iscsi_volume", cached(NetworkInterfaceId="0.0.0.0"),
     "NetworkInterfaceId 0.0.0.0 is not one address, as 192.0.2.7 is"),
    ("create_cached_iscsi_volume", cached(ClientToken="token-1", TargetName="other"),
     "ClientToken token-1 was used for another request"),
    ("create_cached_iscsi_volume", cached(SnapshotId="snap-1122aabb"),
     "there are no snapshots, no copies of volumes and no KMS keys"),
    ("create_cached_iscsi_volume", cached(Tags=[{"Key": "aws:x", "Value": "y"}]),
     "the key of a tag begins with aws:, which is the service's"),
    ("add_tags_to_resource", {"ResourceARN": GATEWAY, "Tags": [
        {"Key": f"k{n}", "Value": "v"} for n in range(51)]}, "a resource has at most 50 tags"),
    ("attach_volume", {**PLACE, "VolumeARN": None, "NetworkInterfaceId": "192.0.2.77"},
     "NetworkInterfaceId 192.0.2.77 is no address of this machine"),
    ("add_cache", {"GatewayARN": GATEWAY, "DiskIds": ["none"]},
     "disk none is not in management.aws.disks"),
    ("update_chap_credentials", with_secret(target_arn(PREFIX + "x")),
     f"there is no target of TargetARN {target_arn(PREFIX + 'x')}"),
    ("update_chap_credentials", with_secret(GATEWAY),
     f"TargetARN is none of ours, which are {GATEWAY}/target/NAME: {GATEWAY}"),
    ("update_chap_credentials", with_secret(initiator="default"),
     "InitiatorName begins with none of iqn., eui. and naa."),
]


def test_the_log_tells_the_cause_that_the_published_words_leave_open(start):
    server = start(conf(target(), more=management()))
    sg = client(server)
    volume = sg.create_cached_iscsi_volume(**cached(ClientToken="token-1"))["VolumeARN"]
    for operation, members, _ in CAUSES:
        members = {k: volume if v is None else v for k, v in members.items()}
        assert refused(getattr(sg, operation), **members)[0] == "InvalidGatewayRequestException"
    told = [re.search(r' from 127.0.0.1: "(.*)"$', line)[1]
            for line in lines(server, "management: refused: ")]
    assert told == [cause for _, _, cause in CAUSES]
