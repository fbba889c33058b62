/*
   The table of generators, and the random numbers that several of them draw.

   A counter-based generator has no state: number l of seed s is a function of (s, l), so ranks need not agree
   on who has drawn how often, and a larger array begins with the numbers of a smaller one. Tested against the
   known answers of its authors (Random123).
*/
#include <cospin/problem/array.h>

#define COSPIN_ARRAY_KIND(kind) extern const CospinArrayKind kind;
#include "arrays/list.h"
#undef COSPIN_ARRAY_KIND

#define COSPIN_ARRAY_KIND(kind) &kind,
const CospinArrayKind *const CospinArrayKinds[] = {
#include "arrays/list.h"
    NULL};
#undef COSPIN_ARRAY_KIND

#define COSPIN_ARRAY_KIND(kind) &kind.record,
const CospinRecordKind *const CospinArrayRecords[] = {
#include "arrays/list.h"
    NULL};
#undef COSPIN_ARRAY_KIND

const CospinArrayKind *CospinArrayKindOf(const CospinRecord *record)
{
  int k = 0;

  while (&CospinArrayKinds[k]->record != record->kind) k++;
  return CospinArrayKinds[k];
}

const CospinArrayPart *CospinArrayParts(const CospinArray *array)
{
  return array->generator.kind ? CospinArrayKindOf(&array->generator)->parts : NULL;
}

void CospinRandomBlock(uint64_t seed, uint64_t index, uint32_t block[4])
{
  enum { NUM_ROUNDS = 10 };
  uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};

  block[0] = (uint32_t)index;
  block[1] = (uint32_t)(index >> 32);
  block[2] = block[3] = 0;
  for (int round = 0; round < NUM_ROUNDS; round++) {
    const uint64_t a = (uint64_t)0xd2511f53u * block[0], b = (uint64_t)0xcd9e8d57u * block[2];
    const uint32_t next[4] = {(uint32_t)(b >> 32) ^ block[1] ^ key[0], (uint32_t)b,
                              (uint32_t)(a >> 32) ^ block[3] ^ key[1], (uint32_t)a};
    for (int k = 0; k < 4; k++) block[k] = next[k];
    key[0] += 0x9e3779b9u;
    key[1] += 0xbb67ae85u;
  }
}

void CospinRandomPair(uint64_t seed, uint64_t index, double pair[2])
{
  uint32_t block[4];

  CospinRandomBlock(seed, index, block);
  for (int k = 0; k < 2; k++) {
    const uint64_t bits =
        ((uint64_t)block[2 * k + 1] << 32 | block[2 * k]) >> 12; /* 52: the half stays exact */
    pair[k] = ((double)bits + 0.5) / 4503599627370496.0;
  }
}
