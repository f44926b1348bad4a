/* SPDX-License-Identifier: BSD-2-Clause */
/* Address ranges: each between two commas, and of one of four forms. */
#include "registry/sources.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "chap/credential.h"

#define WORD_MAX 128 /* two addresses and what stands between */

/* How many leading bits of a netmask are set; -1: it is none. */
static int mask_bits(const struct source *mask)
{
	struct source_range same;
	unsigned n = 0, bits = mask->family == SOURCE_IPV4 ? 32 : 128;
	struct source all = { .family = mask->family };

	while (n < bits && mask->bytes[n / 8] & 0x80 >> n % 8)
		n++;
	memset(all.bytes, 0xff, bits / 8);
	/* The network that all ones are in begins with the mask, if that has no holes. */
	if (source_range_from_prefix(&all, n, &same) ||
		memcmp(same.first.bytes, mask->bytes, sizeof(mask->bytes)) != 0)
		return -1;
	return (int)n;
}

static int prefix_bits(const struct source *address, const char *text)
{
	size_t len = strlen(text);
	struct source mask;

	if (len >= 1 && len <= 3 && strspn(text, "0123456789") == len)
		return atoi(text);
	if (!source_parse(text, &mask) || mask.family != address->family)
		return -1;
	return mask_bits(&mask);
}

static bool parse_network(const char *address, const char *prefix, struct source_range *out)
{
	struct source a;
	int bits;

	if (!source_parse(address, &a))
		return false;
	bits = prefix_bits(&a, prefix);
	return bits >= 0 && source_range_from_prefix(&a, (unsigned)bits, out) == SOURCE_OK;
}

static bool parse_range(const char *first, const char *last, struct source_range *out)
{
	return source_parse(first, &out->first) && source_parse(last, &out->last) &&
	       source_range_check(out) == SOURCE_OK;
}

/* One word, without spaces. */
static bool parse_word(char *word, struct source_range *out)
{
	char *slash = strchr(word, '/'), *dash = strchr(word, '-');

	if (slash) {
		*slash = '\0';
		return parse_network(word, slash + 1, out);
	}
	if (dash) {
		*dash = '\0';
		return parse_range(word, dash + 1, out);
	}
	return parse_range(word, word, out);
}

/* Copies a word up to the comma or the end, without its spaces. Gives where it ended; NULL: it is
 * too long. */
static const char *take_word(const char *text, char word[static WORD_MAX])
{
	size_t n = 0;

	for (; *text && *text != ','; text++) {
		if (*text == ' ')
			continue;
		if (n == WORD_MAX - 1)
			return NULL;
		word[n++] = *text;
	}
	word[n] = '\0';
	return text;
}

static size_t count_words(const char *text)
{
	size_t n = text[strspn(text, " ")] != '\0';

	for (; *text; text++)
		n += *text == ',';
	return n;
}

int sources_parse(const char *text, struct source_range **out, size_t *n)
{
	size_t words = count_words(text);
	struct source_range *v;
	char word[WORD_MAX];

	if (words > CREDENTIAL_SOURCES_MAX)
		return -EINVAL;
	v = calloc(words + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < words; i++) {
		text = take_word(text, word);
		if (!text || !parse_word(word, &v[i])) {
			free(v);
			return -EINVAL;
		}
		text += *text == ',';
	}
	*out = v;
	*n = words;
	return 0;
}
