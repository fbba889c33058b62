/* A correlation on one sector: what is read, and the perturbed state that evolves. Who makes them:
 * cospin/point/regression.h. */
#pragma once
#include <cospin/solver/eigensolver.h>

/* One sector's channel Tr(A exp(t L) x) = a^H exp(t L) x. */
typedef struct {
  CospinEigensolver eigensolver; /* its sector and generator; nothing is factorised yet */
  Vec reading;                   /* a */
  Vec perturbed;                 /* x, without its steady part if that was asked for */
  Vec steady;                    /* the steady state where it lies in this sector, otherwise NULL */
  Vec trace;                     /* Tr(y) = trace^H y, where there is a steady state */
  double complex limit;          /* of the channel at t = infinity: Tr(A rho) Tr(x) */
} CospinChannel;
