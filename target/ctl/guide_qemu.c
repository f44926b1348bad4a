/* SPDX-License-Identifier: BSD-2-Clause */
/* QEMU's own initiator, by -blockdev; and libiscsi, which that is made of, by its tools. */
#include <inttypes.h>

#include "ctl/guide.h"
#include "ctl/quote.h"

/* driver=iscsi,…: all that says which unit it is, quoted for a shell. */
static const char *blockdev(const struct guide *g, uint64_t lun, struct quoted *out)
{
	struct quoted user, initiator;
	char name[280] = "", proof[560] = "", all[QUOTE_MAX];

	if (g->initiator)
		snprintf(name, sizeof(name), ",initiator-name=%.255s",
			quote_qemu(g->initiator, &initiator));
	if (g->login.chap)
		snprintf(proof, sizeof(proof), ",user=%.510s,password-secret=chap",
			quote_qemu(g->login.user, &user));
	snprintf(all, sizeof(all),
		"driver=iscsi,transport=tcp,portal=%s,target=%.255s,lun=%" PRIu64 "%s%s",
		g->portals[0].text, g->target, lun, name, proof);
	return quote_shell(all, out);
}

static void print_md5(const struct guide *g, const char *who, FILE *to)
{
	if (g->login.chap && !g->md5)
		fprintf(to,
			"\n%s knows CHAP with MD5 alone, which this server does not take "
			"(`algorithms`).\n",
			who);
}

/* printf is the shell's own: no list of processes shows what it is given. */
static void print_secret_file(const struct guide *g, FILE *to)
{
	struct quoted q;

	if (g->login.chap)
		fprintf(to, "  (umask 077; printf %%s %s >chap.secret)\n",
			quote_shell(g->login.secret, &q));
}

static void print_disk(const struct guide *g, const char *object, FILE *to)
{
	struct quoted q;

	blockdev(g, guide_disk(g), &q);
	fprintf(to, "  qemu-img info %s%s--image-opts \\\n    %s\n", *object ? "--" : "", object,
		q.text);
	fprintf(to,
		"  qemu-system-x86_64 %s%s-blockdev \\\n    %s,node-name=unit,discard=unmap \\\n"
		"    -device virtio-blk-pci,drive=unit -m 1G\n",
		*object ? "-" : "", object, q.text);
}

/* Drives and changers are handed through, command by command. */
static void print_tapes(const struct guide *g, const char *object, FILE *to)
{
	struct quoted q;

	fprintf(to, "  qemu-system-x86_64 %s%s-m 1G -device virtio-scsi-pci", *object ? "-" : "",
		object);
	for (size_t i = 0; i < g->n_luns; i++)
		fprintf(to,
			" \\\n    -blockdev %s,node-name=unit%" PRIu64
			" -device scsi-generic,drive=unit%" PRIu64,
			blockdev(g, g->luns[i].lun, &q), g->luns[i].lun, g->luns[i].lun);
	fputc('\n', to);
}

void guide_qemu(const struct guide *g, FILE *to)
{
	const char *object = g->login.chap ? "object secret,id=chap,file=chap.secret " : "";

	fprintf(to, "QEMU to %s\n", g->target);
	if (g->login.target_secret)
		fputs("It proves itself, and asks no proof of the target. ", to);
	fputs("Debian: qemu-utils, qemu-system-x86, qemu-block-extra.\n\n", to);
	print_secret_file(g, to);
	if (guide_has(g, "disk"))
		print_disk(g, object, to);
	else
		print_tapes(g, object, to);
	print_md5(g, "QEMU before libiscsi 1.20", to);
}

/* Variables for the command behind them alone: those of a login would spoil a discovery, at which the
 * server proves itself only if discovery asks for a proof. */
static void print_variables(const struct guide_proof *p, FILE *to)
{
	struct quoted a, b;

	if (!p->chap)
		return;
	fprintf(to, "  LIBISCSI_CHAP_USERNAME=%s LIBISCSI_CHAP_PASSWORD=%s \\\n",
		quote_shell(p->user, &a), quote_shell(p->secret, &b));
	if (p->target_secret)
		fprintf(to,
			"  LIBISCSI_CHAP_TARGET_USERNAME=%s LIBISCSI_CHAP_TARGET_PASSWORD=%s "
			"\\\n",
			quote_shell(p->target_user, &a), quote_shell(p->target_secret, &b));
}

void guide_libiscsi(const struct guide *g, FILE *to)
{
	const char *portal = g->portals[0].text;
	struct quoted q;
	char name[300] = "";

	if (g->initiator)
		snprintf(name, sizeof(name), "-i %s ", quote_shell(g->initiator, &q));
	fprintf(to, "libiscsi's tools to %s\nDebian: libiscsi-bin.\n\n", g->target);
	if (!g->discovery.closed) {
		print_variables(&g->discovery, to);
		fprintf(to, "  iscsi-ls %siscsi://%s\n", name, portal);
	}
	print_variables(&g->login, to);
	fprintf(to, "  iscsi-inq %siscsi://%s/%s/%" PRIu64 "\n", name, portal, g->target,
		guide_disk(g));
	print_md5(g, "libiscsi before 1.20", to);
}
