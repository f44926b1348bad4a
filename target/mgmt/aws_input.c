/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Constraints of request members, and the texts of the service for what breaks them:
 *
 *	1 validation error detected: Value 'A_B' at 'initiatorName' failed to satisfy constraint:
 *	Member must satisfy regular expression pattern: [0-9a-z:.-]+
 */
#include "mgmt/aws_input.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define VALUE_SHOWN 256  /* bytes of a value that are told */
#define LONGEST     2048 /* bytes that a pattern is tried on */

/* --- patterns ------------------------------------------------------------------------------- */

static bool is_iqn(const char *value)
{
	return *value && !value[strspn(value, "0123456789abcdefghijklmnopqrstuvwxyz:.-")];
}

static bool is_target_name(const char *value)
{
	return *value && !value[strspn(value, "-.;0123456789abcdefghijklmnopqrstuvwxyz")];
}

/* An address; also of IPv6, which newer versions of the service take. */
static bool is_interface(const char *value)
{
	struct in6_addr any;
	unsigned char four[4];

	return inet_pton(AF_INET, value, four) == 1 || inet_pton(AF_INET6, value, &any) == 1;
}

static bool is_snapshot(const char *value)
{
	size_t digits = strlen(value) > 5 ? strspn(value + 5, "0123456789abcdefABCDEF") : 0;

	return !strncmp(value, "snap-", 5) && (digits == 8 || digits == 17) && !value[5 + digits];
}

/* Printable ASCII but for '/', and not of blanks alone. */
static bool is_gateway_name(const char *value)
{
	bool visible = false;

	for (; *value; value++) {
		if (*value < ' ' || *value > '~' || *value == '/' || *value == '\\')
			return false;
		visible |= *value != ' ';
	}
	return visible;
}

/* Of what is not ASCII all is let in but control characters: which of it are letters, digits and
 * blanks changes with every edition of Unicode. */
static bool is_tag_key(const char *value)
{
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (p[0] == 0xc2 && p[1] < 0xa0)
			return false;
		if (*p < 0x80 && !isalnum(*p) && !strchr(" _.:/=+-@", *p))
			return false;
	}
	return true;
}

/* POSIX has neither \d nor \S, and no member with such a pattern is longer. */
static bool is_of(const char *value, const char *regex)
{
	regex_t r;
	bool ok;

	if (strnlen(value, LONGEST + 1) > LONGEST || regcomp(&r, regex, REG_EXTENDED | REG_NOSUB))
		return false;
	ok = !regexec(&r, value, 0, NULL, 0);
	regfree(&r);
	return ok;
}

static bool is_kms_key(const char *value)
{
	return is_of(value, "^(arn:(aws|aws-cn|aws-us-gov):kms:[a-zA-Z0-9-]+:[0-9]+:(key|alias)|"
			    "alias)/[^[:space:]]+$");
}

static bool is_tape_arn(const char *value)
{
	return is_of(value, "^arn:(aws|aws-cn|aws-us-gov):storagegateway:[a-z0-9-]+:[0-9]+:"
			    "tape/[0-9A-Z]{5,16}$");
}

static bool is_barcode(const char *value)
{
	return strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == strlen(value);
}

static bool is_barcode_prefix(const char *value)
{
	return strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(value);
}

static bool is_capacity(const char *value)
{
	return !strcmp(value, "Small") || !strcmp(value, "Medium") || !strcmp(value, "Large");
}

#define REGEX(pattern) "Member must satisfy regular expression pattern: " pattern

const struct aws_pattern aws_iqn_pattern = { REGEX("[0-9a-z:.-]+"), is_iqn };
const struct aws_pattern aws_target_name_pattern = { REGEX("^[-\\.;a-z0-9]+$"), is_target_name };
const struct aws_pattern aws_interface_pattern = {
	REGEX("\\A(25[0-5]|2[0-4]\\d|[0-1]?\\d?\\d)"
	      "(\\.(25[0-5]|2[0-4]\\d|[0-1]?\\d?\\d)){3}\\z"),
	is_interface
};
const struct aws_pattern aws_snapshot_pattern = {
	REGEX("\\Asnap-([0-9A-Fa-f]{8}|[0-9A-Fa-f]{17})\\z"), is_snapshot
};
const struct aws_pattern aws_gateway_name_pattern = {
	REGEX("^[ -\\.0-\\[\\]-~]*[!-\\.0-\\[\\]-~][ -\\.0-\\[\\]-~]*$"), is_gateway_name
};
const struct aws_pattern aws_tag_key_pattern = { REGEX("^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$"),
	is_tag_key };
