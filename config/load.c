/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading a configuration, step by step: see load.h. */
#include "config/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/input.h"
#include "config/object.h"
#include "config/parse.h"
#include "config/places.h"
#include "config/settings.h"
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
	object_clear(&all_settings, cfg);
	places_free(cfg->places);
	free(cfg->path);
	free(cfg);
}

/* Both find what they can, so that one run names every fault. */
static int fill(struct config *cfg, const struct input *in, const char *dir, struct faults *faults)
{
	int parsed = parse_input(in, dir, cfg, faults);
	int valid;

	if (parsed && parsed != -EINVAL)
		return parsed == -EBADMSG ? -EINVAL : parsed;
	places_sort(cfg->places);
	valid = validate_config(cfg, faults);
	return valid == -ENOMEM || !parsed ? valid : parsed;
}

static int load(const char *name, const struct input *in, const char *dir, struct config **out,
	struct faults *faults)
{
	struct config *cfg = config_new(name);
	int err = cfg ? fill(cfg, in, dir, faults) : -ENOMEM;

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
	struct input in = { 0 };
	char *dir = path_directory(path);
	int err = dir ? input_load(&in, path, faults) : -ENOMEM;

	if (!err)
		err = load(path, &in, dir, out, faults);
	input_free(&in);
	free(dir);
	return err;
}

int config_load_string(const char *name, const char *text, const char *dir, struct config **out,
	struct faults *faults)
{
	struct input in = { 0 };
	int err = input_load_string(&in, name, text, dir, faults);

	if (!err)
		err = load(name, &in, dir, out, faults);
	input_free(&in);
	return err;
}
