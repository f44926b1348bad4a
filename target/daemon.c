/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of a start, and why:
 *
 *   configuration   read as the user who called: root may read what the service must not
 *   background      fork before there are locks, threads or rings
 *   state_dir       the lock first: a second server is told so, and not that a port is in use
 *   portals         bound while we are root
 *   user            from here on nothing is done that the service itself could not do
 *   paths, socket   looked at, opened
 *   stores, reactors, connections: what cannot fail any more comes last
 */
#include "daemon.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "background.h"
#include "base/log.h"
#include "base/loop.h"
#include "catalog/state_dir.h"
#include "config/config.h"
#include "config/faults.h"
#include "config/load.h"
#include "config/paths.h"
#include "config/places.h"
#include "mgmt/mgmt.h"
#include "mgmt/scrub.h"
#include "privileges.h"
#include "registry/gateway.h"
#include "registry/registry.h"
#include "service.h"

#define GRACE_MS 5000 /* for initiators to log out at the end */

struct daemon {
	const struct options *opts;
	const char *path; /* of the configuration */
	char *absolute;   /* the same, where a daemon leaves its directory */
	int report;       /* of a daemon to whoever started it */
	enum log_sink sink;
	struct loop *loop;
	struct state_dir *state;
	struct registry *registry;
	struct mgmt *mgmt;
	struct event *signals[3];
	unsigned reloads; /* under way */
	bool stopping;
};

/* --- logging -------------------------------------------------------------------------------- */

static void log_level(const struct daemon *d, const struct config *cfg)
{
	static const int levels[] = {
		[CONFIG_LOG_ERROR] = LOG_ERR,
		[CONFIG_LOG_WARNING] = LOG_WARNING,
		[CONFIG_LOG_NOTICE] = LOG_NOTICE,
		[CONFIG_LOG_INFO] = LOG_INFO,
		[CONFIG_LOG_DEBUG] = LOG_DEBUG,
	};
	int level = cfg ? levels[cfg->log_level] : LOG_NOTICE;

	level += (int)(d->opts->verbose < LOG_DEBUG ? d->opts->verbose : LOG_DEBUG);
	log_setup(d->sink, level < LOG_DEBUG ? level : LOG_DEBUG);
}

static void on_libevent(int severity, const char *text)
{
	log_msg(severity >= EVENT_LOG_WARN ? LOG_WARNING : LOG_DEBUG, "libevent: %s", text);
}

/* What failed without a fault had no memory for one. */
static bool out_of_memory(const struct faults *faults)
{
	return faults->out_of_memory || !faults->n;
}

static void log_faults(const struct faults *faults)
{
	for (size_t i = 0; i < faults->n; i++)
		log_msg(LOG_ERR, "%s:%d: %s", faults->v[i].file, faults->v[i].line,
			faults->v[i].text);
	if (out_of_memory(faults))
		log_msg(LOG_ERR, "out of memory");
}

static void print_faults(const struct faults *faults)
{
	faults_print(faults, stderr);
	if (out_of_memory(faults))
		fprintf(stderr, "countersignd: out of memory\n");
}

/* A fault that lies with one setting. */
static int fault(struct faults *faults, const struct config *cfg, const void *member, int err,
	const char *text)
{
	struct config_where where = { .file = cfg->path };

	if (member)
		where = config_where(cfg, member);
	faults_add(faults, where.file, where.line, "%s", text);
	return err;
}

/* --- reload --------------------------------------------------------------------------------- */

struct reload {
	struct daemon *d;
	void (*done)(void *ctx, const struct mgmt_reloaded *outcome); /* or NULL */
	void *ctx;
	char **changes; /* what it has changed: a line each */
	size_t n_changes;
};

/* A line for which there is no memory is in the log all the same. */
static void reload_note(void *arg, const char *change)
{
	struct reload *rl = arg;
	char **more = reallocarray(rl->changes, rl->n_changes + 1, sizeof(*more));

	if (more)
		rl->changes = more;
	if (more && (more[rl->n_changes] = strdup(change)))
		rl->n_changes++;
}

