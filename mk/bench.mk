# SPDX-License-Identifier: BSD-2-Clause
# The benchmark: the load, the floor, and the driver that runs them beside us and others.

.PHONY: bench

LOAD_SRC := $(wildcard tests/bench/load/*.c)
$(B)/bench/iload: $(call obj,$(LOAD_SRC))
# The rule of the Makefile has the library before these objects; it is needed behind them.
$(B)/bench/iload: private LDLIBS := $(LIB) $(LDLIBS)

# ROWS="read-4k logins" runs these alone; tests/bench/bench.py --help lists them.
bench: $(PROGRAMS) $(BENCHES) ## speed beside the floor and tgt, as tests/bench/RESULTS (QUICK=1: 3 minutes)
	@PYTHONDONTWRITEBYTECODE=1 tests/bench/bench.py --build $(B) $(if $(QUICK),--quick) $(ROWS)
