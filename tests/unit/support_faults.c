#include "support_faults.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above it */
#include <cmocka.h>

void Assert_Faults(CospinFaults *faults, const char expected[])
{
  FILE *stream = tmpfile();
  char text[16384];

  assert_non_null(stream);
  assert_int_equal(CospinFaultsView(*faults, stream), 0);
  rewind(stream);
  text[fread(text, 1, sizeof(text) - 1, stream)] = '\0';
  fclose(stream);
  assert_int_equal(CospinFaultsDestroy(faults), 0);
  assert_string_equal(text, expected);
}
