/* SPDX-License-Identifier: BSD-2-Clause */
/* Volumes and the disks they are on: what is taken is taken, what is put comes back. */
#include "catalog_rows.h"

#include "catalog/volume.h"

static int show_volume(const struct catalog_volume *v, void *arg)
{
	(void)arg;
	show("%s %s %d %s/%s %s %llu/%u %s,%u %s %d%d%d %ld\n", v->id, v->gateway, (int)v->kind,
		v->pool, v->file, v->disk, (unsigned long long)v->size, v->block_size, v->target,
		v->lun, v->portal, v->attached, v->read_only, v->preserved, (long)v->created);
	return 0;
}

static int load_volumes(struct catalog_tx *tx, void *arg)
{
	return catalog_volume_load(tx, show_volume, arg);
}

static int add_volume(struct catalog_tx *tx, void *arg)
{
	return catalog_volume_add(tx, arg);
}

static int put_volume(struct catalog_tx *tx, void *arg)
{
	return catalog_volume_put(tx, arg);
}

static int remove_volume(struct catalog_tx *tx, void *arg)
{
	return catalog_volume_remove(tx, arg);
}

static struct catalog_volume pool_volume(const char *id, const char *file, const char *target)
{
	return (struct catalog_volume){ .id = id,
		.gateway = "g",
		.pool = "p",
		.file = file,
		.size = 1 << 30,
		.block_size = 512,
		.target = target,
		.attached = true,
		.created = 3 };
}

static struct catalog_volume disk_volume(const char *id, const char *disk, const char *target)
{
	return (struct catalog_volume){ .id = id,
		.gateway = "g",
		.kind = CATALOG_VOLUME_DISK,
		.disk = disk,
		.size = 4096,
		.block_size = 512,
		.target = target,
		.attached = true };
}

static void a_volume_is_added_changed_and_removed(void **state)
{
	struct catalog_volume v = pool_volume("vol-1", "f", "iqn.x:t");

	assert_int_equal(rig_run(*state, put_volume, &v), -ENOENT);
	assert_int_equal(rig_run(*state, add_volume, &v), 0);
	v.size = (uint64_t)1 << 40;
	v.lun = 16383;
	v.portal = "10.0.0.1";
	v.read_only = true;
	assert_int_equal(rig_run(*state, put_volume, &v), 0);
	rig_reopen(*state);
	assert_shown(*state, load_volumes,
		"vol-1 g 0 p/f  1099511627776/512 iqn.x:t,16383 10.0.0.1 110 3\n");
	assert_int_equal(rig_run(*state, remove_volume, (char[]){ "vol-1" }), 0);
	assert_int_equal(rig_run(*state, remove_volume, (char[]){ "vol-1" }), -ENOENT);
	assert_shown(*state, load_volumes, "");
}

static void a_volumes_id_file_and_target_are_taken(void **state)
{
	struct catalog_volume v = pool_volume("vol-1", "f", "iqn.x:t");
	struct catalog_volume same_id = pool_volume("vol-1", "g", "iqn.x:u");
	struct catalog_volume same_file = pool_volume("vol-2", "f", "iqn.x:u");
	struct catalog_volume same_target = pool_volume("vol-2", "g", "iqn.x:t");

	assert_int_equal(rig_run(*state, add_volume, &v), 0);
	assert_int_equal(rig_run(*state, add_volume, &same_id), -EEXIST);
	assert_int_equal(rig_run(*state, add_volume, &same_file), -EEXIST);
	assert_int_equal(rig_run(*state, add_volume, &same_target), -EEXIST);
	same_target.lun = 1;
	assert_int_equal(rig_run(*state, add_volume, &same_target), 0);
}

static void a_detached_volume_takes_no_target(void **state)
{
	struct catalog_volume v = pool_volume("vol-1", "f", "iqn.x:t");
	struct catalog_volume w = pool_volume("vol-2", "g", "iqn.x:t");

	v.attached = false;
	assert_int_equal(rig_run(*state, add_volume, &v), 0);
	assert_int_equal(rig_run(*state, add_volume, &w), 0);
	v.attached = true;
	assert_int_equal(rig_run(*state, put_volume, &v), -EEXIST);
}

static int show_disk(const struct catalog_disk *d, void *arg)
{
	(void)arg;
	show("%s %s %s\n", d->gateway, d->id, d->use);
	return 0;
}

static int load_disks(struct catalog_tx *tx, void *arg)
{
	return catalog_disk_load(tx, show_disk, arg);
}

static int allocate_disk(struct catalog_tx *tx, void *arg)
{
	return catalog_disk_allocate(
		tx, &(struct catalog_disk){ .gateway = "g", .id = arg, .use = "CACHE STORAGE" });
}

static void a_disk_serves_once(void **state)
{
	struct catalog_volume v = disk_volume("vol-1", "sdb", "iqn.x:t");
	struct catalog_volume w = disk_volume("vol-2", "sdb", "iqn.x:u");

	assert_int_equal(rig_run(*state, add_volume, &v), 0);
	assert_int_equal(rig_run(*state, add_volume, &w), -EEXIST);
	assert_int_equal(rig_run(*state, allocate_disk, (char[]){ "sdb" }), -EEXIST);
	assert_int_equal(rig_run(*state, allocate_disk, (char[]){ "sdc" }), 0);
	assert_shown(*state, load_disks, "g sdc CACHE STORAGE\n");
}

static void a_disk_is_free_when_its_volume_is_gone(void **state)
{
	struct catalog_volume v = disk_volume("vol-1", "sdb", "iqn.x:t");

	assert_int_equal(rig_run(*state, add_volume, &v), 0);
	assert_int_equal(rig_run(*state, remove_volume, (char[]){ "vol-1" }), 0);
	assert_int_equal(rig_run(*state, allocate_disk, (char[]){ "sdb" }), 0);
	assert_shown(*state, load_disks, "g sdb CACHE STORAGE\n");
}

static int add_volume_or_another(struct catalog_tx *tx, void *arg)
{
	struct catalog_volume *v = arg;
	int err = catalog_volume_add(tx, v);

	if (err == -EEXIST) {
		v->disk = "sdc";
		err = catalog_volume_add(tx, v);
	}
	return err;
}

static void a_call_that_fails_leaves_nothing_in_its_transaction(void **state)
{
	struct catalog_volume v = disk_volume("vol-1", "sdb", "iqn.x:t");

	assert_int_equal(rig_run(*state, allocate_disk, (char[]){ "sdb" }), 0);
	assert_int_equal(rig_run(*state, add_volume_or_another, &v), 0);
	assert_shown(*state, load_volumes, "vol-1 g 1 / sdc 4096/512 iqn.x:t,0  100 0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW_TEST(a_volume_is_added_changed_and_removed),
		ROW_TEST(a_volumes_id_file_and_target_are_taken),
		ROW_TEST(a_detached_volume_takes_no_target),
		ROW_TEST(a_disk_serves_once),
		ROW_TEST(a_disk_is_free_when_its_volume_is_gone),
		ROW_TEST(a_call_that_fails_leaves_nothing_in_its_transaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
