/* Binomial coefficients of small whole numbers. */
#pragma once

/* (n over k), 0 <= k <= n: exact below 2^53, for every partial product is a binomial coefficient itself. */
static inline double CospinBinomial(int n, int k)
{
  double value = 1.0;

  for (int i = 1; i <= k; i++) value = value * (n - k + i) / i;
  return value;
}
