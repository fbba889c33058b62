/*
   A page of the reference: headings, parts, entries with a name and a sentence, as plain text of one width
   or as troff source for a manual page. A page may be asked for one word only: then an entry that is not
   about it is dropped, and a heading is held back until something under it is printed.
*/
#include "reference_page.h"
#include <string.h>

enum { WIDTH = 100 };

/* Signs that troff takes for something else. */
static void print_sign(const CospinPage *page, char sign)
{
  static const struct {
    char sign;
    const char *troff;
  } signs[] = {{'\\', "\\e"}, {'-', "\\-"}, {'^', "\\(ha"}, {'~', "\\(ti"}, {'\'', "\\(aq"}, {'`', "\\(ga"}};

  for (size_t k = 0; page->man && k < sizeof(signs) / sizeof(signs[0]); k++) {
    if (signs[k].sign != sign) continue;
    fputs(signs[k].troff, page->stream);
    return;
  }
  fputc(sign, page->stream);
}

/* A dot or quote at the beginning of a line is a command to troff. `\\&` is troff's empty character,
   behind which a dot is a dot. */
static void print_text(const CospinPage *page, const char text[])
{
  if (page->man && (text[0] == '.' || text[0] == '\'')) fputs("\\&", page->stream);
  for (const char *c = text; *c; c++) print_sign(page, *c);
}

/* Words in lines of a width; troff does that by itself. Words longer than a line stand in one of their
   own. */
static void print_wrapped(const CospinPage *page, int indent, const char text[])
{
  int column = 0;

  while (*text) {
    const int length = (int)strcspn(text, " \n");
    if (length && column && column + 1 + length > WIDTH) {
      fputc('\n', page->stream);
      column = 0;
    }
    if (length && !column)
      column = fprintf(page->stream, "%*s%.*s", indent, "", length, text);
    else if (length)
      column += fprintf(page->stream, " %.*s", length, text);
    text += length + (text[length] != 0);
  }
  fputc('\n', page->stream);
}

/* Exactly this name, in these letters; likeness is what --search is for. */
static PetscBool is_wanted(const CospinPage *page, const char name[])
{
  return (PetscBool)(!page->word || strcmp(page->word, name) == 0);
}

/* Held back until something under it is printed. */
void CospinPageHeading(CospinPage *page, const char text[])
{
  (void)snprintf(page->heading, sizeof(page->heading), "%s", text);
  page->part[0] = 0;
  page->part_matches = PETSC_FALSE;
}

/* `take` is how the search reads the reference: the same walk through it, with another listener. */
void CospinPagePart(CospinPage *page, const char name[], const char text[])
{
  const char *help = strstr(text, ": ");

  (void)snprintf(page->part, sizeof(page->part), "%s", text);
  if (page->take) page->take(page->context, page->heading, page->part, name, "", help ? help + 2 : "");
  page->part_matches = is_wanted(page, name);
}

/* Heading and part of the entry that is about to be printed, if they have not been. */
static void print_pending(CospinPage *page)
{
  if (page->heading[0]) {
    fputs(page->man ? ".SH " : page->any ? "\n" : "", page->stream);
    print_text(page, page->heading);
    fputs("\n", page->stream);
  }
  if (page->part[0]) {
    fputs(page->man ? ".SS " : "\n  ", page->stream);
    print_text(page, page->part);
    fputs("\n", page->stream);
  }
  page->heading[0] = page->part[0] = 0;
  page->any = PETSC_TRUE;
}

/* In troff a line that begins with a dot or a quote would be a command: signs are written so that they are
 * none. */
void CospinPageEntry(CospinPage *page, const char name[], const char behind[], const char text[])
{
  if (page->take) {
    page->take(page->context, page->heading, page->part, name, behind, text);
    return;
  }
  if (!page->part_matches && !is_wanted(page, name)) return;
  print_pending(page);
  fputs(page->man ? ".TP\n\\fB" : "    ", page->stream);
  print_text(page, name);
  fputs(page->man ? "\\fR" : "", page->stream);
  if (behind[0]) fputs("  ", page->stream);
  print_text(page, behind);
  fputs("\n", page->stream);
  if (page->man) {
    print_text(page, text);
    fputs(text[0] ? "\n" : "\\&\n", page->stream);
  } else if (text[0]) {
    print_wrapped(page, 8, text);
  }
}

void CospinPageText(FILE *stream, int indent, const char text[])
{
  const CospinPage page = {.stream = stream};

  print_wrapped(&page, indent, text);
}

/* As they stand (the help of the command line is laid out by hand). */
void CospinPageLines(CospinPage *page, const char text[])
{
  if (page->word || page->take) return;
  print_pending(page);
  fputs(page->man ? ".nf\n" : "", page->stream);
  while (*text) {
    const size_t length = strcspn(text, "\n");
    if (page->man && !length) fputs(".sp", page->stream);
    if (page->man && length && (text[0] == '.' || text[0] == '\'')) fputs("\\&", page->stream);
    for (size_t k = 0; k < length; k++) print_sign(page, text[k]);
    fputs("\n", page->stream);
    text += length + (text[length] != 0);
  }
  fputs(page->man ? ".fi\n" : "", page->stream);
}
