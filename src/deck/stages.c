/*
   The section `stages:`, a sequence of rotations at once and of times in which something of its own acts:

        - {rotate: {ions: [pi/2, 0]}}                       angle and phase: exp(-i angle n.S), n in the plane
        - {for: T, hamiltonian: [delta*ions.Sz], jumps: [loss]}
        - {rotate: {ions: [pi/2, phi]}}

   It is another way to write what functions of time say, and nothing but the deck's Hamiltonian and rates is
   left of it: a rotation is angle*kick(t, t0, k)*(cos(phi)*ions.Sx + sin(phi)*ions.Sy), with its place k in
   the list, so that turns at one time follow each other; a term of a stage has pulse(t, t0, t1) before it,
   and the rate of a jump that rests in some stages is multiplied by what is 1 in all others. So whatever
   follows t follows stages, and symmetries are those of all that ever acts.

   Times are the sums of what stands behind `for`, as texts, because parameters may stand there. Faults of
   the terms made here are told where the stage's own text begins.
*/
#include "read_impl.h"
#include <string.h>

const char *const CospinStageKeys[] = {"rotate", "for", "hamiltonian", "jumps", NULL};

/* A text that grows. Terms are put together as texts and parsed like any other, so that they mean what the
   same characters mean in a deck, and the completed deck, which prints them, can be run again. */
typedef struct {
  char *text;
  size_t length, capacity;
} Text;

/* Pieces one after the other, NULL at the end. */
static PetscErrorCode append(Text *text, const char *const parts[])
{
  PetscFunctionBeginUser;
  for (int k = 0; parts[k]; k++) {
    const size_t more = strlen(parts[k]);
    if (text->length + more + 1 > text->capacity) {
      text->capacity = 2 * text->capacity + more + 64;
      PetscCall(PetscRealloc(text->capacity, &text->text));
    }
    memcpy(text->text + text->length, parts[k], more + 1);
    text->length += more;
  }
  PetscFunctionReturn(0);
}

#define APPEND(text, ...) append(text, (const char *const[]){__VA_ARGS__, NULL})

/* The list at work. */
typedef struct {
  CospinReader *reader;
  int which;               /* of the stage */
  Text begin;              /* of the stage, a sum */
  Text *acts;              /* [num_jumps] when each of them acts, in the stages so far: pulses, or nothing */
  PetscBool *rests, *runs; /* [num_jumps] in some stage; in the one before */
} Sequence;

/* ---- Rotations ----------------------------------------------------------------------------------------- */

/* One more term of the deck's Hamiltonian; NULL, of a fault, is none. */
static PetscErrorCode append_term(CospinDeck deck, CospinExpression term, PetscBool is_sum)
{
  const size_t room = (size_t)deck->num_hamiltonian + 1;

  PetscFunctionBeginUser;
  if (!term) PetscFunctionReturn(0);
  PetscCall(PetscRealloc(sizeof(CospinExpression) * room, &deck->hamiltonian));
  PetscCall(PetscRealloc(sizeof(PetscBool) * room, &deck->hamiltonian_sum));
  deck->hamiltonian[deck->num_hamiltonian] = term;
  deck->hamiltonian_sum[deck->num_hamiltonian++] = is_sum;
  PetscFunctionReturn(0);
}

/* By itself before it is put into something: a parenthesis that is not closed would take in what follows. */
static PetscErrorCode get_piece(CospinReader *reader, const CospinEntry *entry, const char expected[],
                                char **text)
{
  CospinExpression alone;

  PetscFunctionBeginUser;
  PetscCall(CospinReadExpression(reader, entry, expected, &alone));
  *text = NULL;
  if (alone) PetscCall(PetscStrallocpy(CospinExpressionText(alone), text));
  PetscCall(CospinExpressionDestroy(&alone));
  PetscFunctionReturn(0);
}

/* Whether the key is a component, or a group, whose operators are sums over its members; a fault if not. */
static PetscErrorCode is_turned(CospinReader *reader, const CospinEntry *entry, PetscBool *good)
{
  int component;

  PetscFunctionBeginUser;
  *good = (PetscBool)(!strpbrk(entry->key, ".[") && CospinDeckGroupOf(reader->deck, entry->key, NULL));
  if (*good) PetscFunctionReturn(0);
  PetscCall(CospinReadComponent(reader, entry, &component));
  *good = (PetscBool)(component >= 0);
  PetscFunctionReturn(0);
}

