/*
   The words behind `cospin`: the only file that knows which options there are, what each takes and which
   commands take it. An option in the wrong place is a fault, never ignored: a run whose `--set` was not heard
   computes something else than was asked for.

   It is read before MPI and PETSc begin, so nothing here may call them; what is wrong is one sentence in
   `fault`, told later by one rank.

   One row an option: its name, which commands take it, whether a value follows, and a function that takes it.
   Words that begin with one dash are PETSc's and are passed on as they stand.
*/
#include <cospin/cli/command.h>
#include <cospin/operator/cost.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Words of the command line, and the next one to be read. */
typedef struct {
  int argc, at;
  char **argv;
  CospinCommand *command;
} Parser;

/* The commands that take an option, as bits. */
enum {
  RUN = 1 << COSPIN_COMMAND_RUN,
  PLAN = 1 << COSPIN_COMMAND_PLAN,
  EXPORT = 1 << COSPIN_COMMAND_EXPORT,
  NEW = 1 << COSPIN_COMMAND_NEW,
  SHOW = 1 << COSPIN_COMMAND_SHOW,
  REFERENCE = 1 << COSPIN_COMMAND_REFERENCE
};

/* What an option of ours does with its value (NULL: it takes none). */
typedef struct {
  const char *name;
  unsigned verbs;
  PetscBool takes_value;
  void (*set)(CospinCommand *command, const char value[]);
} Option;

/* The first fault is told: later ones may follow from it. */
static void fault(CospinCommand *command, const char format[], const char what[])
{
  if (command->fault[0] == 0) (void)snprintf(command->fault, sizeof(command->fault), format, what);
}

/* With an upper limit, so that it fits into an int everywhere. 1 on a fault, so that whatever goes on
   computes with something. */
static int positive(CospinCommand *command, const char value[])
{
  char *end;
  const long number = strtol(value, &end, 10);

  if (*value == 0 || *end != 0 || number < 1 || number > 100000000) {
    fault(command, "`%s` is not a whole number from 1", value);
    return 1;
  }
  return (int)number;
}

static void set_output(CospinCommand *command, const char value[])
{
  (void)snprintf(command->output, sizeof(command->output), "%s", value);
}

static void set_equations(CospinCommand *command, const char value[])
{
  if (command->output[0]) fault(command, "one of `%s`: they are two exports", "--matrix` and `--equations");
  command->equations = 1;
  set_output(command, value);
}

static void set_matrix(CospinCommand *command, const char value[])
{
  if (command->equations) fault(command, "one of `%s`: they are two exports", "--matrix` and `--equations");
  set_output(command, value);
}

/* Only the form is looked at here; whether there is such a parameter, the deck knows. Kept in the order of
   the command line; a name given twice is a fault of the deck's reader, which tells both. */
static void set_change(CospinCommand *command, const char value[])
{
  const char *sign = strchr(value, '=');

  if (!sign || sign == value) fault(command, "`--set %s` is not NAME=EXPRESSION (as in --set N=40)", value);
  command->changes[command->num_changes++] = value;
}

static void set_topic(CospinCommand *command, const char value[])
{
  command->topic = value;
}

/* All that is left are words to search for. */
static void set_search(CospinCommand *command, const char value[])
{
  (void)value;
  command->search = PETSC_TRUE;
}

static void set_point(CospinCommand *command, const char value[])
{
  char *end;

  command->point = strtol(value, &end, 10);
  if (*value == 0 || *end != 0 || command->point < 0)
    fault(command, "`--point %s` is not the number of a point of the grid, from 0", value);
}

static void set_groups(CospinCommand *command, const char value[])
{
  command->groups = positive(command, value);
}

static void set_ranks_per_point(CospinCommand *command, const char value[])
{
  command->ranks_per_point = positive(command, value);
}

static void set_ranks(CospinCommand *command, const char value[])
{
  command->ranks = positive(command, value);
}

static void set_quiet(CospinCommand *command, const char value[])
{
  (void)value;
  command->quiet = PETSC_TRUE;
  command->progress = COSPIN_PROGRESS_NONE;
}

static void set_overwrite(CospinCommand *command, const char value[])
{
  (void)value;
  command->overwrite = PETSC_TRUE;
}

static void set_retry(CospinCommand *command, const char value[])
{
  (void)value;
  command->retry = PETSC_TRUE;
}

static void set_slurm(CospinCommand *command, const char value[])
{
  (void)value;
  command->slurm = PETSC_TRUE;
}

static void set_cores(CospinCommand *command, const char value[])
{
  command->nodes.cores = positive(command, value);
}