static void reload_finish(struct reload *rl, int err, const struct faults *faults)
{
	struct daemon *d = rl->d;

	if (rl->done)
		rl->done(rl->ctx, &(struct mgmt_reloaded){ .err = err,
					  .faults = faults,
					  .changes = rl->changes,
					  .n_changes = rl->n_changes });
	if (--d->reloads == 0 && !d->stopping)
		service_ready();
	while (rl->n_changes)
		free(rl->changes[--rl->n_changes]);
	free(rl->changes);
	free(rl);
}

static void reload_applied(void *arg)
{
	struct reload *rl = arg;

	log_msg(LOG_NOTICE, "reload: the new configuration is in force");
	reload_finish(rl, 0, NULL);
}

/* What is remembered is in it, and the management socket, unless that is named: a server that went on
 * with the old one and took the socket to the new one would be two halves. */
static bool keeps_state_dir(
	const struct daemon *d, const struct config *next, struct faults *faults)
{
	if (!strcmp(next->state_dir, registry_config(d->registry)->state_dir))
		return true;
	fault(faults, next, &next->state_dir, -EBUSY,
		"state_dir: it cannot change while the server runs; stop it, move the directory, "
		"and start it again");
	return false;
}

/* Everything that can fail; true when the registry has the new configuration and will call
 * reload_applied(). */
static bool reload_try(struct daemon *d, struct reload *rl, struct faults *faults)
{
	struct config *next = NULL;

	if (config_load(d->path, &next, faults) || !keeps_state_dir(d, next, faults) ||
		config_check_paths(next, faults) || mgmt_prepare(d->mgmt, next, faults)) {
		config_free(next);
		return false;
	}
	if (registry_apply(d->registry, next, reload_note, reload_applied, rl, faults)) {
		mgmt_abandon(d->mgmt);
		config_free(next);
		return false;
	}
	mgmt_commit(d->mgmt);
	log_level(d, next);
	return true;
}

static void daemon_reload(
	void *arg, void (*done)(void *ctx, const struct mgmt_reloaded *outcome), void *ctx)
{
	struct daemon *d = arg;
	struct reload *rl = calloc(1, sizeof(*rl));
	struct faults faults = { 0 };

	if (!rl) {
		faults.out_of_memory = true;
		log_faults(&faults);
		if (done)
			done(ctx, &(struct mgmt_reloaded){ .err = -ENOMEM, .faults = &faults });
		return;
	}
	*rl = (struct reload){ .d = d, .done = done, .ctx = ctx };
	if (d->reloads++ == 0)
		service_reloading();
	if (!reload_try(d, rl, &faults)) {
		log_faults(&faults);
		log_msg(LOG_ERR, "reload: refused; the running configuration stays in force");
		reload_finish(rl, -EINVAL, &faults);
	}
	faults_free(&faults);
}

/* --- signals -------------------------------------------------------------------------------- */

static void stopped(void *arg)
{
	struct daemon *d = arg;

	loop_stop(d->loop);
}

/* A start that failed turns the loop, too, until all is closed that it had opened. */
static bool is_started(const struct daemon *d)
{
	return registry_config(d->registry);
}

static void on_stop(evutil_socket_t number, short what, void *arg)
{
	struct daemon *d = arg;

	(void)what;
	if (!is_started(d))
		return;
	if (d->stopping) {
		log_msg(LOG_NOTICE, "stopping at once");
		registry_stop(d->registry, 0, NULL, NULL);
		return;
	}
	log_msg(LOG_NOTICE, "stopping on signal %d", (int)number);
	d->stopping = true;
	service_stopping();
	if (registry_stop(d->registry, GRACE_MS, stopped, d))
		loop_stop(d->loop);
}

static void on_reload(evutil_socket_t number, short what, void *arg)
{
	struct daemon *d = arg;

	(void)number;
	(void)what;
	if (d->stopping || !is_started(d))
		return;
	log_msg(LOG_NOTICE, "reload on SIGHUP");
	daemon_reload(d, NULL, NULL);
}

