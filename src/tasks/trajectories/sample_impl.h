/* What the numbers of a block are. */
#pragma once
#include "sample.h"

enum { COSPIN_MOST_BLOCKS = 512 };
/* Of a row: kets that are averaged, those that have jumped, clicks and their squares; then the values, and in
   a steady sample the squares of their parts. */
enum { COUNT, JUMPED, CLICKS, SQUARES, VALUES };
/* Behind all rows: two of each line, then these, then those of records. */
enum { JUMPS, ANY, PRODUCTS, CLICKED, TIMES, TIME_SQUARES, NUM_TAIL };

/* A block is a row of numbers for each time, and a tail. */
static inline size_t row_length(const CospinSample *s)
{
  return VALUES + (s->steady ? 4 : 2) * (size_t)s->num_values;
}

static inline size_t tail_of(const CospinSample *s)
{
  return row_length(s) * (size_t)s->num_rows;
}

static inline size_t records_of(const CospinSample *s)
{
  return tail_of(s) + 2 * (size_t)s->num_lines + NUM_TAIL;
}