static void set_nodes(CospinCommand *command, const char value[])
{
  command->nodes.nodes = positive(command, value);
}

/* With the suffixes of SLURM (128G); below a megabyte a G has been forgotten. */
static void set_memory(CospinCommand *command, const char value[])
{
  command->nodes.bytes = CospinCostBytes(value);
  if (!(command->nodes.bytes >= 1e6)) fault(command, "`%s` is no memory of a node (such as 128G)", value);
}

static void set_deck(CospinCommand *command, const char value[])
{
  (void)value;
  command->deck = PETSC_TRUE;
}

static void set_man(CospinCommand *command, const char value[])
{
  (void)value;
  command->man = PETSC_TRUE;
}

static void set_check(CospinCommand *command, const char value[])
{
  (void)value;
  command->check = PETSC_TRUE;
}

/* --no-verify: damaged files are shown as far as they can be. */
static void set_trust(CospinCommand *command, const char value[])
{
  (void)value;
  command->trust = PETSC_TRUE;
}

static void set_stop_at(CospinCommand *command, const char value[])
{
  if (!CospinStopParseTime(value, &command->stop_at))
    fault(command, "`--stop-at %s` is not a time (+SECONDS, YYYY-MM-DDTHH:MM:SS, or seconds since 1970)",
          value);
}

static double seconds(CospinCommand *command, const char value[], const char format[])
{
  char *end;
  const double number = strtod(value, &end);

  if (end == value || *end || !(number > 0)) fault(command, format, value);
  return number;
}

static void set_stop_within(CospinCommand *command, const char value[])
{
  command->stop_within = seconds(command, value, "`--stop-within %s` (a number of seconds above 0)");
}

static void set_checkpoint(CospinCommand *command, const char value[])
{
  command->checkpoint = seconds(command, value, "`--checkpoint %s` (a number of seconds above 0)");
}

static void set_progress(CospinCommand *command, const char value[])
{
  static const char *const names[] = {"auto", "line", "log", "none"};

  for (int k = 0; k < 4; k++) {
    if (strcmp(value, names[k]) != 0) continue;
    command->progress = (CospinProgressMode)k;
    return;
  }
  fault(command, "`--progress %s` is not a mode (line, log, none or auto)", value);
}

/* Two names of one thing are two rows. Completion for bash is compared with the table by a test
   (tests/cli/new.sh). */
static const Option options[] = {
    {"-o", RUN | PLAN, PETSC_TRUE, set_output},
    {"--output", RUN | PLAN, PETSC_TRUE, set_output},
    {"--groups", RUN, PETSC_TRUE, set_groups},
    {"--ranks-per-point", RUN, PETSC_TRUE, set_ranks_per_point},
    {"--ranks", PLAN, PETSC_TRUE, set_ranks},
    {"--quiet", RUN, PETSC_FALSE, set_quiet},
    {"--set", RUN | PLAN | EXPORT, PETSC_TRUE, set_change},
    {"--matrix", EXPORT, PETSC_TRUE, set_matrix},
    {"--equations", EXPORT, PETSC_TRUE, set_equations},
    {"--point", EXPORT, PETSC_TRUE, set_point},
    {"--overwrite", RUN, PETSC_FALSE, set_overwrite},
    {"--retry", RUN, PETSC_FALSE, set_retry},
    {"--stop-at", RUN, PETSC_TRUE, set_stop_at},
    {"--stop-within", RUN, PETSC_TRUE, set_stop_within},
    {"--checkpoint", RUN, PETSC_TRUE, set_checkpoint},
    {"--progress", RUN, PETSC_TRUE, set_progress},
    {"--slurm", PLAN, PETSC_FALSE, set_slurm},
    {"--cores-per-node", PLAN, PETSC_TRUE, set_cores},
    {"--memory-per-node", PLAN, PETSC_TRUE, set_memory},
    {"--nodes", PLAN, PETSC_TRUE, set_nodes},
    {"--deck", SHOW, PETSC_FALSE, set_deck},
    {"--check", SHOW, PETSC_FALSE, set_check},
    {"--no-verify", SHOW, PETSC_FALSE, set_trust},
    {"--like", NEW, PETSC_TRUE, set_topic},
    {"--man", REFERENCE, PETSC_FALSE, set_man},
    {"--search", REFERENCE, PETSC_FALSE, set_search},
};
enum { NUM_OPTIONS = sizeof(options) / sizeof(options[0]) };

static const char *const verb_names[] = {"run",       "plan",   "export",    "new", "show",
                                         "reference", "--help", "--version", NULL};