/* `COMPONENT: [angle, phase]`, or an angle by itself: about x. */
static PetscErrorCode read_rotation(Sequence *sequence, const CospinEntry *entry)
{
  static const char expected[] = "[ANGLE, PHASE], or ANGLE (about x)";
  CospinReader *reader = sequence->reader;
  const PetscBool list = (PetscBool)(CospinEntryGetForm(entry) == COSPIN_ENTRY_LIST);
  char *angle = NULL, *phase = NULL, place[16];
  CospinExpression term;
  CospinEntries numbers = {0, NULL};
  Text text = {NULL, 0, 0};
  PetscBool good;

  PetscFunctionBeginUser;
  (void)snprintf(place, sizeof(place), "%d", sequence->which + 1);
  PetscCall(is_turned(reader, entry, &good));
  if (list) PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_LIST, expected, reader->faults, &numbers));
  if (list && numbers.count != 2)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path, "must be %s", expected));
  else
    PetscCall(get_piece(reader, list ? &numbers.entries[0] : entry, expected, &angle));
  if (list && angle) PetscCall(get_piece(reader, &numbers.entries[1], "a number", &phase));
  if (good && angle && (phase || !list)) {
    PetscCall(APPEND(&text, "(", angle, ")*kick(t, ", sequence->begin.text, ", ", place, ")*"));
    if (list)
      PetscCall(
          APPEND(&text, "(cos(", phase, ")*", entry->key, ".Sx + sin(", phase, ")*", entry->key, ".Sy)"));
    else
      PetscCall(APPEND(&text, entry->key, ".Sx"));
    PetscCall(CospinExpressionParseAt(text.text, entry->at, PETSC_TRUE, entry->path, reader->faults, &term));
    PetscCall(append_term(reader->deck, term, PETSC_FALSE));
  }
  PetscCall(CospinEntriesDestroy(&numbers));
  PetscCall(PetscFree(text.text));
  PetscCall(PetscFree(angle));
  PetscCall(PetscFree(phase));
  PetscFunctionReturn(0);
}

/* Components that turn at one time: their operators commute, so the order of the mapping does not matter. */
static PetscErrorCode read_rotations(Sequence *sequence, const CospinEntry *entry)
{
  CospinEntries entries;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "{COMPONENT: [ANGLE, PHASE], ...}",
                                sequence->reader->faults, &entries));
  for (int k = 0; k < entries.count; k++) PetscCall(read_rotation(sequence, &entries.entries[k]));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* ---- What acts for a time ------------------------------------------------------------------------------ */

/* A term, or one that is summed over spins, within a pulse. */
static PetscErrorCode read_term(CospinReader *reader, const CospinEntry *entry, const char pulse[])
{
  const PetscBool is_sum = (PetscBool)(CospinEntryGetForm(entry) == COSPIN_ENTRY_MAPPING);
  const CospinEntry *term = entry;
  CospinExpression expression;
  CospinEntries entries = {0, NULL};
  Text text = {NULL, 0, 0};
  char *piece = NULL;

  PetscFunctionBeginUser;
  if (is_sum) {
    PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "", reader->faults, &entries));
    PetscCall(CospinEntriesCheckKeys(&entries, CospinTermKeys, reader->faults, NULL));
    term = CospinEntriesFind(&entries, "sum");
  }
  if (term) PetscCall(get_piece(reader, term, "an operator expression", &piece));
  if (piece) {
    PetscCall(APPEND(&text, pulse, "*(", piece, ")"));
    PetscCall(
        CospinExpressionParseAt(text.text, term->at, PETSC_TRUE, term->path, reader->faults, &expression));
    PetscCall(append_term(reader->deck, expression, is_sum));
  }
  PetscCall(CospinEntriesDestroy(&entries));
  PetscCall(PetscFree(text.text));
  PetscCall(PetscFree(piece));
  PetscFunctionReturn(0);
}

/* A single term may stand without a list, as in `hamiltonian:` of a deck. */
static PetscErrorCode read_hamiltonian(CospinReader *reader, const CospinEntry *entry, const char pulse[])
{
  CospinEntries entries;

  PetscFunctionBeginUser;
  if (CospinEntryGetForm(entry) == COSPIN_ENTRY_SCALAR) {
    PetscCall(read_term(reader, entry, pulse));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_LIST, "a list of operator expressions", reader->faults,
                                &entries));
  for (int k = 0; k < entries.count; k++) PetscCall(read_term(reader, &entries.entries[k], pulse));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* Marks the jumps of a name; a fault if there are none. */
