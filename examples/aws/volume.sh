#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Makes a volume, and prints its portal, its target and its ARN.
#
#   volume.sh ENDPOINT NAME GIB ADDRESS [TOKEN]
#
# The target is iqn.1997-05.com.amazon:NAME, and can be reached at ADDRESS, which is one of the
# server's. A second run with the same token, by default made of the name, gives the volume that
# there is. Keys and region are as for rotate.sh.
set -eu

if [ $# -lt 4 ] || [ $# -gt 5 ]; then
	sed -n '5s/^# *//p' "$0" >&2
	exit 2
fi
endpoint=$1 name=$2 gib=$3 address=$4 token=${5:-volume-$2}

gateway() {
	# shellcheck disable=SC2086 # a list of words
	"${AWS_CLI:-aws}" ${AWS_CLI_OPTIONS:-} --endpoint-url "$endpoint" --output text \
		storagegateway "$@"
}

arn=$(gateway create-cached-iscsi-volume --target-name "$name" --client-token "$token" \
	--gateway-arn "$(gateway list-gateways --query 'Gateways[0].GatewayARN')" \
	--volume-size-in-bytes $((gib * 1024 * 1024 * 1024)) --network-interface-id "$address" \
	--query VolumeARN)
port=$(gateway describe-cached-iscsi-volumes --volume-arns "$arn" \
	--query 'CachediSCSIVolumes[0].VolumeiSCSIAttributes.NetworkInterfacePort')
echo "$address:$port iqn.1997-05.com.amazon:$name $arn"
