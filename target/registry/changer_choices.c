/* SPDX-License-Identifier: BSD-2-Clause */
/* A choice is a setting of the catalog. One that is taken back stays in memory as an empty model. */
#include "registry/changer_choices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/setting.h"

#define LIBRARY_NAME_SIZE 65

struct changer_choice {
	char library[LIBRARY_NAME_SIZE];
	char model[24]; /* "": none */
};

#define CHOICES "library-changer/" /* settings: this and the name of the library */

static struct changer_choice *find(const struct changer_choices *c, const char *library)
{
	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(c->v[i].library, library))
			return &c->v[i];
	return NULL;
}

bool changer_choices_find(
	const struct changer_choices *c, const char *library, enum changer_model_id *out)
{
	const struct changer_choice *choice = find(c, library);

	for (int id = CHANGER_STK_L700; choice && id <= CHANGER_IBM_03584L32; id++) {
		*out = (enum changer_model_id)id;
		if (!strcmp(changer_model(*out)->name, choice->model))
			return true;
	}
	return false;
}

bool changer_choices_set(struct changer_choices *c, const char *library, const char *model)
{
	struct changer_choice *choice = find(c, library), *grown;

	if (model && !changer_model_named(model))
		return false;
	if (!choice) {
		grown = reallocarray(c->v, c->n + 1, sizeof(*grown));
		if (!grown)
			return false;
		c->v = grown;
		choice = &grown[c->n++];
		snprintf(choice->library, sizeof(choice->library), "%s", library);
	}
	snprintf(choice->model, sizeof(choice->model), "%s", model ? model : "");
	return true;
}

int changer_choice_store(struct catalog_tx *tx, const char *library, const char *model)
{
	char name[sizeof(CHOICES) + LIBRARY_NAME_SIZE];

	snprintf(name, sizeof(name), CHOICES "%s", library);
	return model ? catalog_setting_put(tx, name, model) : catalog_setting_remove(tx, name);
}

/* What a newer version may have written is as if it were not there. */
static int load_row(const char *name, const char *value, void *arg)
{
	if (changer_model_named(value))
		return changer_choices_set(arg, name + strlen(CHOICES), value) ? 0 : -ENOMEM;
	return 0;
}

static int load_all(struct catalog_tx *tx, void *arg)
{
	return catalog_setting_load(tx, CHOICES, load_row, arg);
}

int changer_choices_load(
	struct changer_choices *c, struct catalog *catalog, struct catalog_error *why)
{
	return catalog_run(catalog, load_all, c, why);
}

void changer_choices_free(struct changer_choices *c)
{
	free(c->v);
	*c = (struct changer_choices){ 0 };
}
