#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Lists which initiators have CHAP credentials on which targets, by boto3.

    credentials.py ENDPOINT [CA-FILE]

Keys and region come from where boto3 always has them. A key that may only read is enough.
"""
import sys

import boto3


def main(endpoint, verify=None):
    gateway = boto3.client("storagegateway", endpoint_url=endpoint, verify=verify)
    volumes = [volume["VolumeARN"]
               for page in gateway.get_paginator("list_volumes").paginate()
               for volume in page["VolumeInfos"]]
    answer = gateway.describe_cached_iscsi_volumes(VolumeARNs=volumes)
    targets = {volume["VolumeiSCSIAttributes"]["TargetARN"]
               for volume in answer["CachediSCSIVolumes"]}
    for arn in sorted(targets):
        print(arn.partition("/target/")[2])
        for row in gateway.describe_chap_credentials(TargetARN=arn)["ChapCredentials"]:
            both = "SecretToAuthenticateTarget" in row
            print(f"    {row['InitiatorName']}{' (mutual)' if both else ''}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
