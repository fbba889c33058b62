/*
   Linked into sanitized programs only. The leak checker names a library by its mapping when the process ends;
   what Open MPI's plugins leave behind can be told from our leaks (lsan.supp) only if they stay mapped.
*/
int dlclose(void *handle);

int dlclose(void *handle)
{
  (void)handle;
  return 0;
}
