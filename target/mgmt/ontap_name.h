/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of initiators, by the rules of the ONTAP REST API, each with the code of its own. Pure. */
#ifndef MGMT_ONTAP_NAME_H
#define MGMT_ONTAP_NAME_H

#define NAME_MAX_BYTES               223 /* RFC 7143 4.2.7.1 */

// clang-format off
#define NAME_FAULTS(X) \
	X(NAME_OK, "", "") \
	X(NAME_NO_QUALIFIER, "5373969", \
		"A non-empty qualifier is required after the prefix. " \
		"Example: iqn.1995-08.com.example:string") \
	X(NAME_BAD_IQN, "5373970", "The IQN prefix is invalid; it must be \"iqn\".") \
	X(NAME_BAD_DATE, "5373971", "The date field is invalid; it must be \"yyyy-mm\".") \
	X(NAME_BAD_CHARACTER, "5373972", \
		"The naming authority and the string may contain only a-z, 0-9, \".\", \":\" and \"-\".") \
	X(NAME_BAD_DIGITS, "5373977", \
		"The EUI-64 identifier must be exactly 16 hexadecimal digits.") \
	X(NAME_BAD_EUI, "5373978", "The EUI formatted initiator name is invalid.") \
	X(NAME_INVALID, "5373997", \
		"The initiator name is invalid; it must begin with \"iqn.\" or \"eui.\".")
// clang-format on

#define NAME_AS_ENUM(id, code, text) id,
enum name_fault { NAME_FAULTS(NAME_AS_ENUM) };

/* What is wrong with a name; if nothing is, its form in lower case is written to `name`. Upper case
 * is a fault but in the digits of an EUI. "default" is none of these names. */
enum name_fault name_check(const char *text, char name[static NAME_MAX_BYTES + 1]);

/* Digits as the API has them, and a sentence; never NULL. */
const char *name_fault_code(enum name_fault fault);
const char *name_fault_text(enum name_fault fault);

#endif
