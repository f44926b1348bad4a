# SPDX-License-Identifier: BSD-2-Clause
"""The Storage Gateway API as its users have it: the AWS CLI and boto3, unmodified; and as its
abusers have it: requests that are rightly signed and wrong in everything else."""
import http.client
import json
import os
import random
import re
import socket
import ssl
import string
from pathlib import Path

import pytest
from initiator import Closed, Refused, login
from support import DISK, HOST, PREFIX, conf, disk, no_secret, ram, target

botocore = pytest.importorskip("botocore", reason="python3-boto3 is not installed")
boto3 = pytest.importorskip("boto3")
from botocore.auth import SigV4Auth  # noqa: E402
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.config import Config  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402

KEY = "AKIAIOSFODNN7EXAMPLE"
KEY_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
READER = "AKIAREADONLYEXAMPLE1"
GATEWAY = "arn:aws:storagegateway:us-east-1:111122223333:gateway/sgw-12A3456B"
AMAZON = "iqn.1997-05.com.amazon:myvolume"
LOCKED = PREFIX + "locked"
OLD, NEW, BACK = "old-secret-0001", "new-secret-0002", "target-secret-3"
SECRETS = (OLD, NEW, BACK, KEY_SECRET)

OPERATIONS = re.findall(r'^\t(?:LOOKS|CHANGES|ROW)\("(\w+)"',
                        (Path(__file__).parents[2] / "target/mgmt/aws.c").read_text(), re.M)

TARGETS = (
    target(),
    target(AMAZON, luns=ram(0) + ", " + ram(3)),
    target(LOCKED, credentials=f'{{ initiator = "{HOST}"; secret = "{OLD}"; }}'),
)


def management(more="", aws=""):
    """The part of a configuration that is about this API."""
    return f'''log_level = "debug";
pools = ( {{ name = "p"; path = "."; }} );
management = {{
  http = ( {{ address = "127.0.0.1"; port = $api_port; }},
           {{ address = "127.0.0.1"; port = $tls_port; tls = true; }} );
  aws = {{ gateway = "sgw-12A3456B"; gateway_name = "mygateway"; {aws}
    access_keys = ( {{ id = "{KEY}"; secret = "{KEY_SECRET}"; }},
                    {{ id = "{READER}"; secret = "{KEY_SECRET}"; read_only = true; }} ); }};
  {more}
}};'''


@pytest.fixture
def server(start):
    return start(conf(*TARGETS, more=management()))


def target_arn(name=DISK, gateway=GATEWAY):
    return f"{gateway}/target/{name}"


def endpoint(server, tls=False):
    return (f"https://127.0.0.1:{server.ports['tls_port']}" if tls else
            f"http://127.0.0.1:{server.ports['api_port']}")


def client(server, key=KEY, secret=KEY_SECRET, region="us-east-1", **kwargs):
    """A boto3 client that leaves all judgement to the server."""
    return boto3.client(
        "storagegateway", endpoint_url=endpoint(server), region_name=region,
        aws_access_key_id=key, aws_secret_access_key=secret,
        config=Config(parameter_validation=False, retries={"max_attempts": 0}), **kwargs)


def refused(call, **members):
    """The exception's name, its message and its error code."""
    with pytest.raises(ClientError) as e:
        call(**members)
    answer = e.value.response
    assert re.fullmatch(r"[0-9a-f-]{36}", answer["ResponseMetadata"]["RequestId"])
    return (answer["Error"]["Code"], answer["Error"]["Message"],
            answer.get("error", {}).get("errorCode"))


def code(call, **members):
    """The error code of an operation that is refused."""
    name, _, number = refused(call, **members)
    assert name == "InvalidGatewayRequestException"
    return number


@pytest.fixture
def aws(server, run, monkeypatch):
    """aws(*args): the AWS CLI, against the plain listener; gives what it prints as JSON."""
    for name, value in (("ACCESS_KEY_ID", KEY), ("SECRET_ACCESS_KEY", KEY_SECRET),
                        ("DEFAULT_REGION", "us-east-1"), ("EC2_METADATA_DISABLED", "true"),
                        ("CONFIG_FILE", "/nonexistent")):
        monkeypatch.setenv("AWS_" + name, value)

    def call(*args, tls=False, status=0):
        how = ("--no-verify-ssl",) if tls else ()
        done = run("/usr/bin/aws", "--output", "json", "--endpoint-url", endpoint(server, tls),
                   *how, "storagegateway", *args, status=status)
        return done.stderr if status else json.loads(done.stdout or "{}")
    return call


def update(sg, initiator=HOST, secret=OLD, back=None, name=DISK):
    more = {"SecretToAuthenticateTarget": back} if back else {}
    return sg.update_chap_credentials(TargetARN=target_arn(name), InitiatorName=initiator,
                                      SecretToAuthenticateInitiator=secret, **more)


def rows(sg, name=DISK):
    return sg.describe_chap_credentials(TargetARN=target_arn(name))["ChapCredentials"]


# --- the AWS CLI ----------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_list_gateways_prints_the_gateway(aws, tls):
    assert aws("list-gateways", tls=tls)["Gateways"] == [{
        "GatewayId": "sgw-12A3456B", "GatewayARN": GATEWAY, "GatewayType": "CACHED",
        "GatewayOperationalState": "ACTIVE", "GatewayName": "mygateway",
        "HostEnvironment": "OTHER"}]


