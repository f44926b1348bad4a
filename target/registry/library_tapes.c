/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens to cartridges of a library without anybody asking: those that the configuration
 * declares are made, and those that lie in mail slots and have a pool go to the archive. Each one
 * after the other, as a library does its requests.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "config/value.h"
#include "registry/library_private.h"

#define TRANSIT_MS 3000 /* in which a cartridge may be taken out of its mail slot again */

/* --- cartridges that are declared ----------------------------------------------------------- */

static void making_clear(struct library_making *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->tapes[i].barcode);
	free(m->tapes);
	*m = (struct library_making){ 0 };
}

static void make_next(struct served_library *s);

static void on_made(struct library_request *r)
{
	struct library_making *m = container_of(r, struct library_making, request);
	struct served_library *s = container_of(m, struct served_library, making);
	const char *barcode = m->tapes[m->next++].barcode;

	m->busy = false;
	if (r->result == LIBRARY_EXISTS)
		log_msg(LOG_NOTICE,
			"library %s: cartridge %s is declared and not made: its barcode "
			"was in use before",
			s->traits.name, barcode);
	else if (r->result != LIBRARY_OK && r->result != LIBRARY_CLOSING)
		log_msg(LOG_ERR, "library %s: cartridge %s is not made: %s%s%s", s->traits.name,
			barcode, library_result_text(r->result), *r->why ? ": " : "", r->why);
	make_next(s);
}

static bool is_there(const struct served_library *s, const char *barcode)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", s->traits.path, barcode);
	return !stat(path, &st);
}

/* One that is there stays what it was made, whatever is declared now. */
static void say_different(const struct catalog_tape *is, void *arg)
{
	const struct config_tape *wanted = arg;
	char size[VALUE_SIZE_TEXT];

	if (is->size != wanted->size || is->worm != wanted->worm)
		log_msg(LOG_NOTICE,
			"library %s: cartridge %s stays as it was made, %s%s: what is declared "
			"holds for new ones",
			is->library, is->barcode, value_size_text(is->size, size),
			is->worm ? " and WORM" : "");
}

static void make_next(struct served_library *s)
{
	struct library_making *m = &s->making;
	const struct config_tape *t;

	/* A library that closes has no robot any more. */
	while (!s->closing && m->next < m->n &&
		library_tape(
			s->robot, m->tapes[m->next].barcode, say_different, &m->tapes[m->next]))
		m->next++;
	if (m->next == m->n || s->closing) {
		making_clear(m);
		libraries_tell(s->env);
		return;
	}
	t = &m->tapes[m->next];
	m->request = (struct library_request){
		.op = LIBRARY_ADD,
		.where = LIBRARY_ANYWHERE,
		.barcode = t->barcode,
		.add = { .size = t->size, .worm = t->worm, .existing = is_there(s, t->barcode) },
		.done = on_made,
		.home = s->env->loop,
	};
	m->busy = true;
	library_submit(s->robot, &m->request);
}

/* Adds to what is to be made; what is there already is left out in its turn. */
static bool want_tapes(struct library_making *m, const struct config_library *row)
{
	struct config_tape *v = reallocarray(m->tapes, m->n + row->n_tapes + 1, sizeof(*v));

	if (!v)
		return false;
	m->tapes = v;
	for (size_t i = 0; i < row->n_tapes; i++) {
		v[m->n] = row->tapes[i];
		v[m->n].barcode = strdup(row->tapes[i].barcode);
		if (!v[m->n].barcode)
			return false;
		m->n++;
	}
	return true;
}

void served_library_tapes_declare(struct served_library *s, const struct config_library *row)
{
	if (!want_tapes(&s->making, row))
		log_msg(LOG_ERR, "library %s: out of memory: not all its cartridges are made",
			s->traits.name);
	if (s->loaded && !s->making.busy)
		make_next(s);
}

/* --- from mail slots to the archive --------------------------------------------------------- */

/* The first cartridge behind the last one that is to go. */
static bool find_leaving(const struct catalog_tape *t, void *arg)
{
	char *barcode = arg;

	if (t->place.kind != CATALOG_IN_MAIL_SLOT || !*t->pool || strcmp(t->barcode, barcode) <= 0)
		return true;
	snprintf(barcode, BARCODE_SIZE, "%s", t->barcode);
	return false;
}

static void archive_next(struct served_library *s);

static void on_archived(struct library_request *r)
{
	struct library_transit *t = container_of(r, struct library_transit, request);
	struct served_library *s = container_of(t, struct served_library, transit);

	t->busy = false;
	if (r->result == LIBRARY_LOCKED)
		served_library_mail_changed(s);
	else if (r->result)
		log_msg(LOG_WARNING, "library %s: cartridge %s is not archived: %s%s%s",
			s->traits.name, t->barcode, library_result_text(r->result),
			*r->why ? ": " : "", r->why);
	if (!s->closing)
		archive_next(s);
}

static void archive_next(struct served_library *s)
{
	struct library_transit *t = &s->transit;
	char last[BARCODE_SIZE];

	memcpy(last, t->barcode, sizeof(last));
	library_tapes(s->robot, find_leaving, t->barcode);
	if (!strcmp(last, t->barcode))
		return;
	t->request = (struct library_request){
		.op = LIBRARY_ARCHIVE,
		.barcode = t->barcode,
		.done = on_archived,
		.home = s->env->loop,
	};
	t->busy = true;
	library_submit(s->robot, &t->request);
}

static void on_transit(struct loop_timer *timer)
{
	struct library_transit *t = container_of(timer, struct library_transit, timer);
	struct served_library *s = container_of(t, struct served_library, transit);

	if (t->busy) {
		loop_timer_set(timer, TRANSIT_MS);
		return;
	}
	t->barcode[0] = '\0';
	archive_next(s);
}

void served_library_mail_changed(struct served_library *s)
{
	if (!s->closing)
		loop_timer_set(&s->transit.timer, TRANSIT_MS);
}

/* --- both ----------------------------------------------------------------------------------- */

void served_library_tapes_init(struct served_library *s)
{
	loop_timer_init(s->env->loop, &s->transit.timer, on_transit);
}

void served_library_tapes_ready(struct served_library *s)
{
	make_next(s);
	served_library_mail_changed(s);
}

void served_library_tapes_stop(struct served_library *s)
{
	loop_timer_clear(&s->transit.timer);
}

void served_library_tapes_free(struct served_library *s)
{
	served_library_tapes_stop(s);
	making_clear(&s->making);
}