const char *CospinCommandOption(int k)
{
  return k < NUM_OPTIONS ? options[k].name : NULL;
}

/* Pairs of options: the first one says nothing without the second, or not beside it. */
static const struct {
  const char *one, *other;
  PetscBool needs;
} pairs[] = {
    {"--cores-per-node", "--slurm", PETSC_TRUE}, {"--memory-per-node", "--slurm", PETSC_TRUE},
    {"--nodes", "--slurm", PETSC_TRUE},          {"-o", "--slurm", PETSC_TRUE},
    {"--output", "--slurm", PETSC_TRUE},         {"--ranks", "--slurm", PETSC_FALSE},
    {"--deck", "--check", PETSC_FALSE},          {"--no-verify", "--check", PETSC_FALSE},
    {"--man", "--search", PETSC_FALSE},
};
enum { NUM_PAIRS = sizeof(pairs) / sizeof(pairs[0]) };

/* -5 and -1e-3 are values, -eps_tol is not. PETSc's options have their value behind a blank, or none at
   all: only the next word can tell. */
static PetscBool is_value(const char word[])
{
  return (PetscBool)(word[0] != '-' || isdigit((unsigned char)word[1]) || word[1] == '.');
}

/* Words that begin with one dash are PETSc's, with their value if the next word is one. Not checked here:
   whether an option exists is known when a solver has asked for it (main.c warns). */
static void take_petsc_option(Parser *parser)
{
  CospinCommand *command = parser->command;

  command->petsc_argv[command->petsc_argc++] = parser->argv[parser->at++];
  if (parser->at < parser->argc && is_value(parser->argv[parser->at])) {
    command->petsc_argv[command->petsc_argc++] = parser->argv[parser->at++];
  }
}

/* `--set` stands behind `show`: who takes it. Told before anything is run, whatever else is on the line. */
static void refuse(CospinCommand *command, const Option *option)
{
  char takers[100] = "";
  int num = 0;

  for (int verb = 0; verb <= COSPIN_COMMAND_REFERENCE; verb++) {
    const size_t length = strlen(takers);
    const unsigned later = option->verbs >> (verb + 1);
    if (!(option->verbs & 1U << verb)) continue;
    (void)snprintf(takers + length, sizeof(takers) - length, "%s%s",
                   num++ == 0 ? ""
                   : later    ? ", "
                              : " and ",
                   verb_names[verb]);
  }
  if (command->fault[0]) return;
  (void)snprintf(command->fault, sizeof(command->fault), "`cospin %s` takes no `%s` (%s %s it)",
                 verb_names[command->verb], option->name, takers, num == 1 ? "takes" : "take");
}

