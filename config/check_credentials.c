/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of credentials: complete, unique, and no secret in both directions. */
#include <stdlib.h>
#include <string.h>

#include "config/check.h"

typedef void list_visitor(struct check *c, struct config_credential *rows, size_t n, void *arg);

static void each_list(struct check *c, list_visitor *visit, void *arg)
{
	const struct config *cfg = c->cfg;

	visit(c, cfg->discovery.credentials, cfg->discovery.n_credentials, arg);
	for (size_t i = 0; i < cfg->n_targets; i++)
		visit(c, cfg->targets[i].credentials, cfg->targets[i].n_credentials, arg);
	for (size_t i = 0; i < cfg->n_libraries; i++)
		visit(c, cfg->libraries[i].credentials, cfg->libraries[i].n_credentials, arg);
}

static void check_complete(struct check *c, struct config_credential *row)
{
	if (!check_given(c, &row->secret))
		check_fault(c, row,
			"secret is missing: what the initiator proves that it knows, "
			"12 bytes or more (or secret_file)");
	if (!check_given(c, &row->initiator) && !check_given(c, &row->user))
		check_fault(c, row, "a credential needs initiator, user or both: who is it for?");
	if (row->target_user && !check_given(c, &row->target_secret))
		check_fault(
			c, &row->target_user, "target_user: it does nothing without target_secret");
	if (!row->user && row->initiator && !check_given(c, &row->user)) {
		row->user = strdup(row->initiator);
		if (!row->user)
			c->out_of_memory = true;
	}
}

/* Without an initiator's name there is one row to choose, as CHAP_N comes too late for that. */
static void check_any(
	struct check *c, const struct config_credential *row, const struct config_credential **any)
{
	struct check_place place = { "" };

	if (check_given(c, &row->initiator))
		return;
	if (*any)
		check_fault(c, row,
			"credentials: there is a row for any initiator already (%s); say for "
			"which initiator this one is",
			check_other(c, *any, &place));
	else
		*any = row;
}

static void check_list(struct check *c, struct config_credential *rows, size_t n, void *unused)
{
	struct check_index initiators = { 0 };
	const struct config_credential *any = NULL;

	(void)unused;
	for (size_t i = 0; i < n; i++) {
		check_complete(c, &rows[i]);
		check_any(c, &rows[i], &any);
		check_index_add(
			c, &initiators, rows[i].initiator, "", &rows[i].initiator, &rows[i]);
	}
	check_unique(c, &initiators, "credentials: initiator");
	check_index_free(&initiators);
}

/* A discovery session names no target whose name could be CHAP_N. */
static void check_discovery(struct check *c)
{
	const struct config_discovery *discovery = &c->cfg->discovery;

	for (size_t i = 0; i < discovery->n_credentials; i++) {
		const struct config_credential *row = &discovery->credentials[i];

		if (row->target_secret.bytes && !check_given(c, &row->target_user))
			check_fault(c, &row->target_secret,
				"target_user is missing: a discovery session has no target whose "
				"name could be used with target_secret");
	}
	if (discovery->auth == CONFIG_AUTH_CHAP && !check_given_list(c, &discovery->credentials))
		check_fault(c, &discovery->auth,
			"discovery: with auth = \"chap\" and no credentials "
			"nobody can discover anything");
}

/* ---- both directions ------------------------------------------------------------------------ */

struct sorted_secrets {
	struct sorted_secret {
		const struct secret_view *in; /* the configuration */
	} * v;
	size_t n;
};

static int by_bytes(const struct secret_view *a, const struct secret_view *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->bytes, b->bytes, a->len);
}

static int order(const void *pa, const void *pb)
{
	const struct sorted_secret *a = pa, *b = pb;

	return by_bytes(a->in, b->in);
}

static const struct secret_view *find_secret(
	const struct sorted_secrets *s, const struct secret_view *secret)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int diff = by_bytes(secret, s->v[middle].in);

		if (!diff)
			return s->v[middle].in;
		if (diff < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static void count(struct check *c, struct config_credential *rows, size_t n, void *arg)
{
	(void)c;
	(void)rows;
	*(size_t *)arg += n;
}

static void gather(struct check *c, struct config_credential *rows, size_t n, void *arg)
{
	struct sorted_secrets *s = arg;

	(void)c;
	for (size_t i = 0; i < n; i++)
		if (rows[i].secret.bytes)
			s->v[s->n++].in = &rows[i].secret;
}

static void check_direction(struct check *c, struct config_credential *rows, size_t n, void *arg)
{
	const struct sorted_secrets *inbound = arg;
	struct check_place place = { "" };

	for (size_t i = 0; i < n; i++) {
		const struct secret_view *same;

		if (!rows[i].target_secret.bytes)
			continue;
		same = find_secret(inbound, &rows[i].target_secret);
		if (same)
			check_fault(c, &rows[i].target_secret,
				"target_secret: the same secret proves an initiator (%s); what one "
				"side proves itself with must never serve the other "
				"(RFC 7143 9.2.1)",
				check_other(c, same, &place));
	}
}

static void check_directions(struct check *c)
{
	struct sorted_secrets inbound = { 0 };
	size_t rows = 0;

	each_list(c, count, &rows);
	inbound.v = calloc(rows + 1, sizeof(*inbound.v));
	if (!inbound.v) {
		c->out_of_memory = true;
		return;
	}
	each_list(c, gather, &inbound);
	qsort(inbound.v, inbound.n, sizeof(*inbound.v), order);
	each_list(c, check_direction, &inbound);
	free(inbound.v);
}

/* ---- the chap section ----------------------------------------------------------------------- */

static void check_algorithms(struct check *c)
{
	const struct config_chap *chap = &c->cfg->chap;

	if (!chap->n_algorithms)
		check_fault(c, &chap->algorithms,
			"algorithms: the list is empty; leave it out for all of them");
	for (size_t i = 0; i < chap->n_algorithms; i++)
		for (size_t j = 0; j < i; j++)
			if (chap->algorithms[i] == chap->algorithms[j] && chap->algorithms[i])
				check_fault(c, &chap->algorithms[i],
					"algorithms: one of them is there twice");
}

void check_credentials(struct check *c)
{
	check_algorithms(c);
	each_list(c, check_list, NULL);
	check_discovery(c);
	check_directions(c);
}
