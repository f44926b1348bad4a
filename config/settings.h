/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The settings: one row for each key of the configuration file. Reading, defaults, comparing,
 * freeing and the manual page all follow from these rows.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/value.h"

enum setting_type {
	SETTING_BOOL,          /* bool */
	SETTING_INT,           /* uint32_t */
	SETTING_SIZE,          /* uint64_t; a number, or text with a unit */
	SETTING_MODE,          /* uint32_t, from octal text */
	SETTING_CHOICE,        /* an enum, or with a list an array of them */
	SETTING_TEXT,          /* char * */
	SETTING_PATH,          /* char * */
	SETTING_PASSWORD,      /* char *, wiped when freed */
	SETTING_PASSWORD_FILE, /* the member of the PASSWORD row before it, from a file */
	SETTING_SECRET,        /* struct secret_view, owned and wiped when freed */
	SETTING_SECRET_FILE,   /* the member of the SECRET row before it, from a file */
	SETTING_GROUP,         /* a struct: { ... } */
	SETTING_GROUPS,        /* an array of structs: ( { ... }, { ... } ) */
};

enum setting_flags {
	SETTING_REQUIRED = 1,
	SETTING_RESTART = 2,  /* a change takes effect at the next start */
	SETTING_LIST = 4,     /* of INT, CHOICE or TEXT: an array, and its length at offset_n */
	SETTING_PRESENCE = 8, /* of GROUP: a bool at offset_n says that the file has it */
};

struct setting_choice {
	const char *name;
	int value;
};

/* A text of a certain form. */
struct setting_form {
	const char *noun; /* as "iSCSI name" */
	value_check *check;
	size_t min, max; /* bytes */
};

struct setting {
	const char *name;
	enum setting_type type;
	unsigned flags;
	size_t offset; /* of the member in its struct */
	size_t offset_n;
	uint64_t min, max;                    /* INT and SIZE */
	const char *fallback;                 /* the default as the file would say it; NULL: none */
	const struct setting_choice *choices; /* ends with a NULL name */
	const struct setting_form *form;
	const struct section *section; /* GROUP and GROUPS */
	const char *help;
};

struct section {
	const char *name; /* of its part in the manual page */
	const struct setting *rows;
	size_t n_rows;
	size_t size; /* of its struct */
};

/* The outermost section: struct config. */
extern const struct section all_settings;

/* NULL if the section has no such key. */
const struct setting *setting_find(const struct section *section, const char *name);

/* The key that was probably meant by a name that is none; NULL if nothing comes near. */
const struct setting *setting_nearest(const struct section *section, const char *name);

/* Whether the row only gives another way to set the member of the row before it. */
bool setting_is_file_form(const struct setting *row);

/*
 * Type, range, default and reach of a row in words, as the manual page has them:
 * "integer from 1 to 65535; default 3260". Gives out.
 */
#define SETTING_DESCRIPTION 200
const char *setting_describe(const struct setting *row, char out[static SETTING_DESCRIPTION]);

#endif
