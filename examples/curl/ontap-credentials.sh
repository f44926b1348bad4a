#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Makes, shows, changes and forbids the credential of an initiator over the ONTAP REST API.
#
#   SERVER=192.0.2.10:8443 LOGIN=admin:password INITIATOR=iqn.1995-08.com.example:host1 \
#       sh examples/curl/ontap-credentials.sh
#
# -k takes the server's own certificate as it is; give --cacert tls-cert.pem of the server's state_dir
# instead where it matters. The login and what holds a secret are no arguments, so that `ps` does not
# show them.
set -eu
base=https://$SERVER/api

ask() {
	curl -fsSk -K /dev/fd/3 -H 'accept: application/hal+json' "$@" 3<<-END
		user = "$LOGIN"
	END
}

# An SVM is known by its uuid.
uuid=$(ask "$base/svm/svms?name=svm1" | sed -n 's/.*"uuid":"\([^"]*\)".*/\1/p')
credentials=$base/protocols/san/iscsi/credentials

ask -X POST "$credentials?return_records=true" -d @- <<END
{
	"svm": { "name": "svm1" },
	"initiator": "$INITIATOR",
	"authentication_type": "CHAP",
	"chap": { "inbound": { "user": "user1", "password": "password-of-12+" } },
	"initiator_address": { "ranges": [ { "start": "127.0.0.1", "end": "127.0.0.9" } ] }
}
END
ask "$credentials?fields=*&initiator=$INITIATOR"

# One more network that it may come from; then none at all.
ask -X PATCH "$credentials/$uuid/$INITIATOR?add_initiator_addresses=true" -d '{
	"initiator_address": { "masks": [ { "address": "192.0.2.0", "netmask": "24" } ] }
}'
ask -X PATCH "$credentials/$uuid/$INITIATOR" -d '{ "authentication_type": "deny" }'
ask "$credentials/$uuid/$INITIATOR?fields=authentication_type"