/* When the events are freed, libevent puts back what it found: nothing that arrives then, while the
 * last of the data go to the disk, may end the process. */
static bool watch_signal(struct event_base *base, int number, event_callback_fn act,
	struct daemon *d, struct event **out)
{
	signal(number, SIG_IGN);
	*out = evsignal_new(base, number, act, d);
	return *out && event_add(*out, NULL) == 0;
}

static bool watch_signals(struct daemon *d)
{
	struct event_base *base = loop_base(d->loop);

	return watch_signal(base, SIGTERM, on_stop, d, &d->signals[0]) &&
	       watch_signal(base, SIGINT, on_stop, d, &d->signals[1]) &&
	       watch_signal(base, SIGHUP, on_reload, d, &d->signals[2]);
}

/* --- start ---------------------------------------------------------------------------------- */

static int start_as_user(const struct config *cfg, struct privileges_user *user,
	struct state_owner *owner, struct faults *faults)
{
	struct privileges_error why;
	int err;

	if (!cfg->user || geteuid() != 0)
		return 0;
	err = privileges_find(cfg->user, user, &why);
	if (err)
		return fault(faults, cfg, &cfg->user, err, why.text);
	*owner = (struct state_owner){ .uid = user->uid, .gid = user->gid };
	return 0;
}

static int become(
	const struct config *cfg, const struct privileges_user *user, struct faults *faults)
{
	struct privileges_error why;
	int err;

	privileges_raise_limits();
	err = user->uid ? privileges_become(user, &why) : 0;
	if (err)
		return fault(faults, cfg, &cfg->user, err, why.text);
	privileges_hide_memory();
	return 0;
}

/* The steps that may take root, and then without it. */
static int start_privileged(struct daemon *d, const struct config *cfg, struct faults *faults)
{
	struct privileges_user user = { 0 };
	struct state_owner owner = { .uid = geteuid(), .gid = getegid() };
	struct service_fds fds;
	struct state_error why;
	int err = start_as_user(cfg, &user, &owner, faults);

	if (err)
		return err;
	err = state_dir_open(cfg->state_dir, &owner, &d->state, &why);
	if (err)
		return fault(faults, cfg, &cfg->state_dir, err, why.text);
	err = service_take_fds(&fds);
	if (err)
		return fault(faults, cfg, &cfg->portals, err, "sockets that were passed in");
	err = registry_bind(d->registry, cfg, fds.fd, fds.n, faults);
	service_close_fds(&fds);
	return err ? err : become(cfg, &user, faults);
}

/* cfg is the registry's only when this gives 0. */
static int start(struct daemon *d, struct config *cfg, struct faults *faults)
{
	const struct mgmt_host host = { .reload = daemon_reload, .arg = d };
	int err;

	if (loop_create(0, &d->loop) || registry_create(d->loop, &d->registry) || !watch_signals(d))
		return fault(faults, cfg, NULL, -ENOMEM, "out of memory");
	err = start_privileged(d, cfg, faults);
	if (!err)
		err = config_check_paths(cfg, faults);
	if (!err)
		err = mgmt_open(d->loop, d->registry, &host, cfg, &d->mgmt, faults);
	if (!err)
		err = registry_start(d->registry, cfg, d->state, faults);
	return err;
}

static void tear_down(struct daemon *d)
{
	/* The loop still turns while the registry ends: no signal may reach it then. */
	for (int i = 0; i < 3; i++)
		if (d->signals[i])
			event_free(d->signals[i]);
	mgmt_close(d->mgmt);
	registry_free(d->registry);
	if (d->loop)
		loop_free(d->loop);
	free(d->absolute);
}

static void say_ready(void *arg)
{
	struct daemon *d = arg;
	const struct config *cfg = registry_config(d->registry);

	log_msg(LOG_NOTICE, "countersignd serves %zu target%s on %zu portal%s", cfg->n_targets,
		cfg->n_targets == 1 ? "" : "s", cfg->n_portals, cfg->n_portals == 1 ? "" : "s");
	if (registry_gateway(d->registry).stopped)
		log_msg(LOG_WARNING,
			"gateway %s is shut down: nobody can log in until it is "
			"started (StartGateway)",
			cfg->management.aws.gateway);
	if (!d->opts->foreground)
		background_ready(d->report);
	service_ready();
}

