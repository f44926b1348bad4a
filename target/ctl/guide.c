/* SPDX-License-Identifier: BSD-2-Clause */
/* What the server said, taken apart for the texts. */
#include "ctl/guide.h"

#include <string.h>

#include "ctl/ask.h"

const struct guide_host guide_hosts[] = {
	{ "linux", guide_linux },
	{ "windows", guide_windows },
	{ "qemu", guide_qemu },
	{ "ipxe", guide_ipxe },
	{ "esxi", guide_esxi },
	{ "libiscsi", guide_libiscsi },
	{ NULL, NULL },
};

const struct guide_host *guide_host_find(const char *name)
{
	for (const struct guide_host *h = guide_hosts; h->name; h++)
		if (!strcmp(h->name, name))
			return h;
	return NULL;
}

/* A secret can be pasted if it has no control characters, a NUL among them. */
static const char *read_secret(const json_t *o, const char *name, const char *stand_in)
{
	const json_t *j = json_object_get(o, name);
	const char *text = json_string_value(j);

	for (size_t i = 0; text && i < json_string_length(j); i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return stand_in;
	return text ? text : stand_in;
}

static void read_proof(struct guide_proof *p, const json_t *o)
{
	const char *auth = ask_text(o, "auth");
	bool mutual = json_is_true(json_object_get(o, "mutual"));

	p->chap = auth && !strcmp(auth, "chap");
	p->closed = auth && !strcmp(auth, "deny");
	if (!p->chap)
		return;
	p->user = ask_text(o, "user");
	if (!p->user)
		p->user = "<initiator name>";
	p->secret = read_secret(o, "secret", "<secret>");
	if (mutual) {
		p->target_user = ask_text(o, "target_user");
		p->target_secret = read_secret(o, "target_secret", "<target_secret>");
	}
}

static void read_portal(struct guide_portal *p, const json_t *o)
{
	const char *address = ask_text(o, "address");
	bool brackets = address && strchr(address, ':');

	p->address = address ? address : "-";
	p->port = (unsigned)ask_number(o, "port");
	snprintf(p->text, sizeof(p->text), "%s%s%s:%u", brackets ? "[" : "", p->address,
		brackets ? "]" : "", p->port);
}

static void read_lists(struct guide *g, const json_t *answer)
{
	const json_t *portals = json_object_get(answer, "portals");
	const json_t *luns = json_object_get(answer, "luns");
	const json_t *digests = json_object_get(answer, "algorithms");

	for (size_t i = 0; i < json_array_size(portals) && i < GUIDE_PORTALS_MAX; i++)
		read_portal(&g->portals[g->n_portals++], json_array_get(portals, i));
	for (size_t i = 0; i < json_array_size(luns) && i < GUIDE_LUNS_MAX; i++) {
		const json_t *lun = json_array_get(luns, i);
		const char *kind = ask_text(lun, "kind");

		g->luns[g->n_luns++] =
			(struct guide_lun){ ask_number(lun, "lun"), kind ? kind : "disk" };
	}
	for (size_t i = 0; i < json_array_size(digests); i++) {
		const char *name = json_string_value(json_array_get(digests, i));

		g->md5 = g->md5 || (name && !strcmp(name, "MD5"));
	}
}

const char *guide_read(struct guide *g, const json_t *answer)
{
	*g = (struct guide){ .target = ask_text(answer, "target"),
		.initiator = ask_text(answer, "initiator") };
	if (ask_text(answer, "redirect"))
		return "logins to this target are sent to another portal: ask the server there";
	read_lists(g, answer);
	if (!g->target || !g->n_portals)
		return "the server names no portal for this target";
	read_proof(&g->login, answer);
	read_proof(&g->discovery, json_object_get(answer, "discovery"));
	g->secrets = json_object_get(answer, "secret");
	return NULL;
}

uint64_t guide_disk(const struct guide *g)
{
	for (size_t i = 0; i < g->n_luns; i++)
		if (!strcmp(g->luns[i].kind, "disk"))
			return g->luns[i].lun;
	return 0;
}

bool guide_has(const struct guide *g, const char *kind)
{
	for (size_t i = 0; i < g->n_luns; i++)
		if (!strcmp(g->luns[i].kind, kind))
			return true;
	return !g->n_luns && !strcmp(kind, "disk");
}
