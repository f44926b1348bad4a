#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# ESXi logs in to a target of Countersign by mutual CHAP: to be typed, or run, in the shell of the
# host (ESXi 6 and later). In the vSphere Client it is Configure, Storage Adapters, Add Software
# Adapter; there Properties, Authentication, "Use bidirectional CHAP", and Dynamic Discovery.
# Nothing is to be set for VAAI: `esxcli storage core device vaai status get` shows what there is.
# The names and secrets are those of ../demo.conf; change them, and mind that other users of the
# shell can see what stands in a command.
portal=192.0.2.10:3260
target=iqn.2026-11.com.example:demo
target_secret="target-secret-01"
user=iqn.2026-11.com.example:host1
secret="initiator-secret"

# The software adapter, and its name for the server's row of credentials.
esxcli iscsi software set --enabled=true
adapter=$(esxcli iscsi adapter list | awk '/iscsi_vmk/ { print $1; exit }')
esxcli iscsi adapter set --adapter="$adapter" --name="$user"

# First how this host proves itself (uni), then how the target does (mutual). ESXi wants the first
# to be required before it takes the second, and takes one pair for all targets of the adapter;
# `esxcli iscsi adapter target portal auth chap set` has the same options for a single target.
esxcli iscsi adapter auth chap set --adapter="$adapter" --direction=uni --level=required \
	--authname="$user" --secret="$secret"
esxcli iscsi adapter auth chap set --adapter="$adapter" --direction=mutual --level=required \
	--authname="$target" --secret="$target_secret"

# Waits of ../linux/iscsid.conf, as far as ESXi has them, in seconds.
esxcli iscsi adapter param set --adapter="$adapter" --key=RecoveryTimeout --value=120
esxcli iscsi adapter param set --adapter="$adapter" --key=NoopOutInterval --value=30
esxcli iscsi adapter param set --adapter="$adapter" --key=NoopOutTimeout --value=30

# With several portals (../multipath.conf) ESXi takes all good paths in turn, of disks that it finds
# after this:
#	esxcli storage nmp satp rule add -s VMW_SATP_ALUA -V CSIGN -P VMW_PSP_RR -e Countersign

# What is known of the portal goes away, with its old settings; then discovery and login.
esxcli iscsi adapter discovery sendtarget remove --adapter="$adapter" --address="$portal" 2>/dev/null
esxcli iscsi adapter discovery sendtarget add --adapter="$adapter" --address="$portal"
esxcli iscsi adapter discovery rediscover --adapter="$adapter"
esxcli storage core adapter rescan --adapter="$adapter"
esxcli iscsi session list --adapter="$adapter" --name="$target"
