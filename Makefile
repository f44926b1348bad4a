# SPDX-License-Identifier: BSD-2-Clause
# How Countersign is built, tested and installed; `make help` lists the targets.
# Sources are found by wildcard: a new file in its folder is part of the build. Nothing is
# written outside $(BUILD). Optional parts and further targets live in mk/*.mk.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

# Each way to build has its own directory, so that none disturbs another:
# SANITIZER=address (with undefined), thread, memory (clang) or fuzz (clang); VARIANT=any name.
BUILD ?= build
VARIANT_address := asan
VARIANT_thread := tsan
VARIANT_memory := msan
VARIANT_fuzz := fuzz
VARIANT := $(VARIANT_$(SANITIZER))
B := $(BUILD)$(addprefix /,$(VARIANT))

ifeq ($(origin CC),default)
CC := $(if $(filter fuzz memory,$(SANITIZER)),clang,gcc)
endif
AR ?= ar
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
DOCDIR ?= $(PREFIX)/share/doc/countersign
JOBS ?= $(shell nproc)
VERSION := $(shell scripts/version)
# A make for another variant, in parallel unless this one's -j is to be shared.
SUBMAKE = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

# The list of libraries is in scripts/deps, beside the packages that they come in.
MODULES := $(shell scripts/deps --modules build)
TEST_MODULES := $(shell scripts/deps --modules test)
MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null)

WARN := -Wall -Wextra -Wshadow -Wconversion -Wvla -Wformat=2 $(if $(WERROR),-Werror)
HARDEN := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	-fstack-clash-protection $(if $(filter x86_64-% i686-%,$(MACHINE)),-fcf-protection)
SAN_address := -fsanitize=address,undefined -fno-sanitize-recover=all
# gcc warns of fences, of which ThreadSanitizer knows nothing. The one in store/writing.h is about bytes
# that the kernel copies, of which it knows nothing either. clang has no such option.
NO_TSAN := $(shell $(CC) -Werror -Wno-tsan -E -x c /dev/null >/dev/null 2>&1 && echo -Wno-tsan)
SAN_thread := -fsanitize=thread $(NO_TSAN)
SAN_memory := -fsanitize=memory -fsanitize-memory-track-origins
SAN_fuzz := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
SAN := $(if $(SANITIZER),$(SAN_$(SANITIZER)) -fno-omit-frame-pointer)
ifneq ($(filter-out address thread memory fuzz,$(SANITIZER)),)
$(error SANITIZER is address, thread, memory or fuzz, not "$(SANITIZER)")
endif

CFLAGS ?= $(if $(SAN),-O1,-O2) -g
# _GNU_SOURCE is empty, as in `#define _GNU_SOURCE`, so that a file may also say it itself.
ALL_CPPFLAGS := -D_GNU_SOURCE= -I. -Itarget -I$(B) \
	$(shell $(PKG_CONFIG) --cflags $(MODULES) 2>/dev/null) $(CPPFLAGS)
ALL_CFLAGS := -std=gnu17 $(WARN) $(if $(SAN),$(SAN),$(HARDEN)) -fPIE -pthread $(CFLAGS) $(COVER)
ALL_LDFLAGS := -pie -pthread -Wl,-z,relro,-z,now,--as-needed $(SAN) $(COVER) $(CFLAGS) $(LDFLAGS)
LDLIBS := $(shell $(PKG_CONFIG) --libs $(MODULES) 2>/dev/null)
TEST_LIBS := $(shell $(PKG_CONFIG) --libs $(TEST_MODULES) 2>/dev/null)

LAYERS := base net iscsi scsi store vtl catalog registry mgmt ctl
LIB_SRC := $(filter-out %/main.c,$(wildcard chap/*.c config/*.c $(LAYERS:%=target/%/*.c) target/*.c))
CTL_SRC := $(wildcard target/ctl/main.c)
TEST_SRC := $(wildcard tests/unit/*_test.c tests/wire/*_test.c)
TEST_HELP := $(wildcard tests/*.c)
UNIT_HELP := $(TEST_HELP) $(wildcard tests/unit/support*.c)
WIRE_HELP := $(TEST_HELP) $(filter-out %_test.c,$(wildcard tests/wire/*.c))
FUZZ_SRC := $(wildcard tests/fuzz/*_fuzz.c)
BENCH_SRC := $(wildcard tests/bench/*.c)
obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

LIB := $(B)/libcountersign.a
PROGRAMS := $(if $(wildcard target/main.c),$(B)/countersignd) $(if $(CTL_SRC),$(B)/countersignctl)
TESTS := $(TEST_SRC:%.c=$(B)/%)
FUZZERS := $(FUZZ_SRC:%.c=$(B)/%)
REPLAYS := $(FUZZ_SRC:%_fuzz.c=$(B)/%_replay)
BENCHES := $(BENCH_SRC:tests/bench/%.c=$(B)/bench/%)

.PHONY: all tests fuzzers replays benches FORCE
all: $(LIB) $(PROGRAMS) ## build the server and its command (also: V=1, WERROR=1, SANITIZER=, CC=clang)
tests: $(TESTS)
fuzzers: $(FUZZERS)
replays: $(REPLAYS)
benches: $(BENCHES)

$(LIB): $(call obj,$(LIB_SRC)) $(B)/sources
	$(call say,AR,$@)
	$(Q)mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

$(B)/countersignd: $(call obj,target/main.c) $(LIB)
$(B)/countersignctl: $(call obj,$(CTL_SRC)) $(LIB)
$(filter $(B)/tests/unit/%,$(TESTS)): $(B)/%: $(B)/obj/%.o $(call obj,$(UNIT_HELP)) $(LIB)
$(filter $(B)/tests/wire/%,$(TESTS)): $(B)/%: $(B)/obj/%.o $(call obj,$(WIRE_HELP)) $(LIB)
$(FUZZERS): $(B)/%: $(B)/obj/%.o $(call obj,$(TEST_HELP)) $(LIB)
$(REPLAYS): $(B)/%_replay: $(B)/obj/%_fuzz.o $(call obj,tests/fuzz/standalone.c $(TEST_HELP)) $(LIB)
$(BENCHES): $(B)/bench/%: $(B)/obj/tests/bench/%.o $(LIB)
$(TESTS): LDLIBS += $(TEST_LIBS)
$(FUZZERS): LDLIBS += -fsanitize=fuzzer
$(PROGRAMS) $(TESTS) $(FUZZERS) $(REPLAYS) $(BENCHES):
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LDLIBS)

$(B)/obj/%.o: %.c $(B)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Everything is built anew when the compiler or a flag changes, and nothing without the libraries.
$(B)/flags: FORCE | $(B)/version.h
	@scripts/deps --check build $(CC)
	@echo '$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS)' | scripts/write-if-new $@

# A source that went away leaves the library, too.
$(B)/sources: FORCE
	@mkdir -p $(@D) && echo '$(LIB_SRC)' | scripts/write-if-new $@

$(B)/version.h: FORCE
	@mkdir -p $(@D) && echo '#define COUNTERSIGN_VERSION "$(VERSION)"' | scripts/write-if-new $@

-include mk/*.mk
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
