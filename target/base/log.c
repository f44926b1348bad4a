/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log's sinks. A line is put together on the stack, cleaned of what could
 * move a terminal's cursor or forge a second line, and leaves in one write, so
 * that lines of several threads never mix. A reader of stderr that has stopped
 * reading costs lines, not the daemon: what could not be written is counted and
 * told when it can.
 */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048 /* of text, once cleaned */
#define STUCK_MS       100  /* how long the first line waits for a reader that has stopped */

enum line_style { PLAIN, JOURNAL };

static _Atomic int max_level = LOG_NOTICE;
static _Atomic int sink = LOG_TO_STDERR;
static _Atomic int style = PLAIN;
static atomic_bool stderr_is_file; /* ... and nobody can stop reading it */
static atomic_uint lost;

/* JOURNAL_STREAM names the device and inode of the socket to the journal; a stderr that was
 * redirected since is no longer that socket (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
	const char *env = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (!env || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(env, own) == 0;
}

static bool is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

void log_setup(enum log_sink to, int level)
{
	tzset();
	atomic_store(&stderr_is_file, is_file(STDERR_FILENO));
	if (to == LOG_TO_SYSLOG)
		openlog("countersignd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	atomic_store(&style, stderr_is_journal() ? JOURNAL : PLAIN);
	atomic_store(&sink, to);
	atomic_store(&max_level, level);
}

bool log_on(int priority)
{
	return priority <= atomic_load_explicit(&max_level, memory_order_relaxed);
}

/* How many bytes at p are one printable character in UTF-8; 0 for control characters (also
 * U+0080…U+009F, which terminals obey) and for what is no UTF-8. */
static size_t printable(const unsigned char *p, size_t left)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (n == 0 || n > left || p[0] < 0x20 || p[0] == 0x7f || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if (p[0] == 0xc2 && p[1] < 0xa0)
		return 0;
	return n;
}

/* Copies text to out, which has room for LINE_MAX_BYTES and a newline, with everything that is
 * not printable as \xNN. Gives the length. */
static size_t clean(char *out, const char *text)
{
	static const char cut[] = "...";
	const unsigned char *p = (const unsigned char *)text;
	size_t left = strlen(text), len = 0;

	while (left) {
		size_t n = printable(p, left);
		size_t need = n ? n : 4;

		if (len + need > LINE_MAX_BYTES - sizeof(cut)) {
			memcpy(out + len, cut, sizeof(cut) - 1);
			return len + sizeof(cut) - 1;
		}
		if (n)
			memcpy(out + len, p, n);
		else
			snprintf(out + len, 5, "\\x%02x", p[0]);
		len += need;
		p += n ? n : 1;
		left -= n ? n : 1;
	}
	return len;
}

static const char *priority_text(int priority)
{
	static const char *const text[] = { "emergency", "alert", "critical", "error", "warning",
		"notice", "info", "debug" };

	return text[priority & LOG_PRIMASK];
}

/* What stands before the text on stderr. Gives its length. */
static size_t prefix(char *out, size_t size, int priority)
{
	struct timespec now;
	struct tm tm;
	char when[32];

	if (atomic_load(&style) == JOURNAL)
		return (size_t)snprintf(out, size, "<%d>", priority & LOG_PRIMASK);
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(when, sizeof(when), "%F %T", &tm);
	return (size_t)snprintf(out, size, "%s.%03d %s: ", when, (int)(now.tv_nsec / 1000000),
		priority_text(priority));
}

static bool would_block(void)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	return !atomic_load(&stderr_is_file) && poll(&p, 1, atomic_load(&lost) ? 0 : STUCK_MS) != 1;
}

/* Writes a whole line, or counts it as lost where the reader has stopped reading. */
static bool put_line(const char *line, size_t len)
{
	if (!would_block() && write(STDERR_FILENO, line, len) == (ssize_t)len)
		return true;
	atomic_fetch_add(&lost, 1);
	return false;
}

static void tell_lost(void)
{
	char line[128];
	unsigned n = atomic_exchange(&lost, 0);
	size_t len;

	if (!n)
		return;
	len = prefix(line, sizeof(line), LOG_WARNING);
	len += (size_t)snprintf(line + len, sizeof(line) - len,
		"%u lines of the log were lost: its reader had stopped\n", n);
	if (!put_line(line, len))
		atomic_fetch_add(&lost, n);
}

static void to_stderr(int priority, const char *text)
{
	char line[64 + LINE_MAX_BYTES + 1];
	size_t len = prefix(line, 64, priority);

	len += clean(line + len, text);
	line[len++] = '\n';
	if (put_line(line, len))
		tell_lost();
}

static void to_syslog(int priority, const char *text)
{
	char line[LINE_MAX_BYTES + 1];

	line[clean(line, text)] = '\0';
	syslog(priority & LOG_PRIMASK, "%s", line);
}

void log_msg(int priority, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	int saved = errno, n;
	va_list ap;

	if (!log_on(priority & LOG_PRIMASK))
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		snprintf(text, sizeof(text), "%s", fmt);
	if (atomic_load(&sink) == LOG_TO_SYSLOG)
		to_syslog(priority, text);
	else
		to_stderr(priority, text);
	errno = saved;
}

/* One byte of peer text as it is shown. Gives how many characters it takes, at most 4. */
static size_t quote_byte(char out[static 5], unsigned char c)
{
	const char *short_form = c == '\n' ? "\\n" : c == '"' ? "\\\"" : c == '\\' ? "\\\\" : NULL;

	if (short_form)
		return (size_t)snprintf(out, 5, "%s", short_form);
	if (c < 0x20 || c >= 0x7f)
		return (size_t)snprintf(out, 5, "\\x%02x", c);
	out[0] = (char)c;
	return 1;
}

const char *log_quote(const char *text, size_t len, struct log_quoted *q)
{
	char *p = q->text;
	char *const end = p + 1 + LOG_QUOTE_MAX;
	size_t i;

	*p++ = '"';
	for (i = 0; i < len; i++) {
		char shown[5];
		size_t n = quote_byte(shown, (unsigned char)text[i]);

		if (n > (size_t)(end - p))
			break;
		memcpy(p, shown, n);
		p += n;
	}
	*p++ = '"';
	memcpy(p, i < len ? "..." : "", i < len ? 4 : 1);
	return q->text;
}
