/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of address ranges and masks. */
#include "mgmt/ontap_address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/native_json.h"

#define RANGES            "initiator_address.ranges"
#define MASKS             "initiator_address.masks"
#define IPV6_DEFAULT_BITS 64

/* --- lists ---------------------------------------------------------------------------------- */

static bool append(struct address_list *list, const struct address *a)
{
	struct address *grown = reallocarray(list->v, list->n + 1, sizeof(*grown));

	if (!grown)
		return false;
	list->v = grown;
	list->v[list->n++] = *a;
	return true;
}

static bool same_source(const struct source *a, const struct source *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static bool same(const struct address *a, const struct address *b)
{
	return a->mask == b->mask && a->bits == b->bits && same_source(&a->first, &b->first) &&
	       same_source(&a->last, &b->last);
}

static bool holds(const struct address_list *list, const struct address *a)
{
	for (size_t i = 0; i < list->n; i++)
		if (same(&list->v[i], a))
			return true;
	return false;
}

bool address_add(struct address_list *list, const struct address_list *given)
{
	for (size_t i = 0; i < given->n; i++)
		if (!holds(list, &given->v[i]) && !append(list, &given->v[i]))
			return false;
	return true;
}

void address_remove(struct address_list *list, const struct address_list *given)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		if (!holds(given, &list->v[i]))
			list->v[n++] = list->v[i];
	list->n = n;
}

bool address_replace(struct address_list *list, const struct address_list *given)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		if (!(list->v[i].mask ? given->masks : given->ranges))
			list->v[n++] = list->v[i];
	list->n = n;
	return address_add(list, given);
}

void address_free(struct address_list *list)
{
	free(list->v);
	*list = (struct address_list){ 0 };
}

/* --- reading a request ---------------------------------------------------------------------- */

static bool refuse(
	struct address_fault *why, const char *code, const char *target, const char *text)
{
	why->code = code;
	snprintf(why->target, sizeof(why->target), "%s", target);
	snprintf(why->text, sizeof(why->text), "%s", text);
	return false;
}

static bool unexpected(struct address_fault *why, const char *name)
{
	why->code = "262179";
	snprintf(why->text, sizeof(why->text), "Unexpected argument \"%.100s\".", name);
	return false;
}

static bool missing(struct address_fault *why, const char *target)
{
	why->code = "262278";
	snprintf(why->target, sizeof(why->target), "%s", target);
	snprintf(why->text, sizeof(why->text), "Field \"%s\" is required.", target);
	return false;
}

static bool invalid(struct address_fault *why, const char *target, const json_t *j)
{
	const char *value = json_string_value(j);

	why->code = value ? "262197" : "262185";
	snprintf(why->target, sizeof(why->target), "%s", target);
	if (value)
		snprintf(why->text, sizeof(why->text),
			"The value \"%.64s\" is invalid for field \"%s\".", value, target);
	else
		snprintf(why->text, sizeof(why->text), "Invalid value for field \"%s\".", target);
	return false;
}

/* Whether the object has members of these two names and "family" alone. */
static bool has_only(const json_t *j, const char *a, const char *b, struct address_fault *why)
{
	const char *const names[] = { a, b, "family", NULL };
	const char *stranger = json_stranger(j, names);

	return !stranger || unexpected(why, stranger);
}

static bool read_address(
	const json_t *j, const char *target, struct source *out, struct address_fault *why)
{
	const char *text = json_string_value(j);

	if (!j || json_is_null(j))
		return missing(why, target);
	return (text && source_parse(text, out)) || invalid(why, target, j);
}

static bool read_range(const json_t *j, struct address *out, struct address_fault *why)
{
	struct source_range range;

	*out = (struct address){ 0 };
	if (!json_is_object(j))
		return invalid(why, RANGES, NULL);
	if (!has_only(j, "start", "end", why) ||
		!read_address(json_object_get(j, "start"), RANGES ".start", &out->first, why) ||
		!read_address(json_object_get(j, "end"), RANGES ".end", &out->last, why))
		return false;
	range = (struct source_range){ out->first, out->last };
	switch (source_range_check(&range)) {
	case SOURCE_OK: return true;
	case SOURCE_BACKWARDS:
		return refuse(why, "5374855", RANGES ".start",
			"The value for property \"" RANGES ".start\" is greater than the value for "
			"property \"" RANGES ".end\".");
	default:
		return refuse(why, "5374856", RANGES ".start",
			"The value for property \"" RANGES ".start\" does not belong to the same "
			"IP address family as \"" RANGES ".end\".");
	}
}

/* The length of a mask in dots, or -1. */
static int dotted_bits(const char *text)
{
	struct in_addr mask;
	uint32_t host;

	if (inet_pton(AF_INET, text, &mask) != 1)
		return -1;
	host = ~ntohl(mask.s_addr);
	return host & (host + 1) ? -1 : 32 - __builtin_popcount(host);
}

static int mask_bits(const json_t *j, uint8_t family)
{
	const char *text = json_string_value(j);
	size_t len = text ? strlen(text) : 0;

	if (!j || json_is_null(j))
		return family == SOURCE_IPV6 ? IPV6_DEFAULT_BITS : -1;
	if (json_is_integer(j))
		return json_integer_value(j) >= 0 && json_integer_value(j) <= 128
			       ? (int)json_integer_value(j)
			       : -1;
	if (len && len <= 3 && strspn(text, "0123456789") == len)
		return atoi(text);
	return text && family == SOURCE_IPV4 ? dotted_bits(text) : -1;
}

