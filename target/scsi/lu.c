/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logical units: their life, their conditions, and who is told of a change.
 */
#include "scsi/lu.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "scsi/buffer.h"
#include "scsi/copy.h"
#include "scsi/mode.h"
#include "scsi/nexus.h"
#include "scsi/op.h"
#include "scsi/unit.h"

int lu_init(struct lu *lu, const struct lu_model *model, uint32_t has)
{
	int err = pthread_mutex_init(&lu->lock, NULL);

	if (err)
		return -err;
	pthread_cond_init(&lu->settled, NULL);
	lu->model = model;
	lu->has = has;
	op_table(model, has, lu->ops);
	list_init(&lu->itls);
	list_init(&lu->ranges);
	list_init(&lu->waiting);
	list_init(&lu->tokens);
	atomic_init(&lu->refs, 1);
	mode_reset(lu);
	return 0;
}

struct lu *lu_ref(struct lu *lu)
{
	atomic_fetch_add_explicit(&lu->refs, 1, memory_order_relaxed);
	return lu;
}

void lu_unref(struct lu *lu)
{
	void (*gone)(void *arg);
	void *arg;

	if (!lu || atomic_fetch_sub_explicit(&lu->refs, 1, memory_order_acq_rel) != 1)
		return;
	assert(list_empty(&lu->itls));
	gone = lu->gone;
	arg = lu->arg;
	if (lu->model->end)
		lu->model->end(lu);
	store_close(lu->store);
	pr_clear(&lu->pr);
	ports_free(lu);
	copy_tokens_free(lu);
	buffer_free(lu);
	pthread_cond_destroy(&lu->settled);
	pthread_mutex_destroy(&lu->lock);
	free(lu);
	if (gone)
		gone(arg);
}

/* --- conditions ---------------------------------------------------------------------- */

static uint64_t pr_conditions(const struct lu *lu, const struct itl *itl)
{
	struct port_name name;
	struct pr_nexus n = nexus_identity(itl->nexus, &name);

	return (pr_may_read(&lu->pr, &n) ? 0 : GATE_NO_READ) |
	       (pr_may_write(&lu->pr, &n) ? 0 : GATE_NO_WRITE);
}

static uint64_t conditions(const struct lu *lu, const struct itl *itl)
{
	enum lu_access access = ports_access(lu, itl->nexus);
	uint64_t c = 0;

	if (lu->reserved && lu->reserved != itl)
		c |= GATE_RESERVED;
	if (lu->pr.type)
		c |= pr_conditions(lu, itl);
	if (access == LU_STANDBY)
		c |= GATE_STANDBY;
	if (access == LU_UNAVAILABLE)
		c |= GATE_UNAVAILABLE;
	if (lu->ejected)
		c |= GATE_NO_MEDIUM;
	if (lu->wiping)
		c |= lu->wiping == WIPING_FORMAT ? GATE_FORMAT : GATE_SANITIZE;
	if (lu->wiped)
		c |= lu->wiped == LU_FORMAT_FAILED ? GATE_CORRUPT : GATE_WIPE_FAILED;
	if (lu->protected || lu->read_only || lu->tab)
		c |= GATE_PROTECTED;
	if (lu->guarded)
		c |= GATE_GUARD;
	return c;
}

struct sense lu_absence(const struct lu *lu)
{
	uint32_t why = atomic_load_explicit(&lu->absent, memory_order_relaxed);

	if (!why)
		return (struct sense){ .key = SENSE_NOT_READY, .asc = ASC_MEDIUM_NOT_PRESENT };
	return (struct sense){ .key = (uint8_t)(why >> 16), .asc = (uint16_t)why };
}

void lu_update_gates(struct lu *lu)
{
	list_for_each(it, &lu->itls) {
		struct itl *itl = container_of(it, struct itl, in_lu);
		uint64_t c = conditions(lu, itl);

		/* Attentions are in the same word and may come from anywhere meanwhile. The
		 * order is sequentially consistent for the sake of GATE_GUARD. */
		atomic_fetch_or(&itl->gate, c);
		atomic_fetch_and(&itl->gate, c | GATE_UA);
	}
}

void lu_attention(struct lu *lu, const struct itl *except, enum ua ua)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a list has no NULL in it */
	list_for_each(it, &lu->itls) {
		struct itl *itl = container_of(it, struct itl, in_lu);

		if (itl != except)
			itl_attention(itl, ua);
	}
}

void lu_reset(struct lu *lu)
{
	pthread_mutex_lock(&lu->lock);
	lu->reserved = NULL;
	mode_reset(lu);
	list_for_each(it, &lu->itls)
		container_of(it, struct itl, in_lu)->prevents = false;
	lu_update_gates(lu);
	pthread_mutex_unlock(&lu->lock);
}

void lu_nexus_left(struct lu *lu, struct itl *itl)
{
	if (lu->reserved != itl)
		return;
	lu->reserved = NULL;
	lu_update_gates(lu);
}

void lu_resized(struct lu *lu)
{
	uint64_t blocks = store_size(lu->store) >> lu->block_shift;

	pthread_mutex_lock(&lu->lock);
	if (atomic_exchange(&lu->blocks, blocks) != blocks)
		lu_attention(lu, NULL, UA_CAPACITY_CHANGED);
	pthread_mutex_unlock(&lu->lock);
}

static bool same_data(const struct lu *a, const struct lu *b)
{
	return a->store && b->store && store_medium(a->store) == store_medium(b->store);
}

static int succeed_locked(struct lu *to, struct lu *from)
{
	if (from->wiping != WIPING_NOT)
		return -EBUSY;
	if (!pr_copy(&to->pr, &from->pr))
		return -ENOMEM;
	if (same_data(to, from))
		to->wiped = from->wiped;
	lu_update_gates(to);
	from->succeeded = true;
	return 0;
}

int lu_succeed(struct lu *to, struct lu *from)
{
	int err;

	pthread_mutex_lock(&from->lock);
	pthread_mutex_lock(&to->lock); /* which is nobody's yet: no other order is possible */
	err = succeed_locked(to, from);
	pthread_mutex_unlock(&to->lock);
	pthread_mutex_unlock(&from->lock);
	return err;
}

bool lu_wiping(struct lu *lu)
{
	bool is;

	pthread_mutex_lock(&lu->lock);
	is = lu->wiping != WIPING_NOT;
	pthread_mutex_unlock(&lu->lock);
	return is;
}

void lu_stay(struct lu *from)
{
	pthread_mutex_lock(&from->lock);
	from->succeeded = false;
	pthread_mutex_unlock(&from->lock);
}

void lu_end_wiping(struct lu *lu)
{
	pthread_mutex_lock(&lu->lock);
	lu->succeeded = true;
	while (lu->wiping)
		pthread_cond_wait(&lu->settled, &lu->lock);
	pthread_mutex_unlock(&lu->lock);
}

/* --- questions ----------------------------------------------------------------------- */

const char *lu_kind(const struct lu *lu)
{
	return lu->model->kind;
}

uint64_t lu_size(const struct lu *lu)
{
	return lu_blocks(lu) << lu->block_shift;
}

uint32_t lu_block_size(const struct lu *lu)
{
	return lu->block_size;
}

struct store *lu_store(const struct lu *lu)
{
	return lu->store;
}

const uint8_t *lu_naa(const struct lu *lu)
{
	return lu->naa;
}

bool lu_read_only(const struct lu *lu)
{
	return lu->read_only;
}
