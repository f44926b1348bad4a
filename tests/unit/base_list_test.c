/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intrusive lists: order, deletion at any time, and walking while deleting.
 */
#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct letter {
	char c;
	struct list link;
};

struct letters {
	struct list head;
	struct letter a, b, c;
};

/* A list that holds a, b and c. */
static struct letters *three(struct letters *l)
{
	*l = (struct letters){ .a.c = 'a', .b.c = 'b', .c.c = 'c' };
	list_init(&l->head);
	list_push(&l->head, &l->a.link);
	list_push(&l->head, &l->b.link);
	list_push(&l->head, &l->c.link);
	return l;
}

/* What a list holds, as a string. */
static const char *text(struct list *head, char out[static 8])
{
	char *p = out;

	list_for_each(it, head) {
		*p++ = container_of(it, struct letter, link)->c;
	}
	*p = '\0';
	return out;
}

static void elements_stand_in_the_order_in_which_they_were_pushed(void **state)
{
	struct letters l;
	struct letter d = { .c = 'd' };
	char out[8];

	(void)state;
	assert_string_equal(text(&three(&l)->head, out), "abc");
	list_push_front(&l.head, &d.link);
	assert_string_equal(text(&l.head, out), "dabc");
}

static void pop_takes_from_the_front_until_there_is_nothing(void **state)
{
	struct letters l;

	(void)state;
	three(&l);
	assert_ptr_equal(list_pop(&l.head), &l.a.link);
	assert_ptr_equal(list_pop(&l.head), &l.b.link);
	assert_ptr_equal(list_pop(&l.head), &l.c.link);
	assert_null(list_pop(&l.head));
	assert_true(list_empty(&l.head));
}

static void deleting_twice_is_harmless(void **state)
{
	struct letters l;
	char out[8];

	(void)state;
	three(&l);
	assert_true(list_linked(&l.b.link));
	list_del(&l.b.link);
	list_del(&l.b.link);
	assert_false(list_linked(&l.b.link));
	assert_string_equal(text(&l.head, out), "ac");
}

static void splicing_moves_everything_to_the_end(void **state)
{
	struct letters to, from;
	char out[8];

	(void)state;
	list_splice(&three(&to)->head, &three(&from)->head);
	assert_string_equal(text(&to.head, out), "abcabc");
	assert_true(list_empty(&from.head));
	list_splice(&to.head, &from.head);
	assert_string_equal(text(&to.head, out), "abcabc");
	list_splice(&from.head, &to.head);
	assert_string_equal(text(&from.head, out), "abcabc");
	assert_true(list_empty(&to.head));
}

static void a_safe_walk_may_delete_what_it_stands_on(void **state)
{
	struct letters l;
	int n = 0;

	(void)state;
	three(&l);
	list_for_each_safe(it, &l.head) {
		list_del(it);
		n++;
	}
	assert_int_equal(n, 3);
	assert_true(list_empty(&l.head));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_stand_in_the_order_in_which_they_were_pushed),
		cmocka_unit_test(pop_takes_from_the_front_until_there_is_nothing),
		cmocka_unit_test(deleting_twice_is_harmless),
		cmocka_unit_test(splicing_moves_everything_to_the_end),
		cmocka_unit_test(a_safe_walk_may_delete_what_it_stands_on),
	};

	return cmocka_run_group_tests_name("base/list", tests, NULL, NULL);
}
