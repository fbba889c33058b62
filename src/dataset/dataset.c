/*
   CospinDatasetWrite: the file is put together in memory (HDF5's core driver) and published as bytes. HDF5
   thus never holds a file on a disk that fills up, which it can neither close nor forget, and a full disk or
   a missing directory is an errno of our own. The image is about the size of the records.
*/
#include "h5.h"
#include <string.h>

/* An empty text where provenance lacks the row. */
static const char *find_attribute(const CospinDatasetTexts *texts, const char name[])
{
  for (int i = 0; i < texts->num_provenance; i++)
    if (!strcmp(texts->provenance[i].name, name)) return texts->provenance[i].value;
  return "";
}

/* CF's attribute: one line for each run that added points; the first run's is its command line. A run that
   goes on hands the earlier lines over with its own. */
static herr_t set_history(hid_t file, const CospinDatasetTexts *texts)
{
  char history[4096];
  if (texts->history) return CospinH5SetText(file, "history", texts->history);
  (void)PetscSNPrintf(history, sizeof(history), "%s: %s", find_attribute(texts, "started"),
                      find_attribute(texts, "command_line"));
  return CospinH5SetText(file, "history", history);
}

/* cospin_grid: the names of the grid axes, slowest first; tells them from further dimensions. Without it a
   reader could not know which scales are axes of the grid: `time` and `mode` are scales, too. */
static herr_t set_grid(hid_t file, const CospinLayout *layout)
{
  char names[4096] = "";
  for (int i = 0; i < layout->num_axes; i++) {
    if (i) (void)PetscStrlcat(names, " ", sizeof(names));
    (void)PetscStrlcat(names, layout->axes[i].name, sizeof(names));
  }
  return CospinH5SetText(file, "cospin_grid", names);
}

/* What netCDF's conventions and cospin's own readers look for at the top of the file. `cospin_format`
   counts changes that old readers would misread; new variables and attributes are none. */
static herr_t write_root(hid_t file, const CospinLayout *layout, const CospinDatasetTexts *texts)
{
  int bad = 0;
  bad |= CospinH5SetText(file, "Conventions", "CF-1.8") < 0;
  bad |= CospinH5SetText(file, "title", texts->title) < 0;
  bad |= CospinH5SetText(file, "source", texts->source) < 0;
  bad |= set_history(file, texts) < 0;
  bad |= CospinH5SetIntegers(file, "cospin_format", 1, &(int){COSPIN_FORMAT}) < 0;
  bad |= set_grid(file, layout) < 0;
  return bad ? -1 : 0;
}

/* The deck as it was given and completed, and where the numbers come from, in groups of their own, so that
   variables alone stand at the top. The deck is a dataset and not an attribute: HDF5 limits attributes to
   64 KiB. Texts of provenance are short. */
static herr_t write_groups(hid_t file, const CospinDatasetTexts *texts)
{
  int bad = 0;
  hid_t deck = CospinH5CreateGroup(file, "deck");
  hid_t provenance = CospinH5CreateGroup(file, "provenance");
  if (texts->deck_verbatim) bad |= CospinH5WriteText(deck, "verbatim", texts->deck_verbatim) < 0;
  if (texts->deck_completed) bad |= CospinH5WriteText(deck, "completed", texts->deck_completed) < 0;
  if (texts->identity) bad |= CospinH5WriteText(deck, "identity", texts->identity) < 0;
  for (int i = 0; i < texts->num_provenance; i++)
    bad |= CospinH5SetText(provenance, texts->provenance[i].name, texts->provenance[i].value) < 0;
  bad |= H5Gclose(provenance) < 0;
  bad |= H5Gclose(deck) < 0;
  return bad ? -1 : 0;
}

/* The core driver keeps the file in memory; closing must be strong, or HDF5 would wait for objects that are
   still open and the image would not be complete. */
static hid_t create_file(const char name[])
{
  hid_t creation = CospinH5CreateList(H5P_FILE_CREATE);
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  hid_t file;
  H5Pset_fapl_core(access, (size_t)1 << 20, 0);
  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
  file = H5Fcreate(name, H5F_ACC_TRUNC, creation, access);
  H5Pclose(access);
  H5Pclose(creation);
  return file;
}

