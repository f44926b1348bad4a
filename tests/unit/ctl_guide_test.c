/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Texts that say how to log in: names and secrets as words of shells (what a real shell makes of them,
 * where there is one), and what the texts are made of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/guide.h"
#include "ctl/quote.h"

/* What sh takes a quoted text for. */
static void assert_means_itself(const char *text)
{
	struct quoted q;
	char command[sizeof(q.text) + 32], said[QUOTE_MAX + 1];
	size_t n;
	FILE *sh;

	snprintf(command, sizeof(command), "printf %%s %s", quote_shell(text, &q));
	sh = popen(command, "r");
	assert_non_null(sh);
	n = fread(said, 1, sizeof(said) - 1, sh);
	said[n] = '\0';
	assert_int_equal(pclose(sh), 0);
	assert_string_equal(said, text);
}

static void a_shell_takes_a_quoted_text_for_itself(void **state)
{
	static const char *const texts[] = { "iqn.2026-11.com.example:host1", "it's", "'", "''",
		"a b", "$HOME `id` $(id)", "\\", "\"", "*?[a]", "~", "#", "a;b|c&d", "!1", "-n",
		"%s%41", "\xc3\xa9" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_means_itself(texts[i]);
}

static void a_plain_word_stays_bare(void **state)
{
	struct quoted q;

	(void)state;
	assert_string_equal(
		quote_shell("iqn.2026-11.com.example:a", &q), "iqn.2026-11.com.example:a");
	assert_string_equal(quote_shell("", &q), "''");
}

static void the_longest_text_of_quotes_fits(void **state)
{
	struct quoted q;
	char text[QUOTE_MAX + 2] = "";

	(void)state;
	memset(text, '\'', QUOTE_MAX);
	assert_int_equal(strlen(quote_shell(text, &q)), 4 * QUOTE_MAX + 2);
	assert_int_equal(strlen(quote_powershell(text, &q)), 2 * QUOTE_MAX + 2);
	memset(text, ',', QUOTE_MAX);
	assert_int_equal(strlen(quote_qemu(text, &q)), 2 * QUOTE_MAX);
	strcpy(text + QUOTE_MAX, "x");
	assert_string_equal(quote_shell(text, &q), "");
	assert_string_equal(quote_powershell(text, &q), "");
	assert_string_equal(quote_qemu(text, &q), "");
}

static void powershell_doubles_every_quote_that_it_knows(void **state)
{
	struct quoted q;

	(void)state;
	assert_string_equal(quote_powershell("$a`b\"c", &q), "'$a`b\"c'");
	assert_string_equal(quote_powershell("it's", &q), "'it''s'");
	/* U+2019, which it takes for a plain one; U+201C, which it does not. */
	assert_string_equal(quote_powershell("a\xe2\x80\x99z", &q), "'a\xe2\x80\x99\xe2\x80\x99z'");
	assert_string_equal(quote_powershell("a\xe2\x80\x9cz", &q), "'a\xe2\x80\x9cz'");
}

static void qemu_doubles_commas(void **state)
{
	struct quoted q;

	(void)state;
	assert_string_equal(quote_qemu("a,b,,c", &q), "a,,b,,,,c");
}

/* --- what a guide is made of ------------------------------------------------------------------ */

static const char *read_text(struct guide *g, json_t **answer, const char *text)
{
	*answer = json_loads(text, JSON_ALLOW_NUL, NULL);
	assert_non_null(*answer);
	return guide_read(g, *answer);
}

#define PORTAL "\"portals\": [{\"address\": \"192.0.2.1\", \"port\": 3260, \"group\": 1}]"

static void a_secret_that_a_terminal_would_obey_is_not_shown(void **state)
{
	static const char *const secrets[] = { "clear\\u001b[2Jscreen", "half\\u0000secret",
		"two\\nlines--", "rub\\u007fout---" };

	(void)state;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		struct guide g;
		json_t *answer;
		char text[256];

		snprintf(text, sizeof(text),
			"{\"target\": \"iqn.x:t\", \"auth\": \"chap\", \"user\": \"u\", "
			"\"secret\": \"%s\", " PORTAL "}",
			secrets[i]);
		assert_null(read_text(&g, &answer, text));
		assert_string_equal(g.login.secret, "<secret>");
		json_decref(answer);
	}
}

static void an_answer_without_a_portal_is_no_guide(void **state)
{
	struct guide g;
	json_t *answer;

	(void)state;
	assert_string_equal(read_text(&g, &answer, "{\"target\": \"iqn.x:t\", \"portals\": []}"),
		"the server names no portal for this target");
	json_decref(answer);
}

static void a_redirected_target_has_its_guide_elsewhere(void **state)
{
	struct guide g;
	json_t *answer;

	(void)state;
	assert_non_null(read_text(
		&g, &answer, "{\"target\": \"t\", \"redirect\": \"192.0.2.9\", " PORTAL "}"));
	json_decref(answer);
}

static void every_text_is_made_of_the_least_that_there_is(void **state)
{
	struct guide g;
	json_t *answer;

	(void)state;
	assert_null(read_text(&g, &answer, "{\"target\": \"iqn.x:t\", " PORTAL "}"));
	for (const struct guide_host *h = guide_hosts; h->name; h++) {
		char *text = NULL;
		size_t size;
		FILE *to = open_memstream(&text, &size);

		h->print(&g, to);
		fclose(to);
		assert_non_null(strstr(text, "iqn.x:t"));
		assert_null(strstr(text, "(null)"));
		assert_int_equal(text[size - 1], '\n');
		free(text);
	}
	json_decref(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shell_takes_a_quoted_text_for_itself),
		cmocka_unit_test(a_plain_word_stays_bare),
		cmocka_unit_test(the_longest_text_of_quotes_fits),
		cmocka_unit_test(powershell_doubles_every_quote_that_it_knows),
		cmocka_unit_test(qemu_doubles_commas),
		cmocka_unit_test(a_secret_that_a_terminal_would_obey_is_not_shown),
		cmocka_unit_test(an_answer_without_a_portal_is_no_guide),
		cmocka_unit_test(a_redirected_target_has_its_guide_elsewhere),
		cmocka_unit_test(every_text_is_made_of_the_least_that_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
