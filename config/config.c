/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading a configuration, step by step: see config.h. */
#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/object.h"
#include "config/parse.h"
#include "config/places.h"
#include "config/settings.h"
#include "config/text.h"
#include "config/validate.h"

static struct config *config_new(const char *path)
{
	struct config *cfg = calloc(1, sizeof(*cfg));

	if (!cfg)
		return NULL;
	cfg->path = strdup(path);
	cfg->places = places_new();
	if (cfg->path && cfg->places)
		return cfg;
	config_free(cfg);
	return NULL;
}

void config_free(struct config *cfg)
{
	if (!cfg)
		return;
	object_clear(&settings, cfg);
	places_free(cfg->places);
	free(cfg->path);
	free(cfg);
}

/* Both find what they can, so that one run names every fault. */
static int fill(struct config *cfg, const struct text *text, const char *dir, struct faults *faults)
{
	int parsed = parse(text, dir, cfg, faults);
	int valid;

	if (parsed && parsed != -EINVAL)
		return parsed == -EBADMSG ? -EINVAL : parsed;
	places_sort(cfg->places);
	valid = validate(cfg, faults);
	return valid == -ENOMEM || !parsed ? valid : parsed;
}

static int load(const char *name, const struct text *text, const char *dir, struct config **out,
		struct faults *faults)
{
	struct config *cfg = config_new(name);
	int err = cfg ? fill(cfg, text, dir, faults) : -ENOMEM;

	if (faults->out_of_memory)
		err = -ENOMEM;
	if (!err) {
		*out = cfg;
		return 0;
	}
	config_free(cfg);
	faults_sort(faults, name);
	return err;
}

int config_load(const char *path, struct config **out, struct faults *faults)
{
	struct text text = { 0 };
	char *dir = path_directory(path);
	int err = dir ? text_load(&text, path, faults) : -ENOMEM;

	if (!err)
		err = load(path, &text, dir, out, faults);
	text_free(&text);
	free(dir);
	return err;
}

int config_load_string(const char *name, const char *string, const char *dir, struct config **out,
		       struct faults *faults)
{
	struct text text = { 0 };
	int err = text_load_string(&text, name, string, dir, faults);

	if (!err)
		err = load(name, &text, dir, out, faults);
	text_free(&text);
	return err;
}

struct config_where config_where(const struct config *cfg, const void *member)
{
	struct config_where where = { .file = cfg->path, .line = 1 };

	places_find(cfg->places, member, &where);
	return where;
}

bool config_chap_needed(enum config_auth auth, size_t n_credentials)
{
	return auth == CONFIG_AUTH_CHAP || n_credentials;
}