/* *image is owned by the caller (PetscFree) and stays NULL on a failure of HDF5, which `held` explains.
   Rather one flag than a check of each call: HDF5 keeps the first reason (`held`), and an image that is
   not whole is not written. */
static PetscErrorCode build_image(const char name[], const CospinLayout *layout, const double records[],
                                  const CospinDatasetTexts *texts, char **image, size_t *size)
{
  double *buffer;
  int bad = 0;
  hid_t file = create_file(name);
  herr_t status;
  ssize_t length;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(CospinLayoutBufferSize(layout), &buffer));
  bad |= write_root(file, layout, texts) < 0;
  bad |= CospinLayoutWrite(file, layout, records, buffer) < 0;
  bad |= write_groups(file, texts) < 0;
  PetscCall(CospinStatesWrite(file, layout, texts->num_stored, texts->stored, &status));
  bad |= status < 0;
  bad |= H5Fflush(file, H5F_SCOPE_GLOBAL) < 0;
  PetscCall(PetscFree(buffer));
  length = H5Fget_file_image(file, NULL, 0);
  if (!bad && length > 0) {
    *size = (size_t)length;
    PetscCall(PetscMalloc1(*size, image));
    if (H5Fget_file_image(file, *image, *size) < 0) PetscCall(PetscFree(*image));
  }
  H5Fclose(file);
  PetscFunctionReturn(0);
}

int CospinVariableDimensions(const CospinVariable *variable, int dimensions[3])
{
  int rank = 0;

  if (variable->outer) dimensions[rank++] = variable->outer - 1;
  if (variable->middle) dimensions[rank++] = variable->middle - 1;
  if (variable->dimension >= 0) dimensions[rank++] = variable->dimension;
  return rank;
}

/* A layout that does not fit its own variables is a mistake of the program. */
static PetscErrorCode check_layout(const CospinLayout *layout)
{
  PetscFunctionBeginUser;
  PetscCheck(layout->num_axes < H5S_MAX_RANK, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "%d axes",
             layout->num_axes);
  for (int i = 0; i < layout->num_variables; i++) {
    const CospinVariable *v = layout->variables + i;
    int dimensions[3], size = 1;
    for (int d = CospinVariableDimensions(v, dimensions) - 1; d >= 0; d--)
      size *= layout->dimensions[dimensions[d]].size;
    PetscCheck(v->dimension < layout->num_dimensions && v->size == size, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ,
               "%s has %d values, its dimensions %d", v->name, v->size, size);
    PetscCheck(v->offset >= 0 && v->offset + v->size <= layout->record_length, PETSC_COMM_SELF,
               PETSC_ERR_ARG_OUTOFRANGE, "%s ends at %d of a record of %d", v->name, v->offset + v->size,
               layout->record_length);
  }
  PetscFunctionReturn(0);
}

/* Why not HDF5 onto the disk: killed at a random moment, a file that grows was lost whole 12 times of 12;
   written beside and renamed, it was whole 11 times of 11. */
PetscErrorCode CospinDatasetWrite(const char file[], const CospinLayout *layout, const double records[],
                                  const CospinDatasetTexts *texts, char why[], size_t why_size)
{
  CospinH5Catch held;
  char *image = NULL;
  size_t size = 0;
  PetscErrorCode ierr;

  PetscFunctionBeginUser;
  PetscCall(check_layout(layout));
  CospinH5CatchBegin(&held);
  ierr = build_image(file, layout, records, texts, &image, &size);
  CospinH5CatchEnd(&held);
  PetscCall(ierr);
  if (!image) {
    PetscCall(
        PetscSNPrintf(why, why_size, "cannot put the dataset %s together: HDF5 says: %s", file, held.reason));
    PetscFunctionReturn(PETSC_ERR_LIB);
  }
  ierr = CospinPublish(file, image, size, why, why_size);
  PetscCall(PetscFree(image));
  PetscFunctionReturn(ierr);
}
