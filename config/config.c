/* SPDX-License-Identifier: BSD-2-Clause */
/* What a configuration says in more than one place: see config.h. */
#include "config/config.h"

#include <strings.h>

const char *config_svm_of(const struct config *cfg, const struct config_target *t)
{
	return t->svm ? t->svm : cfg->management.ontap.svm;
}

bool config_same_svm(const struct config *a, const struct config_target *in_a,
	const struct config *b, const struct config_target *in_b)
{
	return !strcasecmp(config_svm_of(a, in_a), config_svm_of(b, in_b));
}

/* Whether a target before the i-th names it, too. */
static bool is_told(const struct config *cfg, size_t i)
{
	const char *svm = cfg->targets[i].svm;

	if (!svm || !strcasecmp(svm, cfg->management.ontap.svm))
		return true;
	while (i-- > 0)
		if (cfg->targets[i].svm && !strcasecmp(cfg->targets[i].svm, svm))
			return true;
	return false;
}

void config_svms(const struct config *cfg, void (*each)(void *arg, const char *svm), void *arg)
{
	each(arg, cfg->management.ontap.svm);
	for (size_t i = 0; i < cfg->n_targets; i++)
		if (!is_told(cfg, i))
			each(arg, cfg->targets[i].svm);
}

bool config_has_group(const struct config *cfg, uint64_t group)
{
	for (size_t i = 0; i < cfg->n_portals; i++)
		if (cfg->portals[i].group == group)
			return true;
	return false;
}

bool config_has_svm(const struct config *cfg, const char *svm)
{
	if (!strcasecmp(cfg->management.ontap.svm, svm))
		return true;
	for (size_t i = 0; i < cfg->n_targets; i++)
		if (cfg->targets[i].svm && !strcasecmp(cfg->targets[i].svm, svm))
			return true;
	return false;
}

bool config_chap_needed(enum config_auth auth, size_t n_credentials)
{
	return auth == CONFIG_AUTH_CHAP || n_credentials;
}
