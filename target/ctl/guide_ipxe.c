/* SPDX-License-Identifier: BSD-2-Clause */
/* iPXE: a script, as examples/ipxe/boot.ipxe is one. */
#include <inttypes.h>
#include <string.h>

#include "ctl/guide.h"

/* Words that iPXE would take apart, or put something else for. */
static bool is_plain(const char *text)
{
	return !text || !text[strcspn(text, " $")];
}

void guide_ipxe(const struct guide *g, FILE *to)
{
	const struct guide_proof *p = &g->login;
	const struct guide_portal *at = &g->portals[0];
	bool ipv6 = strchr(at->address, ':');

	fprintf(to, "#!ipxe\n# To %s: as the boot file of DHCP, or typed at iPXE's prompt.\n",
		g->target);
	if (!guide_has(g, "disk"))
		fputs("# It has no disk, and so nothing that iPXE could boot.\n", to);
	if (p->chap && !g->md5)
		fputs("# iPXE knows CHAP with MD5 alone, which this server does not take "
		      "(`algorithms`).\n",
			to);
	if (!is_plain(p->secret) || !is_plain(p->target_secret))
		fputs("# iPXE takes no secret with \"$\" or spaces.\n", to);
	if (g->initiator)
		fprintf(to, "set initiator-iqn %s\n", g->initiator);
	if (p->chap)
		fprintf(to, "set username %s\nset password %s\n", p->user, p->secret);
	if (p->target_secret)
		fprintf(to, "set reverse-username %s\nset reverse-password %s\n", p->target_user,
			p->target_secret);
	fprintf(to, "sanboot iscsi:%s%s%s::%u:%" PRIx64 ":%s\n", ipv6 ? "[" : "", at->address,
		ipv6 ? "]" : "", at->port, guide_disk(g), g->target);
}