/* Of options that go together or exclude each other. */
static PetscBool was_given(const Parser *parser, const char name[])
{
  for (int k = 2; k < parser->argc; k++)
    if (strcmp(parser->argv[k], name) == 0) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* `plan` writes a dataset's name into job scripts only; `run` takes -o by itself. By the words and not by
   what was set, since defaults set something as well. */
static void check_pairs(const Parser *parser)
{
  CospinCommand *command = parser->command;

  for (int k = 0; k < NUM_PAIRS && !command->fault[0]; k++) {
    if (command->verb == COSPIN_COMMAND_RUN && strcmp(pairs[k].other, "--slurm") == 0) continue;
    if (!was_given(parser, pairs[k].one) || was_given(parser, pairs[k].other) == pairs[k].needs) continue;
    (void)snprintf(command->fault, sizeof(command->fault),
                   pairs[k].needs ? "`%s` says nothing without `%s`" : "`%s` and `%s` do not go together",
                   pairs[k].one, pairs[k].other);
  }
}

/* Long options that are unknown are ours misspelt; PETSc's have one dash. */
static void take_option(Parser *parser)
{
  const char *word = parser->argv[parser->at], *names[NUM_OPTIONS + 1] = {NULL};

  for (int k = 0; k < NUM_OPTIONS; k++) {
    if (strcmp(word, options[k].name) != 0) continue;
    parser->at++;
    if (!(options[k].verbs & 1U << parser->command->verb)) refuse(parser->command, &options[k]);
    if (options[k].takes_value && parser->at == parser->argc) {
      fault(parser->command, "`%s` needs a value", word);
    } else {
      options[k].set(parser->command, options[k].takes_value ? parser->argv[parser->at++] : NULL);
    }
    return;
  }
  if (word[1] == '-') {
    const char *close;
    for (int k = 0; k < NUM_OPTIONS; k++) names[k] = options[k].name;
    close = CospinSuggest(word, names);
    (void)snprintf(parser->command->fault, sizeof(parser->command->fault), "unknown option `%s` (%s%s%s)",
                   word, close ? "did you mean " : "see cospin --help", close ? close : "", close ? "?" : "");
    parser->at++;
  } else {
    take_petsc_option(parser);
  }
}

/* Without any word the help is shown. Options of `run` in front of the command are not understood: `cospin
   run ...` is always the beginning. */
static void take_verb(Parser *parser)
{
  const char *word = parser->argc > 1 ? parser->argv[1] : "--help";
  int k = 0;

  if (strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) word = "--help";
  while (verb_names[k] && strcmp(word, verb_names[k]) != 0) k++;
  parser->command->verb = (CospinVerb)k;
  parser->at = 2;
  if (verb_names[k]) return;
  parser->command->verb = COSPIN_COMMAND_HELP;
  fault(parser->command,
        "unknown command `%s` (run, plan, export, new, show, reference, --help or --version)", word);
}

/* nbar.yaml -> nbar.h5, in this folder; job scripts have one for it. By the name of the deck and not its
   folder: results stand where the command was given. */
static void default_output(CospinCommand *command)
{
  const char *slash = strrchr(command->file, '/'), *base = slash ? slash + 1 : command->file;
  const char *dot = strrchr(base, '.');
  const int length = dot && dot != base ? (int)(dot - base) : (int)strlen(base);

  (void)snprintf(command->output, sizeof(command->output), "%s%.*s.h5", command->slurm ? "runs/" : "", length,
                 base);
}

static void take_word(CospinCommand *command, const char word[])
{
  const size_t length = strlen(command->words);

  (void)snprintf(command->words + length, sizeof(command->words) - length, "%s%s", length ? " " : "", word);
  if (!command->file)
    command->file = word;
  else if (!command->second)
    command->second = word;
}

/* Defaults first (a checkpoint every ten minutes; nodes of 32 cores and 128G, which are no one's in
   particular), then the words, then what fits together. */
void CospinCommandParse(int argc, char *argv[], CospinCommand *command)
{
  Parser parser = {argc, 1, argv, command};

  memset(command, 0, sizeof(*command));
  command->checkpoint = 600;
  command->nodes = (CospinNodes){.cores = 32, .bytes = CospinCostBytes("128G")};
  command->petsc_argv = (char **)calloc((size_t)argc + 2, sizeof(char *));
  command->changes = (const char **)calloc((size_t)argc + 1, sizeof(char *));
  command->petsc_argv[command->petsc_argc++] = argv[0];
  take_verb(&parser);
  while (parser.at < argc && command->verb <= COSPIN_COMMAND_REFERENCE) {
    const char *word = argv[parser.at];
    if (word[0] == '-' && word[1]) {
      take_option(&parser);
      continue;
    }
    take_word(command, word);
    parser.at++;
  }
  check_pairs(&parser);
  if (command->second && !command->search)
    fault(command, "one file or word at a time, what is `%s`?", command->second);
  if (command->search && !command->words[0]) fault(command, "`%s` needs words", "--search");
  if (command->verb <= COSPIN_COMMAND_SHOW && !command->file) {
    fault(command,
          command->verb == COSPIN_COMMAND_NEW ? "`cospin %s` needs the name of the deck behind it"
                                              : "`cospin %s` needs a file right behind it",
          verb_names[command->verb]);
  } else if (command->verb == COSPIN_COMMAND_EXPORT && command->output[0] == 0) {
    fault(command, "`cospin export` needs `%s FILE` (-: the standard output)",
          "--matrix FILE` or `--equations");
  } else if (command->file && command->output[0] == 0) {
    default_output(command);
  }
}

/* A quote within single quotes is written '\'': end, quote, begin again. What does not fit is left out at
   a whole change. */
void CospinCommandQuoteChanges(const CospinCommand *command, char text[], size_t size)
{
  size_t length = 0;

  text[0] = 0;
  for (int k = 0; k < command->num_changes; k++) {
    length += (size_t)snprintf(text + length, size - length, " --set '");
    for (const char *c = command->changes[k]; *c && length + 20 < size; c++)
      length += (size_t)snprintf(text + length, size - length, *c == '\'' ? "'\\''" : "%c", *c);
    if (length + 20 >= size) return;
    text[length++] = '\'';
    text[length] = 0;
  }
}

void CospinCommandFree(CospinCommand *command)
{
  free(command->petsc_argv);
  free(command->changes);
}
