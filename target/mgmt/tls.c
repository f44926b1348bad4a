/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS contexts, and the certificate that a server without one makes for itself. */
#include "mgmt/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define VALID_SECONDS (10L * 365 * 24 * 3600)

static int refuse(struct tls_error *why, int err, const char *path, const char *what)
{
	snprintf(why->text, sizeof(why->text), "%.300s: %.180s", path, what);
	ERR_clear_error();
	return err;
}

/* --- a certificate of our own --------------------------------------------------------------- */

static bool add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = e && X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	return ok;
}

/* Names of the certificate, as X509V3_EXT_conf_nid() reads them. */
struct names {
	char text[8192];
	size_t len;
};

/* Once; those that there is no room for are left out. */
static void add_name(struct names *n, const char *kind, const char *name)
{
	char one[300];
	size_t len = (size_t)snprintf(one, sizeof(one), "%s:%s,", kind, name);

	if (len >= sizeof(one) || n->len + len >= sizeof(n->text) || strstr(n->text, one))
		return;
	memcpy(n->text + n->len, one, len + 1);
	n->len += len;
}

/* Addresses of this machine, but for those of one link alone, which no name can hold. */
static void add_interfaces(struct names *n)
{
	struct ifaddrs *all;
	struct addr_text text;
	struct addr at;

	if (getifaddrs(&all))
		return;
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		int family = i->ifa_addr ? i->ifa_addr->sa_family : AF_UNSPEC;

		if (!(i->ifa_flags & IFF_UP) || (family != AF_INET && family != AF_INET6))
			continue;
		addr_from(&at, i->ifa_addr,
			family == AF_INET6 ? sizeof(struct sockaddr_in6)
					   : sizeof(struct sockaddr_in));
		if (!strchr(addr_host(&at, &text), '%'))
			add_name(n, "IP", addr_host(&at, &text));
	}
	freeifaddrs(all);
}

/* The names and addresses by which clients may know this host. */
static bool name_it(X509 *x, const struct addr *at)
{
	X509_NAME *name = X509_get_subject_name(x);
	struct names n = { .len = 0 };
	char names[sizeof(n.text) + 20];
	struct addr_text text;
	char host[256] = "";

	add_name(&n, "DNS", "localhost");
	add_name(&n, "IP", "127.0.0.1");
	add_name(&n, "IP", "::1");
	if (!gethostname(host, sizeof(host) - 1) && *host && !strpbrk(host, ",:= "))
		add_name(&n, "DNS", host);
	if (!addr_is_wildcard(at) && !strchr(addr_host(at, &text), '%'))
		add_name(&n, "IP", addr_host(at, &text));
	add_interfaces(&n);
	snprintf(names, sizeof(names), "%.*s", (int)n.len - 1, n.text);
	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		       (const unsigned char *)"countersign", -1, -1, 0) &&
	       X509_set_issuer_name(x, name) &&
	       add_extension(x, NID_subject_alt_name, names) &&
	       add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
}

static bool number_it(X509 *x)
{
	unsigned char serial[16];
	BIGNUM *n;
	bool ok;

	if (RAND_bytes(serial, sizeof(serial)) != 1)
		return false;
	serial[0] &= 0x7f;
	n = BN_bin2bn(serial, sizeof(serial), NULL);
	ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return ok;
}

static X509 *self_sign(EVP_PKEY *key, const struct addr *at)
{
	X509 *x = X509_new();

	if (x && X509_set_version(x, X509_VERSION_3) && number_it(x) &&
		X509_gmtime_adj(X509_getm_notBefore(x), -3600) &&
		X509_gmtime_adj(X509_getm_notAfter(x), VALID_SECONDS) && X509_set_pubkey(x, key) &&
		name_it(x, at) && X509_sign(x, key, EVP_sha256()))
		return x;
	X509_free(x);
	return NULL;
}

/* Writes one PEM file whole or not at all. */
static int write_pem(const char *path, X509 *x, EVP_PKEY *key)
{
	char temp[4200];
	int fd, err = 0;
	FILE *f;

	snprintf(temp, sizeof(temp), "%s.new", path);
	unlink(temp);
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	f = fdopen(fd, "w");
	if (!f) {
		err = -errno;
		close(fd);
	} else {
		if (!(x ? PEM_write_X509(f, x)
			: PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL)) ||
			fflush(f) || fsync(fd))
			err = errno ? -errno : -EIO;
		fclose(f);
	}
	if (!err && rename(temp, path))
		err = -errno;
	if (err)
		unlink(temp);
	return err;
}

static int make_own(const char *cert, const char *key, const struct addr *at, struct tls_error *why)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	X509 *x = pkey ? self_sign(pkey, at) : NULL;
	const char *file = key;
	int err = x ? 0 : -ENOMEM;

	/* A certificate of an earlier key must not be there when the new key is, should it end here. */
	unlink(cert);
	if (!err)
		err = write_pem(key, NULL, pkey);
	if (!err)
		err = write_pem(file = cert, x, NULL);
	X509_free(x);
	EVP_PKEY_free(pkey);
	if (err)
		return refuse(why, err, file, strerror(-err));
	log_msg(LOG_NOTICE, "management: made a self-signed certificate, %s", cert);
	return 0;
}

/* --- contexts --------------------------------------------------------------------------------- */

/* There is nobody at a terminal to ask. */
static int no_password(char *buf, int size, int rwflag, void *arg)
{
	bool *asked = arg;

	(void)buf, (void)size, (void)rwflag;
	*asked = true;
	return 0;
}

static const char *why_no_key(bool encrypted)
{
	if (encrypted)
		return "the private key in it is encrypted";
	if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH)
		return "the key is not that of the certificate";
	return "there is no private key in it that can be read";
}

static int load(SSL_CTX *ctx, const char *cert, const char *key, struct tls_error *why)
{
	bool encrypted = false, ok;

	SSL_CTX_set_default_passwd_cb(ctx, no_password);
	SSL_CTX_set_default_passwd_cb_userdata(ctx, &encrypted);
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		return refuse(why, -EINVAL, cert, "there is no certificate in it that can be read");
	ok = SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1 &&
	     SSL_CTX_check_private_key(ctx) == 1;
	SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
	return ok ? 0 : refuse(why, -EINVAL, key, why_no_key(encrypted));
}

static int load_own(SSL_CTX *ctx, const char *dir, const struct addr *at, struct tls_error *why)
{
	char cert[4160], key[4160];

	snprintf(cert, sizeof(cert), "%s/tls-cert.pem", dir);
	snprintf(key, sizeof(key), "%s/tls-key.pem", dir);
	if (access(cert, F_OK) != 0 || access(key, F_OK) != 0) {
		int err = make_own(cert, key, at, why);

		if (err)
			return err;
	}
	return load(ctx, cert, key, why);
}

int tls_open(const char *cert, const char *key, const char *dir, const struct addr *at,
	SSL_CTX **out, struct tls_error *why)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int err;

	if (!ctx)
		return refuse(why, -ENOMEM, "TLS", "out of memory");
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_CLEANSE_PLAINTEXT |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	err = cert ? load(ctx, cert, key, why) : load_own(ctx, dir, at, why);
	if (err)
		SSL_CTX_free(ctx);
	else
		*out = ctx;
	return err;
}
