/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Windows: the cmdlets of PowerShell, and the same in the window of iscsicpl.exe, in the order in
 * which the published guide has it.
 */
#include <string.h>

#include "ctl/guide.h"
#include "ctl/quote.h"

enum { SECRET_LEAST = 12, SECRET_MOST = 16 }; /* characters that Windows takes */

static void print_chap(const struct guide_proof *p, FILE *to)
{
	struct quoted a, b;

	if (p->chap)
		fprintf(to, " `\n    -AuthenticationType %s -ChapUsername %s -ChapSecret %s",
			p->target_secret ? "MUTUALCHAP" : "ONEWAYCHAP",
			quote_powershell(p->user, &a), quote_powershell(p->secret, &b));
}

/* The one secret by which targets prove themselves to a Windows host. */
static void print_target_secret(const struct guide *g, FILE *to)
{
	const char *secret =
		g->login.target_secret ? g->login.target_secret : g->discovery.target_secret;
	struct quoted q;

	if (secret)
		fprintf(to, "  Set-IscsiChapSecret -ChapSecret %s\n", quote_powershell(secret, &q));
}

static void print_connect(
	const struct guide *g, const struct guide_portal *p, const char *more, FILE *to)
{
	struct quoted t;

	fprintf(to,
		"  Connect-IscsiTarget -NodeAddress %s -IsPersistent $true%s `\n"
		"    -TargetPortalAddress %s -TargetPortalPortNumber %u",
		quote_powershell(g->target, &t), more, p->address, p->port);
	print_chap(&g->login, to);
}

/* Discovery through the first portal has told Windows of the others. */
static void print_more_ways(const struct guide *g, FILE *to)
{
	if (g->n_portals == 1 || !guide_has(g, "disk"))
		return;
	fputs("\n  # Further ways to the same units, with the feature Multipath-IO alone; the "
	      "first one\n  # needs -IsMultipathEnabled $true then, too:\n",
		to);
	for (size_t i = 1; i < g->n_portals; i++) {
		print_connect(g, &g->portals[i], " -IsMultipathEnabled $true", to);
		fputc('\n', to);
	}
}

static void print_earlier(const struct guide *g, FILE *to)
{
	struct quoted t;

	quote_powershell(g->target, &t);
	fprintf(to,
		"  # an earlier attempt goes first, with its secrets; what finds nothing says so:\n"
		"  Get-IscsiSession | Where-Object { $_.TargetNodeAddress -eq %s -and "
		"$_.IsPersistent } |\n    Unregister-IscsiSession\n"
		"  Disconnect-IscsiTarget -NodeAddress %s -Confirm:$false\n"
		"  Remove-IscsiTargetPortal -TargetPortalAddress %s -TargetPortalPortNumber %u "
		"-Confirm:$false\n\n",
		t.text, t.text, g->portals[0].address, g->portals[0].port);
}

static void print_powershell(const struct guide *g, FILE *to)
{
	const struct guide_portal *p = &g->portals[0];
	struct quoted t;

	fputs("  Set-Service msiscsi -StartupType Automatic; Start-Service msiscsi\n", to);
	if (g->initiator)
		fprintf(to,
			"  (Get-InitiatorPort | Where-Object ConnectionType -eq iSCSI).NodeAddress   "
			"# must be\n  # %s; Set-InitiatorPort changes it\n",
			g->initiator);
	print_earlier(g, to);
	print_target_secret(g, to);
	fprintf(to, "  New-IscsiTargetPortal -TargetPortalAddress %s -TargetPortalPortNumber %u",
		p->address, p->port);
	print_chap(&g->discovery, to);
	fputc('\n', to);
	print_connect(g, p, "", to);
	if (guide_has(g, "disk"))
		fprintf(to,
			"\n  Get-IscsiSession | Where-Object TargetNodeAddress -eq %s | Get-Disk\n",
			quote_powershell(g->target, &t));
	else
		fputs("\n  Get-PnpDevice -Class TapeDrive, MediumChanger   # of a tape drive, the "
		      "driver must be\n  # Microsoft's: Device Manager, Update driver, LTO Tape "
		      "drive\n",
			to);
	print_more_ways(g, to);
}

static void print_window(const struct guide *g, FILE *to)
{
	const struct guide_proof *p = &g->login;

	fputs("\nThe same in the window of iscsicpl.exe:\n\n", to);
	if (g->initiator)
		fprintf(to, "  Configuration   Initiator Name: %s\n", g->initiator);
	if (p->target_secret)
		fprintf(to, "  Configuration   CHAP...: %s\n", p->target_secret);
	fprintf(to, "  Discovery       Discover Portal...: %s, port %u\n", g->portals[0].address,
		g->portals[0].port);
	if (g->discovery.chap)
		fprintf(to,
			"                  Advanced..., Enable CHAP log on, Name: %s, Target "
			"secret: %s\n",
			g->discovery.user, g->discovery.secret);
	fprintf(to, "  Targets         Refresh, select %s, Connect\n", g->target);
	if (p->chap)
		fprintf(to,
			"                  Advanced..., Enable CHAP log on, Name: %s, Target "
			"secret: %s\n",
			p->user, p->secret);
	if (p->target_secret)
		fputs("                  Perform mutual authentication\n", to);
}

static bool fits(const char *secret)
{
	return !secret || (strlen(secret) >= SECRET_LEAST && strlen(secret) <= SECRET_MOST);
}

void guide_windows(const struct guide *g, FILE *to)
{
	fprintf(to, "Windows to %s, in PowerShell as administrator\n\n", g->target);
	print_powershell(g, to);
	print_window(g, to);
	if (g->secrets && (!fits(g->login.secret) || !fits(g->login.target_secret)))
		fputs("\nWindows takes secrets of 12 to 16 characters, and one of these has not.\n",
			to);
	if (g->discovery.closed)
		fputs("\nDiscovery is closed to this host, and Windows logs in to nothing that it "
		      "has not discovered.\n",
			to);
}
