/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The logins that real initiators were seen to do (captures/README), replayed: every request with
 * the keys and flags that it had, every answer what that initiator took. Each file is a test.
 */
#include "wire.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define FOLDER "tests/wire/captures"

enum { CAPTURES = 64, KEYS = 8192 };

struct capture {
	void *wire; /* a struct wire */
	char name[64], path[128];
};

/* One PDU of a capture. */
struct said {
	bool request;
	unsigned flags, status;
	char keys[KEYS]; /* each ends with a newline */
};

/* --- reading a capture ---------------------------------------------------------------------- */

static bool read_head(const char *line, struct said *s)
{
	unsigned t, c, csg, nsg;
	char side;

	*s = (struct said){ 0 };
	if (sscanf(line, "%c T=%u C=%u CSG=%u NSG=%u status=%x", &side, &t, &c, &csg, &nsg,
		    &s->status) < 5)
		return false;
	s->request = side == '>';
	s->flags = t << 7 | c << 6 | csg << 2 | nsg;
	return true;
}

/* The next PDU of the file; `line` is its first one, and then that of the one after it. */
static bool next(FILE *in, char *line, size_t size, struct said *s)
{
	while (*line == '#')
		assert_non_null(fgets(line, (int)size, in));
	if (!*line)
		return false;
	if (!read_head(line, s))
		fail_msg("no head of a PDU: %s", line);
	for (;;) {
		if (!fgets(line, (int)size, in)) {
			*line = '\0';
			return true;
		}
		if (*line == '>' || *line == '<')
			return true;
		assert_true(strlen(s->keys) + strlen(line) < sizeof(s->keys));
		strcat(s->keys, line);
	}
}

/* --- values that are new each time: "<16 bytes>" -------------------------------------------- */

static bool is_described(const char *value)
{
	return *value == '<';
}

static size_t described_length(const char *value)
{
	unsigned n = 0;

	assert_int_equal(sscanf(value, "<%u bytes", &n), 1);
	assert_in_range(n, 1, 64);
	return n;
}

/* "KEY=0x…" in the case that is described. */
static void write_bytes(
	char *out, const char *key, const char *described, const uint8_t *p, size_t n)
{
	char hex[160];

	assert_int_equal(described_length(described), n);
	to_hex(p, n, hex);
	if (strstr(described, "upper case"))
		for (char *h = hex + 2; *h; h++)
			*h = (char)(*h >= 'a' ? *h - 'a' + 'A' : *h);
	sprintf(out, "%s=%s\n", key, hex);
}

/* --- requests ------------------------------------------------------------------------------- */

static void write_described(char *out, const char *key, const char *value, struct chap *c)
{
	uint8_t digest[64];

	if (strcmp(key, "CHAP_I") == 0) {
		sprintf(out, "CHAP_I=%u\n", c->our_id);
	} else if (strcmp(key, "CHAP_C") == 0) {
		c->our_len = described_length(value);
		write_bytes(out, key, value, c->ours, c->our_len);
	} else {
		assert_string_equal(key, "CHAP_R");
		size_t n = chap_hash(c->alg, c->id, c->secret, c->challenge, c->len, digest);

		write_bytes(out, key, value, digest, n);
	}
}

/* Sends a request as it was, with new values where they are described. */
static void request(struct ini *i, struct chap *c, struct said *s)
{
	char keys[KEYS] = "", *rest = s->keys;

	for (char *line; (line = strsep(&rest, "\n")) && *line;) {
		char *key = strsep(&line, "="), *end = keys + strlen(keys);

		assert_non_null(line);
		if (is_described(line))
			write_described(end, key, line, c);
		else
			sprintf(end, "%s=%s\n", key, line);
	}
	struct pdu p = pdu_login(i, s->flags, keys);

	ini_send(i, &p);
}

/* --- answers -------------------------------------------------------------------------------- */

