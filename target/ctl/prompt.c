/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading secrets. */
#include "ctl/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define CTRL_C    3
#define CTRL_D    4
#define BACKSPACE 8
#define CTRL_U    21
#define DELETE    127

static bool refuse(const char *what, const char *why)
{
	fprintf(stderr, "countersignctl: %s: %s\n", what, why);
	return false;
}

void prompt_wipe(struct prompt_secret *s)
{
	explicit_bzero(s, sizeof(*s));
}

/* --- lines and files ------------------------------------------------------------------------ */

/* Whether reading went to its end, which is that of a line or of the file. Byte by byte, as what
 * follows is somebody else's. */
static bool read_to(int fd, bool line, struct prompt_secret *out, const char *what)
{
	size_t len = 0;
	char c;
	ssize_t n;

	while ((n = read(fd, &c, 1)) == 1 && !(line && c == '\n')) {
		if (len > PROMPT_MAX)
			return refuse(what, "a secret has 512 bytes at most");
		/* One byte more than fits, as it may be an end of line. */
		out->bytes[len++] = c;
	}
	if (n < 0)
		return refuse(what, strerror(errno));
	if (!line && len && out->bytes[len - 1] == '\n')
		len--;
	if (len && out->bytes[len - 1] == '\r')
		len--;
	if (len > PROMPT_MAX)
		return refuse(what, "a secret has 512 bytes at most");
	out->bytes[len] = '\0';
	out->len = len;
	if (len)
		return true;
	return refuse(what, line ? "there is no secret on standard input; --secret-file names a "
				   "file that has it, and --generate has the server make one"
				 : "there is no secret in it");
}

bool prompt_line(const char *what, struct prompt_secret *out)
{
	return read_to(STDIN_FILENO, true, out, what);
}

bool prompt_file(const char *path, struct prompt_secret *out)
{
	int fd;
	bool ok;

	if (!strcmp(path, "-"))
		return read_to(STDIN_FILENO, false, out, "standard input");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return refuse(path, strerror(errno));
	ok = read_to(fd, false, out, path);
	close(fd);
	return ok;
}

/* --- the terminal --------------------------------------------------------------------------- */

static void say(int tty, const char *text)
{
	if (write(tty, text, strlen(text)) < 0)
		return; /* who cannot read the question may still answer it */
}

/* Takes back a character, of which UTF-8 has all bytes but the first as 10xxxxxx. */
static void take_back(struct prompt_secret *s)
{
	while (s->len && (s->bytes[--s->len] & 0xc0) == 0x80)
		;
}

/* A line that is typed unseen. Signals are keys meanwhile, so that none leaves the terminal as it is
 * now. False: given up, or too long. */
static bool type_line(int tty, struct prompt_secret *out)
{
	char c;

	out->len = 0;
	while (read(tty, &c, 1) == 1) {
		switch (c) {
		case '\r':
		case '\n': out->bytes[out->len] = '\0'; return true;
		case CTRL_C:
		case CTRL_D: return false;
		case BACKSPACE:
		case DELETE: take_back(out); break;
		case CTRL_U: out->len = 0; break;
		default:
			if (out->len == PROMPT_MAX)
				return false;
			out->bytes[out->len++] = c;
		}
	}
	return false;
}

static bool ask_once(int tty, const char *what, const char *how, struct prompt_secret *out)
{
	bool ok;

	say(tty, what);
	say(tty, how);
	ok = type_line(tty, out);
	say(tty, "\n");
	return ok;
}

static bool ask_twice(int tty, const char *what, struct prompt_secret *out)
{
	struct prompt_secret again;
	bool same;

	if (!ask_once(tty, what, ": ", out))
		return refuse(what, "given up");
	if (!out->len)
		return refuse(what, "there is no secret");
	if (!ask_once(tty, what, " again: ", &again)) {
		prompt_wipe(&again);
		return refuse(what, "given up");
	}
	same = again.len == out->len && !memcmp(again.bytes, out->bytes, out->len);
	prompt_wipe(&again);
	return same || refuse(what, "the two are not the same");
}

bool prompt_ask(const char *what, struct prompt_secret *out)
{
	struct termios was, quiet;
	int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	bool ok;

	if (tty < 0 || tcgetattr(tty, &was)) {
		if (tty >= 0)
			close(tty);
		return refuse(what, "there is no terminal to ask at");
	}
	quiet = was;
	quiet.c_lflag &= (tcflag_t) ~(ECHO | ICANON | ISIG);
	quiet.c_cc[VMIN] = 1;
	quiet.c_cc[VTIME] = 0;
	tcsetattr(tty, TCSAFLUSH, &quiet);
	ok = ask_twice(tty, what, out);
	tcsetattr(tty, TCSAFLUSH, &was);
	close(tty);
	return ok;
}
