/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of libraries, one of each configuration.
 *
 *   set ──▶ served_library ──▶ library (vtl/): robot, elements
 *              ▲      └──────▶ drives
 *   units of its devices
 */
#include "registry/libraries.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "registry/fault.h"
#include "registry/library_private.h"

struct libraries {
	struct libraries_env *env;
	const struct config *cfg;
	struct served_library **v; /* as the rows of cfg */
	size_t n;
};

void libraries_env_init(struct libraries_env *env)
{
	list_init(&env->open);
	list_init(&env->locks);
	env->closing = 0;
}

bool libraries_open(const struct libraries_env *env)
{
	return !list_empty(&env->open);
}

bool libraries_settled(const struct libraries_env *env)
{
	list_for_each(l, &env->open) {
		const struct served_library *s = container_of(l, struct served_library, link);

		if (!s->failed && (!s->loaded || s->making.busy))
			return false;
	}
	return true;
}

void libraries_tell(struct libraries_env *env)
{
	if (env->changed)
		env->changed(env->arg);
}

/* --- sets ----------------------------------------------------------------------------------- */

static struct served_library *find_same(const struct libraries *old, const struct library_traits *t)
{
	for (size_t i = 0; old && i < old->n; i++)
		if (library_traits_same(&old->v[i]->traits, t))
			return old->v[i];
	return NULL;
}

static int prepare_row(struct libraries *ls, const struct libraries *old,
	const struct config_library *row, struct faults *faults)
{
	struct served_library *s;
	struct library_traits t;
	int err = 0;

	if (!library_traits_of(ls->env, row, &t))
		return registry_fault(faults, ls->cfg, row, -ENOMEM, "out of memory");
	s = find_same(old, &t);
	if (s) {
		library_traits_free(&t);
		s->holds++;
	} else {
		err = served_library_open(ls->env, ls->cfg, row, &t, &s, faults);
	}
	if (err)
		return err;
	for (size_t i = 0; !err && i < ls->n; i++)
		if (served_library_shares(ls->v[i], s))
			err = registry_fault(faults, ls->cfg, &row->path, -EBUSY,
				"library %s: a directory of it is one of library %s, too",
				row->name, ls->v[i]->traits.name);
	ls->v[ls->n++] = s;
	return err;
}

int libraries_prepare(struct libraries_env *env, const struct config *cfg, struct libraries *old,
	struct libraries **out, struct faults *faults)
{
	struct libraries *ls = calloc(1, sizeof(*ls));
	int err = 0;

	if (ls)
		ls->v = calloc(cfg->n_libraries + 1, sizeof(struct served_library *));
	if (!ls || !ls->v) {
		free(ls);
		return registry_fault(faults, cfg, NULL, -ENOMEM, "out of memory");
	}
	ls->env = env;
	ls->cfg = cfg;
	for (size_t i = 0; err != -ENOMEM && i < cfg->n_libraries; i++) {
		int failed = prepare_row(ls, old, &cfg->libraries[i], faults);

		err = failed ? failed : err;
	}
	if (err)
		libraries_abandon(ls);
	else
		*out = ls;
	return err;
}

void libraries_abandon(struct libraries *ls)
{
	for (size_t i = 0; ls && i < ls->n; i++)
		if (!ls->v[i]->committed)
			served_library_unmake(ls->v[i]);
	libraries_free(ls);
}

static void say_who_may_log_in(const struct config_library *row)
{
	if (!config_chap_needed(row->auth, row->n_credentials))
		log_msg(LOG_NOTICE,
			"library %s: any of its devices is open to all until it has a credential",
			row->name);
}

void libraries_commit(struct libraries *ls)
{
	for (size_t i = 0; i < ls->n; i++) {
		struct served_library *s = ls->v[i];
		const struct config_library *row = &ls->cfg->libraries[i];

		if (!s->committed)
			say_who_may_log_in(row);
		s->committed = true;
		served_library_tapes_declare(s, row);
		served_library_start(s);
	}
}

void libraries_free(struct libraries *ls)
{
	if (!ls)
		return;
	for (size_t i = 0; i < ls->n; i++)
		served_library_release(ls->v[i]);
	free(ls->v);
	free(ls);
}

struct served_library *libraries_find(const struct libraries *ls, const struct config_library *row)
{
	size_t i = (size_t)(row - ls->cfg->libraries);

	assert(i < ls->n);
	return ls->v[i];
}

struct served_library *libraries_named(const struct libraries *ls, const char *name)
{
	for (size_t i = 0; i < ls->n; i++)
		if (!strcmp(ls->v[i]->traits.name, name))
			return ls->v[i];
	return NULL;
}