const struct aws_pattern aws_kms_key_pattern = {
	REGEX("(^arn:(aws|aws-cn|aws-us-gov):kms:([a-zA-Z0-9-]+):([0-9]+):(key|alias)/(\\S+)$)"
	      "|(^alias/(\\S+)$)"),
	is_kms_key
};
const struct aws_pattern aws_capacity_set = {
	"Member must satisfy enum value set: [Small, Medium, Large]", is_capacity
};
const struct aws_pattern aws_barcode_pattern = { REGEX("^[A-Z0-9]*$"), is_barcode };
const struct aws_pattern aws_barcode_prefix_pattern = { REGEX("^[A-Z]*$"), is_barcode_prefix };
const struct aws_pattern aws_tape_arn_pattern = {
	REGEX("^arn:(aws|aws-cn|aws-us-gov):storagegateway:[a-z\\-0-9]+:[0-9]+:"
	      "tape\\/[0-9A-Z]{5,16}$"),
	is_tape_arn
};

static const struct aws_member tag_members[] = {
	{ "Key", AWS_TEXT, AWS_REQUIRED, 1, 128, &aws_tag_key_pattern },
	{ "Value", AWS_TEXT, AWS_REQUIRED, 0, 256, NULL },
};
#define N_TAG_MEMBERS (sizeof(tag_members) / sizeof(tag_members[0]))

/* --- types ---------------------------------------------------------------------------------- */

static const json_t *get(const json_t *body, const struct aws_member *m)
{
	const json_t *j = json_object_get(body, m->name);

	return json_is_null(j) ? NULL : j;
}

static bool is_list(const json_t *j, enum aws_kind of)
{
	for (size_t i = 0; i < json_array_size(j); i++) {
		const json_t *row = json_array_get(j, i);

		if (of == AWS_TEXTS ? !json_is_string(row)
				    : !json_is_object(row) ||
					      !aws_input_types(tag_members, N_TAG_MEMBERS, row))
			return false;
	}
	return json_is_array(j);
}

static bool is(const json_t *j, enum aws_kind kind)
{
	switch (kind) {
	case AWS_TEXT: return json_is_string(j);
	case AWS_NUMBER: return json_is_integer(j);
	case AWS_BOOL: return json_is_boolean(j);
	default: return is_list(j, kind);
	}
}

bool aws_input_types(const struct aws_member *members, size_t n, const json_t *body)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *j = get(body, &members[i]);

		if (j && !is(j, members[i].kind))
			return false;
	}
	return true;
}

/* --- constraints ---------------------------------------------------------------------------- */

/* What has been found wrong so far. */
struct findings {
	char text[AWS_INPUT_TEXT - 64]; /* room for what goes in front */
	size_t len;
	unsigned n;
};

/* Cuts a text that does not fit between two characters. */
static size_t whole(const char *text, size_t most)
{
	size_t len = strnlen(text, most + 1);

	if (len <= most)
		return len;
	for (len = most; len && ((unsigned char)text[len] & 0xc0) == 0x80;)
		len--;
	return len;
}

static void add(struct findings *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct findings *f, const char *fmt, ...)
{
	char one[VALUE_SHOWN + 512];
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(one, sizeof(one), fmt, ap);
	va_end(ap);
	len = strlen(one);
	f->n++;
	if (f->len + len + 3 > sizeof(f->text))
		return; /* counted, but not told any more */
	f->len += (size_t)snprintf(
		f->text + f->len, sizeof(f->text) - f->len, "%s%s", f->len ? "; " : "", one);
}

/* "targetARN" of "TargetARN", below `parent` if there is one. */
static void name_of(const struct aws_member *m, const char *parent, char out[static 96])
{
	snprintf(out, 96, "%s%s%c%s", parent, *parent ? "." : "", tolower(m->name[0]), m->name + 1);
}

