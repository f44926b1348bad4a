/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iload - a cheap iSCSI load generator.
 *
 * It does as little per command as an initiator can, so that the target is what saturates. One
 * thread, epoll, a session for each connection, a fixed number of commands under way on each. It
 * prints one line of NAME=VALUE pairs.
 *
 *	iload -p PORT -t IQN [-h ADDRESS] [-l LUN] [-P PID] [-s SECONDS] [-w WARM-UP]
 *	      [-c CONNECTIONS] [-a ALGORITHM -u USER -k SECRET [-U USER -K SECRET]] [-d]
 *	      [-m MODE] ...
 *
 * -P names the server, whose processor time is measured; -d turns header and data digests on; -a
 * turns CHAP on (5 MD5, 6 SHA1, 7 SHA-256, 8 SHA3-256), mutual with -U and -K. Modes:
 *
 *	read, write, mix (5 reads of 8)
 *	          [-b BYTES] [-q DEPTH] [-S] sequential  [-F] write the whole disk first
 *	          [-V] verify: blocks hold their own number; they are written first, and what is
 *	          read is checked
 *	login     logs in and out, -c logins at a time
 *	hold      holds -c idle sessions; [-i SECONDS] a read over any of them every so often
 *	discover  SendTargets=All in a discovery session
 *	tape      writes blocks of -b bytes to a tape drive from the beginning, a filemark, and
 *	          reads them again
 *	elements  READ ELEMENT STATUS of a whole library
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/bench/load/die.h"
#include "tests/bench/load/discover.h"
#include "tests/bench/load/drive.h"
#include "tests/bench/load/hold.h"
#include "tests/bench/load/logins.h"
#include "tests/bench/load/tape.h"

// clang-format off
static const char *const work_names[] = {
	[WORK_READ] = "read",   [WORK_WRITE] = "write", [WORK_MIX] = "mix",
	[WORK_LOGIN] = "login", [WORK_HOLD] = "hold",   [WORK_DISCOVER] = "discover",
	[WORK_TAPE] = "tape",   [WORK_ELEMENTS] = "elements",
};
// clang-format on

/* --- the command line ------------------------------------------------------------------------ */

static _Noreturn void usage(void)
{
	die("see the top of iload.c for its options");
}

static unsigned long number(const char *text, unsigned long min, unsigned long max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n < min || n > max)
		die("%s is not a number from %lu to %lu", text, min, max);
	return n;
}

static enum work work_called(const char *name)
{
	for (unsigned i = 0; i < sizeof(work_names) / sizeof(*work_names); i++) {
		if (strcmp(name, work_names[i]) == 0)
			return (enum work)i;
	}
	usage();
}

/* One option. False: not one of ours. */
// clang-format off
static bool take_option(struct plan *p, int option, const char *arg)
{
	switch (option) {
	case 'h': p->host = arg; return true;
	case 'p': p->port = (uint16_t)number(arg, 1, 65535); return true;
	case 't': p->target = arg; return true;
	case 'l': p->lun = (uint8_t)number(arg, 0, 255); return true;
	case 'm': p->work = work_called(arg); return true;
	case 'b': p->bytes = (uint32_t)number(arg, 512, 1u << 24); return true;
	case 'q': p->depth = (unsigned)number(arg, 1, DEPTH_MAX); return true;
	case 'c': p->conns = (unsigned)number(arg, 1, 60000); return true;
	case 's': p->seconds = strtod(arg, NULL); return true;
	case 'w': p->warm = strtod(arg, NULL); return true;
	case 'i': p->every = strtod(arg, NULL); return true;
	case 'S': p->sequential = true; return true;
	case 'F': p->fill = true; return true;
	case 'V': p->verify = p->fill = true; return true;
	case 'd': p->digests = true; return true;
	case 'P': p->server = (pid_t)number(arg, 1, 1u << 22); return true;
	case 'a': p->algorithm = (enum chap_alg)number(arg, 5, 8); return true;
	case 'u': p->user = arg; return true;
	case 'k': p->secret = arg; return true;
	case 'U': p->target_user = arg; return true;
	case 'K': p->target_secret = arg; return true;
	default: return false;
	}
}
// clang-format on

static struct plan read_plan(int argc, char **argv)
{
	struct plan p = { .host = "127.0.0.1",
		.port = 3260,
		.bytes = 4096,
		.depth = 32,
		.conns = 1,
		.seconds = 5,
		.warm = 0.5 };
	int o;