def test_a_wrong_key_secret_is_an_invalid_signature(aws, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x" * 40)
    assert "(InvalidSignatureException)" in aws("list-gateways", status=254)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_credential_is_updated_described_and_deleted(aws, tls):
    arn = ("--target-arn", target_arn())
    who = ("--initiator-name", HOST)
    echo = {"TargetARN": target_arn(), "InitiatorName": HOST}
    assert aws("update-chap-credentials", *arn, *who, "--secret-to-authenticate-initiator", OLD,
               "--secret-to-authenticate-target", BACK, tls=tls) == echo
    assert aws("describe-chap-credentials", *arn, tls=tls) == {"ChapCredentials": [
        {**echo, "SecretToAuthenticateInitiator": OLD, "SecretToAuthenticateTarget": BACK}]}
    assert aws("delete-chap-credentials", *arn, *who, tls=tls) == echo
    assert aws("describe-chap-credentials", *arn, tls=tls) == {"ChapCredentials": []}


def test_pages_of_one_list_all_volumes(aws):
    whole = aws("list-volumes")["VolumeInfos"]
    assert len(whole) == 4
    assert aws("list-volumes", "--page-size", "1")["VolumeInfos"] == whole


def test_an_unknown_target_is_told_in_the_published_words(aws):
    said = aws("describe-chap-credentials", "--target-arn", target_arn(PREFIX + "x"), status=254)
    assert said.strip() == (
        "An error occurred (InvalidGatewayRequestException) when calling the "
        "DescribeChapCredentials operation: The specified target was not found.")


# --- what an update does to sessions --------------------------------------------------------------


def test_an_update_drops_the_session_and_changes_the_door(server):
    sg = client(server)
    update(sg)
    session = login(server.port, DISK, secret=OLD)
    update(sg, secret=NEW, back=BACK)
    assert session.wire.is_closed(2)
    with pytest.raises(Refused) as e:
        login(server.port, DISK, secret=OLD)
    assert e.value.status == 0x0201
    login(server.port, DISK, user=HOST, secret=NEW, target_user=DISK, target_secret=BACK).logout()


def test_an_update_leaves_the_sessions_of_other_targets(server):
    with login(server.port, AMAZON) as session:
        update(client(server))
        session.ready()


def test_a_first_credential_closes_the_target_for_those_without(server):
    session = login(server.port, DISK)
    update(client(server))
    assert session.wire.is_closed(2)
    with pytest.raises((Refused, Closed)):
        login(server.port, DISK)


def test_a_deletion_drops_the_session_and_the_last_one_opens_the_target(server):
    sg = client(server)
    update(sg)
    session = login(server.port, DISK, secret=OLD)
    sg.delete_chap_credentials(TargetARN=target_arn(), InitiatorName=HOST)
    assert session.wire.is_closed(2)
    login(server.port, DISK).logout()


def test_credentials_are_there_after_a_kill(server):
    update(client(server), back=BACK)
    server.kill()
    server.start()
    assert rows(client(server)) == [{
        "TargetARN": target_arn(), "InitiatorName": HOST, "SecretToAuthenticateInitiator": OLD,
        "SecretToAuthenticateTarget": BACK}]


# --- rules for credentials ------------------------------------------------------------------------


@pytest.mark.parametrize("secret", ["x" * 11, "x" * 17, "x" * 100, "é" * 9, "\U0001f600" * 5])
def test_a_secret_outside_12_to_16_bytes_is_refused(server, secret):
    sg = client(server)
    assert refused(sg.update_chap_credentials, TargetARN=target_arn(), InitiatorName=HOST,
                   SecretToAuthenticateInitiator=secret) == (
        "InvalidGatewayRequestException",
        "The specified request contains invalid parameters.", "InvalidParameters")
    assert code(sg.update_chap_credentials, TargetARN=target_arn(), InitiatorName=HOST,
                SecretToAuthenticateInitiator=OLD, SecretToAuthenticateTarget=secret) == \
        "InvalidParameters"
    assert rows(sg) == []


@pytest.mark.parametrize("secret", ["x" * 12, "x" * 16, "\U0001f600" * 4, "ключ-12"[:6] + "xx",
                                    "0x3132333435", "0xnothexatall", 'q"\\/\b\f\n\r\t zz'])
def test_a_secret_of_12_to_16_bytes_is_its_bytes(server, secret):
    sg = client(server)
    update(sg, secret=secret)
    assert rows(sg)[0]["SecretToAuthenticateInitiator"] == secret
    login(server.port, DISK, secret=secret).logout()


def test_an_update_replaces_both_secrets(server):
    sg = client(server)
    update(sg, back=BACK)
    update(sg, secret=NEW)
    assert rows(sg) == [{"TargetARN": target_arn(), "InitiatorName": HOST,
                         "SecretToAuthenticateInitiator": NEW}]


def test_equal_secrets_are_refused(server):
    assert code(client(server).update_chap_credentials, TargetARN=target_arn(), InitiatorName=HOST,
                SecretToAuthenticateInitiator=OLD, SecretToAuthenticateTarget=OLD) == \
        "InvalidParameters"


def test_a_secret_of_the_other_direction_is_refused_on_any_target(server):
    sg = client(server)
    update(sg, back=BACK)
    assert code(sg.update_chap_credentials, TargetARN=target_arn(AMAZON), InitiatorName=HOST,
                SecretToAuthenticateInitiator=BACK) == "InvalidParameters"
    assert code(sg.update_chap_credentials, TargetARN=target_arn(AMAZON), InitiatorName=HOST,
                SecretToAuthenticateInitiator=NEW, SecretToAuthenticateTarget=OLD) == \
        "InvalidParameters"
    assert rows(sg, AMAZON) == []


@pytest.mark.parametrize("name", ["default", "host1", "iqn", "iqn:x", "wwn.5000"])
def test_a_name_that_is_of_no_initiator_is_invalid(server, name):
    sg = client(server)
    assert code(sg.update_chap_credentials, TargetARN=target_arn(), InitiatorName=name,
                SecretToAuthenticateInitiator=OLD) == "InitiatorInvalid"
    assert code(sg.delete_chap_credentials, TargetARN=target_arn(), InitiatorName=name) == \
        "InitiatorInvalid"


@pytest.mark.parametrize("name", ["iqn.1991-05.com.microsoft:host", "eui.02004567a425678d",
                                  "naa.52004567ba64678d"])
def test_names_of_every_kind_are_taken(server, name):
    sg = client(server)
    update(sg, name)
    assert [row["InitiatorName"] for row in rows(sg)] == [name]


def test_an_unknown_pair_is_not_found(server):
    assert refused(client(server).delete_chap_credentials, TargetARN=target_arn(),
                   InitiatorName=HOST)[1:] == (
        "The specified initiator was not found.", "InitiatorNotFound")


def test_a_row_of_the_configuration_file_is_shown_without_its_secret_and_stays(server):
    sg = client(server)
    assert rows(sg, LOCKED) == [{"TargetARN": target_arn(LOCKED), "InitiatorName": HOST}]
    for call, more in ((sg.update_chap_credentials, {"SecretToAuthenticateInitiator": NEW}),
                       (sg.delete_chap_credentials, {})):
        name, message, number = refused(call, TargetARN=target_arn(LOCKED), InitiatorName=HOST,
                                        **more)
        assert number == "NotSupported" and "countersign.conf" in message
    login(server.port, LOCKED, secret=OLD).logout()


def test_rows_of_countersignctl_are_shown_without_secrets_and_replaced(server, ctl, programs):
    sg = client(server)
    done = http_over_socket(server, "PUT", f"/v1/targets/{DISK}/credentials/{HOST}",
                            {"secret": OLD, "addresses": ["127.0.0.0/8"]})
    assert done < 300
    assert rows(sg) == [{"TargetARN": target_arn(), "InitiatorName": HOST}]
    update(sg, secret=NEW)
    assert rows(sg)[0]["SecretToAuthenticateInitiator"] == NEW
    assert row_of(server)["addresses"] == ["127.0.0.0/8"] and row_of(server)["origin"] == "aws"


def test_a_denial_cannot_be_undone_from_here(server):
    sg = client(server)
    assert http_over_socket(server, "PUT", f"/v1/targets/{DISK}/credentials/{HOST}",
                            {"type": "deny"}) < 300
    assert rows(sg) == []
    assert code(sg.update_chap_credentials, TargetARN=target_arn(), InitiatorName=HOST,
                SecretToAuthenticateInitiator=NEW) == "NotSupported"
    assert code(sg.delete_chap_credentials, TargetARN=target_arn(), InitiatorName=HOST) == \
        "InitiatorNotFound"
    assert row_of(server)["type"] == "deny"


class LocalConnection(http.client.HTTPConnection):
    """HTTP over the management socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = str(path)

    def connect(self):
        import socket
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def http_over_socket(server, method, path, body=None, answer=False):
    c = LocalConnection(server.dir / "state/ctl.sock")
    c.request(method, path, body and json.dumps(body))
    got = c.getresponse()
    data = json.loads(got.read())
    c.close()
    return data if answer else got.status


def row_of(server):
    return http_over_socket(server, "GET", f"/v1/targets/{DISK}/credentials/{HOST}", answer=True)


# --- ARNs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("arn, number", [
    (target_arn(PREFIX + "nothing"), "TargetNotFound"),
    (GATEWAY + "/volume/vol-0123456789ABCDEF0", "TargetInvalid"),
    (GATEWAY, "TargetInvalid"),
    (DISK + "-" * 50, "TargetInvalid"),
    (GATEWAY + "/target/no-iscsi-name", "TargetInvalid"),
    (GATEWAY + "/target/", "TargetInvalid"),
    (target_arn(gateway=GATEWAY[:-1] + "C"), "GatewayNotFound"),
    (target_arn(gateway=GATEWAY + "C"), "GatewayNotFound"),
    (target_arn().replace("us-east-1", "us-east-2"), "GatewayNotFound"),
    (target_arn().replace("111122223333", "111122223334"), "GatewayNotFound"),
    (target_arn().replace(":aws:", ":aws-cn:"), "GatewayNotFound"),
])
def test_a_target_arn_that_names_no_target_is_told_which_part_is_wrong(server, arn, number):
    sg = client(server)
    assert code(sg.describe_chap_credentials, TargetARN=arn) == number
    assert code(sg.delete_chap_credentials, TargetARN=arn, InitiatorName=HOST) == number
    assert code(sg.update_chap_credentials, TargetARN=arn, InitiatorName=HOST,
                SecretToAuthenticateInitiator=OLD) == number


def test_the_gateway_may_be_told_by_its_name(server):
    sg = client(server)
    arn = target_arn(gateway=GATEWAY.replace("sgw-12A3456B", "mygateway"))
    assert sg.update_chap_credentials(
        TargetARN=arn, InitiatorName=HOST, SecretToAuthenticateInitiator=OLD)["TargetARN"] == arn
    assert len(rows(sg)) == 1


# --- the gateway and its volumes ------------------------------------------------------------------


def test_the_gateway_describes_itself(server):
    answer = client(server).describe_gateway_information(GatewayARN=GATEWAY)
    del answer["ResponseMetadata"]
    assert answer == {
        "GatewayARN": GATEWAY, "GatewayId": "sgw-12A3456B", "GatewayName": "mygateway",
        "GatewayTimezone": "GMT", "GatewayState": "RUNNING", "GatewayType": "CACHED",
        "GatewayNetworkInterfaces": [{"Ipv4Address": "127.0.0.1"}], "EndpointType": "STANDARD",
        "HostEnvironment": "OTHER", "Tags": []}


def test_another_gateway_is_not_found(server):
    sg = client(server)
    for call in (sg.describe_gateway_information, sg.list_volumes, sg.list_local_disks,
                 sg.describe_vtl_devices):
        assert refused(call, GatewayARN=GATEWAY + "0")[1:] == (
            "The specified gateway was not found.", "GatewayNotFound")


def test_every_lun_is_a_volume_and_its_target_arn_is_of_use(server):
    sg = client(server)
    arns = [v["VolumeARN"] for v in sg.list_volumes(GatewayARN=GATEWAY)["VolumeInfos"]]
    told = sg.describe_cached_iscsi_volumes(VolumeARNs=arns[::-1])["CachediSCSIVolumes"]
    assert [v["VolumeARN"] for v in told] == arns == sorted(arns)
    assert sorted((v["VolumeiSCSIAttributes"]["TargetARN"],
                   v["VolumeiSCSIAttributes"]["LunNumber"]) for v in told) == sorted(
        [(target_arn(), 0), (target_arn(AMAZON), 0), (target_arn(AMAZON), 3),
         (target_arn(LOCKED), 0)])
    one = next(v for v in told if v["VolumeiSCSIAttributes"]["LunNumber"] == 3)
    assert (one["VolumeSizeInBytes"], one["VolumeStatus"], one["VolumeType"], one["TargetName"]) \
        == (64 << 20, "AVAILABLE", "CACHED", "myvolume")
    assert re.fullmatch("vol-[0-9A-F]{17}", one["VolumeId"])
    attributes = one["VolumeiSCSIAttributes"]
    assert (attributes["NetworkInterfaceId"], attributes["NetworkInterfacePort"]) == \
        ("127.0.0.1", server.port)
    for v in told:
        assert sg.describe_chap_credentials(TargetARN=v["VolumeiSCSIAttributes"]["TargetARN"])


def chap_enabled(sg, name):
    arns = [v["VolumeARN"] for v in sg.list_volumes()["VolumeInfos"]]
    return {v["VolumeiSCSIAttributes"]["ChapEnabled"]
            for v in sg.describe_cached_iscsi_volumes(VolumeARNs=arns)["CachediSCSIVolumes"]
            if v["VolumeiSCSIAttributes"]["TargetARN"] == target_arn(name)}


def test_chap_enabled_follows_the_credentials(server):
    sg = client(server)
    assert chap_enabled(sg, LOCKED) == {True}
    assert chap_enabled(sg, AMAZON) == {False}
    update(sg, name=AMAZON)
    assert chap_enabled(sg, AMAZON) == {True}
    assert chap_enabled(sg, DISK) == {False}


def test_volume_ids_stay_over_a_restart(server):
    def volumes():
        return client(server).list_volumes()["VolumeInfos"]

    before = volumes()
    server.stop()
    server.start()
    assert volumes() == before


def test_volume_arns_that_are_wrong_are_told_which_way(server):
    describe = client(server).describe_cached_iscsi_volumes
    good = GATEWAY + "/volume/vol-"
    assert code(describe, VolumeARNs=[good + "0123456789ABCDEF0"]) == "VolumeNotFound"
    assert code(describe, VolumeARNs=[good + "x" * 400]) == "VolumeNotFound"
    assert code(describe, VolumeARNs=[target_arn()]) == "VolumeIdInvalid"
    assert code(describe, VolumeARNs=["x" * 60]) == "VolumeIdInvalid"
    assert code(describe, VolumeARNs=[good.replace("2222", "3333") + "0" * 17]) == "GatewayNotFound"


def test_volumes_of_the_other_type_are_refused(server):
    sg = client(server)
    arn = sg.list_volumes()["VolumeInfos"][0]["VolumeARN"]
    assert code(sg.describe_stored_iscsi_volumes, VolumeARNs=[arn]) == \
        "UnsupportedOperationForGatewayType"


def test_a_stored_gateway_has_stored_volumes_and_disks(make_server):
    server = make_server(conf(
        target(luns=disk("a.img")),
        more=management(aws='''gateway_type = "STORED"; disks = (
            { id = "disk-a"; path = "a.img"; }, { id = "disk-b"; path = "countersign.conf"; } );''')))
    (server.dir / "a.img").touch()
    server.start()
    sg = client(server)
    (volume,) = sg.list_volumes()["VolumeInfos"]
    assert volume["VolumeType"] == "STORED"
    (told,) = sg.describe_stored_iscsi_volumes(
        VolumeARNs=[volume["VolumeARN"]])["StorediSCSIVolumes"]
    assert (told["VolumeDiskId"], told["PreservedExistingData"]) == ("disk-a", True)
    a, b = sg.list_local_disks(GatewayARN=GATEWAY)["Disks"]
    assert (a["DiskId"], a["DiskStatus"], a["DiskSizeInBytes"], a["DiskAllocationType"]) == \
        ("disk-a", "present", 64 << 20, "STORED iSCSI VOLUME")
    assert a["DiskAllocationResource"] == f"{DISK}::0::us-east-1-{volume['VolumeId']}"
    assert (b["DiskId"], b["DiskAllocationType"]) == ("disk-b", "AVAILABLE")
    (server.dir / "a.img").rename(server.dir / "away.img")
    assert sg.list_local_disks(GatewayARN=GATEWAY)["Disks"][0]["DiskStatus"] == "missing"


def test_initiators_of_a_volume_are_those_connected_to_its_target(server):
    sg = client(server)
    arns = {v["VolumeiSCSIAttributes"]["TargetARN"]: v["VolumeARN"]
            for v in sg.describe_cached_iscsi_volumes(VolumeARNs=[
                v["VolumeARN"] for v in sg.list_volumes()["VolumeInfos"]])["CachediSCSIVolumes"]}
    with login(server.port, DISK) as session:
        host, port = session.wire.socket.getsockname()
        assert sg.list_volume_initiators(VolumeARN=arns[target_arn()])["Initiators"] == \
            [f"{host}:{port}"]
        assert sg.list_volume_initiators(VolumeARN=arns[target_arn(AMAZON)])["Initiators"] == []


def test_without_a_library_there_are_no_tape_devices(server):
    answer = client(server).describe_vtl_devices(GatewayARN=GATEWAY)
    assert (answer["GatewayARN"], answer["VTLDevices"]) == (GATEWAY, [])


def test_the_last_page_has_no_marker(server):
    sg = client(server)
    seen, marker = [], {}
    while marker is not None:
        page = sg.list_volumes(Limit=3, **marker)
        assert 0 < len(page["VolumeInfos"]) <= 3
        seen += page["VolumeInfos"]
        marker = {"Marker": page["Marker"]} if "Marker" in page else None
    assert seen == sg.list_volumes()["VolumeInfos"]
    assert "Marker" not in sg.list_volumes(Limit=4)
    assert "Marker" not in sg.list_gateways(Limit=1)


def test_a_reload_shows_other_targets_and_keys(server):
    sg = client(server)
    server.write_conf(conf(TARGETS[0], more=management(aws='region = "eu-west-1";')))
    server.reload()
    server.wait_for_log("configuration .*in force|reloaded")
    assert len(client(server, region="eu-west-1").list_volumes()["VolumeInfos"]) == 1
    assert refused(sg.list_volumes)[0] == "InvalidSignatureException"


# --- tags -----------------------------------------------------------------------------------------


def tags_of(sg, arn):
    return {t["Key"]: t["Value"] for t in sg.list_tags_for_resource(ResourceARN=arn)["Tags"]}


def test_tags_are_set_replaced_removed_and_kept(server):
    sg = client(server)
    volume = sg.list_volumes()["VolumeInfos"][0]["VolumeARN"]
    for arn in (GATEWAY, volume):
        sg.add_tags_to_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "1"},
                                                       {"Key": "ключ b", "Value": ""}])
        sg.add_tags_to_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "2"}])
        assert tags_of(sg, arn) == {"a": "2", "ключ b": ""}
    server.kill()
    server.start()
    sg = client(server)
    sg.remove_tags_from_resource(ResourceARN=GATEWAY, TagKeys=["ключ b", "not there"])
    assert tags_of(sg, GATEWAY) == {"a": "2"}
    assert tags_of(sg, volume) == {"a": "2", "ключ b": ""}
    assert sg.describe_gateway_information(GatewayARN=GATEWAY)["Tags"] == \
        [{"Key": "a", "Value": "2"}]


def test_more_than_fifty_tags_are_refused_whole(server):
    sg = client(server)
    many = [{"Key": f"k{i:02}", "Value": "v"} for i in range(51)]
    assert code(sg.add_tags_to_resource, ResourceARN=GATEWAY, Tags=many) == "InvalidParameters"
    assert tags_of(sg, GATEWAY) == {}
    sg.add_tags_to_resource(ResourceARN=GATEWAY, Tags=many[:50])
    page = sg.list_tags_for_resource(ResourceARN=GATEWAY, Limit=20)
    assert len(page["Tags"]) == 20
    rest = sg.list_tags_for_resource(ResourceARN=GATEWAY, Marker=page["Marker"])
    assert len(rest["Tags"]) == 30 and "Marker" not in rest


def test_tags_of_nothing_and_reserved_tags_are_refused(server):
    add = client(server).add_tags_to_resource
    one = [{"Key": "a", "Value": "1"}]
    assert code(add, ResourceARN=GATEWAY + "0", Tags=one) == "GatewayNotFound"
    assert code(add, ResourceARN=GATEWAY + "/volume/vol-00", Tags=one) == "VolumeNotFound"
    assert code(add, ResourceARN=GATEWAY, Tags=[{"Key": "aws:x", "Value": "1"}]) == \
        "InvalidParameters"


# --- who may --------------------------------------------------------------------------------------


def send(server, body, operation="StorageGateway_20130630.ListGateways", sign=True, tls=False,
         headers=None, method="POST", path="/", change=None):
    """A request of any shape, rightly signed; gives the status and the answer."""
    port = server.ports["tls_port" if tls else "api_port"]
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = {"Host": f"127.0.0.1:{port}", "Content-Type": "application/x-amz-json-1.1",
            **({"X-Amz-Target": operation} if operation else {}), **(headers or {})}
    request = AWSRequest(method, f"http://127.0.0.1:{port}{path}", head, body)
    if sign:
        SigV4Auth(Credentials(KEY, KEY_SECRET), "storagegateway", "us-east-1").add_auth(request)
    head = dict(request.headers.items())
    if change:
        change(head)
    c = (http.client.HTTPSConnection("127.0.0.1", port, timeout=20,
                                     context=ssl._create_unverified_context())
         if tls else http.client.HTTPConnection("127.0.0.1", port, timeout=20))
    c.request(method, path, body, head)
    got = c.getresponse()
    data = got.read()
    c.close()
    assert got.headers["Content-Type"] == "application/x-amz-json-1.1"
    assert got.headers["x-amzn-RequestId"] and got.headers["Date"]
    return got.status, json.loads(data)


def test_both_versions_of_the_api_are_spoken(server):
    for tls in (False, True):
        for version in ("20130630", "20120630"):
            status, answer = send(server, {}, f"StorageGateway_{version}.ListGateways", tls=tls)
            assert (status, answer["Gateways"][0]["GatewayId"]) == (200, "sgw-12A3456B")


def test_no_signature_is_a_missing_token(server):
    assert send(server, {}, sign=False) == (403, {
        "__type": "MissingAuthenticationTokenException", "message": "Missing Authentication Token"})


@pytest.mark.parametrize("change, method, status, exception", [
    ({"Origin": "http://evil.example"}, "POST", 403, "AccessDeniedException"),
    ({"Transfer-Encoding": "identity"}, "POST", 400, "MalformedHttpRequestException"),
    ({}, "GET", 405, "UnknownOperationException")])
def test_what_is_refused_before_an_operation_is_told_apart(server, change, method, status, exception):
    c = http.client.HTTPConnection("127.0.0.1", server.ports["api_port"], timeout=20)
    request = AWSRequest(method, endpoint(server) + "/", {"X-Amz-Target": "x"}, b"{}")
    SigV4Auth(Credentials(KEY, KEY_SECRET), "storagegateway", "us-east-1").add_auth(request)
    c.request(method, "/", b"{}", {**dict(request.headers.items()), **change})
    got = c.getresponse()
    assert (got.status, json.loads(got.read())["__type"]) == (status, exception)
    c.close()


def test_an_unknown_key_is_unrecognized(server):
    assert refused(client(server, key="AKIAUNKNOWNEXAMPLE00").list_gateways)[:2] == (
        "UnrecognizedClientException", "The security token included in the request is invalid.")


def test_another_region_or_date_is_out_of_scope(server):
    name, message, _ = refused(client(server, region="us-east-2").list_gateways)
    assert name == "InvalidSignatureException" and "Credential should be scoped" in message


def test_the_printed_example_of_2012_is_refused(server):
    def change(head):
        head["Authorization"] = (
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20120425/us-east-1/storagegateway/"
            "aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="
            "9cd5a3584d1d67d57e61f120f35102d6b3649066abdd4bf4bbcf05bd9f2f8fe2")
        head["X-Amz-Date"] = "20120912T120000Z"
    status, answer = send(server, {}, "StorageGateway_20120630.UpdateChapCredentials",
                          change=change)
    assert (status, answer["__type"]) == (400, "InvalidSignatureException")


def test_a_captured_request_is_expired_by_now(server):
    def change(head):
        head["Authorization"] = re.sub(r"/\d{8}/", "/20240615/", head["Authorization"])
        head["X-Amz-Date"] = "20240615T120000Z"
    status, answer = send(server, {}, change=change)
    assert (status, answer["__type"]) == (400, "RequestExpired")
    assert answer["message"] == (
        "The request is past the expiration date or the request date (either with 15 minute "
        "padding), or the request date occurs more than 15 minutes in the future.")


def test_a_request_that_is_changed_on_its_way_is_refused(server):
    def change(head):
        head["X-Amz-Target"] = "StorageGateway_20130630.ListVolumes"
    assert send(server, {}, change=change)[1]["__type"] == "InvalidSignatureException"


def test_a_session_token_is_taken_when_it_is_signed(server):
    assert client(server, aws_session_token="FwoGZXIvYXdzEXAMPLETOKEN==").list_gateways()
    status, answer = send(server, {}, change=lambda h: h.update({"X-Amz-Security-Token": "x"}))
    assert (status, answer["__type"]) == (400, "InvalidSignatureException")


def test_a_key_for_reading_reads_and_changes_nothing(server):
    sg = client(server, key=READER)
    assert len(sg.list_volumes()["VolumeInfos"]) == 4 and rows(sg) == []
    name, message, _ = refused(sg.update_chap_credentials, TargetARN=target_arn(),
                               InitiatorName=HOST, SecretToAuthenticateInitiator=OLD)
    assert name == "AccessDeniedException" and "UpdateChapCredentials" in message
    assert refused(sg.delete_chap_credentials, TargetARN=target_arn(),
                   InitiatorName=HOST)[0] == "AccessDeniedException"
    assert refused(sg.add_tags_to_resource, ResourceARN=GATEWAY,
                   Tags=[{"Key": "a", "Value": "b"}])[0] == "AccessDeniedException"
    assert rows(client(server)) == []


def test_a_key_for_reading_is_told_no_secrets(server):
    """They are what it takes to change everything."""
    update(client(server), back=BACK)
    assert rows(client(server))[0]["SecretToAuthenticateTarget"] == BACK
    assert rows(client(server, key=READER)) == [{"TargetARN": target_arn(), "InitiatorName": HOST}]


def test_unsigned_requests_are_taken_where_the_configuration_says_so(start):
    server = start(conf(more=management(aws="allow_unsigned = true;")))
    assert send(server, {}, sign=False)[0] == 200
    assert send(server, {}, change=lambda h: h.update(
        {"Authorization": h["Authorization"][:-1] + "x"}))[0] == 400


def test_unsigned_requests_come_from_this_machine_alone(start):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))  # sends nothing: it is about the way there
        except OSError:
            pytest.skip("this machine has no address but those of loopback")
        here = s.getsockname()[0]
    server = start(conf(more=management(aws="allow_unsigned = true;")
                        .replace('"127.0.0.1"; port = $api_port', '"0.0.0.0"; port = $api_port')))
    for address, status in ((here, 403), ("127.0.0.1", 200)):
        c = http.client.HTTPConnection(address, server.ports["api_port"], timeout=20)
        c.request("POST", "/", "{}", {"Host": "127.0.0.1",
                                      "Content-Type": "application/x-amz-json-1.1",
                                      "X-Amz-Target": "StorageGateway_20130630.ListGateways"})
        assert c.getresponse().status == status
        c.close()


@pytest.mark.parametrize("host, status", [
    ("localhost", 200), ("LOCALHOST:8080", 200), ("127.0.0.1", 200), ("127.0.0.9:80", 200),
    ("[::1]:8080", 200), ("evil.example", 403), ("evil.example:8080", 403), ("192.0.2.1", 403),
    ("localhost.evil.example", 403), ("127.0.0.1.evil.example:80", 403), ("", 403)])
def test_a_page_in_a_browser_cannot_make_unsigned_requests_by_a_name_of_its_own(start, host, status):
    server = start(conf(more=management(aws="allow_unsigned = true;")))
    assert send(server, {}, sign=False, headers={"Host": host})[0] == status


def test_without_the_section_there_is_nothing(start):
    server = start(conf(more='''management = {
        http = ( { address = "127.0.0.1"; port = $api_port; } ); };'''))
    c = http.client.HTTPConnection("127.0.0.1", server.ports["api_port"], timeout=20)
    c.request("POST", "/", "{}", {"X-Amz-Target": "StorageGateway_20130630.ListGateways"})
    assert c.getresponse().status == 404


def test_every_change_is_in_the_audit_and_no_secret_in_log_or_catalog(server, ctl):
    sg = client(server)
    update(sg, back=BACK)
    refused(sg.update_chap_credentials, TargetARN=target_arn(), InitiatorName=HOST,
            SecretToAuthenticateInitiator=NEW * 3, SecretToAuthenticateTarget=NEW * 30)
    refused(sg.update_chap_credentials, TargetARN=target_arn(LOCKED), InitiatorName=HOST,
            SecretToAuthenticateInitiator=NEW)
    send(server, b'{"SecretToAuthenticateInitiator": "' + NEW.encode() + b'"',
         "StorageGateway_20130630.UpdateChapCredentials")
    sg.delete_chap_credentials(TargetARN=target_arn(), InitiatorName=HOST)
    who = f"aws:{KEY} from 127.0.0.1"
    entries = http_over_socket(server, "GET", "/v1/audit", answer=True)["audit"]
    assert [(e["who"], e["what"], e["object"]) for e in entries[:2]] == [
        (who, "delete credential", DISK), (who, "set credential", DISK)]
    server.stop()
    assert no_secret(server, *SECRETS)
    for path in (server.dir / "state").iterdir():
        if path.is_file():
            assert not any(s.encode() in path.read_bytes() for s in SECRETS), path


# --- the examples ---------------------------------------------------------------------------------

EXAMPLES = Path(__file__).parents[2] / "examples/aws"


def serve_example(make_server, monkeypatch, *changes):
    """The server of examples/aws/gateway.conf, on free ports; what aws(1) needs to ask it is in the
    environment."""
    text = (EXAMPLES / "gateway.conf").read_text()
    for there, here in (("/var/lib/countersign", "state"), ("0.0.0.0", "127.0.0.1"),
                        ("3260", "$port"), ("8443", "$tls_port")) + changes:
        assert there in text
        text = text.replace(there, here)
    server = make_server(text)
    (server.dir / "state/volumes").mkdir(parents=True)
    (server.dir / "state").chmod(0o700)
    for name in ("aws-admin.secret", "aws-monitor.secret"):
        path = server.dir / name
        path.write_text(f"the secret of {name}\n")
        path.chmod(0o600)
    server.start()
    for name, value in (("ACCESS_KEY_ID", KEY), ("DEFAULT_REGION", "us-east-1"),
                        ("SECRET_ACCESS_KEY", "the secret of aws-admin.secret"),
                        ("CA_BUNDLE", str(server.dir / "state/tls-cert.pem")),
                        ("EC2_METADATA_DISABLED", "true"), ("CONFIG_FILE", "/nonexistent"),
                        ("CLI", "/usr/bin/aws")):
        monkeypatch.setenv("AWS_" + name, value)
    return server


@pytest.fixture
def example(make_server, monkeypatch):
    """The server of the example, and its endpoint."""
    server = serve_example(make_server, monkeypatch)
    return server, endpoint(server, tls=True)


def test_the_example_rotates_secrets_and_prints_what_open_iscsi_needs(example, run):
    server, where = example
    name = PREFIX + "demo"
    for _ in range(2):
        said = run(EXAMPLES / "rotate.sh", where, name, HOST).stdout
        got = dict(re.findall(r"^node\.session\.auth\.(\w+) = (\S+)$", said, re.M))
        assert (got["authmethod"], got["username"], got["username_in"]) == ("CHAP", HOST, name)
        login(server.port, name, user=got["username"], secret=got["password"],
              target_user=got["username_in"], target_secret=got["password_in"]).logout()
    assert run("/usr/bin/python3", EXAMPLES / "credentials.py", where).stdout == (
        f"{name}\n    {HOST} (mutual)\n")


def test_the_example_makes_a_volume_once(example, run):
    server, where = example
    for _ in range(2):
        portal, name, arn = run(EXAMPLES / "volume.sh", where, "fast", "2",
                                "127.0.0.1").stdout.split()
        assert (portal, name) == (f"127.0.0.1:{server.port}", "iqn.1997-05.com.amazon:fast")
        assert "/volume/vol-" in arn
        with login(server.port, name) as session:
            session.ready()
            session.logout()
    assert len(list((server.dir / "state/volumes").iterdir())) == 1


# --- bad input ------------------------------------------------------------------------------------

UPDATE = "StorageGateway_20130630.UpdateChapCredentials"
GOOD = {"TargetARN": target_arn(), "InitiatorName": HOST, "SecretToAuthenticateInitiator": OLD}
SERIALIZATION = (400, {
    "__type": "SerializationException",
    "message": "An error occurred during serialization. Check that your JSON payload is "
               "well-formed."})


@pytest.mark.parametrize("operation", [
    "StorageGateway_20130630.", "StorageGateway_20130630.ListGateway",
    "StorageGateway_20130630.listgateways", "StorageGateway_20150630.ListGateways",
    "ListGateways", "StorageGateway_20130630.CreateSnapshot", "x" * 2000])
def test_an_unknown_operation_is_named_so(server, operation):
    assert send(server, {}, operation) == (400, {
        "__type": "UnknownOperationException", "message": "An unknown operation was specified."})


def test_a_request_that_names_no_operation_has_not_signed_one(server):
    assert send(server, {}, None)[1]["__type"] == "InvalidSignatureException"


@pytest.mark.parametrize("body", [
    b"", b" ", b"{", b"[]", b'"x"', b"1", b"null", b"{}x", b'{"a":1,}', b'{"a":"\xff"}',
    b'{"a":"\\u0000"}', b'{"a":1,"a":2}', b"[" * 100000, b'{"a":' * 5000, b"\0", b"\xef\xbb\xbf{}",
    b'{"TargetARN":1}', b'{"TargetARN":[]}', b'{"TargetARN":{}}', b'{"TargetARN":true}',
    b'{"InitiatorName":1.5}', b'{"SecretToAuthenticateInitiator":123456789012}'])
def test_what_is_not_json_of_the_right_types_is_a_serialization_error(server, body):
    assert send(server, body, UPDATE) == SERIALIZATION


def test_numbers_and_lists_have_types_too(server):
    for operation, body in (("ListVolumes", {"Limit": "1"}), ("ListVolumes", {"Limit": 1.0}),
                            ("ListVolumes", {"Marker": 1}),
                            ("DescribeCachediSCSIVolumes", {"VolumeARNs": "x"}),
                            ("DescribeCachediSCSIVolumes", {"VolumeARNs": [1]}),
                            ("AddTagsToResource", {"Tags": {}}),
                            ("AddTagsToResource", {"Tags": ["x"]}),
                            ("AddTagsToResource", {"Tags": [{"Key": 1, "Value": "x"}]})):
        assert send(server, body, "StorageGateway_20130630." + operation) == SERIALIZATION


def test_null_is_as_absent_and_unknown_members_are_ignored(server):
    assert send(server, {**GOOD, "SecretToAuthenticateTarget": None, "Other": {"x": [1]}},
                UPDATE)[0] == 200
    assert send(server, {"Marker": None, "Limit": None, "x": 1})[0] == 200


PATTERN = "Member must satisfy regular expression pattern: [0-9a-z:.-]+"


@pytest.mark.parametrize("change, said", [
    ({"InitiatorName": "A_B"}, f"Value 'A_B' at 'initiatorName' failed to satisfy constraint: "
                               f"{PATTERN}"),
    ({"InitiatorName": "iqn.x\n"}, f"Value 'iqn.x\n' at 'initiatorName' failed to satisfy "
                                   f"constraint: {PATTERN}"),
    ({"InitiatorName": "a" * 256},
     f"Value '{'a' * 256}' at 'initiatorName' failed to satisfy constraint: Member must have "
     "length less than or equal to 255"),
    ({"InitiatorName": None},
     "Value null at 'initiatorName' failed to satisfy constraint: Member must not be null"),
    ({"TargetARN": None},
     "Value null at 'targetARN' failed to satisfy constraint: Member must not be null"),
    ({"TargetARN": "arn"}, "Value 'arn' at 'targetARN' failed to satisfy constraint: Member must "
                           "have length greater than or equal to 50"),
    ({"SecretToAuthenticateInitiator": ""},
     "Value at 'secretToAuthenticateInitiator' failed to satisfy constraint: Member must have "
     "length greater than or equal to 1"),
    ({"SecretToAuthenticateInitiator": "é" * 101},
     "Value at 'secretToAuthenticateInitiator' failed to satisfy constraint: Member must have "
     "length less than or equal to 100"),
    ({"SecretToAuthenticateTarget": ""},
     "Value at 'secretToAuthenticateTarget' failed to satisfy constraint: Member must have "
     "length greater than or equal to 1"),
    ({"SecretToAuthenticateInitiator": None},
     "Value null at 'secretToAuthenticateInitiator' failed to satisfy constraint: Member must not "
     "be null"),
])
def test_a_broken_constraint_is_told_in_the_words_of_the_service(server, change, said):
    assert send(server, {**GOOD, **change}, UPDATE) == (400, {
        "__type": "ValidationException", "message": "1 validation error detected: " + said})
    assert rows(client(server)) == []


def test_several_broken_constraints_are_counted(server):
    _, answer = send(server, {"InitiatorName": ""}, UPDATE)
    assert answer["message"].startswith("4 validation errors detected: Value null at 'targetARN'")


@pytest.mark.parametrize("operation, body, said", [
    ("ListVolumes", {"Limit": 0}, "Value '0' at 'limit' failed to satisfy constraint: Member must "
                                  "have value greater than or equal to 1"),
    ("ListVolumes", {"Marker": ""}, "at 'marker' .* greater than or equal to 1"),
    ("ListVolumes", {"Marker": "x" * 1001}, "at 'marker' .* less than or equal to 1000"),
    ("ListVolumes", {"GatewayARN": "x" * 49}, "at 'gatewayARN' .* greater than or equal to 50"),
    ("ListVolumes", {"GatewayARN": "é" * 501}, "at 'gatewayARN' .* less than or equal to 500"),
    ("DescribeChapCredentials", {"TargetARN": "x" * 801}, "less than or equal to 800"),
    ("DescribeCachediSCSIVolumes", {"VolumeARNs": ["x"]}, r"at 'volumeARNs' .*constraint: \["),
    ("DescribeCachediSCSIVolumes", {}, "Value null at 'volumeARNs'"),
    ("AddTagsToResource", {"ResourceARN": GATEWAY, "Tags": [{"Key": "", "Value": "x"}]},
     "at 'tags.1.member.key' .* greater than or equal to 1"),
    ("AddTagsToResource", {"ResourceARN": GATEWAY, "Tags": [{"Key": "a"}]},
     "Value null at 'tags.1.member.value'"),
    ("AddTagsToResource", {"ResourceARN": GATEWAY, "Tags": [{"Key": "a*", "Value": ""}]},
     "regular expression pattern"),
    ("AddTagsToResource", {"ResourceARN": GATEWAY, "Tags": [{"Key": "a", "Value": "x" * 257}]},
     "less than or equal to 256"),
    ("RemoveTagsFromResource", {"ResourceARN": GATEWAY, "TagKeys": ["x" * 129]}, "at 'tagKeys'"),
])
def test_constraints_hold_everywhere(server, operation, body, said):
    status, answer = send(server, body, "StorageGateway_20130630." + operation)
    assert (status, answer["__type"]) == (400, "ValidationException")
    assert re.search(said, answer["message"], re.S)


def test_other_methods_and_paths_are_refused(server):
    assert send(server, b"", method="GET")[0] == 405
    assert send(server, {}, path="/?x=1")[0] == 200


def generated(rng):
    """Any JSON value, with a taste for what this API knows."""
    words = ["TargetARN", "InitiatorName", "SecretToAuthenticateInitiator", "Limit", "Marker",
             "SecretToAuthenticateTarget", "VolumeARNs", "GatewayARN", "Tags", "TagKeys", "Key",
             "Value", "ResourceARN", "VolumeARN", "TargetName", "ClientToken", "VolumeSizeInBytes",
             "NetworkInterfaceId", "DiskId", "DiskIds", "GatewayName", "127.0.0.1", target_arn(), GATEWAY, HOST, "default", "\x7f",
             "é" * 60, "x" * 300, "", "'%s%n", "\U0001f600"]

    def value(depth):
        kind = rng.randrange(9 if depth else 6)
        if kind < 3:
            return rng.choice(words)
        if kind == 3:
            return rng.choice([0, 1, -1, 2**31, 2**63 - 1, -2**63, 1.5, 1e300])
        if kind == 4:
            return rng.choice([True, False, None])
        if kind == 5:
            return "".join(rng.choices(string.printable, k=rng.randrange(40)))
        if kind == 6:
            return [value(depth - 1) for _ in range(rng.randrange(4))]
        return {rng.choice(words): value(depth - 1) for _ in range(rng.randrange(5))}

    body = {rng.choice(words): value(3) for _ in range(rng.randrange(6))}
    if rng.random() < 0.3:
        body = {**GOOD, **body}
    data = bytearray(json.dumps(body, ensure_ascii=rng.random() < 0.5).encode())
    if rng.random() < 0.3 and data:
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def test_generated_bodies_get_the_documented_errors_and_the_server_lives(server):
    rng = random.Random(4)
    # One that is shut down would answer to nothing else.
    names = [name for name in OPERATIONS if name != "ShutdownGateway"]
    known = {"InvalidGatewayRequestException", "ValidationException", "SerializationException"}
    for _ in range(int(os.environ.get("GENERATED", "10000"))):
        name, body = rng.choice(names), generated(rng)
        status, answer = send(server, body, "StorageGateway_20130630." + name)
        assert status == 200 or (status == 400 and answer["__type"] in known), (name, body, answer)
    client(server).list_gateways()
