/* SPDX-License-Identifier: BSD-2-Clause */
/* Tags, tokens and settings: small rows that are found by their name. */
#include "catalog_rows.h"

#include "catalog/setting.h"
#include "catalog/tag.h"
#include "catalog/token.h"

static int show_tag(const char *resource, const char *key, const char *value, void *arg)
{
	(void)arg;
	show("%s %s=%s\n", resource, key, value);
	return 0;
}

static int load_tags(struct catalog_tx *tx, void *arg)
{
	return catalog_tag_load(tx, arg, show_tag, NULL);
}

static int put_tags(struct catalog_tx *tx, void *arg)
{
	(void)arg;
	assert_int_equal(catalog_tag_put(tx, "arn:b", "k", "1"), 0);
	assert_int_equal(catalog_tag_put(tx, "arn:a", "z", "2"), 0);
	assert_int_equal(catalog_tag_put(tx, "arn:a", "k", "3"), 0);
	return catalog_tag_put(tx, "arn:a", "k", "4");
}

static int remove_tag(struct catalog_tx *tx, void *arg)
{
	return catalog_tag_remove(tx, "arn:a", arg);
}

static int remove_tags(struct catalog_tx *tx, void *arg)
{
	return catalog_tag_remove_all(tx, arg);
}

static void tags_are_set_listed_and_removed_by_resource(void **state)
{
	assert_int_equal(rig_run(*state, put_tags, NULL), 0);
	rig_reopen(*state);
	assert_shown(*state, load_tags, "arn:a k=4\narn:a z=2\narn:b k=1\n");
	shown[0] = '\0';
	assert_int_equal(rig_run(*state, load_tags, (char[]){ "arn:b" }), 0);
	assert_string_equal(shown, "arn:b k=1\n");
	assert_int_equal(rig_run(*state, remove_tag, (char[]){ "k" }), 0);
	assert_int_equal(rig_run(*state, remove_tag, (char[]){ "k" }), 0);
	assert_int_equal(rig_run(*state, remove_tags, (char[]){ "arn:b" }), 0);
	assert_shown(*state, load_tags, "arn:a z=2\n");
}

static const struct catalog_token token = { .scope = "CreateTapes",
	.token = "12345",
	.hash = { 1, [31] = 2 },
	.answer = "{\"a\":1}",
	.expires = 100 };

static int add_token(struct catalog_tx *tx, void *arg)
{
	return catalog_token_add(tx, arg);
}

static int find_token_before_its_end(struct catalog_tx *tx, void *arg)
{
	return catalog_token_find(tx, "CreateTapes", "12345", 99, (uint8_t *)shown, arg);
}

static int find_token_at_its_end(struct catalog_tx *tx, void *arg)
{
	return catalog_token_find(tx, "CreateTapes", "12345", 100, (uint8_t *)shown, arg);
}

static int find_token_elsewhere(struct catalog_tx *tx, void *arg)
{
	return catalog_token_find(tx, "CreateVolume", "12345", 99, (uint8_t *)shown, arg);
}

static int expire_tokens(struct catalog_tx *tx, void *arg)
{
	(void)arg;
	return catalog_token_expire(tx, 100);
}

static int remove_token(struct catalog_tx *tx, void *arg)
{
	(void)arg;
	return catalog_token_remove(tx, "CreateTapes", "12345");
}

static void a_token_that_is_removed_may_be_used_again(void **state)
{
	char *answer = NULL;

	assert_int_equal(rig_run(*state, remove_token, NULL), 0);
	assert_int_equal(rig_run(*state, add_token, (void *)&token), 0);
	assert_int_equal(rig_run(*state, remove_token, NULL), 0);
	assert_int_equal(rig_run(*state, find_token_before_its_end, &answer), -ENOENT);
	assert_int_equal(rig_run(*state, add_token, (void *)&token), 0);
}

static void a_token_gives_the_answer_until_it_expires(void **state)
{
	char *answer = NULL;

	assert_int_equal(rig_run(*state, add_token, (void *)&token), 0);
	rig_reopen(*state);
	assert_int_equal(rig_run(*state, find_token_at_its_end, &answer), -ENOENT);
	assert_int_equal(rig_run(*state, find_token_elsewhere, &answer), -ENOENT);
	assert_int_equal(rig_run(*state, find_token_before_its_end, &answer), 0);
	assert_string_equal(answer, "{\"a\":1}");
	assert_memory_equal(shown, token.hash, sizeof(token.hash));
	free(answer);
}

static void a_token_can_be_used_again_when_the_old_ones_are_gone(void **state)
{
	assert_int_equal(rig_run(*state, add_token, (void *)&token), 0);
	assert_int_equal(rig_run(*state, add_token, (void *)&token), -EEXIST);
	assert_int_equal(rig_run(*state, expire_tokens, NULL), 0);
	assert_int_equal(rig_run(*state, add_token, (void *)&token), 0);
}

static int show_setting(const char *name, const char *value, void *arg)
{
	(void)arg;
	show("%s=%s\n", name, value);
	return 0;
}

static int load_settings(struct catalog_tx *tx, void *arg)
{
	return catalog_setting_load(tx, arg ? arg : "", show_setting, NULL);
}

static int put_settings(struct catalog_tx *tx, void *arg)
{
	(void)arg;
	assert_int_equal(catalog_setting_put(tx, "alua/2", "standby"), 0);
	assert_int_equal(catalog_setting_put(tx, "alua_3", "x"), 0);
	assert_int_equal(catalog_setting_put(tx, "gateway/name", "n"), 0);
	return catalog_setting_put(tx, "alua/2", "optimised");
}

static int remove_setting(struct catalog_tx *tx, void *arg)
{
	return catalog_setting_remove(tx, arg);
}

static void settings_are_set_listed_and_removed_by_name(void **state)
{
	assert_int_equal(rig_run(*state, put_settings, NULL), 0);
	rig_reopen(*state);
	shown[0] = '\0';
	assert_int_equal(rig_run(*state, load_settings, (char[]){ "alua/" }), 0);
	assert_string_equal(shown, "alua/2=optimised\n");
	assert_int_equal(rig_run(*state, remove_setting, (char[]){ "alua/2" }), 0);
	assert_int_equal(rig_run(*state, remove_setting, (char[]){ "alua/2" }), 0);
	assert_shown(*state, load_settings, "alua_3=x\ngateway/name=n\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW_TEST(tags_are_set_listed_and_removed_by_resource),
		ROW_TEST(a_token_gives_the_answer_until_it_expires),
		ROW_TEST(a_token_that_is_removed_may_be_used_again),
		ROW_TEST(a_token_can_be_used_again_when_the_old_ones_are_gone),
		ROW_TEST(settings_are_set_listed_and_removed_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