	while ((o = getopt(argc, argv, "h:p:t:l:m:b:q:c:s:w:i:SFVdP:a:u:k:U:K:")) != -1) {
		if (!take_option(&p, o, optarg))
			usage();
	}
	if (optind < argc || (!p.target && p.work != WORK_DISCOVER))
		usage();
	if (p.algorithm && (!p.user || !p.secret || !p.target_user != !p.target_secret))
		usage();
	if (p.work == WORK_DISCOVER)
		p.target = NULL;
	p.work_name = work_names[p.work];
	return p;
}

/* --- what was found -------------------------------------------------------------------------- */

static void print_latency(const struct histogram *h)
{
	printf(" p50_us=%.2f p99_us=%.2f p999_us=%.2f", (double)histogram_at(h, 0.5) * 1e-3,
		(double)histogram_at(h, 0.99) * 1e-3, (double)histogram_at(h, 0.999) * 1e-3);
}

static void print_cpu(const struct plan *p, uint64_t cpu, double seconds, uint64_t ops)
{
	if (p->server)
		printf(" cpu_percent=%.1f cpu_us=%.3f", (double)cpu * 1e-7 / seconds,
			ops ? (double)cpu * 1e-3 / (double)ops : 0);
}

static int print_drive(const struct login_kit *kit)
{
	static struct drive_result r;
	const struct plan *p = kit->plan;

	drive(kit, &r);
	printf("mode=%s bytes=%u depth=%u conns=%u", p->work_name, p->bytes, p->depth, p->conns);
	printf(" ops_s=%.0f mib_s=%.1f", (double)r.ops / r.seconds,
		(double)r.bytes / 1048576 / r.seconds);
	print_latency(&r.latency);
	print_cpu(p, r.cpu, r.seconds, r.ops);
	printf(" conn_min=%llu conn_mean=%.0f conn_max=%llu errors=%llu corrupt=%llu\n",
		(unsigned long long)r.least, (double)r.ops / p->conns, (unsigned long long)r.most,
		(unsigned long long)r.errors, (unsigned long long)r.corrupt);
	return r.errors || r.corrupt;
}

static int print_logins(const struct login_kit *kit)
{
	static struct logins_result r;

	logins(kit, &r);
	printf("mode=login conns=%u logins_s=%.1f", kit->plan->conns, (double)r.logins / r.seconds);
	print_latency(&r.latency);
	print_cpu(kit->plan, r.cpu, r.seconds, r.logins);
	putchar('\n');
	return 0;
}

static int print_hold(const struct login_kit *kit)
{
	static struct hold_result r;

	hold(kit, &r);
	printf("mode=hold held=%u dropped=%u login_s=%.2f asked=%llu", r.held, r.dropped,
		r.login_seconds, (unsigned long long)r.latency.total);
	print_latency(&r.latency);
	putchar('\n');
	return r.dropped > 0;
}

static int print_discover(const struct login_kit *kit)
{
	static struct discover_result r;

	discover(kit, &r);
	printf("mode=discover targets=%u parts=%u asked=%llu", r.targets, r.parts,
		(unsigned long long)r.latency.total);
	print_latency(&r.latency);
	putchar('\n');
	return 0;
}

static int print_tape(const struct login_kit *kit)
{
	static struct tape_result r;
	double mib = kit->plan->bytes / 1048576.0;

	tape(kit, &r);
	mib *= (double)r.blocks;
	printf("mode=tape bytes=%u blocks=%llu write_mib_s=%.1f read_mib_s=%.1f", kit->plan->bytes,
		(unsigned long long)r.blocks, mib / r.write_seconds, mib / r.read_seconds);
	print_latency(&r.latency);
	putchar('\n');
	return 0;
}

static int print_elements(const struct login_kit *kit)
{
	static struct elements_result r;

	elements(kit, &r);
	printf("mode=elements elements=%u bytes=%u asked=%llu", r.elements, r.bytes,
		(unsigned long long)r.latency.total);
	print_latency(&r.latency);
	putchar('\n');
	return 0;
}

static void allow_descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

int main(int argc, char **argv)
{
	struct plan plan = read_plan(argc, argv);
	struct login_kit kit = { &plan, plan.algorithm ? chap_digests_new() : NULL };
	int status;

	if (plan.algorithm && !kit.digests)
		die("no memory");
	signal(SIGPIPE, SIG_IGN);
	allow_descriptors();
	switch (plan.work) {
	case WORK_LOGIN: status = print_logins(&kit); break;
	case WORK_HOLD: status = print_hold(&kit); break;
	case WORK_DISCOVER: status = print_discover(&kit); break;
	case WORK_TAPE: status = print_tape(&kit); break;
	case WORK_ELEMENTS: status = print_elements(&kit); break;
	default: status = print_drive(&kit); break;
	}
	chap_digests_free(kit.digests);
	return status;
}
