/* SPDX-License-Identifier: BSD-2-Clause */
/* Local disks: the files and devices that the configuration offers. */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mgmt/aws_gateway.h"
#include "mgmt/aws_operations.h"
#include "mgmt/aws_volume.h"
#include "mgmt/native_json.h"

/* What is there of a disk. */
struct state {
	bool present;
	uint64_t size;
};

static struct state look_at(const char *path)
{
	struct state s = { 0 };
	struct stat st;
	int fd;

	if (stat(path, &st))
		return s;
	if (S_ISREG(st.st_mode))
		return (struct state){ true, (uint64_t)st.st_size };
	fd = S_ISBLK(st.st_mode) ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	if (fd < 0)
		return s;
	s.present = !ioctl(fd, BLKGETSIZE64, &s.size);
	close(fd);
	return s;
}

static const struct aws_volume *user_of(const struct aws_volumes *vs, const char *path)
{
	for (size_t i = 0; i < vs->n; i++)
		if (vs->v[i].path && !strcmp(vs->v[i].path, path))
			return &vs->v[i];
	return NULL;
}

/* targetIqn::LUN::region-volumeId */
static json_t *resource(const struct aws_request *q, const struct aws_volume *v)
{
	return json_sprintf(
		"%s::%u::%s-%s", v->target, (unsigned)v->lun, aws_gateway(q)->region, v->id);
}

static json_t *disk_json(const struct aws_request *q, const struct config_aws_disk *d,
	size_t number, const struct aws_volume *user)
{
	struct state state = look_at(d->path);
	struct object o = object_begin();

	object_put(&o, "DiskId", json_of_text(d->id));
	object_put(&o, "DiskPath", json_of_text(d->path));
	object_put(&o, "DiskNode", json_sprintf("SCSI(0:%zu)", number));
	object_put(&o, "DiskStatus", json_string(state.present ? "present" : "missing"));
	object_put(&o, "DiskSizeInBytes", json_of_number(state.size));
	object_put(
		&o, "DiskAllocationType", json_string(user ? "STORED iSCSI VOLUME" : "AVAILABLE"));
	if (user)
		object_put(&o, "DiskAllocationResource", resource(q, user));
	object_put(&o, "DiskAttributeList", json_array());
	return object_end(&o);
}

void aws_list_local_disks(struct aws_request *q)
{
	const struct config_aws *g = aws_gateway(q);
	struct aws_volumes vs;
	json_t *list;

	if (!aws_is_gateway(q))
		return;
	vs = aws_volumes_begin(q);
	list = vs.failed ? NULL : json_array();
	for (size_t i = 0; list && i < g->n_disks; i++)
		json_array_append_new(
			list, disk_json(q, &g->disks[i], i, user_of(&vs, g->disks[i].path)));
	aws_volumes_end(&vs);
	aws_reply(q, json_pack("{s:s, s:o}", "GatewayARN", aws_member_text(q, "GatewayARN"),
			     "Disks", list));
}
