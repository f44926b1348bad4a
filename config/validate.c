/* SPDX-License-Identifier: BSD-2-Clause */
/* The checks over a whole configuration: see validate.h. Each part has a file of its own. */
#include "config/validate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"
#include "config/input.h"

static void check_iscsi(struct check *c)
{
	const struct config_iscsi *iscsi = &c->cfg->iscsi;

	/* RFC 7143 13.14: FirstBurstLength MUST NOT exceed MaxBurstLength. */
	if (iscsi->first_burst_length > iscsi->max_burst_length)
		check_fault(c, &iscsi->first_burst_length,
			"first_burst_length: it is above max_burst_length, %llu; make "
			"it that or less",
			(unsigned long long)iscsi->max_burst_length);
}

static void check_limits(struct check *c)
{
	const struct config_limits *limits = &c->cfg->limits;

	if (check_given(c, &limits->max_half_open_per_address) &&
		limits->max_half_open_per_address > limits->max_half_open)
		check_fault(c, &limits->max_half_open_per_address,
			"max_half_open_per_address: it is above max_half_open, %u; make "
			"it that or less",
			limits->max_half_open);
}

static void complete_socket(struct check *c, struct config *cfg)
{
	if (cfg->management.socket || !cfg->state_dir)
		return;
	cfg->management.socket = path_from(cfg->state_dir, "ctl.sock");
	if (!cfg->management.socket)
		c->out_of_memory = true;
}

int validate_config(struct config *cfg, struct faults *faults)
{
	struct check c = { .cfg = cfg, .faults = faults };

	complete_socket(&c, cfg);
	check_portals(&c);
	check_iscsi(&c);
	check_limits(&c);
	check_units(&c);
	check_credentials(&c);
	check_management(&c);
	if (c.out_of_memory)
		return -ENOMEM;
	return c.faulty ? -EINVAL : 0;
}
