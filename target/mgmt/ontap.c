/* SPDX-License-Identifier: BSD-2-Clause */
/* The ONTAP REST API: its routes, who may call them, and the cluster that they are of. */
#include "mgmt/ontap.h"

#include <event2/http.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "mgmt/native_json.h"
#include "mgmt/ontap_credentials.h"
#include "mgmt/ontap_svm.h"
#include "version.h"

/* The release whose API this is; clients refuse what is older than 9.6. */
#define GENERATION 9
#define MAJOR      13
#define MINOR      1

/* --- refusals made before a resource is reached --------------------------------------------- */

static json_t *refusal(int status, const char *code, const char *message)
{
	if (!strcmp(code, "bad_json"))
		return ontap_error("262254", "", message);
	switch (status) {
	case 403: return ontap_error("6", "", "not authorized for that command");
	case HTTP_NOTFOUND: return ontap_error("3", "", "API not found");
	case HTTP_BADMETHOD: return ontap_error("3", "", message);
	case HTTP_BADREQUEST: return ontap_error("2", "", message);
	default: return ontap_error("0", "", message);
	}
}

/* --- who may -------------------------------------------------------------------------------- */

#define LOGIN_MAX 1024 /* bytes of "user:password" */

static void unauthorized(struct call *c, bool wrong)
{
	json_t *body = ontap_error("6691623", "", "User is not authorized.");

	call_answer_header(c, "WWW-Authenticate", "Basic realm=\"Countersign\"");
	if (wrong)
		call_deny(c, 401, body);
	else
		call_reply(c, 401, body);
}

/* Reads the credentials of HTTP Basic (RFC 7617 2) as a text. */
static bool read_basic(const char *header, char out[static LOGIN_MAX])
{
	unsigned char bytes[LOGIN_MAX];
	size_t len;
	int n;

	if (strncasecmp(header, "Basic ", 6) != 0)
		return false;
	header += 6 + strspn(header + 6, " ");
	len = strlen(header);
	if (!len || len % 4 || len / 4 * 3 >= sizeof(bytes))
		return false;
	n = EVP_DecodeBlock(bytes, (const unsigned char *)header, (int)len);
	if (n > 0) {
		n -= header[len - 1] == '=' ? 1 + (header[len - 2] == '=') : 0;
		memcpy(out, bytes, (size_t)n);
		out[n] = '\0';
	}
	explicit_bzero(bytes, sizeof(bytes));
	return n > 0 && !memchr(out, '\0', (size_t)n);
}

static struct secret_view view(const char *text)
{
	return (struct secret_view){ (const uint8_t *)text, strlen(text) };
}

/* Looks at every user, so that the time tells nothing of which of them exist. */
static const struct config_user *find_user(
	const struct config_ontap *cfg, const char *name, const char *password)
{
	const struct config_user *found = NULL;

	for (size_t i = 0; i < cfg->n_users; i++) {
		const struct config_user *u = &cfg->users[i];
		bool named = secret_equal(view(u->name), view(name));
		bool proved = secret_equal(view(u->password), view(password));

		if (named & proved)
			found = u;
	}
	return found;
}

static bool admit_login(struct call *c, const struct config_ontap *cfg, char *login)
{
	char *colon = strchr(login, ':');
	const struct config_user *user;
	char name[96];

	if (!colon)
		return false;
	*colon = '\0';
	user = find_user(cfg, login, colon + 1);
	if (!user)
		return false;
	snprintf(name, sizeof(name), "ontap:%s", user->name);
	call_admit(c, name, user->read_only);
	return true;
}

const struct config_user *ontap_user(struct call *c)
{
	const struct config_ontap *cfg = &registry_config(ontap_of(c)->registry)->management.ontap;
	char login[LOGIN_MAX] = "";
	const struct config_user *found = NULL;
	const char *header = call_header(c, "Authorization");

	if (header && read_basic(header, login))
		login[strcspn(login, ":")] = '\0';
	for (size_t i = 0; i < cfg->n_users; i++)
		if (!strcmp(cfg->users[i].name, login))
			found = &cfg->users[i];
	explicit_bzero(login, sizeof(login));
	return found;
}