static PetscErrorCode mark_named(CospinReader *reader, const CospinEntry *entry, PetscBool acts[])
{
  const CospinDeck deck = reader->deck;
  const char *known[65] = {NULL};
  PetscBool found = PETSC_FALSE;
  char *name;
  int num = 0;

  PetscFunctionBeginUser;
  PetscCall(CospinEntryGetText(entry, "the name of a jump", reader->faults, &name));
  for (int k = 0; name && k < deck->num_jumps; k++) {
    if (deck->jumps[k].name && num < 64) known[num++] = deck->jumps[k].name;
    if (!deck->jumps[k].name || strcmp(deck->jumps[k].name, name)) continue;
    found = acts[k] = PETSC_TRUE;
  }
  if (name && !found && num)
    PetscCall(CospinFaultsAddUnknown(reader->faults, entry->at, entry->path, "jump", name, known));
  else if (name && !found)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "no jump has a name (`jumps: [{name: loss, rate: ...}]`)"));
  PetscCall(PetscFree(name));
  PetscFunctionReturn(0);
}

/* `all` (so does nothing), `none`, or a list of names. */
static PetscErrorCode read_jumps(CospinReader *reader, const CospinEntry *entry, PetscBool acts[])
{
  static const char expected[] = "`all`, `none`, or a list of names of jumps";
  const CospinEntryForm form = entry ? CospinEntryGetForm(entry) : COSPIN_ENTRY_EMPTY;
  CospinEntries entries;
  char *word = NULL;
  PetscBool all = (PetscBool)!entry;

  PetscFunctionBeginUser;
  if (entry && form != COSPIN_ENTRY_LIST) {
    PetscCall(CospinEntryGetText(entry, expected, reader->faults, &word));
    all = (PetscBool)(!word || !strcmp(word, "all"));
    if (word && !all && strcmp(word, "none"))
      PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path, "`%s` is not %s", word, expected));
    PetscCall(PetscFree(word));
  }
  for (int k = 0; k < reader->deck->num_jumps; k++) acts[k] = all;
  if (form != COSPIN_ENTRY_LIST) PetscFunctionReturn(0);
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_LIST, expected, reader->faults, &entries));
  for (int k = 0; k < entries.count; k++) PetscCall(mark_named(reader, &entries.entries[k], acts));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* Pulses of stages that follow each other are one: an edge where nothing changes would end a step of whoever
   integrates. A pulse is left open while its jump runs; the stage in which it rests, or the end of the list,
   closes it. */
static PetscErrorCode note_jumps(Sequence *sequence, const PetscBool acts[], const char begin[])
{
  PetscFunctionBeginUser;
  for (int k = 0; k < sequence->reader->deck->num_jumps; k++) {
    if (acts[k] && !sequence->runs[k])
      PetscCall(
          APPEND(&sequence->acts[k], sequence->acts[k].length ? " + pulse(t, " : "pulse(t, ", begin, ", "));
    if (!acts[k] && sequence->runs[k]) PetscCall(APPEND(&sequence->acts[k], begin, ")"));
    if (!acts[k]) sequence->rests[k] = PETSC_TRUE;
    sequence->runs[k] = acts[k];
  }
  PetscFunctionReturn(0);
}

/* How long a stage is has to be known to whoever makes a problem of the deck: not less than nothing. */
static PetscErrorCode append_duration(CospinDeck deck, CospinExpression duration)
{
  PetscFunctionBeginUser;
  PetscCall(PetscRealloc(sizeof(CospinExpression) * ((size_t)deck->num_durations + 1), &deck->durations));
  deck->durations[deck->num_durations++] = duration;
  PetscFunctionReturn(0);
}

/* `for: TIME` with what acts. The begin of the next stage is the end of this one, the same text, so that a
   pulse that ends and one that begins there are compared with the same number. */
static PetscErrorCode read_stretch(Sequence *sequence, const CospinEntries *entries,
                                   const CospinEntry *length)
{
  CospinReader *reader = sequence->reader;
  const CospinEntry *hamiltonian = CospinEntriesFind(entries, "hamiltonian");
  CospinExpression duration;
  Text end = {NULL, 0, 0}, pulse = {NULL, 0, 0};
  PetscBool *acts;

  PetscFunctionBeginUser;
  PetscCall(CospinReadExpression(reader, length, "a time", &duration));
  if (!duration) PetscFunctionReturn(0);
  PetscCall(CospinParametersCheckNames(reader->deck, duration, reader->faults));
  PetscCall(append_duration(reader->deck, duration));
  PetscCall(APPEND(&end, sequence->begin.text, " + (", CospinExpressionText(duration), ")"));
  PetscCall(APPEND(&pulse, "pulse(t, ", sequence->begin.text, ", ", end.text, ")"));
  if (hamiltonian) PetscCall(read_hamiltonian(reader, hamiltonian, pulse.text));
  PetscCall(PetscMalloc1((size_t)reader->deck->num_jumps + 1, &acts));
  PetscCall(read_jumps(reader, CospinEntriesFind(entries, "jumps"), acts));
  PetscCall(note_jumps(sequence, acts, sequence->begin.text));
  PetscCall(PetscFree(acts));
  PetscCall(PetscFree(pulse.text));
  PetscCall(PetscFree(sequence->begin.text));
  sequence->begin = end;
  PetscFunctionReturn(0);
}

