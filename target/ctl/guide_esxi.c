/* SPDX-License-Identifier: BSD-2-Clause */
/* VMware ESXi: esxcli, as in examples/esxi/connect.sh. */
#include "ctl/guide.h"
#include "ctl/quote.h"

static void print_direction(const char *direction, const char *user, const char *secret, FILE *to)
{
	struct quoted a, b;

	fprintf(to,
		"  esxcli iscsi adapter auth chap set -A $adapter --direction=%s --level=required "
		"\\\n"
		"    --authname=%s --secret=%s\n",
		direction, quote_shell(user, &a), quote_shell(secret, &b));
}

void guide_esxi(const struct guide *g, FILE *to)
{
	const struct guide_proof *p = &g->login;
	struct quoted a;

	fprintf(to,
		"ESXi to %s, in the shell of the host\n\n"
		"  esxcli iscsi software set --enabled=true\n"
		"  adapter=$(esxcli iscsi adapter list | awk '/iscsi_vmk/ { print $1; exit }')\n",
		g->target);
	if (g->initiator)
		fprintf(to, "  esxcli iscsi adapter set -A $adapter --name=%s\n",
			quote_shell(g->initiator, &a));
	/* The first must be required before ESXi takes the second. */
	if (p->chap)
		print_direction("uni", p->user, p->secret, to);
	if (p->target_secret)
		print_direction("mutual", p->target_user, p->target_secret, to);
	fprintf(to,
		"  esxcli iscsi adapter discovery sendtarget remove -A $adapter -a %s"
		"   # an earlier one\n"
		"  esxcli iscsi adapter discovery sendtarget add -A $adapter -a %s\n"
		"  esxcli iscsi adapter discovery rediscover -A $adapter\n"
		"  esxcli storage core adapter rescan -A $adapter\n"
		"  esxcli iscsi session list -A $adapter --name=%s\n",
		g->portals[0].text, g->portals[0].text, g->target);
	if (!guide_has(g, "disk"))
		fputs("\nVMware does not support tape over iSCSI: log in from a virtual machine "
		      "instead, as Linux or\nWindows does.\n",
			to);
	if (p->chap)
		fputs("\nESXi shows these to other users of its shell, and takes one pair for all "
		      "targets of the\nadapter; `esxcli iscsi adapter target portal auth chap set` "
		      "is for one.\n",
			to);
}
