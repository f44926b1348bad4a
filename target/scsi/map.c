/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LUN maps: sorted arrays that never change. A target gets another map when its units change.
 */
#include "scsi/map.h"

#include <errno.h>
#include <stdlib.h>

struct lun_map {
	_Atomic unsigned refs;
	unsigned n;
	struct lun_entry e[];
};

static int by_lun(const void *a, const void *b)
{
	const struct lun_entry *x = a, *y = b;

	return (x->lun > y->lun) - (x->lun < y->lun);
}

static int check(const struct lun_map *m)
{
	for (unsigned i = 0; i < m->n; i++) {
		if (m->e[i].lun > LUN_MAX)
			return -EINVAL;
		if (i && m->e[i].lun == m->e[i - 1].lun)
			return -EEXIST;
	}
	return 0;
}

int lun_map_create(const struct lun_entry *e, unsigned n, struct lun_map **out)
{
	struct lun_map *m = malloc(sizeof(*m) + n * sizeof(m->e[0]));
	int err;

	if (!m)
		return -ENOMEM;
	atomic_init(&m->refs, 1);
	m->n = n;
	for (unsigned i = 0; i < n; i++)
		m->e[i] = e[i];
	qsort(m->e, n, sizeof(m->e[0]), by_lun);
	err = check(m);
	if (err) {
		free(m);
		return err;
	}
	for (unsigned i = 0; i < n; i++)
		lu_ref(m->e[i].lu);
	*out = m;
	return 0;
}

struct lun_map *lun_map_ref(struct lun_map *m)
{
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
	return m;
}

void lun_map_unref(struct lun_map *m)
{
	if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (unsigned i = 0; i < m->n; i++)
		lu_unref(m->e[i].lu);
	free(m);
}

unsigned lun_map_entries(const struct lun_map *m, const struct lun_entry **out)
{
	*out = m->e;
	return m->n;
}

int lun_map_find(const struct lun_map *m, uint32_t lun)
{
	unsigned lo = 0, hi = m->n;

	/* LUNs mostly count up from 0 without gaps. */
	if (lun < m->n && m->e[lun].lun == lun)
		return (int)lun;
	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (m->e[mid].lun == lun)
			return (int)mid;
		if (m->e[mid].lun < lun)
			lo = mid + 1;
		else
			hi = mid;
	}
	return -1;
}