static bool admit(struct call *c)
{
	const struct config_ontap *cfg = &registry_config(ontap_of(c)->registry)->management.ontap;
	const char *header = call_header(c, "Authorization");
	char login[LOGIN_MAX] = "";
	bool ok;

	if (!cfg->enabled) {
		call_refuse(c, HTTP_NOTFOUND, "not_found", "there is nothing at this path");
		return false;
	}
	ok = header && read_basic(header, login) && admit_login(c, cfg, login);
	explicit_bzero(login, sizeof(login));
	if (!ok)
		unauthorized(c, header);
	return ok;
}

/* --- /api/cluster --------------------------------------------------------------------------- */

// clang-format off
static const struct query_leaf cluster_leaves[] = {
	{ "name",               true,  false },
	{ "uuid",               true,  true },
	{ "version.full",       true,  false },
	{ "version.generation", true,  false },
	{ "version.major",      true,  false },
	{ "version.minor",      true,  false },
};
static const struct query_shape cluster_shape = { cluster_leaves, 6, 0 };
// clang-format on

static bool link_cluster(json_t *record)
{
	return ontap_link(record, "/api/cluster");
}

static void get_cluster(struct call *c)
{
	char name[256] = "countersign", full[128];
	const char *uuid;
	struct query *q;

	if (!ontap_query(c, &cluster_shape, QUERY_FIELDS, &q))
		return;
	uuid = ontap_cluster_uuid(c);
	if (uuid) {
		if (gethostname(name, sizeof(name) - 1))
			strcpy(name, "countersign");
		snprintf(full, sizeof(full),
			"Countersign %s, with the REST API of release %d.%d.%d",
			COUNTERSIGN_VERSION, GENERATION, MAJOR, MINOR);
		ontap_reply_one(c, q,
			json_pack("{s:o, s:s, s:{s:s, s:i, s:i, s:i}}", "name", json_of_text(name),
				"uuid", uuid, "version", "full", full, "generation", GENERATION,
				"major", MAJOR, "minor", MINOR),
			link_cluster);
	}
	query_free(q);
}

/* --- routes --------------------------------------------------------------------------------- */

#define ISCSI   "/api/protocols/san/iscsi/"
#define CHANGES (ROUTE_CHANGES | ROUTE_WANTS_JSON)

// clang-format off
static const struct route routes[] = {
	{ ROUTE_GET,    "/api/cluster",                        0,             get_cluster },
	{ ROUTE_GET,    "/api/svm/svms",                       0,             ontap_get_svms },
	{ ROUTE_GET,    "/api/svm/svms/{uuid}",                0,             ontap_get_svm },
	{ ROUTE_GET,    ISCSI "services",                      0,             ontap_get_services },
	{ ROUTE_GET,    ISCSI "services/{svm}",                0,             ontap_get_service },
	{ ROUTE_GET,    ISCSI "credentials",                   0,             ontap_get_credentials },
	{ ROUTE_POST,   ISCSI "credentials",                   CHANGES,       ontap_post_credentials },
	{ ROUTE_PATCH,  ISCSI "credentials",                   CHANGES,       ontap_patch_credentials },
	{ ROUTE_DELETE, ISCSI "credentials",                   ROUTE_CHANGES, ontap_delete_credentials },
	{ ROUTE_GET,    ISCSI "credentials/{svm}/{initiator}", 0,             ontap_get_credential },
	{ ROUTE_PATCH,  ISCSI "credentials/{svm}/{initiator}", CHANGES,       ontap_patch_credential },
	{ ROUTE_DELETE, ISCSI "credentials/{svm}/{initiator}", ROUTE_CHANGES, ontap_delete_credential },
};
// clang-format on

const struct dialect ontap_dialect = {
	.prefix = "api",
	.content_type = "application/hal+json",
	.routes = routes,
	.n_routes = sizeof(routes) / sizeof(routes[0]),
	.refusal = refusal,
	.admit = admit,
	.lasting = true,
};
