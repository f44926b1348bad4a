# SPDX-License-Identifier: BSD-2-Clause
# Virtual machines that log in: Linux with open-iscsi, iPXE, QEMU's own initiator. The guest is
# built from Debian's packages below $(VM), once; VM_REQUIRED=1 makes their lack a failure.

.PHONY: vmtest guest run-vm run-vm-short
VM := $(BUILD)/vm
VM_SHORT := tests/vm/short_test.py 'tests/vm/boot_test.py::test_ipxe_boots_with_chap[mutual]' \
	tests/vm/boot_test.py::test_qemu_boots_with_chap tests/vm/boot_test.py::test_the_target_refuses_qemu

vmtest: ## Linux, iPXE and QEMU guests log in, write, lose paths and servers; 20 minutes
	@scripts/deps build test vm
	@rm -rf $(VM)/check
	+@rc=0; VM_REQUIRED=1 $(SUBMAKE) run-vm || rc=$$?; \
	scripts/tally $(VM)/check/results && exit $$rc

# 77: the packages cannot be had; the tests say so.
guest:
	$(call say,GUEST,$(VM))
	@tests/vm/mkguest $(VM) || [ $$? -eq 77 ]

run-vm: $(PROGRAMS) guest
	@COUNTERSIGN_VM=$(abspath $(VM)) scripts/system-tests $(VM)/check $(B) -v $(or $(VM_TESTS),tests/vm)

run-vm-short: VM_TESTS := $(VM_SHORT)
run-vm-short: run-vm
