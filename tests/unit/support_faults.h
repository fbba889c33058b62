#pragma once
#include <cospin/deck/fault.h>

/* Asserts that the faults, printed, are exactly `expected`, a line each; destroys them. */
void Assert_Faults(CospinFaults *faults, const char expected[]);