/* Initiators read lower-case hexadecimal of that length, all of them; a number is of one byte. */
static void assert_as_described(const char *value, const char *described)
{
	if (strcmp(described, "<number>") == 0) {
		assert_int_equal(strspn(value, "0123456789"), strlen(value));
		assert_in_range(atoi(value), 0, 255);
		return;
	}
	assert_true(strncmp(value, "0x", 2) == 0);
	assert_int_equal(strspn(value + 2, "0123456789abcdef"), 2 * described_length(described));
	assert_int_equal(strlen(value + 2), 2 * described_length(described));
}

static unsigned count_keys(const struct ini *i)
{
	unsigned n = 0;

	for (uint32_t k = 0; k < i->keys_len; k++)
		n += i->keys[k] == '\0';
	return n;
}

/* The target says what it said then, in any order. */
static void expect_answer(struct ini *i, struct chap *c, struct said *s)
{
	char *rest = s->keys;
	unsigned n = 0;

	assert_int_equal(login_answer(i), s->status);
	assert_int_equal(login_flags(i), s->flags);
	for (char *line; (line = strsep(&rest, "\n")) && *line; n++) {
		char *key = strsep(&line, "=");

		if (answers(i, key) != 1)
			fail_msg("%s was answered %u times", key, answers(i, key));
		if (is_described(line))
			assert_as_described(answer(i, key), line);
		else
			assert_answer(i, key, line);
	}
	assert_int_equal(count_keys(i), n);
	if (answer(i, "CHAP_C"))
		chap_take_challenge(i, c);
	if (answer(i, "CHAP_R"))
		assert_true(chap_proves_target(i, c));
}

/* --- tests ---------------------------------------------------------------------------------- */

static void use_the_disk(struct ini *i)
{
	static uint8_t out[64 * WIRE_BLOCK], in[sizeof(out)];

	unit_ready(i);
	fill(out, sizeof(out), 5);
	disk_write(i, 8, 64, out);
	disk_read(i, 8, 64, in);
	assert_memory_equal(in, out, sizeof(out));
}

static void a_captured_login_goes_as_it_went(void **state)
{
	struct capture *capture = *state;
	FILE *in = fopen(capture->path, "r");
	struct chap c = chap_host1();
	bool discovery = false;
	char line[1024];
	struct said s;
	struct ini i;

	assert_non_null(in);
	assert_non_null(fgets(line, sizeof(line), in));
	ini_open_tcp(&i, capture->wire, "127.0.0.1", "127.0.0.1");
	while (next(in, line, sizeof(line), &s)) {
		discovery |= strstr(s.keys, "SessionType=Discovery\n") != NULL;
		if (s.request)
			request(&i, &c, &s);
		else
			expect_answer(&i, &c, &s);
	}
	fclose(in);
	assert_true(i.full);
	if (discovery) {
		text(&i, "SendTargets=All\n");
		assert_int_equal(answers(&i, "TargetName"), 2);
	} else {
		use_the_disk(&i);
	}
	logout(&i);
	ini_close(&i);
}

static int setup(void **state)
{
	struct capture *capture = *state;

	return wire_setup_started(&capture->wire);
}

static int teardown(void **state)
{
	struct capture *capture = *state;

	return wire_teardown(&capture->wire);
}

static int is_capture(const struct dirent *e)
{
	return e->d_name[0] != '.' && strcmp(e->d_name, "README") != 0;
}

int main(void)
{
	static struct capture captures[CAPTURES];
	static struct CMUnitTest tests[CAPTURES];
	struct dirent **found = NULL;
	int n = scandir(FOLDER, &found, is_capture, alphasort);

	if (n < 1 || n > CAPTURES) {
		fprintf(stderr, FOLDER ": %d captures\n", n);
		return 1;
	}
	for (int k = 0; k < n; k++) {
		struct capture *c = &captures[k];

		snprintf(c->name, sizeof(c->name), "%.63s", found[k]->d_name);
		snprintf(c->path, sizeof(c->path), FOLDER "/%.63s", found[k]->d_name);
		tests[k] = (struct CMUnitTest){ c->name, a_captured_login_goes_as_it_went, setup,
			teardown, c };
		free(found[k]);
	}
	free(found);
	return _cmocka_run_group_tests("captures", tests, (size_t)n, NULL, NULL);
}