static bool read_mask(const json_t *j, struct address *out, struct address_fault *why)
{
	const json_t *netmask = json_object_get(j, "netmask");
	struct source_range range;
	int bits;

	*out = (struct address){ .mask = true };
	if (!json_is_object(j))
		return invalid(why, MASKS, NULL);
	if (!has_only(j, "address", "netmask", why) ||
		!read_address(json_object_get(j, "address"), MASKS ".address", &out->first, why))
		return false;
	bits = mask_bits(netmask, out->first.family);
	if (bits < 0 && !netmask)
		return missing(why, MASKS ".netmask");
	if (bits < 0 || source_range_from_prefix(&out->first, (unsigned)bits, &range))
		return invalid(why, MASKS ".netmask", netmask);
	out->bits = (unsigned)bits;
	return true;
}

static bool read_list(const json_t *j, const char *target,
	bool (*read)(const json_t *j, struct address *out, struct address_fault *why),
	struct address_list *out, struct address_fault *why)
{
	struct address a;

	if (!j || json_is_null(j))
		return true;
	if (!json_is_array(j))
		return invalid(why, target, j);
	if (json_array_size(j) > CREDENTIAL_SOURCES_MAX)
		return refuse(why, "2", target, "There are too many initiator addresses.");
	for (size_t i = 0; i < json_array_size(j); i++)
		if (!read(json_array_get(j, i), &a, why) || (!holds(out, &a) && !append(out, &a)))
			return false;
	return true;
}

bool address_read(const json_t *j, struct address_list *out, struct address_fault *why)
{
	static const char *const names[] = { "ranges", "masks", NULL };
	const json_t *ranges = json_object_get(j, "ranges"), *masks = json_object_get(j, "masks");
	const char *stranger = json_stranger(j, names);

	*out = (struct address_list){ 0 };
	*why = (struct address_fault){ 0 };
	if (!json_is_object(j) && !json_is_null(j))
		return invalid(why, "initiator_address", j);
	if (stranger)
		return unexpected(why, stranger);
	out->ranges = ranges || json_is_null(j);
	out->masks = masks || json_is_null(j);
	return read_list(ranges, RANGES, read_range, out, why) &&
	       read_list(masks, MASKS, read_mask, out, why);
}

/* --- text ----------------------------------------------------------------------------------- */

static const char *print(const struct source *s, char text[static INET6_ADDRSTRLEN])
{
	int family = s->family == SOURCE_IPV4 ? AF_INET : AF_INET6;

	return inet_ntop(family, s->bytes, text, INET6_ADDRSTRLEN) ? text : "";
}

/* One word of a row's text, without spaces. */
static bool parse_word(char *word, struct address *a)
{
	char *slash = strchr(word, '/'), *dash = strchr(word, '-');

	*a = (struct address){ .mask = slash };
	if (slash)
		*slash = '\0';
	else if (dash)
		*dash = '\0';
	if (!source_parse(word, &a->first))
		return false;
	if (slash) {
		json_t *netmask = json_string(slash + 1);
		int bits = netmask ? mask_bits(netmask, a->first.family) : -1;

		json_decref(netmask);
		a->bits = (unsigned)bits;
		return bits >= 0;
	}
	a->last = a->first;
	return !dash || source_parse(dash + 1, &a->last);
}

bool address_parse(const char *text, struct address_list *out)
{
	char *copy = strdup(text), *save = NULL;
	struct address a;
	bool ok = copy;

	*out = (struct address_list){ 0 };
	for (char *w = ok ? strtok_r(copy, ", ", &save) : NULL; w && ok;
		w = strtok_r(NULL, ", ", &save))
		if (parse_word(w, &a))
			ok = append(out, &a);
	free(copy);
	return ok;
}

char *address_text(const struct address_list *list)
{
	char *text = calloc(1, list->n * (2 * INET6_ADDRSTRLEN + 8) + 1), *p = text;

	for (size_t i = 0; text && i < list->n; i++) {
		char first[INET6_ADDRSTRLEN], last[INET6_ADDRSTRLEN];
		const struct address *a = &list->v[i];

		p += sprintf(p, "%s%s", i ? ", " : "", print(&a->first, first));
		p += a->mask ? sprintf(p, "/%u", a->bits)
			     : sprintf(p, "-%s", print(&a->last, last));
	}
	return text;
}

/* --- JSON ----------------------------------------------------------------------------------- */

static json_t *one_json(const struct address *a)
{
	const char *family = a->first.family == SOURCE_IPV4 ? "ipv4" : "ipv6";
	char first[INET6_ADDRSTRLEN], last[INET6_ADDRSTRLEN], bits[16];

	print(&a->first, first);
	snprintf(bits, sizeof(bits), "%u", a->bits);
	if (a->mask)
		return json_pack(
			"{s:s, s:s, s:s}", "address", first, "netmask", bits, "family", family);
	return json_pack(
		"{s:s, s:s, s:s}", "start", first, "end", print(&a->last, last), "family", family);
}

/* Adds those of one kind under a name, if there are any. */
static bool put_kind(json_t *object, const char *name, const struct address_list *list, bool mask)
{
	json_t *all = json_array();
	bool ok = all;

	for (size_t i = 0; i < list->n && ok; i++)
		if (list->v[i].mask == mask)
			ok = !json_array_append_new(all, one_json(&list->v[i]));
	if (ok && json_array_size(all))
		return !json_object_set_new(object, name, all);
	json_decref(all);
	return ok;
}

json_t *address_json(const struct address_list *list)
{
	json_t *j = json_object();

	if (j && put_kind(j, "ranges", list, false) && put_kind(j, "masks", list, true))
		return j;
	json_decref(j);
	return NULL;
}
