/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AWS Signature Version 4:
 *
 *	canonical = METHOD \n path \n query \n (name:value \n)* \n names \n hex(SHA256(body))
 *	to-sign   = AWS4-HMAC-SHA256 \n time \n scope \n hex(SHA256(canonical))
 *	key       = HMAC(HMAC(HMAC(HMAC("AWS4" secret, date), region), service), "aws4_request")
 *	signature = hex(HMAC(key, to-sign))
 *
 * The canonical request is never put together: it is hashed piece by piece.
 */
#include "mgmt/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define ALGORITHM  "AWS4-HMAC-SHA256"
#define TERMINATOR "aws4_request"
#define DIGEST     32
#define HEX        (2 * DIGEST)

static enum sigv4_fault fail(struct sigv4_why *why, enum sigv4_fault fault, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static enum sigv4_fault fail(struct sigv4_why *why, enum sigv4_fault fault, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return fault;
}

/* --- parts ---------------------------------------------------------------------------------- */

static struct sigv4_part part_of(const char *text)
{
	return (struct sigv4_part){ text, strlen(text) };
}

static bool part_is(struct sigv4_part p, const char *text)
{
	return p.len == strlen(text) && !memcmp(p.at, text, p.len);
}

/* Cuts off what stands before the first `at`, or all of it. */
static struct sigv4_part cut(struct sigv4_part *p, char at)
{
	const char *end = p->len ? memchr(p->at, at, p->len) : NULL;
	struct sigv4_part first = { p->at, end ? (size_t)(end - p->at) : p->len };
	size_t gone = first.len + (end ? 1 : 0);

	p->at += gone;
	p->len -= gone;
	return first;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct sigv4_part trim(struct sigv4_part p)
{
	while (p.len && is_blank(p.at[0])) {
		p.at++;
		p.len--;
	}
	while (p.len && is_blank(p.at[p.len - 1]))
		p.len--;
	return p;
}

static bool all_of(struct sigv4_part p, bool (*is)(char c))
{
	for (size_t i = 0; i < p.len; i++)
		if (!is(p.at[i]))
			return false;
	return p.len > 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool is_printable(char c)
{
	return c > ' ' && c < 0x7f;
}

/* Of a header's name (RFC 9110 5.6.2), in lower case. */
static bool is_name_char(char c)
{
	return c && (is_digit(c) || (c >= 'a' && c <= 'z') || strchr("!#$%&'*+-.^_`|~", c));
}

/* --- headers -------------------------------------------------------------------------------- */

static bool is_named(const struct sigv4_header *h, struct sigv4_part name)
{
	return strlen(h->name) == name.len && !strncasecmp(h->name, name.at, name.len);
}

static size_t count(const struct sigv4_request *r, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_headers; i++)
		n += is_named(&r->headers[i], part_of(name));
	return n;
}

/* The only header of this name; NULL: there is none, or more than one. */
static const char *single(const struct sigv4_request *r, const char *name)
{
	if (count(r, name) != 1)
		return NULL;
	for (size_t i = 0; i < r->n_headers; i++)
		if (is_named(&r->headers[i], part_of(name)))
			return r->headers[i].value;
	return NULL;
}

/* --- what is claimed ------------------------------------------------------------------------ */

static bool read_number(const char *digits, int n, int *out)
{
	*out = 0;
	for (int i = 0; i < n; i++) {
		if (!is_digit(digits[i]))
			return false;
		*out = *out * 10 + (digits[i] - '0');
	}
	return true;
}

/* "20240615T120000Z" (ISO 8601, basic). A day that there is not is none of ours either. */
static bool read_time(const char *text, int64_t *out)
{
	struct tm t = { 0 }, back;
	time_t seconds;

	if (strlen(text) != 16 || text[8] != 'T' || text[15] != 'Z' ||
		!read_number(text, 4, &t.tm_year) || !read_number(text + 4, 2, &t.tm_mon) ||
		!read_number(text + 6, 2, &t.tm_mday) || !read_number(text + 9, 2, &t.tm_hour) ||
		!read_number(text + 11, 2, &t.tm_min) || !read_number(text + 13, 2, &t.tm_sec))
		return false;
	t.tm_year -= 1900;
	t.tm_mon -= 1;
	back = t;
	seconds = timegm(&back);
	*out = (int64_t)seconds;
	return back.tm_mon == t.tm_mon && back.tm_mday == t.tm_mday && back.tm_hour == t.tm_hour &&
	       back.tm_min == t.tm_min && back.tm_sec == t.tm_sec;
}

/* KEY/DATE/REGION/SERVICE/aws4_request; a key's id may hold a slash itself, the others not. */
static bool read_credential(struct sigv4_part p, struct sigv4_claim *out)
{
	struct sigv4_part *const rest[] = { &out->terminator, &out->service, &out->region,
		&out->date };

	if (!all_of(p, is_printable))
		return false;
	for (size_t i = 0; i < 4; i++) {
		size_t len = 0;

		while (len < p.len && p.at[p.len - 1 - len] != '/')
			len++;
		if (len == p.len)
			return false;
		*rest[i] = (struct sigv4_part){ p.at + p.len - len, len };
		p.len -= len + 1;
	}
	if (!p.len || p.len > SIGV4_KEY_MAX)
		return false;
	memcpy(out->key, p.at, p.len);
	out->key[p.len] = '\0';
	return true;
}

static int compare(struct sigv4_part a, struct sigv4_part b)
{
	size_t least = a.len < b.len ? a.len : b.len;
	int c = memcmp(a.at, b.at, least);

	return c ? c : (a.len > b.len) - (a.len < b.len);
}

/* Names in lower case and rising order, none twice: there is one way to write down a set. */
static bool is_name_list(struct sigv4_part list)
{
	struct sigv4_part last = { "", 0 };

	if (!list.len || list.at[list.len - 1] == ';')
		return false;
	while (list.len) {
		struct sigv4_part name = cut(&list, ';');

		if (!all_of(name, is_name_char) || compare(last, name) >= 0)
			return false;
		last = name;
	}
	return true;
}

/* One `name=value` of the header. */
static bool read_parameter(struct sigv4_part p, struct sigv4_claim *out, unsigned *seen)
{
	struct sigv4_part name = trim(cut(&p, '=')), value = trim(p);
	unsigned which = part_is(name, "Credential")      ? 1
			 : part_is(name, "SignedHeaders") ? 2
			 : part_is(name, "Signature")     ? 4
							  : 0;

	if (!which || *seen & which)
		return false;
	*seen |= which;
	if (which == 1)
		return read_credential(value, out);
	if (which == 2) {
		out->signed_headers = value;
		return is_name_list(value);
	}
	out->signature = value;
	return value.len == HEX && all_of(value, is_lower_hex);
}

static enum sigv4_fault read_authorization(
	struct sigv4_part p, struct sigv4_claim *out, struct sigv4_why *why)
{
	unsigned seen = 0;

	if (!part_is(cut(&p, ' '), ALGORITHM))
		return fail(why, SIGV4_INCOMPLETE,
			"Unsupported AWS 'algorithm': '" ALGORITHM "' is required.");
	while ((p = trim(p)).len) {
		if (!read_parameter(cut(&p, ','), out, &seen))
			return fail(why, SIGV4_INCOMPLETE,
				"Authorization header has a parameter that is malformed, "
				"unknown or repeated.");
	}
	for (unsigned i = 0; i < 3; i++) {
		static const char *const names[] = { "Credential", "SignedHeaders", "Signature" };

		if (!(seen & 1u << i))
			return fail(why, SIGV4_INCOMPLETE,
				"Authorization header requires '%s' parameter.", names[i]);
	}
	return SIGV4_OK;
}

enum sigv4_fault sigv4_read(
	const struct sigv4_request *r, struct sigv4_claim *out, struct sigv4_why *why)
{
	const char *authorization = single(r, "authorization");
	enum sigv4_fault fault;

	*out = (struct sigv4_claim){ .time = single(r, "x-amz-date") };
	if (!count(r, "authorization"))
		return fail(why, SIGV4_MISSING, "Missing Authentication Token");
	if (!authorization)
		return fail(why, SIGV4_INCOMPLETE, "There is more than one Authorization header.");
	fault = read_authorization(trim(part_of(authorization)), out, why);
	if (fault)
		return fault;
	if (!out->time)
		return fail(why, SIGV4_INCOMPLETE,
			"Authorization header requires existence of an 'X-Amz-Date' header.");
	if (!read_time(out->time, &out->seconds))
		return fail(why, SIGV4_INCOMPLETE,
			"Date must be in ISO-8601 'basic format', as 20130630T120000Z.");
	return SIGV4_OK;
}

/* --- digests -------------------------------------------------------------------------------- */

static void to_hex(const uint8_t digest[static DIGEST], char out[static HEX + 1])
{
	for (size_t i = 0; i < DIGEST; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* A hash under way; goes bad once and stays so. */
struct hash {
	EVP_MD_CTX *ctx;
	bool bad;
};

static struct hash hash_begin(void)
{
	struct hash h = { .ctx = EVP_MD_CTX_new() };

	h.bad = !h.ctx || EVP_DigestInit_ex(h.ctx, EVP_sha256(), NULL) != 1;
	return h;
}

static void hash_bytes(struct hash *h, const void *bytes, size_t len)
{
	if (!h->bad && len && EVP_DigestUpdate(h->ctx, bytes, len) != 1)
		h->bad = true;
}

static void hash_text(struct hash *h, const char *text)
{
	hash_bytes(h, text, strlen(text));
}

/* False when something was bad on the way. */
static bool hash_end(struct hash *h, char hex[static HEX + 1])
{
	uint8_t digest[DIGEST];
	bool good = !h->bad && EVP_DigestFinal_ex(h->ctx, digest, NULL) == 1;

	if (good)
		to_hex(digest, hex);
	EVP_MD_CTX_free(h->ctx);
	return good;
}

static bool hash_body(const struct sigv4_request *r, char hex[static HEX + 1])
{
	struct hash h = hash_begin();

	hash_bytes(&h, r->body, r->body_len);
	return hash_end(&h, hex);
}

/* --- the canonical request ------------------------------------------------------------------ */

/* A value without outer blanks, runs of inner ones as one space. */
static void hash_value(struct hash *h, const char *value)
{
	struct sigv4_part p = trim(part_of(value));

	for (size_t i = 0; i < p.len;) {
		size_t run = 0;

		while (i + run < p.len && !is_blank(p.at[i + run]))
			run++;
		hash_bytes(h, p.at + i, run);
		i += run;
		if (i < p.len)
			hash_text(h, " ");
		while (i < p.len && is_blank(p.at[i]))
			i++;
	}
}

/* name:value[,value…] \n; a header that was not sent has no value. */
static void hash_header(struct hash *h, const struct sigv4_request *r, struct sigv4_part name)
{
	bool first = true;

	hash_bytes(h, name.at, name.len);
	hash_text(h, ":");
	for (size_t i = 0; i < r->n_headers; i++) {
		if (!is_named(&r->headers[i], name))
			continue;
		if (!first)
			hash_text(h, ",");
		hash_value(h, r->headers[i].value);
		first = false;
	}
	hash_text(h, "\n");
}

static bool hash_canonical(const struct sigv4_request *r, const struct sigv4_claim *claim,
	const char *body, char hex[static HEX + 1])
{
	struct sigv4_part query = part_of(r->target), path = cut(&query, '?'),
			  names = claim->signed_headers;
	struct hash h = hash_begin();

	hash_text(&h, r->method);
	hash_text(&h, "\n");
	hash_bytes(&h, path.at, path.len);
	hash_text(&h, "\n");
	hash_bytes(&h, query.at, query.len);
	hash_text(&h, "\n");
	while (names.len)
		hash_header(&h, r, cut(&names, ';'));
	hash_text(&h, "\n");
	hash_bytes(&h, claim->signed_headers.at, claim->signed_headers.len);
	hash_text(&h, "\n");
	hash_text(&h, body);
	return hash_end(&h, hex);
}

/* --- the signature -------------------------------------------------------------------------- */

static bool hmac(
	const void *key, size_t key_len, struct sigv4_part text, uint8_t out[static DIGEST])
{
	return HMAC(EVP_sha256(), key, (int)key_len, (const uint8_t *)text.at, text.len, out, NULL);
}

static bool derive_key(
	const struct sigv4_claim *claim, const char *secret, uint8_t key[static DIGEST])
{
	char first[512];
	int len = snprintf(first, sizeof(first), "AWS4%s", secret);
	bool good = len > 0 && (size_t)len < sizeof(first) &&
		    hmac(first, (size_t)len, claim->date, key) &&
		    hmac(key, DIGEST, claim->region, key) &&
		    hmac(key, DIGEST, claim->service, key) &&
		    hmac(key, DIGEST, claim->terminator, key);

	OPENSSL_cleanse(first, sizeof(first));
	return good;
}

/* The signature that the request should have. Date, region, service and time have been checked, so
 * that the text has room. */
static bool sign(const struct sigv4_claim *claim, const char *secret, const char *canonical,
	char hex[static HEX + 1])
{
	uint8_t key[DIGEST], mac[DIGEST];
	char text[512];
	int len = snprintf(text, sizeof(text), ALGORITHM "\n%s\n%.*s/%.*s/%.*s/" TERMINATOR "\n%s",
		claim->time, (int)claim->date.len, claim->date.at, (int)claim->region.len,
		claim->region.at, (int)claim->service.len, claim->service.at, canonical);
	bool good = len > 0 && (size_t)len < sizeof(text) && derive_key(claim, secret, key) &&
		    hmac(key, DIGEST, (struct sigv4_part){ text, (size_t)len }, mac);

	if (good)
		to_hex(mac, hex);
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(mac, sizeof(mac));
	return good;
}

/* --- the verdict ---------------------------------------------------------------------------- */

static enum sigv4_fault check_scope(
	const struct sigv4_claim *claim, const struct sigv4_rule *rule, struct sigv4_why *why)
{
	if (!part_is(claim->terminator, TERMINATOR))
		return fail(why, SIGV4_SCOPE,
			"Credential should be scoped with a valid terminator: '" TERMINATOR "'.");
	if (!part_is(claim->service, rule->service))
		return fail(why, SIGV4_SCOPE,
			"Credential should be scoped to correct service: '%s'.", rule->service);
	if (!part_is(claim->region, rule->region))
		return fail(why, SIGV4_SCOPE,
			"Credential should be scoped to a valid region: '%s'.", rule->region);
	if (claim->date.len != 8 || memcmp(claim->date.at, claim->time, 8) != 0)
		return fail(why, SIGV4_SCOPE,
			"Credential should be scoped to the date of the request, '%.8s'.",
			claim->time);
	return SIGV4_OK;
}

static bool is_signed(const struct sigv4_claim *claim, const char *name)
{
	struct sigv4_part names = claim->signed_headers;

	while (names.len)
		if (part_is(cut(&names, ';'), name))
			return true;
	return false;
}

static enum sigv4_fault check_signed(const struct sigv4_request *r, const struct sigv4_claim *claim,
	const struct sigv4_rule *rule, struct sigv4_why *why)
{
	for (size_t i = 0; i < rule->n_must; i++)
		if (!is_signed(claim, rule->must[i]))
			return fail(why, SIGV4_UNSIGNED,
				"'%s' must be a 'SignedHeader' in the AWS Authorization.",
				rule->must[i]);
	if (count(r, "x-amz-security-token") && !is_signed(claim, "x-amz-security-token"))
		return fail(why, SIGV4_UNSIGNED,
			"'x-amz-security-token' must be a 'SignedHeader' in the "
			"AWS Authorization.");
	return SIGV4_OK;
}

static bool same(const char *a, const char *b)
{
	return strlen(a) == HEX && !CRYPTO_memcmp(a, b, HEX);
}

static enum sigv4_fault check_signature(const struct sigv4_request *r,
	const struct sigv4_claim *claim, const char *secret, struct sigv4_why *why)
{
	const char *told = single(r, "x-amz-content-sha256");
	char body[HEX + 1], canonical[HEX + 1], right[HEX + 1], given[HEX + 1];
	bool match;

	if (!hash_body(r, body) || !hash_canonical(r, claim, body, canonical) ||
		!sign(claim, secret, canonical, right))
		return fail(why, SIGV4_NO_MEMORY, "out of memory");
	memcpy(given, claim->signature.at, HEX);
	given[HEX] = '\0';
	match = same(given, right);
	OPENSSL_cleanse(right, sizeof(right));
	if (count(r, "x-amz-content-sha256"))
		match = match && told && same(told, body);
	if (match)
		return SIGV4_OK;
	return fail(why, SIGV4_MISMATCH,
		"The request signature we calculated does not match the signature you provided. "
		"Check your AWS Secret Access Key and signing method.");
}

enum sigv4_fault sigv4_check(const struct sigv4_request *r, const struct sigv4_claim *claim,
	const struct sigv4_rule *rule, struct sigv4_why *why)
{
	enum sigv4_fault fault = check_scope(claim, rule, why);

	if (fault)
		return fault;
	if (claim->seconds < rule->now - SIGV4_SKEW || claim->seconds > rule->now + SIGV4_SKEW)
		return fail(why, SIGV4_EXPIRED,
			"The request is past the expiration date or the request date (either with "
			"15 minute padding), or the request date occurs more than 15 "
			"minutes in the future.");
	fault = check_signed(r, claim, rule, why);
	if (fault)
		return fault;
	return check_signature(r, claim, rule->secret, why);
}
