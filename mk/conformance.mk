# SPDX-License-Identifier: BSD-2-Clause
# What iscsi-test-cu (libiscsi-bin) says of every kind of unit; writes tests/system/CONFORMANCE.

.PHONY: conformance
conformance: all
	$(Q)/usr/bin/python3 tests/system/conformance.py $(B) -o tests/system/CONFORMANCE
