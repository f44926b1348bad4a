# SPDX-License-Identifier: BSD-2-Clause
# The tests. The run-* targets run what is built in this variant and note the results below $(B);
# the check-* targets choose the variant. scripts/check strings them together for `make check`.

.PHONY: check check-asan check-tsan check-valgrind fuzz fuzz-short cover lint model
.PHONY: tsan-tests run-tests run-tsan run-plain run-valgrind run-replay run-system run-fuzz
export BUILD JOBS V

# Beside *_mt_test.c, these start threads, too, and run under ThreadSanitizer.
TSAN_TESTS := $(filter %_mt_test %loop_test %work_test,$(TESTS))
# These take malloc() away, which the sanitizers have taken already.
PLAIN_TESTS := $(filter %_memory_test,$(TESTS))
VALGRIND := valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,possible
FUZZ_SECONDS ?= 600
CHECK_FUZZ ?= 0
LINT_BASE ?= HEAD~1
SUB = +@rm -rf $(BUILD)/$(1)/check && rc=0; \
	$(SUBMAKE) $(2) || rc=$$?; \
	scripts/tally $(BUILD)/$(1)/check/results && exit $$rc

check: ## all tests, as CI runs them; CHECK_FUZZ=60 adds so many seconds of each fuzz target
	@scripts/deps build test
	@CHECK_FUZZ=$(CHECK_FUZZ) scripts/check

check-asan: ## unit and wire tests and the fuzz corpora under ASan and UBSan
	$(call SUB,asan,SANITIZER=address run-tests run-replay)

check-tsan: ## all unit and wire tests under ThreadSanitizer
	$(call SUB,tsan,SANITIZER=thread run-tests)

check-valgrind: ## all unit and wire tests under valgrind
	@scripts/deps build test valgrind
	$(call SUB,valgrind,VARIANT=valgrind run-valgrind)

fuzz: ## fuzz each target for FUZZ_SECONDS (600), as many at a time as there are processors
	$(call SUB,fuzz,SANITIZER=fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) run-fuzz)

fuzz-short: ## fuzz each target for a minute
	$(call SUB,fuzz,SANITIZER=fuzz FUZZ_SECONDS=60 run-fuzz)

tsan-tests: $(TSAN_TESTS)
run-tests: $(TESTS)
	@scripts/run-tests $(B)/check $(TESTS)
run-tsan: $(TSAN_TESTS)
	@scripts/run-tests $(B)/check $(TSAN_TESTS)
run-plain: $(PLAIN_TESTS)
	@scripts/run-tests $(B)/check $(PLAIN_TESTS)
run-valgrind: $(TESTS)
	@TEST_TIMEOUT=1800 scripts/run-tests $(B)/check -w "$(VALGRIND)" $(TESTS)
run-replay: $(REPLAYS)
	@scripts/replay $(B)/check $(REPLAYS)
run-system: $(PROGRAMS)
	@scripts/system-tests $(B)/check $(B) -n $(JOBS) $(PYTEST_ARGS)
run-fuzz: $(FUZZERS)
	@scripts/fuzz $(B)/check $(FUZZ_SECONDS) $(FUZZERS)

model: $(B)/tests/wire/model_mt_test ## random commands beside a model, MODEL_SECONDS (150) for each of four disks
	@MODEL_SECONDS=$(or $(MODEL_SECONDS),150) $<

cover: ## line and branch coverage of the unit and wire tests: figures, and pages in build/cover/html
	@scripts/deps build test cover
	@rm -rf $(BUILD)/cover/check && find $(BUILD)/cover -name '*.gcda' -delete 2>/dev/null || :
	+@$(SUBMAKE) VARIANT=cover COVER=--coverage CFLAGS='-O0 -g' run-tests
	@scripts/cover $(BUILD)/cover

lint: $(B)/version.h ## clang-format on lines changed since LINT_BASE (HEAD~1), clang-tidy, cppcheck
	@scripts/deps build lint
	@scripts/lint $(LINT_BASE) $(JOBS) -- $(LIB_SRC) $(wildcard target/main.c) $(CTL_SRC) \
		-- -std=gnu17 $(ALL_CPPFLAGS)
