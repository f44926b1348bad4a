/* SPDX-License-Identifier: BSD-2-Clause */
/* Text to struct config: see parse.h. The only user of libconfig. */
#include "config/parse.h"

#include <errno.h>
#include <libconfig.h>
#include <stdarg.h>
#include <string.h>

#include "config/hint.h"
#include "config/object.h"
#include "config/places.h"
#include "config/settings.h"

struct parse {
	const struct input *in;
	const char *dir;
	struct config_places *places;
	struct faults *faults;
	bool faulty;
	bool out_of_memory;
};

/* The outermost group has no line of its own. */
static const char *where(const struct parse *p, const config_setting_t *node, int *line)
{
	unsigned whole_line = config_setting_source_line(node);

	return input_where(p->in, whole_line ? whole_line : 1, line);
}

__attribute__((format(printf, 3, 4))) static void fault(
	struct parse *p, const config_setting_t *node, const char *format, ...)
{
	struct why text;
	va_list ap;
	int line;
	const char *file = where(p, node, &line);

	va_start(ap, format);
	vsnprintf(text.text, sizeof(text.text), format, ap);
	va_end(ap);
	faults_add(p->faults, file, line, "%s", text.text);
	p->faulty = true;
}

static void remember(struct parse *p, const config_setting_t *node, const void *member, size_t size)
{
	int line;
	const char *file = where(p, node, &line);

	if (!places_add(p->places, member, size, file, line))
		p->out_of_memory = true;
}

/* ---- values --------------------------------------------------------------------------------- */

static const char *other_text(const config_setting_t *node)
{
	switch (config_setting_type(node)) {
	case CONFIG_TYPE_GROUP: return "a group, { ... }";
	case CONFIG_TYPE_LIST: return "a list, ( ... )";
	case CONFIG_TYPE_ARRAY: return "an array, [ ... ]";
	case CONFIG_TYPE_FLOAT: return "a number with a point or exponent";
	default: return "a hexadecimal number";
	}
}

/* libconfig cuts hexadecimal numbers to 32 bits without a word, so they are not taken. */
static bool is_decimal(const config_setting_t *node)
{
	int type = config_setting_type(node);

	return (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64) &&
	       config_setting_get_format(node) != CONFIG_FORMAT_HEX;
}

/* The text of a string goes to *string, and stays valid as long as that does. */
static struct scalar scalar_of(struct parse *p, const config_setting_t *node, struct blob *string)
{
	if (config_setting_type(node) == CONFIG_TYPE_BOOL)
		return (struct scalar){ SCALAR_BOOL, .number = config_setting_get_bool(node) };
	if (is_decimal(node))
		return (struct scalar){ SCALAR_INT, .number = config_setting_get_int64(node) };
	if (config_setting_type(node) != CONFIG_TYPE_STRING)
		return (struct scalar){ SCALAR_OTHER, .other = other_text(node) };
	if (!input_string(p->in, config_setting_get_string(node), string)) {
		p->out_of_memory = true;
		return (struct scalar){ SCALAR_OTHER, .other = "lost" };
	}
	return (struct scalar){ SCALAR_TEXT, .text = string->data };
}

static bool set(struct parse *p, const struct setting *row, const config_setting_t *node,
	void *object, size_t i)
{
	struct blob string = { 0 };
	struct scalar value = scalar_of(p, node, &string);
	struct why why = { .no_memory = false };
	bool fine = object_set(row, object, i, &value, p->dir, &why);

	if (why.no_memory)
		p->out_of_memory = true;
	else if (!fine)
		fault(p, node, "%s: %s", row->name, why.text);
	blob_free(&string);
	remember(p, node, object_member(row, object, i), object_member_size(row));
	return fine;
}

/* ---- rows ----------------------------------------------------------------------------------- */

static void fill_group(struct parse *p, const struct section *section,
	const config_setting_t *group, void *object);

static void fill_default(struct parse *p, const struct setting *row, void *object)
{
	if (!object_default(row, object))
		p->out_of_memory = true;
}

static size_t list_length(const config_setting_t *node)
{
	return (size_t)config_setting_length(node);
}

static const config_setting_t *list_element(const config_setting_t *node, size_t i)
{
	return config_setting_get_elem(node, (unsigned)i);
}

static void fill_groups(
	struct parse *p, const struct setting *row, const config_setting_t *node, void *object)
{
	size_t n;

	if (!config_setting_is_list(node)) {
		fault(p, node, "%s: this is a list of groups; write %s = ( { ... }, { ... } );",
			row->name, row->name);
		return;
	}
	remember(p, node, (char *)object + row->offset, sizeof(void *));
	n = list_length(node);
	if (!object_resize(row, object, n)) {
		p->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const config_setting_t *element = list_element(node, i);

		if (config_setting_is_group(element))
			fill_group(p, row->section, element, object_member(row, object, i));
		else
			fault(p, element, "%s: only groups, { ... }, can be in this list",
				row->name);
	}
}

