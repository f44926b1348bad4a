#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Gives an initiator new CHAP secrets for one target, in both directions, and prints what the
# initiator has to be set to. Sessions on the target are dropped.
#
#   rotate.sh ENDPOINT TARGET-IQN INITIATOR-IQN
#
# Keys and region are the AWS CLI's business (AWS_ACCESS_KEY_ID …, or ~/.aws). AWS_CLI names the
# program (default: aws), AWS_CLI_OPTIONS more options, such as --ca-bundle FILE.
set -eu
umask 077

if [ $# -ne 3 ]; then
	sed -n '6s/^# *//p' "$0" >&2
	exit 2
fi
endpoint=$1 target=$2 initiator=$3

gateway() {
	# shellcheck disable=SC2086 # a list of words
	"${AWS_CLI:-aws}" ${AWS_CLI_OPTIONS:-} --endpoint-url "$endpoint" --output text \
		storagegateway "$@"
}

# 16 characters of 64: 96 bits. None is a zero: "0x" would make the rest of it hexadecimal.
secret() {
	head -c 12 /dev/urandom | base64 | tr '+/0' '._~'
}

arn=$(gateway list-gateways --query 'Gateways[0].GatewayARN')/target/$target
in=$(secret) out=$(secret)

# By way of a file: arguments can be seen by everybody on this machine.
request=$(mktemp)
trap 'rm -f "$request"' EXIT
cat >"$request" <<END
{"TargetARN": "$arn", "InitiatorName": "$initiator",
 "SecretToAuthenticateInitiator": "$in", "SecretToAuthenticateTarget": "$out"}
END
gateway update-chap-credentials --cli-input-json "file://$request" >/dev/null

cat <<END
node.session.auth.authmethod = CHAP
node.session.auth.username = $initiator
node.session.auth.password = $in
node.session.auth.username_in = $target
node.session.auth.password_in = $out
END
