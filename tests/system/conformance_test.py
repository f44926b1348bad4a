# SPDX-License-Identifier: BSD-2-Clause
"""iscsi-test-cu on two kinds of units; `make conformance` takes all of them."""
import shutil
from pathlib import Path

import pytest

import conformance

TABLE = Path(__file__).with_name("CONFORMANCE").read_text().splitlines()
KINDS = next(line for line in TABLE if line.startswith("test ")).split()[1:]


def in_table(kind):
    """The tests that the table says have passed on this kind."""
    rows = (line.split() for line in TABLE)
    return {row[0] for row in rows
            if len(row) == 1 + len(KINDS) and "." in row[0] and row[1 + KINDS.index(kind)] == "+"}


@pytest.mark.skipif(not shutil.which(conformance.TOOL), reason="libiscsi-bin is not installed")
@pytest.mark.parametrize("kind", conformance.SHORT)
def test_what_the_conformance_table_says_is_true(programs, kind):
    found = conformance.run(programs, kind)
    assert {n: r.why for n, r in found.items() if r.what in ("failed", "did not end")} == {}
    assert len(in_table(kind)) > 180
    assert {n: found[n].why for n in in_table(kind) if found[n].what != "passed"} == {}
