/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names and secrets inside commands that somebody will paste: written so that they mean themselves,
 * whatever is in them. Text is up to QUOTE_MAX bytes; what is longer comes out as "".
 */
#ifndef CTL_QUOTE_H
#define CTL_QUOTE_H

#define QUOTE_MAX 2048

/* Room for one quoted text; each function below gives out->text. */
struct quoted {
	char text[4 * QUOTE_MAX + 8];
};

/* A word of a POSIX shell; bare where that is safe. */
const char *quote_shell(const char *text, struct quoted *out);
/* A string of PowerShell, always in single quotes. */
const char *quote_powershell(const char *text, struct quoted *out);
/* A value in an option of QEMU, in which commas are doubled; still to be quoted for a shell. */
const char *quote_qemu(const char *text, struct quoted *out);

#endif
