/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of the management section. */
#include <stddef.h>
#include <string.h>

#include "config/check.h"

/* The kernel takes 107 bytes (unix(7)); the rest is for how its directory is reached. */
#define SOCKET_NAME_MAX 76

/* Its directory may be as deep as one likes; the server reaches it by a descriptor. */
static void check_socket(struct check *c)
{
	const char *path = c->cfg->management.socket, *last = path ? strrchr(path, '/') : NULL;

	if (last && strlen(last + 1) > SOCKET_NAME_MAX)
		check_fault(c, &c->cfg->management.socket,
			"socket: the name of the management socket has %zu characters in its last "
			"part; the system takes %d",
			strlen(last + 1), SOCKET_NAME_MAX);
}

static void check_certificate(struct check *c, const struct config_http *http)
{
	if (http->cert && !http->tls)
		check_fault(c, &http->cert, "cert: it does nothing without tls = true");
	if (check_given(c, &http->cert) && !check_given(c, &http->key))
		check_fault(c, &http->cert, "cert: key is missing: its private key");
	if (check_given(c, &http->key) && !check_given(c, &http->cert))
		check_fault(
			c, &http->key, "key: cert is missing: the certificate that it belongs to");
}

static void check_http(struct check *c, size_t i)
{
	const struct config_http *http = c->cfg->management.http;
	const struct config_portal *portals = c->cfg->portals;
	struct check_listener own = { &http[i].address, http[i].port };
	bool clashes = !own.port; /* it is missing, or was refused */

	for (size_t j = 0; j < i && !clashes; j++)
		clashes = check_listeners(
			c, "http:", (struct check_listener){ &http[j].address, http[j].port }, own);
	for (size_t j = 0; j < c->cfg->n_portals && !clashes; j++)
		clashes = check_listeners(c,
			"http:", (struct check_listener){ &portals[j].address, portals[j].port },
			own);
}

static void check_tokens(struct check *c)
{
	const struct config_management *m = &c->cfg->management;
	struct check_index names = { 0 };

	for (size_t i = 0; i < m->n_tokens; i++) {
		const struct config_token *token = &m->tokens[i];

		check_index_add(c, &names, token->name, "", &token->name, token);
		if (!check_given(c, &token->token))
			check_fault(c, token, "token is missing (or token_file)");
	}
	check_unique(c, &names, "tokens: name");
	check_index_free(&names);
}

static void check_access_keys(struct check *c, const struct config_aws *aws)
{
	struct check_index ids = { 0 };

	for (size_t i = 0; i < aws->n_access_keys; i++) {
		const struct config_access_key *key = &aws->access_keys[i];

		check_index_add(c, &ids, key->id, "", &key->id, key);
		if (!check_given(c, &key->secret))
			check_fault(c, key,
				"secret is missing: the secret access key (or secret_file)");
	}
	check_unique(c, &ids, "access_keys: id");
	check_index_free(&ids);
}

static bool has_pool(const struct config *cfg, const char *name)
{
	for (size_t i = 0; i < cfg->n_pools; i++)
		if (cfg->pools[i].name && !strcmp(cfg->pools[i].name, name))
			return true;
	return false;
}

static bool has_library(const struct config *cfg, const char *name)
{
	for (size_t i = 0; i < cfg->n_libraries; i++)
		if (cfg->libraries[i].name && !strcmp(cfg->libraries[i].name, name))
			return true;
	return false;
}

static void check_disks(struct check *c, const struct config_aws *aws)
{
	struct check_index ids = { 0 }, paths = { 0 };

	for (size_t i = 0; i < aws->n_disks; i++) {
		const struct config_aws_disk *disk = &aws->disks[i];

		check_index_add(c, &ids, disk->id, "", &disk->id, disk);
		check_index_add(c, &paths, disk->path, "", &disk->path, disk);
	}
	check_unique(c, &ids, "disks: id");
	check_unique(c, &paths, "disks: path");
	check_index_free(&ids);
	check_index_free(&paths);
}

static void check_aws(struct check *c)
{
	const struct config_aws *aws = &c->cfg->management.aws;

	if (!aws->enabled)
		return;
	check_access_keys(c, aws);
	check_disks(c, aws);
	if (!aws->n_access_keys && !aws->allow_unsigned && !check_given_list(c, &aws->access_keys))
		check_fault(c, aws, "aws: access_keys is missing; without a key nobody can call");
	if (aws->pool && !has_pool(c->cfg, aws->pool))
		check_fault(c, &aws->pool, "pool: no pool has name = \"%s\"", aws->pool);
	if (aws->library && !has_library(c->cfg, aws->library))
		check_fault(
			c, &aws->library, "library: no library has name = \"%s\"", aws->library);
	if (aws->min_tape_size > aws->max_tape_size)
		check_fault(c,
			check_given(c, &aws->max_tape_size) ? &aws->max_tape_size
							    : &aws->min_tape_size,
			"min_tape_size is above max_tape_size");
}

static void check_ontap(struct check *c)
{
	const struct config_ontap *ontap = &c->cfg->management.ontap;
	struct check_index names = { 0 };

	if (!ontap->enabled)
		return;
	for (size_t i = 0; i < ontap->n_users; i++) {
		const struct config_user *user = &ontap->users[i];

		check_index_add(c, &names, user->name, "", &user->name, user);
		if (user->name && strchr(user->name, ':'))
			check_fault(c, &user->name, "name: ':' cannot be part of it (RFC 7617)");
		if (!check_given(c, &user->password))
			check_fault(c, user, "password is missing (or password_file)");
		if (user->svm && ontap->svm && !config_has_svm(c->cfg, user->svm))
			check_fault(c, &user->svm, "svm: no target is in an SVM of the name \"%s\"",
				user->svm);
	}
	check_unique(c, &names, "users: name");
	check_index_free(&names);
	if (!ontap->n_users && !check_given_list(c, &ontap->users))
		check_fault(c, ontap, "ontap: users is missing; without one nobody can call");
}

void check_management(struct check *c)
{
	const struct config_management *m = &c->cfg->management;

	check_socket(c);
	for (size_t i = 0; i < m->n_http; i++) {
		check_certificate(c, &m->http[i]);
		check_http(c, i);
	}
	check_tokens(c);
	check_aws(c);
	check_ontap(c);
}
