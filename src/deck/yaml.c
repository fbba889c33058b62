/*
   From bytes to a YAML document. libfyaml's messages are collected and become faults; what it lets through
   (NUL bytes, broken UTF-8, several documents) is checked here.

   Duplicate keys are let through on purpose: libfyaml would stop at the first one, entry.c tells all of them
   and where the first one stands. Its messages are collected and not printed, for every rank parses the same
   text and only one may speak.
*/
#include "entry.h"
#include <libfyaml.h>
#include <string.h>

struct CospinYaml_ {
  struct fy_diag *diag;
  struct fy_parser *parser;
  struct fy_document *document;
  char no_path[1]; /* of the root */
};

/* Length of the UTF-8 character at text, 0 if it is none. C0 and C1 cannot begin a character: they would
   be longer forms of ASCII. */
static size_t measure_character(const unsigned char text[], size_t remaining)
{
  const unsigned char c = text[0];
  const size_t length = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;

  if (!length || length > remaining) return 0;
  for (size_t k = 1; k < length; k++) {
    if ((text[k] & 0xC0) != 0x80) return 0;
  }
  /* Longer encodings of characters that have a shorter one, and surrogates (D800 to DFFF), are no UTF-8;
     above 10FFFF there are no characters. */
  if ((c == 0xE0 && text[1] < 0xA0) || (c == 0xED && text[1] > 0x9F)) return 0;
  if ((c == 0xF0 && text[1] < 0x90) || (c == 0xF4 && text[1] > 0x8F)) return 0;
  return length;
}

/* libfyaml accepts bytes that are no text; they would end up in the dataset, whose attributes must be
   UTF-8. The first such byte is enough: behind it positions are not known. Columns count characters, as
   editors do, and not bytes. */
static PetscErrorCode check_bytes(const char text[], size_t length, CospinFaults faults, PetscBool *good)
{
  CospinPosition at = {1, 1};

  PetscFunctionBeginUser;
  *good = PETSC_TRUE;
  for (size_t k = 0; k < length && *good;) {
    const unsigned char *c = (const unsigned char *)text + k;
    const size_t step = measure_character(c, length - k);

    if (step == 0 || *c == 0) {
      PetscCall(CospinFaultsAdd(faults, at, "", "byte 0x%02x is not text (a deck is UTF-8 text)", *c));
      *good = PETSC_FALSE;
    }
    at.column++;
    if (*c == '\n') at = (CospinPosition){at.line + 1, 1};
    k += step;
  }
  PetscFunctionReturn(0);
}

/* What libfyaml's messages usually mean in a deck. */
static const char *get_hint(const char message[])
{
  static const struct {
    const char *part, *hint;
  } hints[] = {
      {"tab character", " (use blanks)"},
      {"double-quoted", " (is a closing `\"` missing?)"},
      {"single-quoted", " (is a closing `'` missing?)"},
      {"Max depth", " (are closing brackets missing?)"},
      {"flow", " (inside of { } and [ ] an expression with brackets or commas needs quotes)"},
      {"nested block mapping", " (a text that contains `: ` needs quotes)"},
      {"multiline plain key", " (is a line indented wrongly?)"},
      {"expected node content", " (is there a `-` without anything behind it?)"},
  };

  for (size_t k = 0; k < sizeof(hints) / sizeof(hints[0]); k++) {
    if (strstr(message, hints[k].part)) return hints[k].hint;
  }
  return "";
}

/* The parser may also give up without a word; then at least that is told. */
static PetscErrorCode collect_faults(CospinYaml yaml, CospinFaults faults)
{
  const int num_faults = CospinFaultsCount(faults);
  struct fy_diag_error *error;
  void *iterator = NULL;

  PetscFunctionBeginUser;
  while ((error = fy_diag_errors_iterate(yaml->diag, &iterator))) {
    const CospinPosition at = {error->line, error->column};

    PetscCall(CospinFaultsAdd(faults, at, "", "YAML: %s%s", error->msg, get_hint(error->msg)));
  }
  if (fy_parser_get_stream_error(yaml->parser) && CospinFaultsCount(faults) == num_faults)
    PetscCall(CospinFaultsAdd(faults, (CospinPosition){0, 0}, "", "YAML: the text cannot be parsed"));
  PetscFunctionReturn(0);
}

/* Some messages come only when a second document is asked for, so the first is not judged before. The
   second document is asked for although nobody wants it: text behind `---` would else be ignored without a
   word. */
static PetscErrorCode load_document(CospinYaml yaml, CospinFaults faults)
{
  struct fy_document *second = NULL;

  PetscFunctionBeginUser;
  yaml->document = fy_parse_load_document(yaml->parser);
  if (yaml->document) second = fy_parse_load_document(yaml->parser);
  if (second) {
    PetscCall(CospinFaultsAdd(faults, (CospinPosition){0, 0}, "",
                              "YAML: several documents (`---` separates "
                              "documents; a deck is one)"));
    fy_parse_document_destroy(yaml->parser, second);
  }
  PetscCall(collect_faults(yaml, faults));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinYamlCreate(const char text[], size_t length, CospinFaults faults, CospinYaml *yaml)
{
  const int num_faults = CospinFaultsCount(faults);
  struct fy_diag_cfg diag_options;
  struct fy_parse_cfg options = {.search_path = "", .flags = FYPCF_ALLOW_DUPLICATE_KEYS};
  PetscBool good;

  PetscFunctionBeginUser;
  *yaml = NULL;
  PetscCall(check_bytes(text, length, faults, &good));
  if (!good) PetscFunctionReturn(0);
  PetscCall(PetscNew(yaml));
  fy_diag_cfg_default(&diag_options);
  diag_options.fp = NULL; /* nothing may reach stderr: every rank parses */
  (*yaml)->diag = fy_diag_create(&diag_options);
  PetscCheck((*yaml)->diag, PETSC_COMM_SELF, PETSC_ERR_MEM, "No memory for the YAML parser");
  fy_diag_set_collect_errors((*yaml)->diag, true);
  options.diag = (*yaml)->diag;
  (*yaml)->parser = fy_parser_create(&options);
  PetscCheck((*yaml)->parser && !fy_parser_set_string((*yaml)->parser, text, length), PETSC_COMM_SELF,
             PETSC_ERR_MEM, "No memory for the YAML parser");
  PetscCall(load_document(*yaml, faults));
  if (CospinFaultsCount(faults) > num_faults) PetscCall(CospinYamlDestroy(yaml));
  PetscFunctionReturn(0);
}

/* In this order: documents belong to the parser, all of them write to the diagnostics. */
PetscErrorCode CospinYamlDestroy(CospinYaml *yaml)
{
  PetscFunctionBeginUser;
  if (!*yaml) PetscFunctionReturn(0);
  if ((*yaml)->document) fy_parse_document_destroy((*yaml)->parser, (*yaml)->document);
  fy_parser_destroy((*yaml)->parser);
  fy_diag_destroy((*yaml)->diag);
  PetscCall(PetscFree(*yaml));
  PetscFunctionReturn(0);
}

/* Without a document the root is empty at 1:1, where "the deck is empty" is told. */
PetscErrorCode CospinYamlGetRoot(CospinYaml yaml, CospinEntry *root)
{
  PetscFunctionBeginUser;
  *root = (CospinEntry){.path = yaml->no_path, .key_at = {1, 1}, .at = {1, 1}};
  if (yaml->document) root->node = fy_document_root(yaml->document);
  PetscFunctionReturn(0);
}
