/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TapeAlert flags: the unit's, and what each nexus knows of them.
 */
#include "scsi/alert.h"

#include "scsi/log.h"

uint64_t alert_raise(struct lu *lu, unsigned flag)
{
	uint64_t flags;

	pthread_mutex_lock(&lu->lock);
	lu->alerts |= ALERT_BIT(flag);
	list_for_each(it, &lu->itls)
		container_of(it, struct itl, in_lu)->alerts_told &= ~ALERT_BIT(flag);
	flags = lu->alerts;
	pthread_mutex_unlock(&lu->lock);
	return flags;
}

void alert_clear(struct lu *lu, uint64_t flags)
{
	pthread_mutex_lock(&lu->lock);
	lu->alerts &= ~flags;
	pthread_mutex_unlock(&lu->lock);
}

uint64_t alert_flags(struct lu *lu)
{
	uint64_t flags;

	pthread_mutex_lock(&lu->lock);
	flags = lu->alerts;
	pthread_mutex_unlock(&lu->lock);
	return flags;
}

uint64_t alert_untold(struct itl *itl)
{
	uint64_t flags;

	pthread_mutex_lock(&itl->lu->lock);
	flags = itl->lu->alerts & ~itl->alerts_told;
	pthread_mutex_unlock(&itl->lu->lock);
	return flags;
}

void alert_told(struct itl *itl, uint64_t flags)
{
	pthread_mutex_lock(&itl->lu->lock);
	itl->alerts_told |= flags;
	pthread_mutex_unlock(&itl->lu->lock);
}

void alert_page(struct wr *w, uint64_t flags)
{
	for (uint16_t flag = 1; flag <= ALERT_FLAGS; flag++)
		log_number(w, flag, flags & ALERT_BIT(flag) ? 1 : 0, 1);
}
