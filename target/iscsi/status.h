/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The status of a Login Response, RFC 7143 11.13.5: class in the high byte, detail in the low one.
 * One list gives the names, the values on the wire and the texts for the log.
 */
#ifndef ISCSI_STATUS_H
#define ISCSI_STATUS_H

#include <stdint.h>

/* clang-format off */
#define LOGIN_STATUSES(X)                                                                \
	X(LOGIN_SUCCESS,             0x0000, "success")                                  \
	X(LOGIN_MOVED_TEMPORARILY,   0x0101, "target moved temporarily")                 \
	X(LOGIN_MOVED_PERMANENTLY,   0x0102, "target moved permanently")                 \
	X(LOGIN_INITIATOR_ERROR,     0x0200, "initiator error")                          \
	X(LOGIN_AUTH_FAILED,         0x0201, "authentication failed")                    \
	X(LOGIN_FORBIDDEN,           0x0202, "initiator is not allowed access")          \
	X(LOGIN_NO_TARGET,           0x0203, "target not found")                         \
	X(LOGIN_TARGET_REMOVED,      0x0204, "target removed")                           \
	X(LOGIN_BAD_VERSION,         0x0205, "version not supported")                    \
	X(LOGIN_TOO_MANY,            0x0206, "too many connections")                     \
	X(LOGIN_MISSING_PARAMETER,   0x0207, "missing parameter")                        \
	X(LOGIN_NOT_THIS_SESSION,    0x0208, "session does not span to this connection") \
	X(LOGIN_BAD_SESSION_TYPE,    0x0209, "session type not supported")               \
	X(LOGIN_NO_SESSION,          0x020a, "session does not exist")                   \
	X(LOGIN_INVALID_REQUEST,     0x020b, "invalid request during login")             \
	X(LOGIN_TARGET_ERROR,        0x0300, "target error")                             \
	X(LOGIN_UNAVAILABLE,         0x0301, "service unavailable")                      \
	X(LOGIN_OUT_OF_RESOURCES,    0x0302, "out of resources")
/* clang-format on */

#define LOGIN_STATUS_AS_ENUM(id, wire, text) id = wire,
enum login_status { LOGIN_STATUSES(LOGIN_STATUS_AS_ENUM) };
#undef LOGIN_STATUS_AS_ENUM

static inline const char *login_status_text(enum login_status s)
{
#define LOGIN_STATUS_AS_CASE(id, wire, text) \
	case id: return text;
	switch (s) {
		LOGIN_STATUSES(LOGIN_STATUS_AS_CASE)
	}
#undef LOGIN_STATUS_AS_CASE
	return "unknown status";
}

#endif
