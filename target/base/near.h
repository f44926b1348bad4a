/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words that were meant: how far a misspelt one is from each of those that there are, so that a
 * message can name the nearest.
 */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#include <stdbool.h>

/*
 * How many letters to change, add or drop to make one word of the other (Levenshtein). Case does
 * not count, and '-' is as good as '_'. UINT_MAX where one of them is longer than 40 bytes.
 */
unsigned near_distance(const char *word, const char *meant);

/* Whether somebody who typed a word so far away may have meant this one. */
bool near_enough(unsigned distance, const char *meant);

#endif