/* A list of plain values; a single one is a list too. */
static void fill_list(
	struct parse *p, const struct setting *row, const config_setting_t *node, void *object)
{
	bool single = !config_setting_is_list(node) && !config_setting_is_array(node);
	size_t n = single ? 1 : list_length(node);

	remember(p, node, (char *)object + row->offset, sizeof(void *));
	if (!object_resize(row, object, n)) {
		p->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		set(p, row, single ? node : list_element(node, i), object, i);
}

static void fill_inner_group(
	struct parse *p, const struct setting *row, const config_setting_t *node, void *object)
{
	bool present = true;

	if (!config_setting_is_group(node)) {
		fault(p, node, "%s: this is a group; write %s = { ... };", row->name, row->name);
		fill_default(p, row, object);
		return;
	}
	if (row->flags & SETTING_PRESENCE)
		memcpy((char *)object + row->offset_n, &present, sizeof(present));
	fill_group(p, row->section, node, (char *)object + row->offset);
}

/* What may come from a file has one member for both keys. */
static bool given_twice(struct parse *p, const struct setting *row, const config_setting_t *group,
	const config_setting_t *node)
{
	if (!setting_is_file_form(row) || !config_setting_get_member(group, row[-1].name))
		return false;
	fault(p, node, "%s: %s is given too; keep one of them", row->name, row[-1].name);
	return true;
}

static void fill_row(struct parse *p, const struct setting *row, const config_setting_t *group,
	const config_setting_t *node, void *object)
{
	if (row->type == SETTING_GROUP) {
		fill_inner_group(p, row, node, object);
		return;
	}
	if (given_twice(p, row, group, node))
		return;
	if (row->type == SETTING_GROUPS)
		fill_groups(p, row, node, object);
	else if (row->flags & SETTING_LIST)
		fill_list(p, row, node, object);
	else if (!set(p, row, node, object, 0))
		fill_default(p, row, object);
}

static void missing(struct parse *p, const struct setting *row, const config_setting_t *group)
{
	char right[SETTING_DESCRIPTION];

	fault(p, group, "%s is missing: %s (%s)", row->name, row->help,
		setting_describe(row, right));
}

static void check_names(
	struct parse *p, const struct section *section, const config_setting_t *group)
{
	for (size_t i = 0; i < list_length(group); i++) {
		const config_setting_t *node = list_element(group, i);
		const char *name = config_setting_name(node);
		const struct setting *near;

		if (setting_find(section, name))
			continue;
		near = setting_nearest(section, name);
		if (near)
			fault(p, node, "%.80s is not a setting; did you mean %s?", name,
				near->name);
		else
			fault(p, node, "%.80s is not a setting%s%s", name,
				*section->name ? " of " : "", section->name);
	}
}

static void fill_group(
	struct parse *p, const struct section *section, const config_setting_t *group, void *object)
{
	remember(p, group, object, section->size);
	check_names(p, section, group);
	for (size_t i = 0; i < section->n_rows; i++) {
		const struct setting *row = &section->rows[i];
		const config_setting_t *node = config_setting_get_member(group, row->name);

		if (node) {
			fill_row(p, row, group, node, object);
			continue;
		}
		if (row->flags & SETTING_REQUIRED)
			missing(p, row, group);
		fill_default(p, row, object);
	}
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* What libconfig says, in words for somebody who has never heard of its grammar. */
static const char *syntax_text(const char *text)
{
	static const struct {
		const char *theirs, *ours;
	} texts[] = {
		{ "syntax error",
			"syntax error here or just before: a missing = or ;, a missing "
			", between the parts of a list, or a bracket without its partner" },
		{ "duplicate setting name", "this setting is given twice in the same group" },
		{ "mismatched element type in array",
			"an array, [ ... ], holds values of one type" },
		{ "memory exhausted", "brackets are nested too deep" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!strcmp(texts[i].theirs, text))
			return texts[i].ours;
	return text;
}

static int syntax_fault(const struct parse *p, const config_t *tree)
{
	const char *text = config_error_text(tree), *file, *hint = NULL;
	size_t whole_line = (size_t)config_error_line(tree);
	int line;

	if (!text || !strcmp(text, "syntax error"))
		hint = hint_syntax(p->in->whole.data, &whole_line);
	file = input_where(p->in, whole_line, &line);
	faults_add(p->faults, file, line, "%s",
		hint ? hint : syntax_text(text ? text : "syntax error"));
	return -EBADMSG;
}

int parse_input(const struct input *in, const char *dir, struct config *cfg, struct faults *faults)
{
	struct parse p = { .in = in, .dir = dir, .places = cfg->places, .faults = faults };
	config_t tree;
	int err = 0;

	config_init(&tree);
	config_set_include_dir(
		&tree, "/dev/null"); /* no file is ever found below it: see input.h */
	if (config_read_string(&tree, in->whole.data) != CONFIG_TRUE)
		err = syntax_fault(&p, &tree);
	else
		fill_group(&p, &all_settings, config_root_setting(&tree), cfg);
	config_destroy(&tree);
	if (p.out_of_memory)
		return -ENOMEM;
	return err ? err : p.faulty ? -EINVAL : 0;
}
