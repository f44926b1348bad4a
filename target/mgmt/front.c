/* SPDX-License-Identifier: BSD-2-Clause */
/* Management listeners on the network. */
#include "mgmt/front.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/places.h"
#include "mgmt/tls.h"
#include "net/addr.h"
#include "net/listen.h"

struct place {
	struct addr at;
	bool tls;
	struct listener *listener;
	struct http *http;
	SSL_CTX *ctx;
	struct place *kept; /* the place of the old front that this one takes over */
};

struct front {
	size_t n;
	struct place places[];
};

static int fault(const struct config *cfg, const struct config_http *row, struct faults *faults,
	int err, const char *text)
{
	struct config_where where = config_where(cfg, &row->address);

	faults_add(faults, where.file, where.line, "management.http: %s", text);
	return err;
}

static void place_close(struct place *p)
{
	http_close(p->http);
	listener_close(p->listener);
	SSL_CTX_free(p->ctx);
	*p = (struct place){ 0 };
}

/* Whoever is let in here is asked for a proof by the dialect. */
static bool anybody(void *arg, int fd, struct http_caller *who)
{
	struct addr_text text;
	struct addr peer;

	(void)arg;
	addr_peer(&peer, fd);
	*who = (struct http_caller){ .read_only = true };
	snprintf(who->name, sizeof(who->name), "%s", addr_text(&peer, &text));
	return true;
}

/* A listener that stays where it is is taken over: a plain one with its connections, one with TLS
 * without, since the certificate is read anew. */
static struct place *find(struct front *old, const struct addr *at)
{
	for (size_t i = 0; old && i < old->n; i++)
		if (addr_same(&old->places[i].at, at))
			return &old->places[i];
	return NULL;
}

static int open_place(const struct config *cfg, const struct config_http *row,
	const struct http_cfg *base, struct place *p, struct faults *faults)
{
	struct http_cfg hc = *base;
	struct listen_error busy;
	struct tls_error bad;
	int err = 0;

	hc.guard = anybody;
	if (p->kept && !p->tls && !p->kept->tls)
		return 0;
	if (row->tls) {
		err = tls_open(row->cert, row->key, cfg->state_dir, &p->at, &p->ctx, &bad);
		if (err)
			return fault(cfg, row, faults, err, bad.text);
		hc.tls = p->ctx;
	}
	if (!p->kept) {
		err = listener_open(&p->at, &p->listener, &busy);
		if (err)
			return fault(cfg, row, faults, err, busy.text);
	}
	err = http_open(&hc, listener_fd(p->kept ? p->kept->listener : p->listener), &p->http);
	return err ? fault(cfg, row, faults, err, "out of memory") : 0;
}

/* What is not wrong, and hardly what was meant. */
static void warn(const struct config_management *m, const struct front *f)
{
	struct addr_text text;

	if (!f->n && (m->aws.enabled || m->ontap.enabled || m->n_tokens))
		log_msg(LOG_WARNING, "management: without management.http nobody can reach what "
				     "management.aws, .ontap and .tokens are for");
	for (size_t i = 0; i < f->n; i++)
		if (!f->places[i].tls && !addr_is_loopback(&f->places[i].at))
			log_msg(LOG_WARNING,
				"management: at %s secrets cross the network in the clear, "
				"as there is no tls",
				addr_text(&f->places[i].at, &text));
}

int front_open(const struct http_cfg *base, const struct config *cfg, struct front *old,
	struct front **out, struct faults *faults)
{
	const struct config_management *m = &cfg->management;
	struct front *f = calloc(1, sizeof(*f) + m->n_http * sizeof(f->places[0]));
	int err = 0;

	if (!f)
		return -ENOMEM;
	for (size_t i = 0; i < m->n_http && !err; i++) {
		struct place *p = &f->places[f->n++];

		p->tls = m->http[i].tls;
		err = addr_parse(&p->at, m->http[i].address, (uint16_t)m->http[i].port);
		if (err)
			err = fault(cfg, &m->http[i], faults, err, "not an address");
		p->kept = find(old, &p->at);
		if (!err)
			err = open_place(cfg, &m->http[i], base, p, faults);
	}
	if (err) {
		front_close(f);
		return err;
	}
	warn(m, f);
	*out = f;
	return 0;
}

void front_commit(struct front *f, struct front *old)
{
	for (size_t i = 0; i < f->n; i++) {
		struct place *p = &f->places[i];

		if (!p->kept)
			continue;
		p->listener = p->kept->listener;
		p->kept->listener = NULL;
		if (p->http) {
			http_mute(p->kept->http);
		} else {
			p->http = p->kept->http;
			p->kept->http = NULL;
		}
		p->kept = NULL;
	}
	front_close(old);
}

void front_close(struct front *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n; i++)
		place_close(&f->places[i]);
	free(f);
}