static void serve(struct daemon *d)
{
	registry_when_settled(d->registry, say_ready, d);
	loop_run(d->loop);
}

/* A daemon leaves the directory that it was started in, so it takes the whole path along. */
static int go_to_background(struct daemon *d)
{
	int err = -ENOMEM;

	d->absolute = realpath(d->path, NULL);
	d->path = d->absolute;
	if (d->absolute)
		err = background_enter(&d->report);
	if (!err && chdir("/"))
		err = -errno;
	if (err) {
		fprintf(stderr, "countersignd: cannot go to the background: %s\n", strerror(-err));
		return err;
	}
	d->sink = LOG_TO_SYSLOG;
	log_level(d, NULL);
	return 0;
}

static int load(const struct options *opts, const char *path, struct config **out)
{
	struct faults faults = { 0 };
	int err = 0;

	if (!opts->config_given && access(path, F_OK) && errno == ENOENT) {
		fprintf(stderr,
			"countersignd: there is no configuration file %s; write one "
			"(countersign.conf(5)), or say which with -c FILE\n",
			path);
		return -ENOENT;
	}
	err = config_load(path, out, &faults);
	if (err)
		print_faults(&faults);
	faults_free(&faults);
	return err;
}

/* Whoever starts us may have closed them: what is opened next would take their place, and the log be
 * written into it. */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static void prepare_process(void)
{
	fill_standard_descriptors();
	privileges_hide_memory();
	scrub_libraries();
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* the write that is too much fails */
	event_set_log_callback(on_libevent);
}

static int run(struct daemon *d, struct config *cfg)
{
	struct faults faults = { 0 };
	int err = start(d, cfg, &faults);

	if (err) {
		print_faults(&faults);
		if (d->sink == LOG_TO_SYSLOG)
			log_faults(&faults);
		faults_free(&faults);
		tear_down(d);
		config_free(cfg);
		state_dir_discard(d->state);
		return EXIT_FAILURE;
	}
	serve(d);
	tear_down(d);
	state_dir_close(d->state);
	log_msg(LOG_NOTICE, "countersignd has stopped");
	return EXIT_SUCCESS;
}

int daemon_main(const struct options *opts)
{
	struct daemon d = { .opts = opts, .path = opts->config, .sink = LOG_TO_STDERR };
	struct config *cfg = NULL;

	prepare_process();
	log_level(&d, NULL);
	/* Read once before the fork, so that a faulty file is told where it was asked for; the daemon
	 * reads it again with whole paths. */
	if (load(opts, d.path, &cfg))
		return EXIT_FAILURE;
	if (!opts->foreground) {
		config_free(cfg);
		if (go_to_background(&d) || load(opts, d.path, &cfg)) {
			free(d.absolute);
			return EXIT_FAILURE;
		}
	}
	log_level(&d, cfg);
	return run(&d, cfg);
}

/* As the service itself would see its paths, also where root asks. */
static int check_as_user(const struct config *cfg, struct faults *faults)
{
	struct privileges_user user = { 0 };
	struct state_owner owner;
	struct privileges_error why;
	int err = start_as_user(cfg, &user, &owner, faults);

	if (!err && user.uid) {
		err = privileges_become(&user, &why);
		if (err)
			fault(faults, cfg, &cfg->user, err, why.text);
	}
	return err ? err : config_check_paths(cfg, faults);
}

int daemon_check(const struct options *opts)
{
	struct faults faults = { 0 };
	struct config *cfg = NULL;
	int err;

	prepare_process();
	if (load(opts, opts->config, &cfg))
		return EXIT_FAILURE;
	err = registry_check(cfg, &faults);
	if (check_as_user(cfg, &faults) || err) {
		faults_sort(&faults, cfg->path);
		print_faults(&faults);
		err = -EINVAL;
	}
	faults_free(&faults);
	config_free(cfg);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
