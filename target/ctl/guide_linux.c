/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux: open-iscsi's iscsid.conf and iscsiadm. The settings are those of examples/linux. */
#include <inttypes.h>
#include <string.h>

#include "ctl/guide.h"

/* The value of a line reaches to its end, without quotes. */
static void print_proof(const struct guide_proof *p, const char *prefix, FILE *to)
{
	fprintf(to, "     %s.authmethod = %s\n", prefix, p->chap ? "CHAP" : "None");
	if (!p->chap)
		return;
	fprintf(to, "     %s.chap_algs = SHA3-256,SHA256,SHA1,MD5\n", prefix);
	fprintf(to, "     %s.username = %s\n", prefix, p->user);
	fprintf(to, "     %s.password = %s\n", prefix, p->secret);
	if (!p->target_secret)
		return;
	fprintf(to, "     %s.username_in = %s\n", prefix, p->target_user);
	fprintf(to, "     %s.password_in = %s\n", prefix, p->target_secret);
}

static bool has_ends(const char *secret)
{
	return secret && *secret && (*secret == ' ' || secret[strlen(secret) - 1] == ' ');
}

static void print_settings(const struct guide *g, FILE *to)
{
	fputs("\n2. Lines for /etc/iscsi/iscsid.conf (chmod 600), in place of those of the same "
	      "names:\n\n"
	      "     node.startup = automatic\n",
		to);
	print_proof(&g->login, "node.session.auth", to);
	if (!g->discovery.closed)
		print_proof(&g->discovery, "discovery.sendtargets.auth", to);
	fputs("     node.session.timeo.replacement_timeout = 600\n"
	      "     node.conn[0].timeo.noop_out_interval = 60\n"
	      "     node.conn[0].timeo.noop_out_timeout = 600\n"
	      "     node.session.iscsi.FirstBurstLength = 262144\n"
	      "     node.session.iscsi.MaxBurstLength = 16776192\n"
	      "     node.conn[0].iscsi.MaxRecvDataSegmentLength = 262144\n",
		to);
	if (has_ends(g->login.secret) || has_ends(g->login.target_secret))
		fputs("\n   A secret begins or ends with a space, which this file cannot say: give "
		      "it to the\n   record by `iscsiadm -m node -o update` after step 4.\n",
			to);
}

static bool is_kind(const struct guide_lun *l, const char *kind)
{
	return !strcmp(l->kind, kind);
}

/* Where udev puts a unit; it writes an IPv6 address in a way of its own. A tape is named by the
 * device that does not rewind it when it is closed. */
static void print_path(const struct guide *g, const struct guide_lun *l, FILE *to)
{
	const struct guide_portal *p = &g->portals[0];
	bool ipv6 = strchr(p->address, ':');

	fprintf(to, "/dev/%s/by-path/%s%s-iscsi-%s-lun-", is_kind(l, "disk") ? "disk" : "tape",
		ipv6 ? "*" : "ip-", ipv6 ? "" : p->text, g->target);
	if (l->lun < 256)
		fprintf(to, "%" PRIu64, l->lun);
	else /* SAM-5 4.7: flat space addressing, as a number of eight bytes */
		fprintf(to, "0x%04" PRIx64 "000000000000", UINT64_C(0x4000) | l->lun);
	fputs(is_kind(l, "changer") ? "-changer" : is_kind(l, "tape") ? "-nst" : "", to);
}

static void print_unit(const struct guide *g, const struct guide_lun *l, FILE *to)
{
	fputs("     ls -l ", to);
	print_path(g, l, to);
	fputs(is_kind(l, "changer") ? "     # or look for mediumx in what `lsscsi -g` says\n"
				    : "\n",
		to);
}

/* By the packages mtx and mt-st, as backup programs will. */
static void print_tape_commands(const struct guide *g, FILE *to)
{
	fputs("\n6. A look inside, by the packages mtx and mt-st:\n\n", to);
	for (size_t i = 0; i < g->n_luns; i++) {
		const struct guide_lun *l = &g->luns[i];

		fprintf(to, "     %s -f ", is_kind(l, "changer") ? "mtx" : "mt");
		print_path(g, l, to);
		fputs(" status\n", to);
	}
}

static void print_each_way(const struct guide *g, const char *verb, FILE *to)
{
	fputc('\n', to);
	for (size_t i = 1; i < g->n_portals; i++)
		fprintf(to, "     iscsiadm -m node -T %s -p %s %s\n", g->target, g->portals[i].text,
			verb);
}

/* Discovery has put all portals on record, and what is on record is logged in to at every start: two
 * devices of one disk, or of one tape, that know nothing of each other. */
static void print_more_ways(const struct guide *g, FILE *to)
{
	if (g->n_portals == 1)
		return;
	if (guide_has(g, "disk")) {
		fputs("\n   Further ways to the same disks, with multipath alone:\n", to);
		if (g->discovery.closed)
			print_each_way(g, "-o new", to);
		print_each_way(g, "--login", to);
	}
	if (g->discovery.closed)
		return;
	fprintf(to, "\n   %s, or the next start of the host logs in to them, too:\n",
		guide_has(g, "disk") ? "Without it they go off the record"
				     : "Further ways to the same tapes go off the record");
	print_each_way(g, "-o delete", to);
}

static void print_commands(const struct guide *g, FILE *to)
{
	const char *t = g->target, *p = g->portals[0].text;

	fprintf(to,
		"\n3. Whatever is on record of an earlier attempt goes away, with its settings (a "
		"command\n   that finds nothing says so):\n\n"
		"     iscsiadm -m node -T %s --logout\n"
		"     iscsiadm -m node -T %s -o delete\n",
		t, t);
	if (g->discovery.closed)
		fprintf(to,
			"\n4. Login; discovery is closed to this host:\n\n"
			"     iscsiadm -m node -T %s -p %s -o new\n",
			t, p);
	else
		fprintf(to,
			"     iscsiadm -m discoverydb -t sendtargets -p %s -o delete\n"
			"\n4. Discovery and login:\n\n"
			"     iscsiadm -m discovery -t sendtargets -p %s\n",
			p, p);
	fprintf(to, "     iscsiadm -m node -T %s -p %s --login\n", t, p);
	print_more_ways(g, to);
}

void guide_linux(const struct guide *g, FILE *to)
{
	fprintf(to, "Linux (open-iscsi) to %s, as root\n\n", g->target);
	if (g->initiator)
		fprintf(to,
			"1. The name of the host, in /etc/iscsi/initiatorname.iscsi; after a change "
			"of it\n   `systemctl restart iscsid`:\n\n     InitiatorName=%s\n",
			g->initiator);
	else
		fputs("1. Any name in /etc/iscsi/initiatorname.iscsi will do.\n", to);
	print_settings(g, to);
	print_commands(g, to);
	fputs("\n5. What has come:\n\n", to);
	for (size_t i = 0; i < g->n_luns; i++)
		print_unit(g, &g->luns[i], to);
	if (!guide_has(g, "disk")) {
		print_tape_commands(g, to);
		return;
	}
	fputs("\n6. So that a disk waits as long as the session, a line for\n"
	      "   /etc/udev/rules.d/60-countersign.rules:\n\n"
	      "     ACTION!=\"remove\", SUBSYSTEM==\"scsi\", ENV{DEVTYPE}==\"scsi_device\", "
	      "ATTR{vendor}==\"CSIGN*\", ATTR{type}==\"0\", ATTR{timeout}=\"600\"\n",
		to);
}
