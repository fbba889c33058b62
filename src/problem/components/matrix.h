/* Component kind `matrix`: what its files share. */
#pragma once
#include <cospin/problem/component.h>

/* Levels of a component, a CospinComponentKind.NumLevels. */
int CospinMatrixLevels(CospinComponent component);
