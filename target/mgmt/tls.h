/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS for management listeners: a certificate that the administrator gives, or one of our own
 * making that is kept in the state directory.
 */
#ifndef MGMT_TLS_H
#define MGMT_TLS_H

#include <openssl/ssl.h>

#include "net/addr.h"

/* Why not: a sentence that names the file. */
struct tls_error {
	char text[512];
};

/*
 * A server context of TLS 1.2 and later. With cert and key (PEM, the chain behind the certificate)
 * these; with both NULL a self-signed certificate from dir/tls-cert.pem and dir/tls-key.pem, which
 * are made (P-256, valid for ten years, files of mode 0600) where they are not there, for all names
 * and addresses of this machine and the one at which it listens. A key that is encrypted cannot be
 * read. 0 and *out for SSL_CTX_free(), or -errno with *why filled.
 */
int tls_open(const char *cert, const char *key, const char *dir, const struct addr *at,
	SSL_CTX **out, struct tls_error *why);

#endif
