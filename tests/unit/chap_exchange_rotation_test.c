/* SPDX-License-Identifier: BSD-2-Clause */
/* Secrets and rows that change while somebody logs in. */
#include "chap_exchange_support.h"

/* Grace of an old secret. */

static void the_old_secret_is_right_until_its_time(void **state)
{
	struct world *w = *state;

	w->spec.old_secret = text(OLD_SECRET);
	w->spec.old_until = NOW + 1;
	assert_int_equal(one_way(w, INITIATOR, OLD_SECRET), EXCHANGE_PROVED);
	assert_int_equal(one_way(w, INITIATOR, IN_SECRET), EXCHANGE_PROVED);
}

static void the_old_secret_is_wrong_from_its_time_on(void **state)
{
	struct world *w = *state;

	w->spec.old_secret = text(OLD_SECRET);
	w->spec.old_until = NOW;
	assert_int_equal(one_way(w, INITIATOR, OLD_SECRET), EXCHANGE_WRONG_SECRET);
}

static void who_proves_itself_by_the_old_secret_is_answered_by_ours_of_then(void **state)
{
	struct world *w = *state;
	struct login l;

	w->spec.old_secret = text(OLD_SECRET);
	w->spec.old_out_secret = text("target---0000000");
	w->spec.old_until = NOW + 1;
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, OLD_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	/* As above, with that secret and sha256. */
	assert_string_equal(replied(&l, 1, "CHAP_R"),
		"0x8adf011cdbc8ca58360f4ef34acc07cf21e59b5343e21daed27cda813202d61c");
	end(&l);
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	assert_string_equal(replied(&l, 1, "CHAP_R"), algorithms[2].answer);
	end(&l);
}

/* Another row in the place of the one that an exchange began with. */

static bool take(struct login *l, struct world *w)
{
	struct credential *row = credential_new(&w->spec);
	bool goes_on = exchange_take_row(&l->x, row, NOW);

	credential_unref(row);
	return goes_on;
}

static void what_is_still_to_be_proved_is_judged_by_the_new_row(void **state)
{
	struct world *w = *state;
	struct login l;

	begin(&l, w);
	offer(&l, "7");
	w->spec.in_secret = text("initiator-333333");
	assert_true(take(&l, w));
	prove(&l, INITIATOR, "initiator-333333");
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	end(&l);
	begin(&l, w);
	offer(&l, "7");
	w->spec.in_secret = text(IN_SECRET);
	assert_true(take(&l, w));
	prove(&l, INITIATOR, "initiator-333333");
	assert_int_equal(step(&l), EXCHANGE_WRONG_SECRET);
	end(&l);
}

static void what_was_proved_holds_under_a_row_that_would_take_it(void **state)
{
	struct world *w = *state;
	struct login l;

	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	w->spec.out_secret = text("target---4444444");
	assert_true(take(&l, w));
	w->spec.old_secret = w->spec.in_secret;
	w->spec.in_secret = text("initiator-333333");
	w->spec.old_until = NOW + 1;
	assert_true(take(&l, w));
	assert_true(exchange_proved(&l.x));
	end(&l);
}

static void what_was_proved_does_not_hold_under_any_other_row(void **state)
{
	struct world *w = *state;
	struct credential_spec right = w->spec;
	struct login l;

	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	assert_false(exchange_take_row(&l.x, NULL, NOW));
	w->spec.in_user = "somebody-else";
	assert_false(take(&l, w));
	w->spec = right;
	w->spec.in_secret = text("initiator-333333");
	assert_false(take(&l, w));
	w->spec.old_secret = text(IN_SECRET);
	w->spec.old_until = NOW;
	assert_false(take(&l, w));
	end(&l);
}

static void what_the_old_secret_proved_ends_with_its_row(void **state)
{
	struct world *w = *state;
	struct login l;

	w->spec.old_secret = text(OLD_SECRET);
	w->spec.old_until = NOW + 1;
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, OLD_SECRET);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	assert_true(take(&l, w));
	w->spec.old_secret = (struct secret_view){ 0 };
	assert_false(take(&l, w));
	end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EXCHANGE_TEST(the_old_secret_is_right_until_its_time),
		EXCHANGE_TEST(the_old_secret_is_wrong_from_its_time_on),
		EXCHANGE_TEST(who_proves_itself_by_the_old_secret_is_answered_by_ours_of_then),
		EXCHANGE_TEST(what_is_still_to_be_proved_is_judged_by_the_new_row),
		EXCHANGE_TEST(what_was_proved_holds_under_a_row_that_would_take_it),
		EXCHANGE_TEST(what_was_proved_does_not_hold_under_any_other_row),
		EXCHANGE_TEST(what_the_old_secret_proved_ends_with_its_row),
	};

	faults_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