static void add_value(struct findings *f, const struct aws_member *m, const char *parent,
	const char *value, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void add_value(struct findings *f, const struct aws_member *m, const char *parent,
	const char *value, const char *fmt, ...)
{
	char name[96], constraint[320];
	va_list ap;

	name_of(m, parent, name);
	va_start(ap, fmt);
	vsnprintf(constraint, sizeof(constraint), fmt, ap);
	va_end(ap);
	if (m->flags & AWS_SENSITIVE)
		add(f, "Value at '%s' failed to satisfy constraint: %s", name, constraint);
	else
		add(f, "Value '%.*s' at '%s' failed to satisfy constraint: %s",
			(int)whole(value, VALUE_SHOWN), value, name, constraint);
}

static int64_t characters(const char *text)
{
	int64_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void check_text(
	struct findings *f, const struct aws_member *m, const char *parent, const char *value)
{
	int64_t len = characters(value);

	if (len < m->min)
		add_value(f, m, parent, value,
			"Member must have length greater than or equal to %" PRId64, m->min);
	if (len > m->max)
		add_value(f, m, parent, value,
			"Member must have length less than or equal to %" PRId64, m->max);
	if (m->pattern && !m->pattern->matches(value))
		add_value(f, m, parent, value, "%s", m->pattern->constraint);
}

static void check_number(
	struct findings *f, const struct aws_member *m, const char *parent, int64_t value)
{
	char shown[32];

	snprintf(shown, sizeof(shown), "%" PRId64, value);
	if (value < m->min)
		add_value(f, m, parent, shown,
			"Member must have value greater than or equal to %" PRId64, m->min);
	if (value > m->max)
		add_value(f, m, parent, shown,
			"Member must have value less than or equal to %" PRId64, m->max);
}

static void check_texts(
	struct findings *f, const struct aws_member *m, const char *parent, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *value = json_string_value(json_array_get(list, i));
		int64_t len = characters(value);

		if (len < m->min || len > m->max || (m->pattern && !m->pattern->matches(value)))
			add_value(f, m, parent, value,
				"Member must satisfy constraint: [Member must have length less "
				"than or equal to %" PRId64
				", Member must have length greater than or equal to %" PRId64
				"%s%s]",
				m->max, m->min, m->pattern ? ", " : "",
				m->pattern ? m->pattern->constraint : "");
	}
}

static void check(struct findings *f, const struct aws_member *members, size_t n,
	const json_t *body, const char *parent);

static void check_tags(struct findings *f, const struct aws_member *m, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		char name[96], parent[96];

		name_of(m, "", name);
		snprintf(parent, sizeof(parent), "%.40s.%zu.member", name, i + 1);
		check(f, tag_members, N_TAG_MEMBERS, json_array_get(list, i), parent);
	}
}

static void check_value(
	struct findings *f, const struct aws_member *m, const char *parent, const json_t *j)
{
	switch (m->kind) {
	case AWS_TEXT: check_text(f, m, parent, json_string_value(j)); break;
	case AWS_NUMBER: check_number(f, m, parent, json_integer_value(j)); break;
	case AWS_TEXTS: check_texts(f, m, parent, j); break;
	case AWS_TAGS: check_tags(f, m, j); break;
	case AWS_BOOL: break;
	}
}

static void check(struct findings *f, const struct aws_member *members, size_t n,
	const json_t *body, const char *parent)
{
	for (size_t i = 0; i < n; i++) {
		const struct aws_member *m = &members[i];
		const json_t *j = get(body, m);
		char name[96];

		name_of(m, parent, name);
		if (j)
			check_value(f, m, parent, j);
		else if (m->flags & AWS_REQUIRED)
			add(f,
				"Value null at '%s' failed to satisfy constraint: Member "
				"must not be null",
				name);
	}
}

bool aws_input_check(const struct aws_member *members, size_t n, const json_t *body,
	char text[static AWS_INPUT_TEXT])
{
	struct findings f = { .n = 0 };

	check(&f, members, n, body, "");
	if (f.n)
		snprintf(text, AWS_INPUT_TEXT, "%u validation error%s detected: %s", f.n,
			f.n > 1 ? "s" : "", f.text);
	return !f.n;
}
