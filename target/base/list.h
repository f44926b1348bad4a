/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intrusive doubly-linked lists. A `struct list` is both head and node; an
 * element that is in no list points at itself, so that list_del() twice is
 * harmless and list_linked() can be asked at any time after list_init().
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline bool list_linked(const struct list *l)
{
	return l->next != l;
}

/* Puts `e`, which must be in no list, at the end of `head`. */
static inline void list_push(struct list *head, struct list *e)
{
	e->prev = head->prev;
	e->next = head;
	head->prev->next = e;
	head->prev = e;
}

/* Puts `e`, which must be in no list, at the front of `head`. */
static inline void list_push_front(struct list *head, struct list *e)
{
	list_push(head->next, e);
}

static inline void list_del(struct list *e)
{
	e->prev->next = e->next;
	e->next->prev = e->prev;
	list_init(e);
}

/* The first element, taken out, or NULL. */
static inline struct list *list_pop(struct list *head)
{
	struct list *e = head->next;

	if (e == head)
		return NULL;
	list_del(e);
	return e;
}

/* Moves everything in `from` to the end of `to`; `from` is empty afterwards. */
static inline void list_splice(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	from->prev->next = to;
	to->prev->next = from->next;
	to->prev = from->prev;
	list_init(from);
}

#define list_for_each(it, head) \
	for (struct list *it = (head)->next; it != (head); it = it->next)

/* The body may delete `it` from the list, and nothing else. */
#define list_for_each_safe(it, head)                                                \
	for (struct list *it = (head)->next, *it##_next = it->next; it != (head);   \
	     it = it##_next, it##_next = it->next)

#endif
