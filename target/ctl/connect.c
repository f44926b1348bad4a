/* SPDX-License-Identifier: BSD-2-Clause */
/* How a host logs in to a target: asked of the server, and told for that kind of host. */
#include "ctl/connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ask.h"
#include "ctl/guide.h"

const struct command_option connect_options[] = {
	{ "os", "NAME", "linux, windows, qemu, ipxe, esxi or libiscsi; may be repeated" },
	{ "initiator", "NAME", "whose login; needed where several have a credential" },
	{ "show-secret", NULL, "with the secrets; for root and the server's user" },
	{ 0 },
};

static bool check_hosts(const struct session *s)
{
	for (size_t i = 0; i < s->n_given; i++)
		if (!strcmp(s->given[i].name, "os") && !guide_host_find(s->given[i].value)) {
			ask_usage("--os takes linux, windows, qemu, ipxe, esxi or libiscsi, not %s",
				s->given[i].value);
			return false;
		}
	return true;
}

/* Line by line, so that nothing in it moves the cursor. Overwrites the text, which has secrets. */
static void print_text(char *text, size_t size)
{
	char *at = text;

	for (char *end; (end = strchr(at, '\n')); at = end + 1) {
		*end = '\0';
		grid_puts(at, stdout);
		putchar('\n');
	}
	explicit_bzero(text, size);
}

static bool print_guide(const struct guide *g, const struct guide_host *h)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return false;
	h->print(g, to);
	if (fclose(to) == 0 && text)
		print_text(text, size);
	free(text);
	return true;
}

/* Every kind of host that was asked for, in that order; Linux when none was. */
static bool print_guides(const struct guide *g, const struct session *s)
{
	bool any = false, ok = true;

	for (size_t i = 0; i < s->n_given; i++) {
		if (strcmp(s->given[i].name, "os") != 0)
			continue;
		if (any)
			putchar('\n');
		ok = print_guide(g, guide_host_find(s->given[i].value)) && ok;
		any = true;
	}
	return any ? ok : print_guide(g, guide_host_find("linux"));
}

/* Where a host must come from, which no text for it could say. */
static void print_addresses(const json_t *answer)
{
	const json_t *list = json_object_get(answer, "addresses");

	for (size_t i = 0; i < json_array_size(list); i++) {
		fputs("countersignctl: it may log in from these addresses alone: ", stderr);
		grid_puts(json_string_value(json_array_get(list, i)), stderr);
		fputc('\n', stderr);
	}
}

static enum exit_status tell(const struct session *s, const json_t *answer)
{
	struct guide g;
	const char *wrong = guide_read(&g, answer);

	if (!wrong && !print_guides(&g, s))
		wrong = "out of memory";
	if (wrong) {
		fprintf(stderr, "countersignctl: %s\n", wrong);
		return EXIT_REFUSED;
	}
	if ((g.login.chap || g.discovery.chap) && !g.secrets)
		fputs("countersignctl: --show-secret has the secrets in the places of <secret> and "
		      "<target_secret>\n",
			stderr);
	print_addresses(answer);
	return EXIT_DONE;
}

enum exit_status connect_run(const struct session *s, char **args, int n)
{
	const char *initiator = command_value(s, "initiator");
	bool secrets = command_has(s, "show-secret");
	char path[ASK_PATH_MAX] = "";
	enum exit_status status;
	json_t *body = NULL, *b;

	(void)n;
	if (!check_hosts(s))
		return EXIT_USAGE;
	if (!*args[0] || !ask_path(path, "/v1/targets/", args[0]) ||
		!ask_path(path, "/connect", "") ||
		(initiator && !secrets && !ask_path(path, "?initiator=", initiator)))
		return ask_usage("that is not the name of a target, or of an initiator");
	if (secrets)
		body = json_pack("{s:s?}", "initiator", initiator);
	if (secrets && !body)
		return ask_usage("that is not the name of an initiator");
	status = ask_server(s, secrets ? "POST" : "GET", path, body, &b);
	json_decref(body);
	if (b)
		status = tell(s, b);
	json_decref(b);
	return status;
}