/* ---- The list ------------------------------------------------------------------------------------------ */

/* One thing a stage: a turn takes no time, so nothing can act beside it. */
static PetscErrorCode read_stage(Sequence *sequence, const CospinEntry *entry)
{
  const CospinFaults faults = sequence->reader->faults;
  const CospinEntry *rotate, *length;
  CospinEntries entries;
  int num_unknown;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING,
                                "{rotate: {COMPONENT: [ANGLE, PHASE]}} or {for: TIME, ...}", faults,
                                &entries));
  PetscCall(CospinEntriesCheckKeys(&entries, CospinStageKeys, faults, &num_unknown));
  rotate = CospinEntriesFind(&entries, "rotate");
  length = CospinEntriesFind(&entries, "for");
  if (rotate && entries.count > 1)
    PetscCall(CospinFaultsAdd(faults, rotate->key_at, rotate->path,
                              "a rotation is a stage by itself and takes no time (`- {rotate: ...}`, then "
                              "`- {for: ...}`)"));
  else if (rotate)
    PetscCall(read_rotations(sequence, rotate));
  else if (length)
    PetscCall(read_stretch(sequence, &entries, length));
  else if (!num_unknown)
    PetscCall(
        CospinFaultsAdd(faults, entry->at, entry->path,
                        "must be {rotate: {COMPONENT: [ANGLE, PHASE]}} or {for: TIME, hamiltonian: ..., "
                        "jumps: ...}"));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* What is 1 where the jump acts; behind all stages everything does. */
static PetscErrorCode multiply_rate(Sequence *sequence, int k)
{
  CospinJump *jump = &sequence->reader->deck->jumps[k];
  const char *begin = sequence->begin.text;
  Text *acts = &sequence->acts[k], text = {NULL, 0, 0};
  CospinExpression rate = jump->rate;

  PetscFunctionBeginUser;
  if (!sequence->rests[k] || !rate) PetscFunctionReturn(0);
  if (sequence->runs[k]) /* it goes on: from the begin of its last pulse on it acts */
    PetscCall(APPEND(acts, begin, ") + "));
  else if (acts->length)
    PetscCall(APPEND(acts, " + "));
  PetscCall(APPEND(&text, "(", CospinExpressionText(rate), ")*(", acts->length ? acts->text : "",
                   "step(t - (", begin, ")))"));
  PetscCall(CospinExpressionParseAt(text.text, CospinExpressionPosition(rate), PETSC_TRUE,
                                    CospinExpressionPath(rate), sequence->reader->faults, &jump->rate));
  PetscCall(CospinExpressionDestroy(&rate));
  PetscCall(PetscFree(text.text));
  PetscFunctionReturn(0);
}

/* Behind `jumps:` in the order of sections, for their rates are changed here. */
PetscErrorCode CospinReadStages(CospinReader *reader, const CospinEntry *entry)
{
  const int num_jumps = reader->deck->num_jumps;
  Sequence sequence = {.reader = reader};
  CospinEntries entries;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc3((size_t)num_jumps + 1, &sequence.acts, (size_t)num_jumps + 1, &sequence.rests,
                         (size_t)num_jumps + 1, &sequence.runs));
  PetscCall(APPEND(&sequence.begin, "0"));
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_LIST, "a list of {rotate: ...} and {for: TIME, ...}",
                                reader->faults, &entries));
  for (; sequence.which < entries.count; sequence.which++)
    PetscCall(read_stage(&sequence, &entries.entries[sequence.which]));
  for (int k = 0; k < num_jumps; k++) PetscCall(multiply_rate(&sequence, k));
  for (int k = 0; k < num_jumps; k++) PetscCall(PetscFree(sequence.acts[k].text));
  PetscCall(PetscFree3(sequence.acts, sequence.rests, sequence.runs));
  PetscCall(PetscFree(sequence.begin.text));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}
