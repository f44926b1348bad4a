/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Texts that have a form of their own: sizes, iSCSI names, addresses. Pure functions. Those of
 * the type value_check judge a setting's text and may put it into its one normal form; when they
 * return false, `why` says what is wrong and what would be right.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct why {
	bool no_memory; /* nothing is wrong with the text */
	char text[600];
};

/* For use as `return because(why, "...", ...)`: always false. */
bool because(struct why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For use in the same way when there was no memory to do it. */
bool no_memory(struct why *why);

/* *text was malloc'ed; a check may free it and put another in its place. */
typedef bool value_check(char **text, struct why *why);

value_check value_target_name;    /* RFC 7143 4.2.7: iqn., eui. or naa. */
value_check value_initiator_name; /* the same, but '_' passes: hosts in the field have it */
value_check value_address;        /* numeric IPv4 or IPv6, no brackets */
value_check value_host_port;      /* becomes "host:port" or "[v6]:port"; 3260 if there is none */
value_check value_user_text;      /* well-formed UTF-8 without control characters */
value_check value_ascii;          /* printable ASCII, as SCSI wants it */
value_check value_label;          /* letters, digits, '.', '_', '-' */
value_check value_naa;            /* 16 or 32 hex digits; "naa." before them goes */
value_check value_barcode;        /* A-Z, 0-9 */
value_check value_digits;
value_check value_gateway; /* "sgw-" and 8 or 17 upper-case hex digits */
value_check value_region;  /* a-z, 0-9, '-' */

/* "64", "512M": a number and K, M, G or T, powers of 1024. False also when beyond 2^63 - 1. */
bool value_size(const char *text, uint64_t *out);

/* The shortest way to say a size, as "512M"; gives out. */
#define VALUE_SIZE_TEXT 24
const char *value_size_text(uint64_t size, char out[static VALUE_SIZE_TEXT]);

/* Octal permission bits, "0660" or "660". */
bool value_mode(const char *text, uint32_t *out);

#endif
